//! The training of one classifier in a folder, and its accuracy.

use std::path::Path;

use super::labelled::LabelledImages;
use super::tuned::{Start, tuned};
use crate::backend::Trains;
use crate::config::{Config, Finetuning};
use crate::error::Error;
use crate::evaluation::classify::top1;
use crate::evaluation::probe::Accuracy;
use crate::terminal::Bar;
use crate::training::{Classification, LoaderOptions};

/// Trains a classifier and measures its accuracy on the test images. A run in `folder` is
/// continued.
///
/// The result is `None` if the run was interrupted.
///
/// # Errors
///
/// All errors of [`tuned`]. [`Error::Data`] if a test image cannot be read.
pub(crate) fn train_classifier<B: Trains>(
    start: Start,
    config: Config,
    finetuning: Finetuning,
    images: &LabelledImages,
    folder: &Path,
    loader: LoaderOptions,
    device: &B::Device,
) -> Result<Option<Accuracy>, Error> {
    let (train, tuning) = (&images.train, finetuning.into());
    let model = tuned::<B, Classification>(start, config, tuning, train, folder, loader, device)?;
    let Some(model) = model else {
        return Ok(None);
    };
    let mut bar = Bar::new("testing");
    top1(&config, &model, &images.test, &mut |done, total| {
        bar.show(done, total)
    })
}
