//! Statistics of a render, by which training adds, splits and removes Gaussians.

/// Statistics of the N Gaussians over all views of a render, and of its M splats (MATH eq. 23).
///
/// A Gaussian that no view shows has zeros. The statistics are no gradients: a later render does not
/// add to them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Statistics<S> {
    /// The number of views in which the Gaussian is not culled, `[N]`.
    pub views: S,
    /// The greatest half width or half height of the Gaussian's boxes, `[N]`, px. See
    /// [`Splats::extents`](crate::Splats::extents).
    pub radii: S,
    /// The greatest weight of the Gaussian in a pixel of any view, `[N]`, 0 to 1.
    pub largest_weights: S,
    /// The sum of the Gaussian's weights over the pixels of all views, `[N]`, px.
    pub total_weights: S,
    /// The sum over views of the length of the gradient with respect to the splat's mean, `[N]`,
    /// px^-1 times the unit of the loss. Training of 3DGS (Kerbl et al. 2023) adds Gaussians where
    /// the mean over views is large.
    pub mean_gradients: S,
    /// The same for the absolute gradients of `splats`, `[N]`. `AbsGS` (Ye et al. 2024) uses it in
    /// place of `mean_gradients`, because gradients of opposite signs do not cancel in it.
    pub absolute_mean_gradients: S,
    /// The statistics of every view by itself.
    pub splats: SplatStatistics<S>,
}

/// Statistics of M splats over their pixels.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SplatStatistics<S> {
    /// The sum over pixels of the absolute value of the gradient with respect to the splat's mean, x
    /// and y, `[M, 2]`, px^-1 times the unit of the loss.
    pub absolute_means: S,
    /// The greatest weight `alpha T` of the splat in a pixel, `[M]`.
    pub largest_weights: S,
    /// The sum of the splat's weights over all pixels, `[M]`, px.
    pub total_weights: S,
}

impl<S> Statistics<S> {
    /// Applies `f` to every buffer, in the order of the fields.
    ///
    /// # Errors
    /// The first error that `f` returns.
    pub fn try_map<'a, U, E>(
        &'a self,
        mut f: impl FnMut(&'a S) -> Result<U, E>,
    ) -> Result<Statistics<U>, E> {
        Ok(Statistics {
            views: f(&self.views)?,
            radii: f(&self.radii)?,
            largest_weights: f(&self.largest_weights)?,
            total_weights: f(&self.total_weights)?,
            mean_gradients: f(&self.mean_gradients)?,
            absolute_mean_gradients: f(&self.absolute_mean_gradients)?,
            splats: self.splats.try_map(f)?,
        })
    }

    /// Returns the statistics by Gaussian with their names, in the order of the fields.
    pub fn buffers(&self) -> [(&'static str, &S); 6] {
        [
            ("views", &self.views),
            ("radii", &self.radii),
            ("largest_weights", &self.largest_weights),
            ("total_weights", &self.total_weights),
            ("mean_gradients", &self.mean_gradients),
            ("absolute_mean_gradients", &self.absolute_mean_gradients),
        ]
    }
}

impl<S> SplatStatistics<S> {
    /// Applies `f` to every buffer, in the order of the fields.
    ///
    /// # Errors
    /// The first error that `f` returns.
    pub fn try_map<'a, U, E>(
        &'a self,
        mut f: impl FnMut(&'a S) -> Result<U, E>,
    ) -> Result<SplatStatistics<U>, E> {
        Ok(SplatStatistics {
            absolute_means: f(&self.absolute_means)?,
            largest_weights: f(&self.largest_weights)?,
            total_weights: f(&self.total_weights)?,
        })
    }

    /// Returns the statistics with their names, in the order of the fields.
    pub fn buffers(&self) -> [(&'static str, &S); 3] {
        [
            ("absolute_means", &self.absolute_means),
            ("largest_weights", &self.largest_weights),
            ("total_weights", &self.total_weights),
        ]
    }
}
