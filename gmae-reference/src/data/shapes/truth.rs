//! The exact truth of a scene at every pixel.

use crate::data::pixel_mask::PixelMask;

/// The exact truth of a scene at the centre of every pixel. All maps have the shape `[H, W]`, row
/// by row, where H = W.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SceneTruth {
    /// The visible object: 0 for the background, k for the shape with label k.
    pub labels: Vec<u8>,
    /// Rank of the visible object in the depth order: 0 for the nearest shape. The background is
    /// behind all shapes, and its rank is their number.
    pub depth_ranks: Vec<u8>,
    /// The pixels in which a shape is visible.
    pub foreground: PixelMask,
}

impl SceneTruth {
    /// Derives the truth from the label map of a scene of `size` x `size` pixels with `shapes`
    /// shapes. The shape with the highest label is the nearest one.
    pub(super) fn of(labels: Vec<u8>, size: usize, shapes: usize) -> Self {
        Self {
            depth_ranks: labels
                .iter()
                .map(|&label| (shapes as u8).saturating_sub(label))
                .collect(),
            foreground: PixelMask::from_fn(size, size, |x, y| {
                labels.get(y * size + x).is_some_and(|&label| label > 0)
            }),
            labels,
        }
    }
}
