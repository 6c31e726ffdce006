//! The pre-training of one model in a folder, from the beginning or from where it stopped.

use std::path::Path;

use super::continued::continued;
use crate::backend::Trains;
use crate::config::Config;
use crate::data::{Dataset, Folder};
use crate::error::Error;
use crate::training::{LoaderOptions, Outcome, Plan, Trainer, train};

/// Trains a masked autoencoder of `config` on `data`, or continues the run in `folder`.
///
/// # Errors
///
/// [`Error::OtherConfig`] or [`Error::Checkpoint`] if the run in `folder` has other settings or
/// other data. Any error of training or of files.
pub(crate) fn pretrain<B: Trains>(
    config: Config,
    data: &Folder,
    folder: &Path,
    loader: LoaderOptions,
    device: &B::Device,
) -> Result<Outcome, Error> {
    config.validate()?;
    let mut plan = Plan::new(&config, folder, data.len())?;
    plan.loader = loader;
    let mut trainer = match continued(folder, &config, None, data)? {
        Some(checkpoint) => Trainer::<B>::resume_on(&checkpoint, device.clone())?,
        None => Trainer::<B>::new_on(config, device.clone())?,
    };
    train(&mut trainer, data, &plan, &mut |_| Ok(()))
}
