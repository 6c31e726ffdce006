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
    /// Whether a JPEG is decoded at 1/2, 1/4 or 1/8 of its size if the sides of the reduced window
    /// still have at least as many pixels as the side of the result.
    ///
    /// A box-like filter in the frequency domain then replaces a part of the bicubic filter. The
    /// difference is largest at the limit, where the window has just 2, 4 or 8 times the side. On
    /// eight photographs of the Kodak set (768 x 512 pixels, quality 90) the results then differed
    /// by 2.4, 2.9 and 3.7 of 255 in the mean, and by at most 41, 48 and 80.
    ///
    /// The option saves time for photographs of several megapixels. Pictures of 4000 x 3000 pixels
    /// took 65 ms at full size, and 45, 41 and 41 ms at 1/2, 1/4 and 1/8. It saves little or no
    /// time for 500 x 375 pixels: 1.3 ms at full size, and 1.6, 1.1 and 1.1 ms reduced. The decoder
    /// that can reduce takes 2.1 ms at full size, and a reduction does not shorten its Huffman
    /// decoding.
    pub reduced_jpeg: bool,
    /// Number of images that are used, spread evenly over the images of the folder in the order of
    /// their paths. If the classes are folders, each keeps its share. `None` stands for all.
    pub images: Option<usize>,
    /// Whether an unusable image is an error. By default the next usable image replaces it, and
    /// counts twice in an evaluation.
    pub strict: bool,
}

impl FolderOptions {
    /// Creates options that accept pictures of any size and decode every JPEG at full size.
    pub fn new(transform: Transform) -> Self {
        Self {
            transform,
            min_side: 1,
            reduced_jpeg: false,
            images: None,
            strict: false,
        }
    }
}
