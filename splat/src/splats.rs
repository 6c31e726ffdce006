//! Projected Gaussians: what the compositor reads, and an entry of its own for splats made
//! elsewhere.

use std::sync::Arc;

use half::f16;

use crate::error::{RenderError, try_reserved};
use crate::gaussians::{check_channels, check_len};
use crate::math::Sym2;
use crate::number::Number;

/// M projected Gaussians in pixels: what a compositor needs, and an entry of its own for splats
/// made elsewhere.
///
/// View `b` owns the splats `offsets[b] .. offsets[b + 1]`; within a view, splat `i` is the
/// Gaussian `ranges[b].start + i`. A culled splat keeps its index and has extents of zero. The
/// gradient by splats is a value of the same type, whose `extents` are empty.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Splats<S> {
    /// Centres `[M, 2]`, px; pixel `(i, j)` is sampled at `(j + 0.5, i + 0.5)`.
    pub means: S,
    /// Inverse covariances `[M, 3]` as xx, xy, yy, px^-2.
    pub conics: S,
    /// Opacities `[M]`, anti-alias compensation included.
    pub opacities: S,
    /// Depths `[M]`: camera z. Splats are composited in ascending order of it.
    pub depths: S,
    /// Features `[M, C]`; empty where `half_features` has them.
    pub features: S,
    /// Features `[M, C]` as 16-bit floats, see
    /// [`RenderConfig::half_features`](crate::RenderConfig::half_features).
    pub half_features: Option<Arc<Vec<f16>>>,
    /// Half width and half height `[M, 2]`, px, of the box outside of which alpha is below
    /// `alpha_min`; zero where culled. Derived from the rest, never differentiated. See
    /// [`crate::Cpu::splats`] for splats made elsewhere.
    pub extents: S,
    /// Where each view's splats begin, `[B + 1]`.
    pub offsets: Vec<usize>,
    /// The number C of feature channels.
    pub channels: usize,
}

impl<S> Splats<S> {
    /// The number M of splats.
    pub fn len(&self) -> usize {
        self.offsets.last().copied().unwrap_or(0)
    }

    /// Whether there is no splat.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same shape with every buffer mapped by `f`.
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

    /// The same shape with every buffer made by `f`, or the first error of `f`.
    ///
    /// # Errors
    /// Those of `f`.
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

    /// [`Splats::map`], or a capacity error where there is no memory for the offsets.
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

    /// Checks every buffer's length, `len` telling it.
    ///
    /// # Errors
    /// [`RenderError::Shape`] names the buffer at fault.
    pub fn validate(&self, len: impl Fn(&S) -> usize) -> Result<(), RenderError> {
        self.validate_but_extents(&len)?;
        check_len(
            "splats.extents",
            "[M, 2]",
            &[self.len(), 2],
            len(&self.extents),
        )
    }

    /// Checks that lists whose views begin at `offsets` belong to these splats: the number of
    /// views, and the splats of each.
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
                expected = format!("{expected}, view {view} beginning at {theirs}");
                got = format!("{got}, view {view} beginning at {own}");
            }
        }
        Err(RenderError::shape(argument, expected, got))
    }

    /// [`Splats::validate`] before the extents are there.
    pub(crate) fn validate_but_extents(
        &self,
        len: impl Fn(&S) -> usize,
    ) -> Result<(), RenderError> {
        check_channels("splats.channels", self.channels)?;
        let descent = self.offsets.windows(2).find(|ends| ends[0] > ends[1]);
        let fault = match (self.offsets.first(), descent) {
            (Some(0), None) => None,
            (Some(0), Some(ends)) => Some(format!("{} after {}", ends[1], ends[0])),
            (Some(first), _) => Some(format!("{first} as the first")),
            (None, _) => Some("none".to_owned()),
        };
        if let Some(got) = fault {
            let expected = "B + 1 ascending numbers from 0";
            return Err(RenderError::shape("splats.offsets", expected, got));
        }
        let (m, c) = (self.len(), self.channels);
        if m > u32::MAX as usize {
            return Err(RenderError::Capacity {
                what: "splats",
                needed: m.to_string(),
                limit: format!("{} (32-bit index)", u32::MAX),
            });
        }
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

impl<T> Splats<Vec<T>> {
    /// Borrows every buffer.
    pub fn as_slices(&self) -> Splats<&[T]> {
        self.map(Vec::as_slice)
    }
}

impl<T: Number> Splats<&[T]> {
    /// Whether splat `m` can be seen. False for numbers that are not finite, an opacity that is not
    /// positive, and where there is no extent.
    ///
    /// *project* culls all of these already; splats made elsewhere may have extents and any numbers beside them.
    #[inline(always)]
    pub(crate) fn visible(&self, m: usize) -> bool {
        let finite = |numbers: &[T]| numbers.iter().fold(true, |all, x| all & x.finite());
        let positive = |numbers: &[T]| numbers.iter().fold(true, |all, &x| all & (x > T::ZERO));
        let Some(extent) = row::<T, 2>(self.extents, m) else {
            return false;
        };
        // Most of what is culled has no extent: the rest is read only of what has.
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

    /// Whether every feature of splat `m` is there and finite.
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

    /// The conic of splat `m`.
    #[inline(always)]
    pub(crate) fn conic(&self, m: usize) -> Sym2<T> {
        Sym2 {
            xx: self.conics[3 * m],
            xy: self.conics[3 * m + 1],
            yy: self.conics[3 * m + 2],
        }
    }
}

/// Row `m` of rows of `N` numbers, if it is there.
#[inline(always)]
fn row<T, const N: usize>(numbers: &[T], m: usize) -> Option<&[T; N]> {
    numbers.as_chunks().0.get(m)
}

impl<T: Number> Splats<Vec<T>> {
    /// How many splats of each view are culled, `[B]`: those without extents, and those with a
    /// number that is not finite or an opacity that is not positive. Of a gradient, which has no
    /// extents: all.
    pub fn culled(&self) -> Vec<usize> {
        let splats = self.as_slices();
        // Offsets may be anything here: what lies beyond the extents is culled without a look.
        let known = self.extents.len() / 2;
        let culled = |ends: &[usize]| {
            let visible = (ends[0]..ends[1].min(known)).filter(|&m| splats.visible(m));
            ends[1].saturating_sub(ends[0]) - visible.count()
        };
        self.offsets.windows(2).map(culled).collect()
    }
}
