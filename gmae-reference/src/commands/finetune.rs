//! `finetune` and `supervised`: train classifiers, from encoders and from initial weights.

use std::path::Path;

use super::arguments::{Classify, Finetune, Supervised};
use super::comparison::{
    column, command, expect_no_report, expect_own_report, load, method, names, row, runs, write,
};
use super::published;
use crate::backend::Trains;
use crate::config::{Config, Finetuning};
use crate::data::Dataset;
use crate::error::Error;
use crate::evaluation::probe::Accuracy;
use crate::experiment::{Augmentation, LabelledImages, Start, train_classifier};
use crate::files::expect_free;
use crate::report::comparison::{Better, Cell, ComparisonData, Row, RowKind, RunData, Table};
use crate::terminal;
use crate::training::{Checkpoint, FILES, LoaderOptions, METRICS, Outcome};

/// The folder of a run of `supervised` inside its output folder.
const SCRATCH: &str = "supervised";

/// The title of the report.
const TITLE: &str = "Accuracy of classifiers";

/// Trains a classifier from the encoder of every checkpoint.
///
/// # Errors
///
/// An error that names the argument or the file at fault.
pub(super) fn finetune<B: Trains>(
    arguments: Finetune,
    device: &B::Device,
) -> Result<Outcome, Error> {
    let checkpoints = load(&arguments.checkpoint)?;
    let names = names(&checkpoints);
    let (shared, output) = (arguments.shared, arguments.output);
    // Every input is checked before the first run begins.
    let mut runs = Vec::new();
    for (i, (checkpoint, name)) in checkpoints.iter().zip(&names).enumerate() {
        let config = shared.overrides.apply(checkpoint.config.for_finetuning());
        checkpoint.expect_shape(&config)?;
        runs.push(Run {
            name: name.clone(),
            folder: format!("{}-{}", i + 1, name.replace(['/', '\\', ' '], "-")),
            words: [method(&checkpoint.config), checkpoint.config.decoder()],
            start: Start::Encoder(checkpoint),
            config,
        });
    }
    let table = classify::<B>(&runs, &shared, &output, Finetuning::published, device)?;
    finish(&output, table)
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
    let (shared, output) = (arguments.shared, arguments.output);
    let base = shared.overrides.apply(arguments.config.config());
    let run = Run {
        name: "supervised, from initial weights".to_owned(),
        folder: SCRATCH.to_owned(),
        words: ["-", "-"].map(str::to_owned),
        start: Start::Scratch,
        config: shared.overrides.apply(base.for_finetuning()),
    };
    let table = classify::<B>(&[run], &shared, &output, Finetuning::from_scratch, device)?;
    finish(&output, table)
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

/// Trains and tests every classifier. The result is `None` after an interruption.
fn classify<B: Trains>(
    all: &[Run],
    shared: &Classify,
    output: &Path,
    recipe: fn(usize) -> Finetuning,
    device: &B::Device,
) -> Result<Option<Found>, Error> {
    // The number of classes is known after the folders are opened.
    shared.apply(recipe(2)).validate()?;
    let folder = |run: &Run| output.join(&run.folder);
    let continued = shared.resume && all.iter().any(|run| folder(run).is_dir());
    // A report is replaced only beside the runs that it belongs to.
    if continued {
        expect_own_report(output, TITLE)?;
    } else {
        expect_no_report(output)?;
    }
    for run in all {
        run.config.validate()?;
        if !shared.resume {
            let files = [&FILES[..], &[METRICS]].concat();
            expect_free(
                &folder(run),
                &files,
                "or --resume to continue the runs in it",
            )?;
        }
    }
    let folders = shared.labelled.folders(shared.images);
    let mut table = Table::default();
    for run in all {
        let images = folders.open(&run.config, Augmentation::Training)?;
        let finetuning = shared.apply(recipe(images.classes));
        if table.rows.is_empty() {
            table = empty_table(&images);
        }
        terminal::note(&run.name);
        let accuracy = train_classifier::<B>(
            run.start,
            run.config,
            finetuning,
            &images,
            &folder(run),
            LoaderOptions::default(),
            device,
        )?;
        match accuracy {
            Some(accuracy) => table.rows.push(result(run, &finetuning, &accuracy)),
            None => return Ok(None),
        }
    }
    table
        .rows
        .extend(published::fine_tuning(table.columns.len()));
    let trained: Vec<Checkpoint> = all
        .iter()
        .map(|run| Checkpoint::load(&folder(run)))
        .collect::<Result<_, _>>()?;
    let names: Vec<String> = all.iter().map(|run| run.name.clone()).collect();
    let mut runs = runs(&trained, &names)?;
    for (data, run) in runs.iter_mut().zip(all) {
        data.method.clone_from(&run.words[0]);
    }
    Ok(Some(Found { table, runs }))
}

/// The results of all classifiers, with the curves of their training.
struct Found {
    table: Table,
    runs: Vec<RunData>,
}

/// Writes the report. Without a table the command was interrupted.
fn finish(output: &Path, found: Option<Found>) -> Result<Outcome, Error> {
    let Some(Found { table, runs }) = found else {
        return Ok(Outcome::Interrupted);
    };
    let data = ComparisonData {
        title: TITLE.to_owned(),
        command: command(),
        runs,
        tables: vec![table],
        ..ComparisonData::default()
    };
    write(output, &data)?;
    Ok(Outcome::Finished)
}

fn result(run: &Run, finetuning: &Finetuning, accuracy: &Accuracy) -> Row {
    let (low, high) = accuracy.interval();
    let mut cells = vec![
        Cell::single(100.0 * accuracy.top1()),
        Cell::Text(format!("{:.1} to {:.1}", 100.0 * low, 100.0 * high)),
    ];
    cells.extend(run.words.clone().map(Cell::Text));
    cells.push(Cell::Text(words(&run.config, finetuning)));
    row(&run.name, RowKind::Run, cells)
}

/// The recipe of a run, in words.
fn words(config: &Config, finetuning: &Finetuning) -> String {
    let Config {
        epochs,
        batch_size,
        learning_rate,
        weight_decay,
        crop_scale,
        clip_norm,
        seed,
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
    format!(
        "{epochs} epochs, batch {batch_size}, rate {learning_rate} per 256 images, weight decay \
         {weight_decay}, clipping {clip_norm}, crops from {crop_scale}, layer decay {layer_decay}, \
         drop path {drop_path}, mixup {mixup}, cutmix {cutmix}, label smoothing {label_smoothing}, \
         seed {seed}"
    )
}

/// The table without its rows.
fn empty_table(images: &LabelledImages) -> Table {
    Table {
        caption: format!(
            "Top-1 accuracy, {} classes, {} images to learn from, {} test images",
            images.classes,
            images.train.len(),
            images.test.len()
        ),
        columns: vec![
            column("top-1", "%", Better::Higher, 2),
            column("95 %", "", Better::Neither, 0),
            column("method", "", Better::Neither, 0),
            column("decoder of pre-training", "", Better::Neither, 0),
            column("recipe", "", Better::Neither, 0),
        ],
        rows: Vec::new(),
        settings: Vec::new(),
        note: "The interval is that of Wilson, for the choice of the test images.".to_owned(),
    }
}
