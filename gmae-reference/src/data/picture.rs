//! From the bytes of an image file to the input of the model.

use image::ImageFormat;
use rand_chacha::ChaCha8Rng;

use super::decode::Header;
use super::error::DataError;
use super::fault::guarded;
use super::image::Image;
use super::jpeg::{decode_reduced, reduction};
use super::transform::Transform;

/// The options for the conversion of files to pictures.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) transform: Transform,
    /// Smallest side of an accepted picture, in pixels.
    pub(super) min_side: usize,
    /// Whether a JPEG is decoded at a fraction of its size if its window allows it.
    pub(super) reduced_jpeg: bool,
}

/// A transformed picture.
#[derive(Debug)]
pub(super) struct Picture {
    pub(super) image: Image,
    /// Whether any pixel of the file was transparent.
    pub(super) transparent: bool,
}

impl Rules {
    /// Decodes and transforms a file. The window is drawn from `rng` after the header is read.
    ///
    /// # Errors
    ///
    /// The fault of the file, in words.
    pub(super) fn picture(&self, bytes: &[u8], rng: &mut ChaCha8Rng) -> Result<Picture, String> {
        guarded(|| self.transformed(bytes, rng))
    }

    fn transformed(&self, bytes: &[u8], rng: &mut ChaCha8Rng) -> Result<Picture, String> {
        let words = |error: DataError| error.to_string();
        let header = Header::read(bytes, self.min_side)?;
        let full = (header.width, header.height);
        let window = self.transform.window(full.0, full.1, rng).map_err(words)?;
        let factor = reduction(window, self.transform.size() as u32);
        if self.reduced_jpeg && header.format == ImageFormat::Jpeg && factor > 1 {
            // The window is already drawn, so that both ways of decoding cut out the same part.
            if let Some(small) = decode_reduced(bytes, factor, header.orientation)? {
                let part = small.window(window, full);
                let image = self.transform.cut_fraction(&small.image, part, window);
                return Ok(Picture {
                    image: image.map_err(words)?,
                    transparent: false,
                });
            }
        }
        let decoded = header.decode()?;
        Ok(Picture {
            image: self.transform.cut(&decoded.image, window).map_err(words)?,
            transparent: decoded.transparent,
        })
    }
}
