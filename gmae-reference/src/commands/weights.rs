//! `import`, `export` and `convert`: weights of and for other programs, and checkpoints of the
//! first format.

use std::path::Path;

use crate::backend::{Cpu, Device};
use crate::config::{Config, Overrides, Tuning};
use crate::error::Error;
use crate::files::{expect_absent, expect_free};
use crate::terminal;
use crate::training::{
    Checkpoint, FILES, METRICS, Outcome, Public, Snapshot, Trainer, export, export_classifier,
    metrics, read_legacy,
};

/// Number of unused tensors that are named.
const NAMED: usize = 5;

/// Creates a model in the folder `output` from the encoder of a public checkpoint.
///
/// # Errors
///
/// An error that names the file, the tensor or the setting at fault.
pub(super) fn import(
    from: &Path,
    output: &Path,
    base: Config,
    overrides: &Overrides,
) -> Result<Outcome, Error> {
    expect_free(
        output,
        &[&FILES[..], &[METRICS]].concat(),
        "or another folder",
    )?;
    let public = Public::read(from)?;
    let config = overrides.apply(public.config(overrides.apply(base), overrides.encoder_heads)?);
    let model = public.model::<Cpu>(&config, &Device::default())?;
    let unused = public.unused();
    if !unused.is_empty() {
        let named = unused.iter().take(NAMED).cloned().collect::<Vec<_>>();
        let more = match unused.len() - named.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        terminal::note(format_args!(
            "warning: tensors that do not belong to the encoder are left out ({}): {}{more}",
            unused.len(),
            named.join(", ")
        ));
    }
    let model = Snapshot {
        finetuning: None,
        config,
        model,
        run: None,
    };
    model.save(output)?;
    terminal::line(format_args!(
        "encoder of {} blocks, width {}, {} heads, patches of {} px, images of {} px; decoder with \
         initial weights; {}",
        config.encoder_depth,
        config.encoder_width,
        config.encoder_heads,
        config.patch_size,
        config.image_size,
        output.display()
    ))?;
    Ok(Outcome::Finished)
}

/// Writes the weights of a checkpoint to the file `output`.
///
/// # Errors
///
/// [`Error::Argument`] if the file exists, or for the head of a model of boxes. Any error of
/// reading the checkpoint or writing the file.
pub(super) fn write(
    checkpoint: &Checkpoint,
    encoder_only: bool,
    output: &Path,
) -> Result<Outcome, Error> {
    expect_absent(output)?;
    let device = Device::default();
    let what = if encoder_only {
        export(&checkpoint.encoder::<Cpu>(&device)?, true, output)?;
        "encoder"
    } else {
        match checkpoint.finetuning {
            None => {
                export(&checkpoint.model::<Cpu>(&device)?, false, output)?;
                "weights"
            }
            Some(Tuning::Classes(_)) => {
                export_classifier(&checkpoint.classifier::<Cpu>(&device)?, output)?;
                "weights of a classifier"
            }
            Some(Tuning::Boxes(_)) => {
                return Err(Error::Argument {
                    argument: "--encoder-only",
                    expected: "this flag for a model of boxes, whose head has no public names"
                        .to_owned(),
                    got: "no flag".to_owned(),
                });
            }
        }
    };
    terminal::line(format_args!("{what} in {}", output.display()))?;
    Ok(Outcome::Finished)
}

/// Converts a checkpoint of the first format and the metrics beside it to the folder of a run.
///
/// # Errors
///
/// An error that names the file at fault.
pub(super) fn convert(checkpoint: &Path, output: &Path) -> Result<Outcome, Error> {
    expect_free(
        output,
        &[&FILES[..], &[METRICS]].concat(),
        "or another folder",
    )?;
    let name = Trainer::<Cpu>::new_name();
    let snapshot = read_legacy(checkpoint, &name)?;
    let step = snapshot.run.as_ref().map_or(0, |(state, _)| state.step);
    let mut records = metrics::read(&checkpoint.with_file_name(METRICS))?;
    records.retain(|record| record.step <= step);
    snapshot.save(output)?;
    metrics::write(&output.join(METRICS), &name, &records)?;
    terminal::line(format_args!(
        "step {step}, {} lines of metrics; {}. The old file does not identify its images: continue with \
         --resume --accept-other-data",
        records.len(),
        output.display()
    ))?;
    Ok(Outcome::Finished)
}
