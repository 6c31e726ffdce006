//! Projected Gaussians, the input of the compositor. A caller may also construct them directly.

use std::sync::Arc;

use half::f16;

use crate::error::{RenderError, try_reserved};
use crate::gaussians::{check_channels, check_len};
use crate::math::Sym2;
use crate::number::Number;

/// M projected Gaussians in pixels, the input of binning, sorting and compositing.
///
/// A caller may also start here, with splats of their own: see [`crate::ellipses`].
///
/// View `b` has the splats `offsets[b] .. offsets[b + 1]`. Within a view, splat `i` is the
/// projection of Gaussian `ranges[b].start + i`. A culled splat keeps its index and has extents of
/// zero. The gradient with respect to splats has the same type. Its `extents` are empty.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Splats<S> {
    /// Centres `[M, 2]` as x, y, px. Pixel (row i, column j) is sampled at `(j + 0.5, i + 0.5)`.
    pub means: S,
    /// Inverse covariances `[M, 3]` as xx, xy, yy, px^-2. In a gradient, xy is the derivative with
    /// respect to the one value in both off-diagonal entries.
    pub conics: S,
    /// Opacities `[M]`, anti-alias compensation included.
    pub opacities: S,
    /// Depths `[M]`: camera z, world units. Splats are composited in ascending order of depth.
    pub depths: S,
    /// Features `[M, C]`. Empty if `half_features` is present.
    pub features: S,
    /// Features `[M, C]` as 16-bit floats. [`Cpu`](crate::Cpu) stores them here instead of in
    /// `features` if [`RenderConfig::half_features`](crate::RenderConfig::half_features) is set.
    pub half_features: Option<Arc<Vec<f16>>>,
    /// Half width and half height `[M, 2]`, px, of a box that contains every pixel with an alpha of
    /// at least `alpha_min`. Zero if the splat is culled. The extents follow from the other fields
    /// and are not differentiated. [`Backend::complete`](crate::Backend::complete) computes them
    /// for splats made elsewhere.
    pub extents: S,
    /// Index of each view's first splat, `[B + 1]`, ascending from 0. The last entry is M.
    pub offsets: Vec<usize>,
    /// The number C of feature channels, at least 1.
    pub channels: usize,
}

impl<S> Splats<S> {
    /// Returns the number M of splats.
    pub fn len(&self) -> usize {
        self.offsets.last().copied().unwrap_or(0)
    }

    /// Returns whether there are no splats.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Applies `f` to every buffer of scalars and keeps `half_features`, the offsets and the number
    /// of channels.
    pub fn map<'a, U>(&'a self, f: impl Fn(&'a S) -> U) -> Splats<U> {
        Splats {
            means: f(&self.means),
            conics: f(&self.conics),
            opacities: f(&self.opacities),
            depths: f(&self.depths),
            features: f(&self.features),
            half_features: self.half_features.clone(),
            extents: f(&self.extents),
            offsets: self.offsets.clone(),
            channels: self.channels,
        }
    }

    /// Applies `f` to every buffer of scalars, in the order of the fields, and keeps
    /// `half_features`, the offsets and the number of channels.
    ///
    /// # Errors
    /// The first error that `f` returns.
    pub fn try_map<'a, U, E>(
        &'a self,
        mut f: impl FnMut(&'a S) -> Result<U, E>,
    ) -> Result<Splats<U>, E> {
        Ok(Splats {
            means: f(&self.means)?,
            conics: f(&self.conics)?,
            opacities: f(&self.opacities)?,
            depths: f(&self.depths)?,
            features: f(&self.features)?,
            half_features: self.half_features.clone(),
            extents: f(&self.extents)?,
            offsets: self.offsets.clone(),
            channels: self.channels,
        })
    }

    /// Applies `view` to every buffer of scalars, as [`Splats::map`] does. Returns a capacity error
    /// if the allocation of the offsets fails.
    pub(crate) fn try_viewed<'a, U>(
        &'a self,
        view: impl Fn(&'a S) -> U,
    ) -> Result<Splats<U>, RenderError> {
        let mut offsets = try_reserved("splat offsets [B + 1]", self.offsets.len())?;
        offsets.extend_from_slice(&self.offsets);
        Ok(Splats {
            means: view(&self.means),
            conics: view(&self.conics),
            opacities: view(&self.opacities),
            depths: view(&self.depths),
            features: view(&self.features),
            half_features: self.half_features.clone(),
            extents: view(&self.extents),
            offsets,
            channels: self.channels,
        })
    }

    /// Checks the offsets, the number of channels and the length of every buffer. `len` returns the
    /// length of a buffer.
    ///
    /// # Errors
    /// - [`RenderError::Config`] if `channels` is 0 or exceeds 32 bits.
    /// - [`RenderError::Shape`] if `offsets` is empty, does not start at 0 or descends, or names
    ///   the first buffer with a wrong length.
    /// - [`RenderError::Capacity`] if the number of splats exceeds 32-bit indices, or the number of
    ///   elements of a shape overflows.
    pub fn validate(&self, len: impl Fn(&S) -> usize) -> Result<(), RenderError> {
        self.validate_but_extents(&len)?;
        check_len(
            "splats.extents",
            "[M, 2]",
            &[self.len(), 2],
            len(&self.extents),
        )
    }

    /// Checks that lists with the view offsets `offsets` match these splats: the number of views
    /// and the number of splats of each view.
    pub(crate) fn check_views(
        &self,
        argument: &'static str,
        offsets: &[usize],
    ) -> Result<(), RenderError> {
        if offsets == self.offsets {
            return Ok(());
        }
        let say = |offsets: &[usize]| {
            let views = offsets.len().saturating_sub(1);
            let count = offsets.last().copied().unwrap_or(0);
            format!("the hits of {count} splats in {views} views")
        };
        let (mut expected, mut got) = (say(&self.offsets), say(offsets));
        if expected == got {
            let mut both = self.offsets.iter().zip(offsets).enumerate();
            if let Some((view, (theirs, own))) = both.find(|(_, (a, b))| a != b) {
                expected = format!("{expected}, view {view} starting at {theirs}");
                got = format!("{got}, view {view} starting at {own}");
            }
        }
        Err(RenderError::shape(argument, expected, got))
    }

    /// Checks everything that [`Splats::validate`] checks except the extents.
    pub(crate) fn validate_but_extents(
        &self,
        len: impl Fn(&S) -> usize,
    ) -> Result<(), RenderError> {
        check_channels("splats.channels", self.channels)?;
        check_offsets("splats.offsets", &self.offsets)?;
        let (m, c) = (self.len(), self.channels);
        check_len("splats.means", "[M, 2]", &[m, 2], len(&self.means))?;
        check_len("splats.conics", "[M, 3]", &[m, 3], len(&self.conics))?;
        check_len("splats.opacities", "[M]", &[m], len(&self.opacities))?;
        check_len("splats.depths", "[M]", &[m], len(&self.depths))?;
        let Some(halves) = &self.half_features else {
            return check_len("splats.features", "[M, C]", &[m, c], len(&self.features));
        };
        check_len("splats.half_features", "[M, C]", &[m, c], halves.len())?;
        let beside = "splats.features beside half_features";
        check_len(beside, "[0]", &[0], len(&self.features))
    }
}

/// Checks that view offsets ascend from 0, and that 32 bits can number the splats.
pub(crate) fn check_offsets(argument: &'static str, offsets: &[usize]) -> Result<(), RenderError> {
    let descent = offsets.windows(2).find(|ends| ends[0] > ends[1]);
    let got = match (offsets.first(), descent) {
        (Some(0), None) => None,
        (Some(0), Some(ends)) => Some(format!("{} after {}", ends[1], ends[0])),
        (Some(first), _) => Some(format!("first offset {first}")),
        (None, _) => Some("none".to_owned()),
    };
    if let Some(got) = got {
        let expected = "B + 1 ascending offsets from 0";
        return Err(RenderError::shape(argument, expected, got));
    }
    let m = offsets.last().copied().unwrap_or(0);
    if m > u32::MAX as usize {
        return Err(RenderError::Capacity {
            what: "splats",
            needed: m.to_string(),
            limit: format!("{} (32-bit index)", u32::MAX),
        });
    }
    Ok(())
}

impl<T> Splats<Vec<T>> {
    /// Borrows every buffer.
    pub fn as_slices(&self) -> Splats<&[T]> {
        self.map(Vec::as_slice)
    }
}

impl<T: Number> Splats<&[T]> {
    /// Returns whether splat `m` is visible: its extents and opacity are positive, and all of its
    /// values are finite.
    ///
    /// *project* already gives zero extents to all other splats. Splats made elsewhere may have
    /// positive extents and invalid values.
    #[inline(always)]
    pub(crate) fn visible(&self, m: usize) -> bool {
        let finite = |numbers: &[T]| numbers.iter().fold(true, |all, x| all & x.finite());
        let positive = |numbers: &[T]| numbers.iter().fold(true, |all, &x| all & (x > T::ZERO));
        let Some(extent) = row::<T, 2>(self.extents, m) else {
            return false;
        };
        if !(positive(extent) && finite(extent)) {
            return false;
        }
        let (Some(mean), Some(conic), Some([opacity]), Some([depth])) = (
            row::<T, 2>(self.means, m),
            row::<T, 3>(self.conics, m),
            row::<T, 1>(self.opacities, m),
            row::<T, 1>(self.depths, m),
        ) else {
            return false;
        };
        positive(&[*opacity])
            && finite(&[*opacity, *depth])
            && finite(mean)
            && finite(conic)
            && self.has_finite_features(m)
    }

    /// Returns whether all features of `count` consecutive splats are finite.
    #[inline(always)]
    pub(crate) fn finite_features(&self, first: usize, count: usize) -> bool {
        let range = first * self.channels..(first + count) * self.channels;
        if let Some(halves) = &self.half_features {
            let halves = halves[range].iter();
            return halves.fold(true, |all, x| all & x.is_finite());
        }
        let features = self.features[range].iter();
        features.fold(true, |all, x| all & x.finite())
    }

    /// Returns whether all features of splat `m` exist and are finite.
    #[inline(always)]
    pub(crate) fn has_finite_features(&self, m: usize) -> bool {
        let first = m.checked_mul(self.channels);
        let row = first.and_then(|first| Some(first..first.checked_add(self.channels)?));
        let Some(row) = row else { return false };
        match &self.half_features {
            Some(halves) => halves
                .get(row)
                .is_some_and(|halves| halves.iter().fold(true, |all, half| all & half.is_finite())),
            None => self
                .features
                .get(row)
                .is_some_and(|features| features.iter().fold(true, |all, x| all & x.finite())),
        }
    }

    /// Returns the conic of splat `m`.
    #[inline(always)]
    pub(crate) fn conic(&self, m: usize) -> Sym2<T> {
        Sym2 {
            xx: self.conics[3 * m],
            xy: self.conics[3 * m + 1],
            yy: self.conics[3 * m + 2],
        }
    }
}

/// Returns row `m` of a buffer with `N` values per row, if it exists.
#[inline(always)]
fn row<T, const N: usize>(numbers: &[T], m: usize) -> Option<&[T; N]> {
    numbers.as_chunks().0.get(m)
}

impl<T: Number> Splats<Vec<T>> {
    /// Returns the number of culled splats of each view, `[B]`.
    ///
    /// A splat counts as culled if its extents or its opacity are not positive, or if one of its
    /// values is not finite. A gradient has no extents, so all of its splats count as culled.
    pub fn culled(&self) -> Vec<usize> {
        let splats = self.as_slices();
        // The offsets are not validated here. Splats beyond the extents count as culled.
        let known = self.extents.len() / 2;
        let culled = |ends: &[usize]| {
            let visible = (ends[0]..ends[1].min(known)).filter(|&m| splats.visible(m));
            ends[1].saturating_sub(ends[0]) - visible.count()
        };
        self.offsets.windows(2).map(culled).collect()
    }
}
