//! The counts that all shapes of a file are made of.

use std::ops::Range;

/// Harmonic coefficients stored per Gaussian and channel. The number is the same for every degree.
pub(crate) const STORED_HARMONICS: usize = 16;

/// The counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dims {
    /// S
    pub(crate) scenes: usize,
    /// I
    pub(crate) images: usize,
    /// N, per scene
    pub(crate) gaussians: usize,
    /// C
    pub(crate) channels: usize,
    /// W, px
    pub(crate) width: usize,
    /// H, px
    pub(crate) height: usize,
}

impl Dims {
    /// The Gaussians of one scene, numbered through all scenes.
    pub(crate) fn gaussians_of(&self, scene: usize) -> Range<usize> {
        scene * self.gaussians..(scene + 1) * self.gaussians
    }
}
