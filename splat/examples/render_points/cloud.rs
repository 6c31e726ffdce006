//! The result of the readers: Gaussians, their colours, and cameras.

use splat::sh::{self, Harmonics};
use splat::{Camera, RenderError};

/// Colour channels.
pub(crate) const CHANNELS: usize = 3;

/// The colours of the Gaussians.
pub(crate) enum Appearance {
    /// `[N, 3]`
    Colours(Vec<f32>),
    /// Spherical harmonics.
    Harmonics {
        /// 0 to 3
        degree: u32,
        /// `[N, (degree + 1)^2, 3]`
        coefficients: Vec<f32>,
    },
}

/// N Gaussians.
pub(crate) struct Cloud {
    /// `[N, 3]`
    pub(crate) means: Vec<f32>,
    /// `[N, 3]`
    pub(crate) scales: Vec<f32>,
    /// `[N, 4]`
    pub(crate) quaternions: Vec<f32>,
    /// `[N]`
    pub(crate) opacities: Vec<f32>,
    pub(crate) appearance: Appearance,
}

/// One picture to take.
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

    /// The colours `[N, 3]` as a camera sees them.
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
