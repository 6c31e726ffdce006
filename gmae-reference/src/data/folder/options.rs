//! Options for reading a folder.

use crate::data::transform::Transform;

/// Options for reading a folder.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FolderOptions {
    /// The transform of each picture.
    pub transform: Transform,
    /// Files whose shorter side has fewer pixels than this are unusable. The side of a patch is a
    /// suitable value.
    pub min_side: usize,
    /// Whether a JPEG is decoded at 1/2, 1/4 or 1/8 of its size if the window of the transform
    /// keeps at least the side of the result.
    ///
    /// A box-like filter in the frequency domain then replaces a part of the bicubic filter.
    pub reduced_jpeg: bool,
}

impl FolderOptions {
    /// Creates options that accept pictures of any size and decode every JPEG at full size.
    pub fn new(transform: Transform) -> Self {
        Self {
            transform,
            min_side: 1,
            reduced_jpeg: false,
        }
    }
}
