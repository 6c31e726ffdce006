//! The scenes that files contain.

use crate::camera::Camera;
use crate::encoding::Encoding;
use crate::error::RenderError;
use crate::gaussians::{Gaussians, check_len};
use crate::spatial::SpatialOrder;

/// Number of colour channels of a stored scene: red, green and blue.
pub(crate) const CHANNELS: usize = 3;

/// The contents of a file.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SceneFile {
    /// The Gaussians.
    pub scene: StoredScene,
    /// The cameras. Only `NumPy` archives have any.
    pub views: Vec<StoredView>,
    /// Whether the file says that the scene was trained with anti-aliasing, as
    /// [`RenderConfig::antialias`](crate::RenderConfig::antialias) does it. Only SPZ files say so.
    pub antialiased: bool,
    /// Whether the file has points, of which [`StoredScene::from_points`] made Gaussians.
    pub points: bool,
}

impl SceneFile {
    /// Returns the contents of a file that has only Gaussians.
    pub(crate) fn of(scene: StoredScene) -> Self {
        Self {
            scene,
            views: Vec::new(),
            antialiased: false,
            points: false,
        }
    }
}

/// N Gaussians with three colour channels.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct StoredScene {
    /// Means `[N, 3]`, world units, relative to `origin`.
    pub means: Vec<f32>,
    /// The world coordinates of the zero of `means`. They are zero, except where a file stores
    /// coordinates in more digits than `f32` has, far from zero: more than 16 times the median
    /// distance of the means from their median.
    pub origin: [f64; 3],
    /// Standard deviations `[N, 3]`, world units.
    pub scales: Vec<f32>,
    /// Quaternions `[N, 4]` as w, x, y, z, of any length.
    pub quaternions: Vec<f32>,
    /// Opacities `[N]`.
    pub opacities: Vec<f32>,
    /// Colours of the Gaussians.
    pub colours: Colours,
}

/// The colours of N Gaussians.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Colours {
    /// The same from every direction: `[N, 3]`, red, green and blue, relative to full brightness.
    Constant(Vec<f32>),
    /// Spherical harmonics of the direction of view.
    Harmonics {
        /// Degree, 0 to 4.
        degree: u32,
        /// Coefficients `[N, (degree + 1)^2, 3]`.
        coefficients: Vec<f32>,
    },
}

/// The camera and the image size of a view.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StoredView {
    /// The camera.
    pub camera: Camera,
    /// px
    pub width: usize,
    /// px
    pub height: usize,
}

impl StoredScene {
    /// Makes a scene of N Gaussians, with the origin zero. `means` and `scales` are `[N, 3]` in world
    /// units, `quaternions` `[N, 4]` as w, x, y, z, and `opacities` `[N]`. Scales and opacities are
    /// activated: standard deviations and not their logarithms, opacities and not their logits.
    ///
    /// # Errors
    /// [`RenderError::Shape`] if the buffers do not belong to the same number of Gaussians.
    pub fn new(
        means: Vec<f32>,
        scales: Vec<f32>,
        quaternions: Vec<f32>,
        opacities: Vec<f32>,
        colours: Colours,
    ) -> Result<Self, RenderError> {
        let scene = Self {
            means,
            origin: [0.0; 3],
            scales,
            quaternions,
            opacities,
            colours,
        };
        scene.check_lengths()?;
        Ok(scene)
    }

    /// Returns the number N of Gaussians.
    pub fn len(&self) -> usize {
        self.opacities.len()
    }

    /// Returns whether the scene has no Gaussian.
    pub fn is_empty(&self) -> bool {
        self.opacities.is_empty()
    }

    /// Checks that the buffers belong to the same number of Gaussians.
    pub(crate) fn check_lengths(&self) -> Result<(), RenderError> {
        let n = self.len();
        check_len("means", "[N, 3]", &[n, 3], self.means.len())?;
        check_len("scales", "[N, 3]", &[n, 3], self.scales.len())?;
        check_len("quaternions", "[N, 4]", &[n, 4], self.quaternions.len())?;
        match &self.colours {
            Colours::Constant(colours) => check_len("colours", "[N, 3]", &[n, 3], colours.len())?,
            Colours::Harmonics {
                degree,
                coefficients,
            } => {
                let rows = *degree as usize + 1;
                let shape = [n, rows.saturating_mul(rows), CHANNELS];
                check_len("coefficients", "[N, K, 3]", &shape, coefficients.len())?;
            }
        }
        Ok(())
    }

    /// Returns the Gaussians along a Morton curve, in which renders of large scenes are faster. To
    /// map contributors or gradients back to the order of the file, use [`SpatialOrder`] itself.
    ///
    /// # Errors
    /// [`RenderError::Shape`] if the buffers do not belong to the same number of Gaussians, and
    /// [`RenderError::Capacity`] as in [`SpatialOrder::of`].
    pub fn spatially_sorted(self) -> Result<Self, RenderError> {
        self.check_lengths()?;
        let order = SpatialOrder::of(&self.means)?;
        Ok(Self {
            means: order.sort_rows(&self.means)?,
            origin: self.origin,
            scales: order.sort_rows(&self.scales)?,
            quaternions: order.sort_rows(&self.quaternions)?,
            opacities: order.sort_rows(&self.opacities)?,
            colours: match &self.colours {
                Colours::Constant(colours) => Colours::Constant(order.sort_rows(colours)?),
                Colours::Harmonics {
                    degree,
                    coefficients,
                } => Colours::Harmonics {
                    degree: *degree,
                    coefficients: order.sort_rows(coefficients)?,
                },
            },
        })
    }

    /// Returns a camera of world coordinates as one of coordinates relative to `origin`, which
    /// renders `means`.
    #[must_use]
    pub fn relative(&self, camera: Camera) -> Camera {
        camera.recentred(self.origin)
    }

    /// Returns the Gaussians. The features of harmonics are their coefficients, which a render
    /// evaluates for every view. Its cameras are [relative](Self::relative) to `origin`.
    pub fn gaussians(&self) -> Gaussians<&[f32]> {
        let (features, encoding) = match &self.colours {
            Colours::Constant(colours) => (colours, Encoding::PLAIN),
            Colours::Harmonics {
                degree,
                coefficients,
            } => (coefficients, Encoding::PLAIN.with_harmonics(*degree)),
        };
        Gaussians {
            means: &self.means,
            scales: &self.scales,
            quaternions: &self.quaternions,
            opacities: &self.opacities,
            features,
            count: self.len(),
            channels: CHANNELS,
            encoding,
        }
    }
}
