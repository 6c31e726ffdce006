//! Stage 1, *project*: from Gaussians in the world to splats in the image (MATH section 2).
//!
//! `formula.rs` has the mathematics of one Gaussian, `cpu.rs` and `cpu_vjp.rs` the loops over all of them.

use std::sync::Arc;

use half::f16;

use crate::error::RenderError;
use crate::gaussians::{check_channels, check_len};
use crate::host::simd::prefetch_to_read;
use crate::math::{Mat3, Quaternion, Sym2, Vec2, Vec3};
use crate::scalar::Scalar;

pub(crate) mod cpu;
#[cfg(feature = "gpu")]
pub(crate) mod gpu;
pub(crate) mod views_of_tasks;

/// M projected Gaussians in pixels: what a compositor needs, and an entry of its own for splats made elsewhere.
///
/// View `b` owns the splats `offsets[b] .. offsets[b + 1]`; within a view, splat `i` is the Gaussian `ranges[b].start + i`.
/// A culled splat keeps its place and has extents of zero. The gradient by splats is a value of the same type, whose
/// `extents` are empty.
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
    /// Features `[M, C]` as 16-bit floats, see [`RenderConfig::half_features`](crate::RenderConfig::half_features).
    pub half_features: Option<Arc<[f16]>>,
    /// Half width and half height `[M, 2]`, px, of the box outside of which alpha is below `alpha_min`; zero where culled.
    /// Derived from the rest, never differentiated. See [`crate::backends::cpu::Cpu::splats`] for splats made elsewhere.
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

    /// [`Splats::validate`] before the extents are there.
    pub(crate) fn validate_but_extents(
        &self,
        len: impl Fn(&S) -> usize,
    ) -> Result<(), RenderError> {
        check_channels("splats.channels", self.channels)?;
        if self.offsets.first() != Some(&0) || !self.offsets.is_sorted() {
            return Err(RenderError::shape(
                "splats.offsets",
                "B + 1 ascending numbers from 0",
                format!("{:?}", self.offsets),
            ));
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

impl<T: Scalar> Splats<&[T]> {
    /// Writes the features of splat `m`.
    #[inline(always)]
    pub(crate) fn load_features(&self, m: usize, out: &mut [T]) {
        let row = m * self.channels..(m + 1) * self.channels;
        if let Some(halves) = &self.half_features {
            for (out, half) in out.iter_mut().zip(&halves[row]) {
                *out = T::from_f64(half.to_f64());
            }
        } else if let ([r, g, b], [red, green, blue]) = (&mut *out, &self.features[row.clone()]) {
            // The usual number, spelled out: a call to copy three numbers takes longer than they do.
            (*r, *g, *b) = (*red, *green, *blue);
        } else {
            out.copy_from_slice(&self.features[row]);
        }
    }

    /// Has the features of splat `m` fetched.
    #[inline(always)]
    pub(crate) fn fetch_features(&self, m: usize) {
        let row = m * self.channels..(m + 1) * self.channels;
        match &self.half_features {
            Some(halves) => prefetch_to_read(&halves[row]),
            None => prefetch_to_read(&self.features[row]),
        }
    }

    /// Whether splat `m` can be seen. False for extents that are not numbers, or not there.
    pub(crate) fn visible(&self, m: usize) -> bool {
        let extent = self.extents.get(2 * m..2 * m + 2);
        extent.is_some_and(|extent| extent.iter().all(|&half| half > T::ZERO))
    }
}

impl<T: Scalar> Splats<Vec<T>> {
    /// How many splats of each view were culled, `[B]`. (Of a gradient, which has no extents: all.)
    pub fn culled(&self) -> Vec<usize> {
        let splats = self.as_slices();
        let culled = |ends: &[usize]| (ends[0]..ends[1]).filter(|&m| !splats.visible(m)).count();
        self.offsets.windows(2).map(culled).collect()
    }
}

/// The geometry of one Gaussian: everything projection reads but its features. A gradient has the same type.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "gpu", derive(cubecl::CubeType))]
pub struct GaussianShape<F: Scalar> {
    /// Centre, world units.
    pub mean: Vec3<F>,
    /// Standard deviations along its own axes.
    pub scale: Vec3<F>,
    /// Rotation, of any length but zero.
    pub quaternion: Quaternion<F>,
    /// Opacity.
    pub opacity: F,
}

/// One projected Gaussian without its features. A gradient has the same type.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "gpu", derive(cubecl::CubeType))]
pub struct Splat<F: Scalar> {
    /// Centre, px.
    pub mean: Vec2<F>,
    /// Inverse covariance, px^-2.
    pub conic: Sym2<F>,
    /// Opacity, compensation included.
    pub opacity: F,
    /// Camera z.
    pub depth: F,
}

/// The gradient by `camera_from_world`, its twelve entries as free numbers.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "gpu", derive(cubecl::CubeType))]
pub struct CameraGradient<F: Scalar> {
    /// By `R`.
    pub rotation: Mat3<F>,
    /// By `t`.
    pub translation: Vec3<F>,
}

/// The settings the projection formulas read, rounded to the scalar.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(feature = "gpu", derive(cubecl::CubeType))]
pub struct ProjectConstants<F: Scalar> {
    /// Added to the diagonal of the covariance, px^2.
    pub blur: F,
    /// Floor of the determinant ratio.
    pub compensation_floor: F,
    /// Whether opacity is compensated for the blur.
    pub antialias: bool,
}

/// What the projection formula works out on the way and its vjp needs again.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(feature = "gpu", derive(cubecl::CubeType))]
pub struct Footprint<F: Scalar> {
    /// Centre in the camera's frame (MATH eq. 4).
    pub centre: Vec3<F>,
    /// `1/z` where the footprint is perspective, else 1.
    pub shrink: F,
    /// Clamped tangents, or zero for a parallel footprint (MATH eq. 6).
    pub tangent: Vec2<F>,
    /// First row of `J W` over `fx * shrink` (MATH eq. 7).
    pub row0: Vec3<F>,
    /// Second row of `J W` over `fy * shrink`.
    pub row1: Vec3<F>,
    /// Rotation of the Gaussian (MATH eq. 2).
    pub rotation: Mat3<F>,
    /// First row of `J W U` (MATH eq. 8).
    pub turned0: Vec3<F>,
    /// Second row of `J W U`.
    pub turned1: Vec3<F>,
    /// First row of `M = J W U S`; the covariance is `M M^T` (MATH eq. 8).
    pub m0: Vec3<F>,
    /// Second row of `M`.
    pub m1: Vec3<F>,
    /// `m0 x m1`, whose squared length is `det(M M^T)` (Cauchy-Binet, MATH eq. 9).
    pub normal: Vec3<F>,
    /// Determinant of the covariance before the blur, px^4.
    pub det_sharp: F,
    /// Covariance after the blur, px^2.
    pub covariance: Sym2<F>,
    /// Its determinant, px^4.
    pub det: F,
}

/// The rows of `M` (MATH eq. 8), or their gradient.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(feature = "gpu", derive(cubecl::CubeType))]
pub struct Rows<F: Scalar> {
    /// First row.
    pub m0: Vec3<F>,
    /// Second row.
    pub m1: Vec3<F>,
}

/// Gradients of one projection by both of its inputs.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(feature = "gpu", derive(cubecl::CubeType))]
pub struct ProjectGradient<F: Scalar> {
    /// By the Gaussian.
    pub gaussian: GaussianShape<F>,
    /// By the camera's pose.
    pub camera: CameraGradient<F>,
}
