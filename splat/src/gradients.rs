//! The selection of gradients that a vjp computes, and the structs that return them.

use crate::encoding::Encoding;
use crate::gaussians::Gaussians;
use crate::splats::Splats;
use crate::statistics::Statistics;

/// Selects the gradients that a vjp computes.
///
/// A gradient that is not wanted takes no memory and is returned as an empty buffer. Passes without
/// a wanted gradient are skipped. The struct is non-exhaustive: start from [`Wanted::ALL`] or
/// [`Wanted::NONE`].
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "independent switches")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Whether to compute the gradients with respect to means, scales, quaternions and opacities.
    pub geometry: bool,
    /// Whether to compute the gradient with respect to features.
    pub features: bool,
    /// Whether to compute the gradient with respect to backgrounds.
    pub backgrounds: bool,
    /// Whether to compute the gradient with respect to the cameras' poses, `camera_from_world`.
    pub cameras: bool,
    /// Whether to compute the gradient with respect to the cameras' intrinsics.
    pub intrinsics: bool,
    /// Whether to return the gradient with respect to the splats too. It costs no time if all
    /// gradients with respect to the Gaussians are wanted.
    pub splats: bool,
    /// Whether to compute the [`Statistics`] of the Gaussians, which takes one more walk over the
    /// hits.
    pub statistics: bool,
}

impl Wanted {
    /// The gradients with respect to all inputs of a render, without `splats` and `statistics`.
    pub const ALL: Self = Self {
        geometry: true,
        features: true,
        backgrounds: true,
        cameras: true,
        intrinsics: true,
        splats: false,
        statistics: false,
    };

    /// No gradients.
    pub const NONE: Self = Self {
        geometry: false,
        features: false,
        backgrounds: false,
        cameras: false,
        intrinsics: false,
        splats: false,
        statistics: false,
    };

    /// Returns this selection with [`geometry`](Self::geometry) replaced.
    #[must_use]
    pub const fn with_geometry(self, geometry: bool) -> Self {
        Self { geometry, ..self }
    }

    /// Returns this selection with [`features`](Self::features) replaced.
    #[must_use]
    pub const fn with_features(self, features: bool) -> Self {
        Self { features, ..self }
    }

    /// Returns this selection with [`backgrounds`](Self::backgrounds) replaced.
    #[must_use]
    pub const fn with_backgrounds(self, backgrounds: bool) -> Self {
        Self {
            backgrounds,
            ..self
        }
    }

    /// Returns this selection with [`cameras`](Self::cameras) replaced.
    #[must_use]
    pub const fn with_cameras(self, cameras: bool) -> Self {
        Self { cameras, ..self }
    }

    /// Returns this selection with [`intrinsics`](Self::intrinsics) replaced.
    #[must_use]
    pub const fn with_intrinsics(self, intrinsics: bool) -> Self {
        Self { intrinsics, ..self }
    }

    /// Returns this selection with [`splats`](Self::splats) replaced.
    #[must_use]
    pub const fn with_splats(self, splats: bool) -> Self {
        Self { splats, ..self }
    }

    /// Returns this selection with [`statistics`](Self::statistics) replaced.
    #[must_use]
    pub const fn with_statistics(self, statistics: bool) -> Self {
        Self { statistics, ..self }
    }

    /// Returns the selection for [`Backend::composite_vjp`](crate::Backend::composite_vjp), whose
    /// result [`Backend::project_vjp`](crate::Backend::project_vjp) needs for this selection. If
    /// the features are harmonics, the gradients with respect to means and poses depend on the
    /// gradient with respect to the splats' features.
    #[must_use]
    pub fn of_splats(self, encoding: Encoding) -> Self {
        let features = self.features_of_splats(encoding);
        Self { features, ..self }
    }

    fn features_of_splats(self, encoding: Encoding) -> bool {
        self.splats || self.features_of_gaussians(encoding)
    }

    /// Returns whether the projection's vjp needs the gradient with respect to the splats' features.
    pub(crate) fn features_of_gaussians(self, encoding: Encoding) -> bool {
        let directed = encoding.features_have_direction();
        self.features || (directed && (self.geometry || self.cameras))
    }

    /// Returns whether gradients with respect to the splats' means, conics, opacities and depths
    /// are needed. The gradients with respect to `geometry`, `cameras` and `intrinsics` and the
    /// statistics depend on them.
    pub fn splat_geometry(self) -> bool {
        self.gaussian_geometry() || self.splats || self.statistics
    }

    /// Returns whether the projection's vjp needs the gradients with respect to the splats' geometry.
    pub(crate) fn gaussian_geometry(self) -> bool {
        self.geometry || self.cameras || self.intrinsics
    }
}

/// The gradients that [`Backend::project_vjp`](crate::Backend::project_vjp) returns.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ProjectGradients<S> {
    /// Gradient with respect to the Gaussians. Buffers that are not wanted are empty.
    pub gaussians: Gaussians<S>,
    /// Gradient with respect to `camera_from_world`, `[B, 3, 4]`. The twelve entries of a pose are
    /// treated as independent. Empty if not wanted.
    pub camera_from_world: S,
    /// Gradient with respect to the intrinsics fx, fy, cx, cy, `[B, 4]`. Empty if not wanted.
    pub intrinsics: S,
}

/// The gradients of a render. Buffers that are not wanted are empty.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Gradients<S> {
    /// Gradient with respect to the Gaussians, with their shapes.
    pub gaussians: Gaussians<S>,
    /// Gradient with respect to the backgrounds, `[B, C]`.
    pub backgrounds: S,
    /// Gradient with respect to `camera_from_world`, `[B, 3, 4]`. The twelve entries of a pose are
    /// treated as independent. [`Camera::tangent_gradient`](crate::Camera::tangent_gradient) maps
    /// those of one camera to the six directions of rigid motions.
    pub camera_from_world: S,
    /// Gradient with respect to the intrinsics fx, fy, cx, cy, `[B, 4]`. The limits of the tangent
    /// clamp move with them (MATH eq. 6).
    pub intrinsics: S,
    /// Gradient with respect to the splats of every view, with their shapes, if it is wanted. It is
    /// zero for culled splats. On a device its features may share memory with those of `gaussians`.
    pub splats: Option<Splats<S>>,
    /// Statistics of the Gaussians and splats, if they are wanted.
    pub statistics: Option<Statistics<S>>,
}

impl<S> Gradients<S> {
    /// Returns the gradient with respect to every input of the render, with the input's name. The
    /// order is that of [`Gaussians::buffers`], then `backgrounds`, `camera_from_world` and
    /// `intrinsics`. The gradient with respect to splats and the statistics are not among them.
    pub fn buffers(&self) -> [(&'static str, &S); 8] {
        let [means, scales, quaternions, opacities, features] = self.gaussians.buffers();
        [
            means,
            scales,
            quaternions,
            opacities,
            features,
            ("backgrounds", &self.backgrounds),
            ("camera_from_world", &self.camera_from_world),
            ("intrinsics", &self.intrinsics),
        ]
    }

    /// Returns the buffers in the order of [`Gradients::buffers`].
    pub fn into_buffers(self) -> [S; 8] {
        let gaussians = self.gaussians;
        [
            gaussians.means,
            gaussians.scales,
            gaussians.quaternions,
            gaussians.opacities,
            gaussians.features,
            self.backgrounds,
            self.camera_from_world,
            self.intrinsics,
        ]
    }

    /// Applies `f` to every buffer, in the order of the fields, and keeps the counts.
    ///
    /// # Errors
    /// The first error that `f` returns.
    pub fn try_map<'a, U, E>(
        &'a self,
        mut f: impl FnMut(&'a S) -> Result<U, E>,
    ) -> Result<Gradients<U>, E> {
        Ok(Gradients {
            gaussians: self.gaussians.try_map(&mut f)?,
            backgrounds: f(&self.backgrounds)?,
            camera_from_world: f(&self.camera_from_world)?,
            intrinsics: f(&self.intrinsics)?,
            splats: match &self.splats {
                Some(splats) => Some(splats.try_map(&mut f)?),
                None => None,
            },
            statistics: match &self.statistics {
                Some(statistics) => Some(statistics.try_map(&mut f)?),
                None => None,
            },
        })
    }
}
