//! Which gradients are wanted, and those that come back.

use crate::gaussians::Gaussians;

/// Which gradients a vjp shall compute. What is not wanted takes no memory, comes back as an empty
/// buffer, and whole passes are left out where nothing in them is wanted. More may be added: start
/// from [`Wanted::ALL`] or [`Wanted::NONE`].
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "four independent switches")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Means, scales, quaternions and opacities.
    pub geometry: bool,
    /// Features.
    pub features: bool,
    /// Backgrounds.
    pub backgrounds: bool,
    /// The cameras' poses.
    pub cameras: bool,
}

impl Wanted {
    /// Every gradient there is.
    pub const ALL: Self = Self {
        geometry: true,
        features: true,
        backgrounds: true,
        cameras: true,
    };

    /// No gradient at all.
    pub const NONE: Self = Self {
        geometry: false,
        features: false,
        backgrounds: false,
        cameras: false,
    };

    /// The same gradients, [`geometry`](Self::geometry) set.
    #[must_use]
    pub const fn with_geometry(self, geometry: bool) -> Self {
        Self { geometry, ..self }
    }

    /// The same gradients, [`features`](Self::features) set.
    #[must_use]
    pub const fn with_features(self, features: bool) -> Self {
        Self { features, ..self }
    }

    /// The same gradients, [`backgrounds`](Self::backgrounds) set.
    #[must_use]
    pub const fn with_backgrounds(self, backgrounds: bool) -> Self {
        Self {
            backgrounds,
            ..self
        }
    }

    /// The same gradients, [`cameras`](Self::cameras) set.
    #[must_use]
    pub const fn with_cameras(self, cameras: bool) -> Self {
        Self { cameras, ..self }
    }

    /// Whether anything that moves a splat is wanted.
    pub fn splat_geometry(self) -> bool {
        self.geometry || self.cameras
    }
}

/// The gradients that [`Backend::project_vjp`](crate::Backend::project_vjp) returns.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ProjectGradients<S> {
    /// By the Gaussians; buffers not wanted are empty.
    pub gaussians: Gaussians<S>,
    /// By `camera_from_world`, `[B, 3, 4]`, its entries as free numbers; empty if not wanted.
    pub camera_from_world: S,
}

/// The gradients of a render; buffers that were not wanted are empty.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Gradients<S> {
    /// By the Gaussians.
    pub gaussians: Gaussians<S>,
    /// By the backgrounds, `[B, C]`.
    pub backgrounds: S,
    /// By `camera_from_world`, `[B, 3, 4]`, its entries as free numbers.
    pub camera_from_world: S,
}

impl<S> Gradients<S> {
    /// Every buffer with the name of the input that it is with respect to: those of the Gaussians
    /// in the order of [`Gaussians::buffers`], then `backgrounds` and `camera_from_world`.
    pub fn buffers(&self) -> [(&'static str, &S); 7] {
        let [means, scales, quaternions, opacities, features] = self.gaussians.buffers();
        [
            means,
            scales,
            quaternions,
            opacities,
            features,
            ("backgrounds", &self.backgrounds),
            ("camera_from_world", &self.camera_from_world),
        ]
    }

    /// The buffers themselves, in the same order.
    pub fn into_buffers(self) -> [S; 7] {
        let gaussians = self.gaussians;
        [
            gaussians.means,
            gaussians.scales,
            gaussians.quaternions,
            gaussians.opacities,
            gaussians.features,
            self.backgrounds,
            self.camera_from_world,
        ]
    }

    /// The same shape with every buffer made by `f`, or the first error of `f`.
    ///
    /// # Errors
    /// Those of `f`.
    pub fn try_map<'a, U, E>(
        &'a self,
        mut f: impl FnMut(&'a S) -> Result<U, E>,
    ) -> Result<Gradients<U>, E> {
        Ok(Gradients {
            gaussians: self.gaussians.try_map(&mut f)?,
            backgrounds: f(&self.backgrounds)?,
            camera_from_world: f(&self.camera_from_world)?,
        })
    }
}
