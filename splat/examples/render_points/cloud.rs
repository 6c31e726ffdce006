//! The result of the readers: Gaussians, their colours, and cameras.

use splat::sh::{self, Harmonics};
use splat::{Camera, RenderError};

/// Number of colour channels.
pub(crate) const CHANNELS: usize = 3;

/// The colours of the Gaussians.
pub(crate) enum Appearance {
    /// Constant colours `[N, 3]`.
    Colours(Vec<f32>),
    /// Colours that depend on the direction of view, as spherical harmonics.
    Harmonics {
        /// 0 to 3
        degree: u32,
        /// `[N, (degree + 1)^2, 3]`
        coefficients: Vec<f32>,
    },
}

/// N Gaussians.
pub(crate) struct Cloud {
    /// `[N, 3]`, world units
    pub(crate) means: Vec<f32>,
    /// Standard deviations `[N, 3]`, world units
    pub(crate) scales: Vec<f32>,
    /// `[N, 4]` as w, x, y, z
    pub(crate) quaternions: Vec<f32>,
    /// `[N]`
    pub(crate) opacities: Vec<f32>,
    pub(crate) appearance: Appearance,
}

/// The camera and the size of one picture.
pub(crate) struct Shot {
    pub(crate) camera: Camera,
    /// px
    pub(crate) width: usize,
    /// px
    pub(crate) height: usize,
}

impl Cloud {
    /// The number N of Gaussians.
    pub(crate) fn len(&self) -> usize {
        self.opacities.len()
    }

    /// Computes the colours `[N, 3]` for the view of a camera.
    pub(crate) fn colours(&self, camera: &Camera) -> Result<Vec<f32>, RenderError> {
        match &self.appearance {
            Appearance::Colours(colours) => Ok(colours.clone()),
            Appearance::Harmonics {
                degree,
                coefficients,
            } => {
                let harmonics = Harmonics {
                    degree: *degree,
                    means: &self.means,
                    coefficients,
                    stored: ((degree + 1) * (degree + 1)) as usize,
                    channels: CHANNELS,
                };
                sh::features(harmonics, camera)
            }
        }
    }
}
