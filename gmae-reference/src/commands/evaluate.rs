//! `evaluate`: every reading of the Gaussians that the data allow, for several models, in one
//! report.

use std::path::{Path, PathBuf};

use clap::ValueEnum as _;

use super::boundaries;
use super::comparison::{command, expect_own_report, load, method, names, runs, write};
use super::drawn::Source;
use super::edges::{Drawing, listed};
use super::models::{Model, warn_of_other_units, with_gaussians};
use super::objects::Judge;
use super::reading::{Evaluate, OpenedSet};
use super::scenes;
use crate::backend::Trains;
use crate::bsds::{Baseline, Cache, Method, Protocol, Split, Thresholds};
use crate::config::Method as Predicts;
use crate::data::{Annotated, AnnotatedOptions, Layout};
use crate::error::Error;
use crate::evaluation::segmentation::Task;
use crate::files::{Lock, create_folder};
use crate::readings::labels::Rule;
use crate::report::comparison::{ComparisonData, RowKind, Table};
use crate::terminal;
use crate::training::{Checkpoint, Outcome};

/// The title of the report.
const TITLE: &str = "What the Gaussians know";
/// The folders inside the output folder: maps of boundaries, and counts of their pixels.
const FOLDERS: [&str; 2] = ["maps", "counts"];
/// The split of BSDS500 that is evaluated.
const SPLIT: &str = "test";

/// A method of the boundary benchmark, with the name and the kind of its row.
type Named = (String, RowKind, Method);

/// A data set that was recognised.
enum Set {
    Objects(OpenedSet, Task),
    Boundaries(PathBuf, Split),
}

/// Evaluates every checkpoint on the procedural scenes and on every data set.
///
/// # Errors
///
/// An error that names the argument or the file at fault.
pub(super) fn run<B: Trains>(arguments: &Evaluate, device: &B::Device) -> Result<Outcome, Error> {
    expect_own_report(&arguments.output, TITLE)?;
    let rule = arguments.reading.rule()?;
    let checkpoints = load(&arguments.checkpoint)?;
    let (shapes, scenes) = arguments.scenes()?;
    let (mut sets, mut left_out) = (Vec::new(), Vec::new());
    for folder in &arguments.data {
        let found = recognised(folder, arguments.images)?;
        sets.extend(found.sets);
        left_out.extend(found.left_out);
    }
    for remark in &left_out {
        terminal::note(format_args!("warning: {remark}"));
    }
    create_folder(&arguments.output)?;
    let _lock = Lock::take(&arguments.output)?;
    let models = with_gaussians(&checkpoints);
    let mut data = ComparisonData {
        title: TITLE.to_owned(),
        command: command(),
        notes: [notes(&checkpoints, rule), left_out].concat(),
        runs: runs(&checkpoints, &names(&checkpoints))?,
        ..ComparisonData::default()
    };
    expect_own_maps(&sets, &models, rule, &arguments.output)?;
    let order = scenes::table::<B>(&models, &shapes, arguments.shapes, rule, device)?;
    let Some(order) = order else {
        return Ok(Outcome::Interrupted);
    };
    data.tables.push(order);
    sets.insert(0, Set::Objects(scenes, Task::Segmentation));
    for set in &sets {
        let done = match set {
            Set::Objects(set, task) => {
                let judge = Judge::new(set, *task, rule, arguments.split_seed)?;
                judge.table::<B>(&models, device)?.map(|found| {
                    data.tables.push(found.table);
                    data.cases.extend(found.cases);
                })
            }
            Set::Boundaries(folder, split) => {
                let drawn = maps::<B>(&models, folder, rule, &arguments.output, device)?;
                let table = match drawn {
                    Some(methods) => edges(split, methods, &arguments.output)?,
                    None => None,
                };
                table.map(|table| data.tables.push(table))
            }
        };
        if done.is_none() {
            return Ok(Outcome::Interrupted);
        }
    }
    write(&arguments.output, &data)?;
    Ok(Outcome::Finished)
}

/// Returns the data sets in `folder`: itself, or those of its subfolders that are recognised.
///
/// # Errors
///
/// [`Error::File`] if the folder cannot be listed. [`Error::Argument`] if nothing is recognised.
fn recognised(folder: &Path, images: usize) -> Result<Recognised, Error> {
    let mut found = sets_of(folder, images);
    if found.sets.is_empty() {
        found.left_out.clear();
        let failed = || Error::file("listing data sets", folder);
        let entries = std::fs::read_dir(folder).map_err(failed())?;
        let paths: Result<Vec<PathBuf>, _> = entries.map(|entry| entry.map(|e| e.path())).collect();
        let mut paths = paths.map_err(failed())?;
        paths.sort();
        for path in paths.iter().filter(|path| path.is_dir()) {
            let inside = sets_of(path, images);
            found.sets.extend(inside.sets);
            found.left_out.extend(inside.left_out);
        }
    }
    if found.sets.is_empty() {
        return Err(Error::Argument {
            argument: "--data",
            expected: "BSDS500, PASCAL VOC, photographs with masks, trimaps or a table of boxes"
                .to_owned(),
            got: format!("{}, in which none is recognised", folder.display()),
        });
    }
    Ok(found)
}

/// The data sets of a folder.
#[derive(Default)]
struct Recognised {
    sets: Vec<Set>,
    /// What is left out, and why, for the user.
    left_out: Vec<String>,
}

/// Returns what can be evaluated in a folder of one data set.
fn sets_of(folder: &Path, images: usize) -> Recognised {
    let mut found = Recognised::default();
    let is_bsds = folder.join("groundTruth").is_dir();
    match Split::open(folder, SPLIT) {
        Ok(split) => {
            let problems = split.problems.iter().map(ToString::to_string);
            found.left_out.extend(problems);
            let images = folder.join("images").join(SPLIT);
            found.sets.push(Set::Boundaries(images, split));
            return found;
        }
        Err(error) if is_bsds => {
            found.left_out.push(error.to_string());
            return found;
        }
        Err(_) => {}
    }
    let mut add = |options: AnnotatedOptions| {
        let set = match Annotated::open(folder, &options) {
            Ok(set) => set,
            Err(error) => {
                found.left_out.push(error.to_string());
                return None;
            }
        };
        found.left_out.extend(set.remarks().iter().cloned());
        let layout = set.layout();
        let task = match layout {
            Some(Layout::VocBoxes | Layout::BoxTable) => Task::Detection,
            _ => Task::Segmentation,
        };
        let name = folder.file_name().unwrap_or(folder.as_os_str());
        let images = set.len().min(images);
        if images >= 2 {
            let name = name.to_string_lossy().into_owned();
            let set = OpenedSet { set, name, images };
            found.sets.push(Set::Objects(set, task));
        } else {
            let name = name.to_string_lossy();
            found.left_out.push(format!("{name}: fewer than 2 images"));
        }
        layout
    };
    // A folder of PASCAL VOC has masks and boxes.
    if add(AnnotatedOptions::default()) == Some(Layout::Voc) {
        add(AnnotatedOptions::default().layout(Layout::VocBoxes));
    }
    found
}

/// Remarks on the rule, on models without Gaussians, and on models whose renders are not colours.
fn notes(checkpoints: &[Checkpoint], rule: Rule) -> Vec<String> {
    let without = checkpoints
        .iter()
        .zip(names(checkpoints))
        .filter(|(checkpoint, _)| checkpoint.config.method != Predicts::Gmae);
    let without = without.map(|(checkpoint, name)| {
        let method = method(&checkpoint.config);
        format!("{name} ({method}) predicts no Gaussians, so that it has no row.")
    });
    std::iter::once(rule.words())
        .chain(without)
        .chain(warn_of_other_units(checkpoints))
        .collect()
}

/// The folder of the maps of a model, and their source.
fn maps_of(model: &Model, number: usize, rule: Rule, output: &Path) -> (PathBuf, Source) {
    let name = model.name.replace(['/', '\\', ' ', ','], "-");
    let folder = output.join(FOLDERS[0]).join(format!("{number}-{name}"));
    (folder, Source::new(&model.identity(), rule))
}

/// Checks, before the work begins, that the maps of an earlier evaluation can be kept.
///
/// # Errors
///
/// All errors of [`Source::missing`].
fn expect_own_maps(sets: &[Set], models: &[Model], rule: Rule, output: &Path) -> Result<(), Error> {
    for set in sets {
        if let Set::Boundaries(images, _) = set {
            let images = listed(images)?;
            for (number, model) in (1..).zip(models) {
                let (folder, source) = maps_of(model, number, rule, output);
                source.missing(&images, &folder)?;
            }
        }
    }
    Ok(())
}

/// Draws the maps of every model. The result is `None` after an interruption.
fn maps<B: Trains>(
    models: &[Model],
    images: &Path,
    rule: Rule,
    output: &Path,
    device: &B::Device,
) -> Result<Option<Vec<Named>>, Error> {
    let images = listed(images)?;
    let mut methods = Vec::new();
    for (number, model) in (1..).zip(models) {
        let (folder, source) = maps_of(model, number, rule, output);
        let missing = source.missing(&images, &folder)?;
        let network = model.on::<B>(device)?;
        let drawing = Drawing {
            config: &model.config(),
            model: &network,
            rule,
            source: &source,
        };
        if !drawing.draw(&missing, &folder)? {
            return Ok(None);
        }
        methods.push((model.name.clone(), model.kind, Method::Maps(folder)));
    }
    Ok(Some(methods))
}

/// Scores maps, and the baselines. The result is `None` after an interruption.
fn edges(split: &Split, mut methods: Vec<Named>, output: &Path) -> Result<Option<Table>, Error> {
    for &baseline in Baseline::value_variants() {
        let name = baseline.label().to_owned();
        methods.push((name, RowKind::Baseline, Method::Baseline(baseline)));
    }
    let protocol = Protocol {
        split,
        thresholds: Thresholds::default(),
        cache: &Cache::open(&output.join(FOLDERS[1]))?,
        keep_going: false,
    };
    let judged = boundaries::judged(&protocol, methods)?;
    Ok(judged.map(|judged| boundaries::table(&judged)))
}
