//! Maps of boundaries as grey PNG files. Each file contains a hash of everything that determines
//! its pixels, so that an interrupted command goes on with the maps that are missing.

use std::io::BufReader;
use std::path::{Path, PathBuf};

use png::{BitDepth, ColorType, Decoder, Encoder};
use sha2::{Digest as _, Sha256};

use crate::digest::hexadecimal;
use crate::error::Error;
use crate::files::{read, write_atomically};
use crate::readings::edges::EDGE_LEVELS;
use crate::readings::labels::Rule;

/// Version of the drawing. It changes whenever the same inputs give other pixels.
const DRAWING: u32 = 1;
/// Keyword of the text in a file that has the hash.
const KEYWORD: &str = "Source";

/// An image to be drawn: its name without extension, and its file.
pub(super) type Listed = (String, PathBuf);

/// What determines the maps of all images: the weights and the rule.
#[derive(Clone)]
pub(super) struct Source(Sha256);

impl Source {
    /// The source of the maps of one model. `weights` identifies its weights and its settings.
    pub(super) fn new(weights: &str, rule: Rule) -> Self {
        let text = format!("{DRAWING}\n{weights}\n{rule:?}\n{EDGE_LEVELS:?}\n");
        Self(Sha256::new_with_prefix(text))
    }

    /// The hash in the map of an image. It is taken before the image is decoded: if the image
    /// changes in between, its map has the hash of the old image, and is not kept.
    pub(super) fn of(&self, image: &Path) -> Result<String, Error> {
        let bytes = read(image).map_err(Error::file("reading image", image))?;
        let hash = self.0.clone().chain_update(bytes).finalize();
        Ok(hexadecimal(&hash))
    }

    /// Returns the images without a map in `folder`.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if a file has the name of a map and another source. [`Error::File`] if
    /// an image cannot be read.
    pub(super) fn missing(&self, images: &[Listed], folder: &Path) -> Result<Vec<Listed>, Error> {
        let mut missing = Vec::new();
        for (name, image) in images {
            let map = format!("{name}.png");
            let path = folder.join(&map);
            if path.symlink_metadata().is_err() {
                missing.push((name.clone(), image.clone()));
            } else if stored(&path) != Some(self.of(image)?) {
                return Err(Error::Argument {
                    argument: "--output",
                    expected: format!(
                        "no {map}, or the map of these weights, this rule and this image"
                    ),
                    got: format!("{}, which is another map", path.display()),
                });
            }
        }
        Ok(missing)
    }
}

/// Writes a map with values in [0, 1], and the hash of its source. The file is either complete or
/// absent.
///
/// # Errors
///
/// [`Error::File`] if the map cannot be written.
pub(super) fn write_map(
    path: &Path,
    map: &[f32],
    [width, height]: [u32; 2],
    source: String,
) -> Result<(), Error> {
    let grey: Vec<u8> = map
        .iter()
        .map(|v| (v.clamp(0.0, 1.0) * 255.0).round() as u8)
        .collect();
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, width, height);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::Eight);
    let encoded = encoder
        .add_text_chunk(KEYWORD.to_owned(), source)
        .and_then(|()| encoder.write_header())
        .and_then(|mut writer| {
            writer.write_image_data(&grey)?;
            writer.finish()
        });
    let failed = || Error::file("writing map", path);
    encoded.map_err(|error| failed()(std::io::Error::other(error)))?;
    write_atomically(path, |file| file.write_all(&bytes)).map_err(failed())
}

/// Returns the hash in a map. Any other file has none.
fn stored(path: &Path) -> Option<String> {
    let file = BufReader::new(std::fs::File::open(path).ok()?);
    let reader = Decoder::new(file).read_info().ok()?;
    let texts = &reader.info().uncompressed_latin1_text;
    let text = texts.iter().find(|text| text.keyword == KEYWORD)?;
    Some(text.text.clone())
}
