//! The checkpoint of a run that is continued.

use std::path::Path;

use crate::config::{Config, Finetuning};
use crate::data::Dataset;
use crate::error::Error;
use crate::files::current;
use crate::training::{Checkpoint, DataId, FILES};

/// Reads the checkpoint of the run in `folder` and checks that settings, data and, for a
/// classifier, the weights at its start are the same. The result is `None` if there is no run.
///
/// # Errors
///
/// [`Error::OtherConfig`] or [`Error::Checkpoint`] if they differ or if the checkpoint cannot be
/// read.
pub(super) fn continued(
    folder: &Path,
    config: &Config,
    finetuning: Option<Finetuning>,
    data: &dyn Dataset,
) -> Result<Option<Checkpoint>, Error> {
    if !FILES.iter().any(|name| current(folder, name).exists()) {
        return Ok(None);
    }
    let checkpoint = Checkpoint::load(folder)?;
    checkpoint.expect(config)?;
    let refused = |expected: String, got: String| {
        Err(Error::Checkpoint {
            path: folder.to_owned(),
            reason: format!("expected a run of {expected}, got one of {got}"),
        })
    };
    let start = |of: Option<Finetuning>| of.and_then(|finetuning| finetuning.start);
    let [old, new] = [checkpoint.finetuning, finetuning].map(start);
    if old != new && checkpoint.finetuning.is_some() && finetuning.is_some() {
        let weights = |start: Option<u64>| match start {
            Some(digits) => format!("a classifier that began with the weights {digits:016x}"),
            None => "a classifier that began with initial weights".to_owned(),
        };
        return refused(weights(new), weights(old));
    }
    if checkpoint.finetuning != finetuning {
        let [expected, got] = [finetuning, checkpoint.finetuning].map(|settings| {
            settings.map_or("a masked autoencoder".to_owned(), |settings| {
                format!("{settings:?}")
            })
        });
        return refused(expected, got);
    }
    let (found, expected) = (&checkpoint.expect_state()?.data, DataId::of(data));
    if *found != expected {
        return refused(expected.to_string(), found.to_string());
    }
    Ok(Some(checkpoint))
}
