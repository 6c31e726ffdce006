//! The features of labelled images: those of an encoder, and raw pixels.

use super::labelled::LabelledImages;
use crate::backend::Trains;
use crate::config::Config;
use crate::error::Error;
use crate::evaluation::encoding::{encode, raw_pixels};
use crate::evaluation::probe::Labelled;
use crate::model::Autoencoder;
use crate::terminal::Bar;

/// Features of the images to learn from and of the test images, for each block.
pub(crate) type Features = [Vec<Labelled>; 2];

/// Encodes all images. `name` is that of the encoder, for the progress bar. The result is `None`
/// after an interruption.
///
/// # Errors
///
/// All errors of [`encode`].
pub(crate) fn encoded<B: Trains>(
    config: &Config,
    model: &Autoencoder<B>,
    images: &LabelledImages,
    name: &str,
) -> Result<Option<Features>, Error> {
    let mut bar = Bar::new(format!("encoding with {name}"));
    let watch = &mut |done, total| bar.show(done, total);
    let Some(train) = encode(config, model, &images.train, images.classes, watch)? else {
        return Ok(None);
    };
    let test = encode(config, model, &images.test, images.classes, watch)?;
    Ok(test.map(|test| [train, test]))
}

/// Takes the pixels of all images as the features of one block. The result is `None` after an
/// interruption.
///
/// # Errors
///
/// All errors of [`raw_pixels`].
pub(crate) fn pixels(images: &LabelledImages) -> Result<Option<Features>, Error> {
    let mut bar = Bar::new("reading pixels");
    let watch = &mut |done, total| bar.show(done, total);
    let Some(train) = raw_pixels(&images.train, images.classes, watch)? else {
        return Ok(None);
    };
    let test = raw_pixels(&images.test, images.classes, watch)?;
    Ok(test.map(|test| [vec![train], vec![test]]))
}
