//! `finetune` and `supervised`: train classifiers, from encoders and from initial weights.

use std::path::Path;

use super::arguments::{Classify, Finetune, Supervised};
use super::comparison::{column, command, expect_no_report, names, row, runs, write};
use crate::backend::Trains;
use crate::config::{Config, Finetuning};
use crate::data::Dataset;
use crate::error::Error;
use crate::evaluation::probe::Accuracy;
use crate::experiment::{Augmentation, LabelledImages, Start, train_classifier};
use crate::files::expect_free;
use crate::report::comparison::{Better, Cell, ComparisonData, Row, RowKind, Table};
use crate::terminal;
use crate::training::{Checkpoint, FILES, LoaderOptions, METRICS, Outcome};

/// The folder of a run of `supervised` inside its output folder.
const SCRATCH: &str = "supervised";

/// Trains a classifier from the encoder of every checkpoint.
///
/// # Errors
///
/// An error that names the argument or the file at fault.
pub(super) fn finetune<B: Trains>(
    arguments: Finetune,
    device: &B::Device,
) -> Result<Outcome, Error> {
    let checkpoints: Vec<Checkpoint> = arguments
        .checkpoint
        .iter()
        .map(|folder| Checkpoint::load(folder))
        .collect::<Result<_, _>>()?;
    let names = names(&checkpoints);
    let shared = arguments.shared;
    // Every input is checked before the first run begins.
    let mut runs = Vec::new();
    for (i, (checkpoint, name)) in checkpoints.iter().zip(&names).enumerate() {
        let config = shared.overrides.apply(checkpoint.config.for_finetuning());
        checkpoint.expect_shape(&config)?;
        runs.push(Run {
            name: name.clone(),
            folder: format!("{}-{}", i + 1, name.replace(['/', '\\', ' '], "-")),
            words: [
                checkpoint.config.method.name().to_owned(),
                checkpoint.config.decoder(),
            ],
            start: Start::Encoder(checkpoint),
            config,
        });
    }
    let table = classify::<B>(&runs, &shared, Finetuning::published, device)?;
    finish(&shared.output, table, &checkpoints, &names)
}

/// Trains a classifier from initial weights.
///
/// # Errors
///
/// An error that names the argument or the file at fault.
pub(super) fn supervised<B: Trains>(
    arguments: Supervised,
    device: &B::Device,
) -> Result<Outcome, Error> {
    let shared = arguments.shared;
    let base = shared.overrides.apply(arguments.config.config());
    let run = Run {
        name: "supervised, from initial weights".to_owned(),
        folder: SCRATCH.to_owned(),
        words: ["-", "-"].map(str::to_owned),
        start: Start::Scratch,
        config: shared.overrides.apply(base.for_finetuning()),
    };
    let table = classify::<B>(&[run], &shared, Finetuning::from_scratch, device)?;
    finish(&shared.output, table, &[], &[])
}

/// A classifier to be trained.
struct Run<'a> {
    name: String,
    /// Name of the folder inside the output folder.
    folder: String,
    /// Method and decoder of the pre-training.
    words: [String; 2],
    start: Start<'a>,
    config: Config,
}

/// Trains and tests every classifier, and writes the table.
fn classify<B: Trains>(
    all: &[Run],
    shared: &Classify,
    recipe: fn(usize) -> Finetuning,
    device: &B::Device,
) -> Result<Option<Table>, Error> {
    // The number of classes is known after the folders are opened.
    shared.apply(recipe(2)).validate()?;
    if !shared.resume {
        expect_no_report(&shared.output)?;
    }
    for run in all {
        run.config.validate()?;
        if !shared.resume {
            let files = [&FILES[..], &[METRICS]].concat();
            let remedy = "or --resume to continue the runs in it";
            expect_free(&shared.output.join(&run.folder), &files, remedy)?;
        }
    }
    let folders = shared.labelled.folders(shared.images);
    let mut table = Table::default();
    for run in all {
        let images = folders.open(&run.config, Augmentation::Training)?;
        let finetuning = shared.apply(recipe(images.classes));
        if table.rows.is_empty() {
            table = empty_table(&run.config, &finetuning, &images);
        }
        terminal::note(&run.name);
        let accuracy = train_classifier::<B>(
            run.start,
            run.config,
            finetuning,
            &images,
            &shared.output.join(&run.folder),
            LoaderOptions::default(),
            device,
        )?;
        match accuracy {
            Some(accuracy) => table.rows.push(result(run, &accuracy)),
            None => return Ok(None),
        }
    }
    Ok(Some(table))
}

/// Writes the report. Without a table the command was interrupted.
fn finish(
    output: &Path,
    table: Option<Table>,
    checkpoints: &[Checkpoint],
    names: &[String],
) -> Result<Outcome, Error> {
    let Some(table) = table else {
        return Ok(Outcome::Interrupted);
    };
    let data = ComparisonData {
        title: "Accuracy of classifiers".to_owned(),
        command: command(),
        runs: runs(checkpoints, names)?,
        tables: vec![table],
        ..ComparisonData::default()
    };
    write(output, &data)?;
    Ok(Outcome::Finished)
}

fn result(run: &Run, accuracy: &Accuracy) -> Row {
    let (low, high) = accuracy.interval();
    let mut cells = vec![
        Cell::single(100.0 * accuracy.top1()),
        Cell::Text(format!("{:.1} to {:.1}", 100.0 * low, 100.0 * high)),
    ];
    cells.extend(run.words.clone().map(Cell::Text));
    row(&run.name, RowKind::Run, cells)
}

/// The table without its rows.
fn empty_table(config: &Config, finetuning: &Finetuning, images: &LabelledImages) -> Table {
    let Config {
        epochs,
        batch_size,
        learning_rate,
        weight_decay,
        ..
    } = config;
    let Finetuning {
        layer_decay,
        drop_path,
        mixup,
        cutmix,
        label_smoothing,
        ..
    } = finetuning;
    Table {
        caption: format!(
            "Top-1 accuracy, {} classes, {} images to learn from x {epochs} epochs, {} test images",
            images.classes,
            images.train.len(),
            images.test.len()
        ),
        columns: vec![
            column("top-1", "%", Better::Higher, 2),
            column("95 %", "", Better::Neither, 0),
            column("method", "", Better::Neither, 0),
            column("decoder of pre-training", "", Better::Neither, 0),
        ],
        rows: Vec::new(),
        settings: Vec::new(),
        note: format!(
            "Recipe: batch {batch_size}, rate {learning_rate} per 256 images, weight decay \
             {weight_decay}, layer decay {layer_decay}, drop path {drop_path}, mixup {mixup}, \
             cutmix {cutmix}, label smoothing {label_smoothing}. The interval is that of Wilson, \
             for the choice of the test images."
        ),
    }
}
