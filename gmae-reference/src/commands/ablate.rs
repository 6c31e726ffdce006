//! `ablate`: trains and measures every row of a table.

use super::arguments::Ablate;
use super::comparison::{command, expect_own_report};
use crate::ablation::{Sweep, Table};
use crate::backend::Trains;
use crate::data::Dataset;
use crate::error::Error;
use crate::experiment::{Augmentation, Experiment, check_measures, protocol};
use crate::report::FILE;
use crate::terminal;
use crate::training::{LoaderOptions, Outcome};

/// Runs every row of the table that has no result yet, and rewrites the tables after each.
///
/// # Errors
///
/// An error that names the table, the row, the argument or the file at fault. Finished results are
/// kept.
pub(super) fn ablate<B: Trains>(arguments: Ablate, device: &B::Device) -> Result<Outcome, Error> {
    let table = Table::read(&arguments.table)?;
    check_measures(&table.measures)?;
    let folders = arguments.labelled.folders(table.images);
    let images = folders.open(&table.preset.config(), Augmentation::None)?;
    let inputs = format!(
        "train: {}; test: {}; {}; device {}",
        images.train.fingerprint(),
        images.test.fingerprint(),
        protocol(),
        B::name(device)
    );
    expect_own_report(&arguments.output, &table.title)?;
    let (output, others) = (&arguments.output, &arguments.results);
    let mut sweep = Sweep::open(table, output, others, &inputs, &command())?;
    if arguments.plan {
        for planned in sweep.plan() {
            let state = if planned.done { "done" } else { "to run" };
            let (row, seed) = (&planned.job.row, planned.job.seed);
            terminal::line(format_args!("{state}  {row}, seed {seed}"))?;
        }
        let outcome = sweep.outcome();
        terminal::line(format_args!(
            "{} of {} runs done",
            outcome.done, outcome.total
        ))?;
        return Ok(Outcome::Finished);
    }
    let mut experiment = Experiment::<B> {
        folders: &folders,
        loader: LoaderOptions::default(),
        device,
    };
    let outcome = sweep.run(&mut experiment, &mut |planned, outcome| {
        terminal::note(format_args!(
            "run {} of {}: {}, seed {}",
            outcome.done + 1,
            outcome.total,
            planned.job.row,
            planned.job.seed
        ));
    })?;
    terminal::line(format_args!(
        "{} of {} runs done; report {}",
        outcome.done,
        outcome.total,
        output.join(FILE).display()
    ))?;
    Ok(if outcome.interrupted {
        Outcome::Interrupted
    } else {
        Outcome::Finished
    })
}
