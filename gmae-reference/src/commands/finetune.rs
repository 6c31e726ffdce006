//! `finetune` and `supervised`: train classifiers, from encoders and from initial weights.

use std::path::{Path, PathBuf};

use super::boxes;
use super::comparison::{
    column, command, expect_runs, load, method, names, recipe, row, run_folder, runs, write,
};
use super::published;
use super::tuning::{Finetune, Goal, Supervised, Tune};
use crate::backend::Trains;
use crate::config::{Config, Finetuning};
use crate::data::Dataset;
use crate::error::Error;
use crate::evaluation::probe::Accuracy;
use crate::experiment::{Augmentation, LabelledFolders, LabelledImages, Start, train_classifier};
use crate::report::comparison::{Better, Cell, ComparisonData, Row, RowKind, RunData, Table};
use crate::terminal;
use crate::training::{LoaderOptions, Outcome};

/// The folder of a run of `supervised` inside its output folder.
const SCRATCH: &str = "supervised";

/// The title of the report.
const TITLE: &str = "Accuracy of classifiers";

/// Trains a classifier, or models of boxes, from the encoder of every checkpoint.
///
/// # Errors
///
/// An error that names the argument or the file at fault.
pub(super) fn finetune<B: Trains>(
    arguments: &Finetune,
    device: &B::Device,
) -> Result<Outcome, Error> {
    if arguments.task == Goal::Box {
        return boxes::run::<B>(arguments, device);
    }
    let folders = arguments.labelled()?;
    let checkpoints = load(&arguments.checkpoint)?;
    let names = names(&checkpoints);
    let (shared, output) = (&arguments.shared, &arguments.output);
    // Every input is checked before the first run begins.
    let mut runs = Vec::new();
    for (i, (checkpoint, name)) in checkpoints.iter().zip(&names).enumerate() {
        let config = shared.overrides.apply(checkpoint.config.for_finetuning());
        checkpoint.expect_shape(&config)?;
        runs.push(Run {
            name: name.clone(),
            folder: run_folder(i + 1, name),
            words: [method(&checkpoint.config), checkpoint.config.decoder()],
            start: Start::Encoder(checkpoint),
            config,
        });
    }
    let table = classify::<B>(&runs, &folders, shared, output, device)?;
    finish(output, table)
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
    let folders = arguments.labelled.folders(arguments.images);
    let table = classify::<B>(&[run], &folders, &shared, &output, device)?;
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

/// Returns the published recipe of a classifier that begins with these weights.
fn base(start: Start, classes: usize) -> Finetuning {
    match start {
        Start::Encoder(_) => Finetuning::published(classes),
        Start::Scratch => Finetuning::from_scratch(classes),
    }
}

/// Trains and tests every classifier. The result is `None` after an interruption.
fn classify<B: Trains>(
    all: &[Run],
    folders: &LabelledFolders,
    shared: &Tune,
    output: &Path,
    device: &B::Device,
) -> Result<Option<Found>, Error> {
    let paths: Vec<PathBuf> = all.iter().map(|run| output.join(&run.folder)).collect();
    for run in all {
        // The number of classes is known after the folders are opened.
        shared.apply(base(run.start, 2)).validate()?;
    }
    expect_runs(output, TITLE, &paths, shared.resume)?;
    for run in all {
        run.config.validate()?;
    }
    let mut table = Table::default();
    for (run, path) in all.iter().zip(&paths) {
        let images = folders.open(&run.config, Augmentation::Training)?;
        let finetuning = shared.apply(base(run.start, images.classes));
        if table.rows.is_empty() {
            table = empty_table(&images);
        }
        terminal::note(&run.name);
        let accuracy = train_classifier::<B>(
            run.start,
            run.config,
            finetuning,
            &images,
            path,
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
    let trained = load(&paths)?;
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
    let (schedule, crop_scale, seed) = (recipe(config), config.crop_scale, config.seed);
    let Finetuning {
        layer_decay,
        drop_path,
        mixup,
        cutmix,
        label_smoothing,
        ..
    } = finetuning;
    format!(
        "{schedule}, crops from {crop_scale}, layer decay {layer_decay}, drop path {drop_path}, \
         mixup {mixup}, cutmix {cutmix}, label smoothing {label_smoothing}, seed {seed}"
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
