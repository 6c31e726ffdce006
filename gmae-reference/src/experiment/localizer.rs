//! The training of one model of boxes in a folder, and the boxes that it finds.

use std::path::Path;

use super::tuned::{Start, tuned};
use crate::backend::Trains;
use crate::config::{BoxFinetuning, Config};
use crate::data::Dataset;
use crate::error::Error;
use crate::evaluation::localize::found_boxes;
use crate::terminal::Bar;
use crate::training::{LoaderOptions, Localization};

/// Trains a model of boxes on `train`. Returns the boxes that it finds in the images of `test`:
/// left, top, right and bottom, as fractions of the sides of the image. A run in `folder` is
/// continued.
///
/// The result is `None` if the run was interrupted.
///
/// # Errors
///
/// All errors of [`tuned`]. [`Error::Data`] if a test image cannot be read.
pub(crate) fn train_localizer<B: Trains>(
    start: Start,
    config: Config,
    finetuning: BoxFinetuning,
    [train, test]: [&dyn Dataset; 2],
    folder: &Path,
    device: &B::Device,
) -> Result<Option<Vec<[f64; 4]>>, Error> {
    let (loader, tuning) = (LoaderOptions::default(), finetuning.into());
    let model = tuned::<B, Localization>(start, config, tuning, train, folder, loader, device)?;
    let Some(model) = model else {
        return Ok(None);
    };
    let mut bar = Bar::new("testing");
    found_boxes(&config, &model, test, &mut |done, total| {
        bar.show(done, total)
    })
}
