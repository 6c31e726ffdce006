//! `figure-ground` and `detect`: objects from the layers of Gaussians, without further training.

use std::path::PathBuf;

use super::comparison::{column, command, expect_no_report, load, names, row, runs, write};
use super::models::{Model, warn_of_other_units, with_gaussians};
use super::reading::{Objects, OpenedSet};
use crate::backend::Trains;
use crate::config::Method;
use crate::data::{Image, PixelMask};
use crate::error::Error;
use crate::evaluation::segmentation::{
    BaselineRow, Halves, Protocol, Task, Tuned, baseline_rows, tuned,
};
use crate::evaluation::{Bootstrap, Cases};
use crate::readings::figure::{curves, cuts, figure};
use crate::readings::labels::Rule;
use crate::report::comparison::{
    Better, Case, CaseGroup, Cell, ComparisonData, Row, RowKind, Table,
};
use crate::terminal::{self, Bar};
use crate::training::Outcome;

/// Mean overlap of the four lists of PASCAL VOC, in per cent, as arXiv 2501.03229 lists it.
const PUBLISHED_FIGURES: [f64; 4] = [17.85, 19.09, 19.16, 16.55];
/// Mean overlap of the boxes of PASCAL VOC, in per cent, as arXiv 2501.03229 lists it.
const PUBLISHED_BOXES: f64 = 20.26;
/// Number of columns of a table.
const COLUMNS: usize = 6;
/// Part of the colour of a pixel that is kept outside of a mask.
const DIMMED: f32 = 0.25;

/// Scores masks, or boxes, and writes the table.
///
/// # Errors
///
/// An error that names the argument or the file at fault.
pub(super) fn run<B: Trains>(
    arguments: &Objects,
    task: Task,
    device: &B::Device,
) -> Result<Outcome, Error> {
    let (folder, title) = match task {
        Task::Segmentation => ("out/figure-ground", "Figure and ground"),
        Task::Detection => ("out/detect", "Single objects"),
    };
    let output = arguments.output.clone().unwrap_or(PathBuf::from(folder));
    expect_no_report(&output)?;
    let checkpoints = load(&arguments.checkpoint)?;
    if let Some(other) = checkpoints.iter().find(|c| c.config.method != Method::Gmae) {
        return Err(Error::Argument {
            argument: "--checkpoint",
            expected: "models that predict Gaussians (method gmae)".to_owned(),
            got: format!("{} of method mae", other.folder().display()),
        });
    }
    let rule = arguments.reading.rule()?;
    let opened = arguments.annotated.open()?;
    for remark in opened.set.remarks() {
        terminal::note(format_args!("warning: {remark}"));
    }
    let mut notes = vec![rule.words()];
    notes.extend(warn_of_other_units(&checkpoints));
    let judge = Judge::new(&opened, task, rule, arguments.split_seed)?;
    let Some(found) = judge.table::<B>(&with_gaussians(&checkpoints), device)? else {
        return Ok(Outcome::Interrupted);
    };
    let data = ComparisonData {
        title: title.to_owned(),
        command: command(),
        notes,
        runs: runs(&checkpoints, &names(&checkpoints))?,
        tables: vec![found.table],
        cases: found.cases,
        ..ComparisonData::default()
    };
    write(&output, &data)?;
    Ok(Outcome::Finished)
}

/// Scores models and baselines on one set.
pub(super) struct Judge<'a> {
    opened: &'a OpenedSet,
    protocol: Protocol,
    rule: Rule,
    halves: Halves,
    seed: u64,
}

/// The results on one set.
pub(super) struct Found {
    pub(super) table: Table,
    pub(super) cases: Vec<CaseGroup>,
}

impl<'a> Judge<'a> {
    /// Prepares the scores of `task` with the published protocol. `seed` determines the half of the
    /// images on which thresholds are chosen.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for fewer than two images.
    pub(super) fn new(
        opened: &'a OpenedSet,
        task: Task,
        rule: Rule,
        seed: u64,
    ) -> Result<Self, Error> {
        Ok(Self {
            protocol: Protocol::published(task, opened.set.layout()),
            rule,
            halves: Halves::drawn(opened.images, seed)?,
            seed,
            opened,
        })
    }

    /// Scores every model and every baseline. The result is `None` after an interruption.
    ///
    /// # Errors
    ///
    /// An error that names the file at fault.
    pub(super) fn table<B: Trains>(
        &self,
        models: &[Model],
        device: &B::Device,
    ) -> Result<Option<Found>, Error> {
        let (mut rows, mut cases) = (Vec::new(), Vec::new());
        for model in models {
            let Some((row, group)) = self.model::<B>(model, device)? else {
                return Ok(None);
            };
            rows.push(row);
            if model.kind == RowKind::Run {
                cases.push(group);
            }
        }
        rows.extend(self.baselines()?);
        rows.extend(published(self.protocol.task));
        Ok(Some(Found {
            table: self.with_rows(rows),
            cases,
        }))
    }

    /// Scores a model. The result is `None` after an interruption.
    fn model<B: Trains>(
        &self,
        model: &Model,
        device: &B::Device,
    ) -> Result<Option<(Row, CaseGroup)>, Error> {
        let (config, network) = (model.config(), model.on::<B>(device)?);
        let mut bar = Bar::new(format!("{}: {}", self.opened.name, model.name));
        let found = curves(
            &config,
            &network,
            &self.opened.set,
            &self.protocol,
            self.rule,
            self.opened.images,
            |done, total| bar.show(done, total),
        )?;
        let Some(found) = found else {
            return Ok(None);
        };
        let Tuned {
            choice,
            scores,
            oracle,
            each_best,
            ..
        } = tuned(&found, &self.halves)?;
        let cut = cuts()[choice.threshold];
        let mut cells = score(&scores)?;
        cells.extend([
            Cell::Text(format!("{} of {}", cut.tau, cut.layers)),
            Cell::single(100.0 * choice.mean),
            Cell::single(100.0 * oracle.mean),
            Cell::single(100.0 * each_best),
        ]);
        let cases = Cases::of(&scores)?;
        let mut group = CaseGroup {
            title: format!("{}: {}", self.opened.name, model.name),
            cases: Vec::new(),
        };
        for (name, at) in cases.named() {
            let item = self.opened.set.item(self.halves.test[at])?;
            let (image, truth) = self.protocol.prepare(&item)?;
            let size = [image.width, image.height];
            let mask = figure(&config, &network, &item, size, cut, self.rule)?;
            group.cases.push(Case {
                caption: format!("{name}: {}, {:.1} %", item.name, 100.0 * scores[at]),
                pictures: vec![
                    ("truth".to_owned(), dimmed(&image, &truth.foreground)),
                    ("found".to_owned(), dimmed(&image, &mask)),
                    ("the image".to_owned(), image),
                ],
            });
        }
        Ok(Some((row(&model.name, model.kind, cells), group)))
    }

    /// Scores the rows without a model, on the images that the models are scored on.
    fn baselines(&self) -> Result<Vec<Row>, Error> {
        let (set, images) = (&self.opened.set, self.opened.images);
        let found = baseline_rows(set, &self.protocol, images, self.seed)?;
        let one = |found: BaselineRow| {
            let test = self.halves.test.iter().map(|&i| found.scores[i]);
            let mut cells = score(&test.collect::<Vec<_>>())?;
            cells.resize(COLUMNS, Cell::Empty);
            let name = found.baseline.name(self.protocol.task);
            Ok(row(name, RowKind::Baseline, cells))
        };
        found.into_iter().map(one).collect()
    }

    fn with_rows(&self, rows: Vec<Row>) -> Table {
        let what = match self.protocol.task {
            Task::Segmentation => "masks",
            Task::Detection => "boxes",
        };
        let number = |label: &str| column(label, "%", Better::Neither, 2);
        Table {
            caption: format!(
                "Overlap of {what}, {}: {} images, {} of them for the choice of tau",
                self.opened.name,
                self.opened.images,
                self.halves.training.len()
            ),
            columns: vec![
                column("overlap", "%", Better::Higher, 2),
                column("95 %", "", Better::Neither, 0),
                column("tau of L", "", Better::Neither, 0),
                number("on the other half"),
                number("best tau of the half"),
                number("best tau of each image"),
            ],
            rows,
            settings: Vec::new(),
            note: "The overlap is the mean over images of the intersection over union. The \
                   interval is a bootstrap over images. L and tau are chosen on one half of the \
                   images, and all rows are scored on the other half. The last two columns choose \
                   tau with the truth."
                .to_owned(),
        }
    }
}

/// Returns the image with the pixels outside of the mask darkened.
pub(super) fn dimmed(image: &Image, mask: &PixelMask) -> Image {
    let mut dimmed = image.clone();
    for (pixel, &inside) in dimmed.pixels.chunks_mut(3).zip(mask.values()) {
        if !inside {
            for value in pixel {
                *value *= DIMMED;
            }
        }
    }
    dimmed
}

/// The mean of the scores and its interval, in per cent.
pub(super) fn score(scores: &[f64]) -> Result<Vec<Cell>, Error> {
    let found = Bootstrap::default().interval(scores)?;
    let [low, high] = [found.low, found.high].map(|end| 100.0 * end);
    Ok(vec![
        Cell::single(100.0 * found.mean),
        Cell::Text(format!("{low:.1} to {high:.1}")),
    ])
}

fn published(task: Task) -> Vec<Row> {
    let published = |name: &str, value: f64| {
        let mut cells = vec![Cell::Empty; COLUMNS];
        cells[0] = Cell::single(value);
        row(name, RowKind::Published, cells)
    };
    match task {
        Task::Segmentation => (0..)
            .zip(PUBLISHED_FIGURES)
            .map(|(list, value)| published(&format!("PASCAL VOC, list {list}: GMAE"), value))
            .collect(),
        Task::Detection => vec![published("PASCAL VOC: GMAE", PUBLISHED_BOXES)],
    }
}
