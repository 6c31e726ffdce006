//! `figure-ground` and `detect`: objects from the layers of Gaussians, without further training.

use std::path::PathBuf;

use super::comparison::{column, command, expect_no_report, load, names, row, runs, write};
use super::reading::{Objects, OpenedSet};
use crate::backend::Trains;
use crate::config::{Config, Method};
use crate::error::Error;
use crate::evaluation::Bootstrap;
use crate::evaluation::segmentation::{Halves, Protocol, Task, Tuned, baseline_rows, tuned};
use crate::model::Autoencoder;
use crate::readings::figure::{curves, cuts};
use crate::readings::labels::Rule;
use crate::report::comparison::{Better, Cell, ComparisonData, Row, RowKind, Table};
use crate::terminal::{self, Bar};
use crate::training::{Checkpoint, Outcome};

/// Mean overlap of the four lists of PASCAL VOC, in per cent, as arXiv 2501.03229 lists it.
const PUBLISHED_FIGURES: [f64; 4] = [17.85, 19.09, 19.16, 16.55];
/// Mean overlap of the boxes of PASCAL VOC, in per cent, as arXiv 2501.03229 lists it.
const PUBLISHED_BOXES: f64 = 20.26;
/// Number of columns of a table.
const COLUMNS: usize = 6;

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
    let names = names(&checkpoints);
    let rule = arguments.reading.rule()?;
    let opened = arguments.annotated.open()?;
    for remark in opened.set.remarks() {
        terminal::note(format_args!("warning: {remark}"));
    }
    let judge = Judge::new(&opened, task, rule, arguments.split_seed)?;
    let mut models = Vec::new();
    for (checkpoint, name) in checkpoints.iter().zip(&names) {
        models.push((name.clone(), RowKind::Run, Weights::Of(checkpoint)));
    }
    for config in initial(&checkpoints) {
        let name = format!("random weights, k = {}", config.gaussians);
        models.push((name, RowKind::Baseline, Weights::Initial(config)));
    }
    let mut rows = Vec::new();
    for (name, kind, weights) in models {
        let (config, model) = weights.model::<B>(device)?;
        match judge.model(&name, kind, &config, &model)? {
            Some(row) => rows.push(row),
            None => return Ok(Outcome::Interrupted),
        }
    }
    rows.extend(judge.baselines()?);
    rows.extend(published(task));
    let data = ComparisonData {
        title: title.to_owned(),
        command: command(),
        notes: vec![rule.words()],
        runs: runs(&checkpoints, &names)?,
        tables: vec![judge.table(rows)],
        ..ComparisonData::default()
    };
    write(&output, &data)?;
    Ok(Outcome::Finished)
}

/// The weights of a model that is scored.
enum Weights<'a> {
    Of(&'a Checkpoint),
    Initial(Config),
}

impl Weights<'_> {
    fn model<B: Trains>(&self, device: &B::Device) -> Result<(Config, Autoencoder<B>), Error> {
        Ok(match self {
            Self::Of(checkpoint) => (checkpoint.config, checkpoint.model::<B>(device)?),
            Self::Initial(config) => (*config, Autoencoder::new(config, device)),
        })
    }
}

/// One configuration for each shape of model and number of Gaussians, that of the first checkpoint.
fn initial(checkpoints: &[Checkpoint]) -> Vec<Config> {
    let shape = |config: &Config| {
        let shape = [
            config.image_size,
            config.patch_size,
            config.gaussians,
            config.encoder_depth,
            config.encoder_width,
            config.decoder_depth,
            config.decoder_width,
        ];
        (shape, config.gaussian_scale.to_bits())
    };
    let mut found: Vec<Config> = Vec::new();
    for checkpoint in checkpoints {
        let config = checkpoint.config;
        if found.iter().all(|other| shape(other) != shape(&config)) {
            found.push(config);
        }
    }
    found
}

/// Scores models and baselines on one set.
struct Judge<'a> {
    opened: &'a OpenedSet,
    protocol: Protocol,
    rule: Rule,
    halves: Halves,
    seed: u64,
}

impl<'a> Judge<'a> {
    fn new(opened: &'a OpenedSet, task: Task, rule: Rule, seed: u64) -> Result<Self, Error> {
        Ok(Self {
            protocol: Protocol::published(task, opened.set.layout()),
            rule,
            halves: Halves::drawn(opened.images, seed)?,
            seed,
            opened,
        })
    }

    /// Scores a model. The result is `None` after an interruption.
    fn model<B: Trains>(
        &self,
        name: &str,
        kind: RowKind,
        config: &Config,
        model: &Autoencoder<B>,
    ) -> Result<Option<Row>, Error> {
        let mut bar = Bar::new(name);
        let watch = |done, total| bar.show(done, total);
        let found = curves(
            config,
            model,
            &self.opened.set,
            &self.protocol,
            self.rule,
            self.opened.images,
            watch,
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
        Ok(Some(row(name, kind, cells)))
    }

    /// Scores the rows without a model, on the images that the models are scored on.
    fn baselines(&self) -> Result<Vec<Row>, Error> {
        let (set, images) = (&self.opened.set, self.opened.images);
        let found = baseline_rows(set, &self.protocol, images, self.seed)?;
        let one = |found: crate::evaluation::segmentation::BaselineRow| {
            let test = self.halves.test.iter().map(|&i| found.scores[i]);
            let mut cells = score(&test.collect::<Vec<_>>())?;
            cells.resize(COLUMNS, Cell::Empty);
            let name = found.baseline.name(self.protocol.task);
            Ok(row(name, RowKind::Baseline, cells))
        };
        found.into_iter().map(one).collect()
    }

    fn table(&self, rows: Vec<Row>) -> Table {
        let what = match self.protocol.task {
            Task::Segmentation => "masks",
            Task::Detection => "boxes",
        };
        let number = |label: &str| column(label, "%", Better::Neither, 2);
        Table {
            caption: format!(
                "Overlap of {what}, {}: {} images, {} of them for the choice of the threshold",
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
            note:
                "Overlap is the mean over images of the intersection over union. The interval is \
                   a bootstrap over images. The layers and tau are chosen on one half of the \
                   images. All rows are scored on the other half, also the best tau of the half \
                   itself and of each image."
                    .to_owned(),
        }
    }
}

/// The mean of the scores and its interval.
fn score(scores: &[f64]) -> Result<Vec<Cell>, Error> {
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
