//! The sizes from which all shapes of a file are composed.

use std::ops::Range;

/// Number of harmonic coefficients stored per Gaussian and channel, for every degree.
pub(crate) const STORED_HARMONICS: usize = 16;

/// The sizes of a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dims {
    /// Number of scenes S
    pub(crate) scenes: usize,
    /// Number of images I
    pub(crate) images: usize,
    /// Number of Gaussians N per scene
    pub(crate) gaussians: usize,
    /// Number of feature channels C
    pub(crate) channels: usize,
    /// Image width W, px
    pub(crate) width: usize,
    /// Image height H, px
    pub(crate) height: usize,
}

impl Dims {
    /// Returns the range of one scene's Gaussians in the list of all scenes' Gaussians.
    pub(crate) fn gaussians_of(&self, scene: usize) -> Range<usize> {
        scene * self.gaussians..(scene + 1) * self.gaussians
    }
}
