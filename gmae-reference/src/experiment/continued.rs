//! The checkpoint of a run that is continued.

use std::path::Path;

use crate::config::{Config, Tuning};
use crate::data::Dataset;
use crate::error::Error;
use crate::files::current;
use crate::training::{Checkpoint, DataId, FILES};

/// Reads the checkpoint of the run in `folder` and checks that settings, data and, for a model that
/// is trained from an encoder, kind and the weights at its start are the same. The result is `None`
/// if there is no run.
///
/// # Errors
///
/// [`Error::OtherConfig`] or [`Error::Checkpoint`] if they differ or if the checkpoint cannot be
/// read.
pub(super) fn continued(
    folder: &Path,
    config: &Config,
    finetuning: Option<Tuning>,
    data: &dyn Dataset,
) -> Result<Option<Checkpoint>, Error> {
    if !FILES.iter().any(|name| current(folder, name).exists()) {
        return Ok(None);
    }
    let checkpoint = Checkpoint::load(folder)?;
    let refused = |expected: String, got: String| {
        Err(Error::Checkpoint {
            path: folder.to_owned(),
            reason: format!("expected a run of {expected}, got one of {got}"),
        })
    };
    let [old, new] = [checkpoint.finetuning, finetuning];
    let kinds = [new, old].map(Tuning::kind_of);
    if kinds[0] != kinds[1] {
        let [expected, got] = kinds.map(str::to_owned);
        return refused(expected, got);
    }
    checkpoint.expect(config)?;
    if let (Some(old), Some(new)) = (old, new)
        && old != new
    {
        let words = |settings: Tuning| match (old.start() == new.start(), settings.start()) {
            (true, _) => settings.words(),
            (false, Some(digits)) => {
                format!("{} that began with the weights {digits:016x}", kinds[0])
            }
            (false, None) => format!("{} that began with initial weights", kinds[0]),
        };
        return refused(words(new), words(old));
    }
    let (found, expected) = (&checkpoint.expect_state()?.data, DataId::of(data));
    if *found != expected {
        return refused(expected.to_string(), found.to_string());
    }
    Ok(Some(checkpoint))
}
