//! Sums of the statistics of several renders.

use crate::error::{RenderError, try_filled};
use crate::gaussians::check_len;
use crate::number::Number;
use crate::statistics::Statistics;

/// The statistics of N Gaussians over the renders since the list of Gaussians changed (MATH eq.
/// 23). After a change, start again with [`Observed::new`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Observed {
    views: Vec<f64>,
    radii: Vec<f64>,
    largest_weights: Vec<f64>,
    total_weights: Vec<f64>,
    mean_gradients: Vec<f64>,
    absolute_mean_gradients: Vec<f64>,
}

impl Observed {
    /// Creates the sums over no render, for `count` Gaussians.
    ///
    /// # Errors
    /// [`RenderError::Capacity`] if an allocation fails.
    pub fn new(count: usize) -> Result<Self, RenderError> {
        let zeros = || try_filled("observed statistics [N]", count, 0.0);
        Ok(Self {
            views: zeros()?,
            radii: zeros()?,
            largest_weights: zeros()?,
            total_weights: zeros()?,
            mean_gradients: zeros()?,
            absolute_mean_gradients: zeros()?,
        })
    }

    /// Returns the sums, or greatest values, of N Gaussians with their names. With
    /// [`Observed::from_sums`] a run of training that is resumed goes on with them.
    pub fn sums(&self) -> [(&'static str, &[f64]); 6] {
        [
            ("views", &self.views),
            ("radii", &self.radii),
            ("largest_weights", &self.largest_weights),
            ("total_weights", &self.total_weights),
            ("mean_gradients", &self.mean_gradients),
            ("absolute_mean_gradients", &self.absolute_mean_gradients),
        ]
    }

    /// Creates the state of which [`Observed::sums`] returned these sums, each `[N]`.
    ///
    /// # Errors
    /// [`RenderError::Shape`] names the first of the sums that has another length than the first.
    pub fn from_sums(sums: [Vec<f64>; 6]) -> Result<Self, RenderError> {
        let [
            views,
            radii,
            largest_weights,
            total_weights,
            mean_gradients,
            absolute_mean_gradients,
        ] = sums;
        let observed = Self {
            views,
            radii,
            largest_weights,
            total_weights,
            mean_gradients,
            absolute_mean_gradients,
        };
        for (name, sums) in observed.sums() {
            check_len(name, "[N]", &[observed.count()], sums.len())?;
        }
        Ok(observed)
    }

    /// Adds the statistics of one render.
    ///
    /// Gradients are multiplied by `unit`. The gradients of a render have the unit px^-1. Half the side
    /// of a square image in pixels times the number of views of the loss's mean gives the unit of 3DGS,
    /// in which the image is two units long and the loss is that of one view. 3DGS scales x by half the
    /// width and y by half the height. For other images, half the longer side is a bound.
    ///
    /// A Gaussian with a statistic that is not finite is left out of this render's sums.
    ///
    /// # Errors
    /// - [`RenderError::Shape`] names the first of the statistics by Gaussian that has not N
    ///   elements.
    /// - [`RenderError::Config`] if `unit` is negative or not finite.
    pub fn add<T: Number>(
        &mut self,
        statistics: &Statistics<Vec<T>>,
        unit: f64,
    ) -> Result<(), RenderError> {
        let n = self.count();
        for (argument, buffer) in [
            ("statistics.views", &statistics.views),
            ("statistics.radii", &statistics.radii),
            ("statistics.largest_weights", &statistics.largest_weights),
            ("statistics.total_weights", &statistics.total_weights),
            ("statistics.mean_gradients", &statistics.mean_gradients),
            (
                "statistics.absolute_mean_gradients",
                &statistics.absolute_mean_gradients,
            ),
        ] {
            check_len(argument, "[N]", &[n], buffer.len())?;
        }
        if !(unit >= 0.0 && unit.is_finite()) {
            return Err(RenderError::config("unit", "a finite number >= 0", unit));
        }
        for i in 0..n {
            let row = statistics.buffers().map(|(_, buffer)| buffer[i].to_f64());
            if !row.iter().all(|number| number.is_finite()) {
                continue;
            }
            let [views, radius, largest, total, gradient, absolute] = row;
            self.views[i] += views;
            self.radii[i] = self.radii[i].max(radius);
            self.largest_weights[i] = self.largest_weights[i].max(largest);
            self.total_weights[i] += total;
            self.mean_gradients[i] += unit * gradient;
            self.absolute_mean_gradients[i] += unit * absolute;
        }
        Ok(())
    }

    /// Returns the number N of Gaussians.
    pub fn count(&self) -> usize {
        self.views.len()
    }

    /// Returns the mean length of the gradients with respect to the means of splats, `[N]`, over the
    /// views that do not cull the Gaussian, as in 3DGS. It is 0 if there is no such view.
    pub fn mean_gradients(&self) -> Vec<f64> {
        self.per_view(&self.mean_gradients)
    }

    /// Returns the same for the absolute gradients, `[N]`, as in `AbsGS` (Ye et al. 2024).
    pub fn absolute_mean_gradients(&self) -> Vec<f64> {
        self.per_view(&self.absolute_mean_gradients)
    }

    /// Returns the number of views that do not cull the Gaussian, `[N]`.
    pub fn views(&self) -> &[f64] {
        &self.views
    }

    /// Returns the greatest half width or half height of the Gaussian's boxes, `[N]`, px.
    pub fn radii(&self) -> &[f64] {
        &self.radii
    }

    /// Returns the greatest weight of the Gaussian in a pixel, `[N]`, 0 to 1.
    pub fn largest_weights(&self) -> &[f64] {
        &self.largest_weights
    }

    /// Returns the sum of the Gaussian's weights over the pixels of all views, `[N]`, px.
    pub fn total_weights(&self) -> &[f64] {
        &self.total_weights
    }

    fn per_view(&self, sums: &[f64]) -> Vec<f64> {
        let rows = sums.iter().zip(&self.views);
        rows.map(|(sum, &views)| if views > 0.0 { sum / views } else { 0.0 })
            .collect()
    }
}
