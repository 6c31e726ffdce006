//! `finetune --task box`: the box of the object of an image from the tokens of encoders, a proxy
//! for detection on COCO.

use std::path::PathBuf;

use super::comparison::{
    column, command, expect_runs, load, method, names, recipe, row, run_folder, runs, write,
};
use super::objects::{dimmed, score};
use super::probe::random_encoders;
use super::published;
use super::reading::OpenedSet;
use super::tuning::Finetune;
use crate::backend::Trains;
use crate::config::{BoxFinetuning, Config, Tokens};
use crate::data::{BoxedImages, Dataset};
use crate::error::Error;
use crate::evaluation::Cases;
use crate::evaluation::segmentation::{Corners, Halves, box_iou, box_mask, constant_boxes};
use crate::experiment::{Start, train_localizer};
use crate::report::comparison::{
    Better, Case, CaseGroup, Cell, ComparisonData, Row, RowKind, Table,
};
use crate::terminal;
use crate::training::{Checkpoint, Outcome};

/// The title of the report.
const TITLE: &str = "Boxes from tokens: a proxy for detection on COCO";
/// Overlaps from which a box counts as found.
const FOUND: [f64; 2] = [0.5, 0.7];
/// Number of columns of the table.
const COLUMNS: usize = 10;
/// The column of the published AP.
const AP: usize = 6;

/// Trains two models of boxes from the encoder of every checkpoint, and two from each shape of
/// encoder with initial weights, and writes the report.
///
/// # Errors
///
/// An error that names the argument or the file at fault.
pub(super) fn run<B: Trains>(arguments: &Finetune, device: &B::Device) -> Result<Outcome, Error> {
    let (opened, seed) = arguments.annotated()?;
    for remark in opened.set.remarks() {
        terminal::note(format_args!("warning: {remark}"));
    }
    let checkpoints = load(&arguments.checkpoint)?;
    // Every input is checked before the first run begins.
    let judge = Judge::new(&opened, seed)?;
    let all = planned(arguments, &checkpoints, judge.learned.len())?;
    let paths: Vec<PathBuf> = all.iter().map(|run| run.folder.clone()).collect();
    expect_runs(&arguments.output, TITLE, &paths, arguments.shared.resume)?;
    let (mut rows, mut cases) = (Vec::new(), Vec::new());
    for run in &all {
        terminal::note(&run.name);
        let [train, test] = judge.images(&run.config);
        let train = train.for_training();
        let data: [&dyn Dataset; 2] = [&train, &test];
        let (start, folder) = (run.start, &run.folder);
        let found = train_localizer::<B>(start, run.config, run.settings, data, folder, device)?;
        let Some(found) = found else {
            return Ok(Outcome::Interrupted);
        };
        let scores = judge.scores(&found);
        let mut cells = cells(&scores)?;
        cells.push(Cell::Empty);
        cells.extend(run.words.clone().map(Cell::Text));
        rows.push(row(&run.name, run.kind, cells));
        if run.kind == RowKind::Run {
            cases.push(judge.cases(&run.name, &found, &scores)?);
        }
    }
    rows.extend(judge.baselines()?);
    rows.extend(published::detection(COLUMNS, AP));
    let names: Vec<String> = all.iter().map(|run| run.name.clone()).collect();
    let mut runs = runs(&load(&paths)?, &names)?;
    for (data, run) in runs.iter_mut().zip(&all) {
        data.method.clone_from(&run.words[0]);
    }
    let data = ComparisonData {
        title: TITLE.to_owned(),
        command: command(),
        runs,
        tables: vec![judge.table(rows)],
        cases,
        ..ComparisonData::default()
    };
    write(&arguments.output, &data)?;
    Ok(Outcome::Finished)
}

/// A model of boxes to be trained.
struct Run<'a> {
    name: String,
    kind: RowKind,
    folder: PathBuf,
    /// Method and decoder of the pre-training, and the recipe.
    words: [String; 3],
    start: Start<'a>,
    config: Config,
    settings: BoxFinetuning,
}

/// An encoder from whose tokens boxes are learned.
struct Encoder<'a> {
    /// Number of the encoder among those of its kind, for the name of its folders.
    number: usize,
    folder: String,
    name: String,
    kind: RowKind,
    /// Method and decoder of the pre-training.
    words: [String; 2],
    start: Start<'a>,
    config: Config,
    /// The settings of fine-tuned tokens.
    fine_tuned: BoxFinetuning,
}

/// Lists the runs: frozen and fine-tuned tokens of every checkpoint, and the same of encoders with
/// initial weights. `images` is the number of images to learn from.
///
/// # Errors
///
/// [`Error::OtherConfig`] if a flag contradicts a checkpoint. [`Error::Setting`] if a setting is
/// out of range.
fn planned<'a>(
    arguments: &Finetune,
    checkpoints: &'a [Checkpoint],
    images: usize,
) -> Result<Vec<Run<'a>>, Error> {
    let (shared, output) = (&arguments.shared, &arguments.output);
    // A batch that is larger than the set would only raise the learning rate.
    let fitted = |config: Config| {
        let config = shared.overrides.apply(config.for_finetuning());
        Config {
            batch_size: config.batch_size.min(images),
            crop_scale: 1.0,
            ..config
        }
    };
    let mut encoders = Vec::new();
    for (i, (checkpoint, name)) in checkpoints.iter().zip(names(checkpoints)).enumerate() {
        let config = fitted(checkpoint.config);
        checkpoint.expect_shape(&config)?;
        encoders.push(Encoder {
            number: i + 1,
            folder: name.clone(),
            name,
            kind: RowKind::Run,
            words: [method(&checkpoint.config), checkpoint.config.decoder()],
            start: Start::Encoder(checkpoint),
            config,
            fine_tuned: shared.boxes(BoxFinetuning::fine_tuned()),
        });
    }
    for (i, (config, name)) in random_encoders(checkpoints).into_iter().enumerate() {
        encoders.push(Encoder {
            number: i + 1,
            folder: "random encoder".to_owned(),
            name,
            kind: RowKind::Baseline,
            words: ["-", "-"].map(str::to_owned),
            start: Start::Scratch,
            config: fitted(config),
            fine_tuned: shared.boxes(BoxFinetuning::from_scratch()),
        });
    }
    let mut runs = Vec::new();
    for encoder in encoders {
        for (tokens, settings) in [
            ("frozen tokens", BoxFinetuning::frozen()),
            ("fine-tuned tokens", encoder.fine_tuned),
        ] {
            let folder = format!("{} {tokens}", encoder.folder);
            let [method, decoder] = encoder.words.clone();
            runs.push(Run {
                name: format!("{}, {tokens}", encoder.name),
                kind: encoder.kind,
                folder: output.join(run_folder(encoder.number, &folder)),
                words: [method, decoder, words(&encoder.config, &settings, images)],
                start: encoder.start,
                config: encoder.config,
                settings,
            });
        }
    }
    for run in &runs {
        run.config.validate()?;
        run.settings.validate()?;
    }
    Ok(runs)
}

/// The recipe of a run with `images` images to learn from, in words.
fn words(config: &Config, settings: &BoxFinetuning, images: usize) -> String {
    let steps = config.epochs * (images / config.batch_size.max(1));
    let (schedule, seed) = (format!("steps {steps}: {}", recipe(config)), config.seed);
    let BoxFinetuning {
        tokens,
        layer_decay,
        drop_path,
        ..
    } = settings;
    match tokens {
        Tokens::Frozen => format!("{schedule}, seed {seed}"),
        Tokens::FineTuned => {
            format!("{schedule}, layer decay {layer_decay}, drop path {drop_path}, seed {seed}")
        }
    }
}

/// Scores boxes on the test half of one set.
struct Judge<'a> {
    opened: &'a OpenedSet,
    halves: Halves,
    /// The boxes of the images to learn from.
    learned: Vec<Corners>,
    /// The boxes of the test images.
    truths: Vec<Corners>,
}

impl<'a> Judge<'a> {
    /// Splits the images and reads their boxes.
    fn new(opened: &'a OpenedSet, seed: u64) -> Result<Self, Error> {
        // An item of each half must not have the same image.
        if let Some([first, second]) = opened.set.repeated_image(opened.images) {
            return Err(Error::Argument {
                argument: "--data",
                expected: "each image once, because one half of the images tests the other"
                    .to_owned(),
                got: format!("{first} and {second}, which have the same image"),
            });
        }
        let halves = Halves::drawn(opened.images, seed)?;
        let truths = |items: &[usize]| BoxedImages::new(&opened.set, items.to_vec(), 1).truths();
        Ok(Self {
            learned: truths(&halves.training)?,
            truths: truths(&halves.test)?,
            halves,
            opened,
        })
    }

    /// The images to learn from and the test images, for models of `config`.
    fn images(&self, config: &Config) -> [BoxedImages<'a>; 2] {
        [&self.halves.training, &self.halves.test]
            .map(|items| BoxedImages::new(&self.opened.set, items.clone(), config.image_size))
    }

    /// The overlap of the found and the true box of every test image.
    fn scores(&self, found: &[Corners]) -> Vec<f64> {
        let pairs = found.iter().zip(&self.truths);
        pairs
            .map(|(&found, &truth)| box_iou(found, truth))
            .collect()
    }

    /// Draws the boxes of the best, the median and the worst test image.
    fn cases(&self, name: &str, found: &[Corners], scores: &[f64]) -> Result<CaseGroup, Error> {
        let mut group = CaseGroup {
            title: format!("{}: {name}", self.opened.name),
            cases: Vec::new(),
        };
        for (case, at) in Cases::of(scores)?.named() {
            let item = self.opened.set.item(self.halves.test[at])?;
            let image = item.image;
            let drawn = |corners| dimmed(&image, &box_mask(corners, image.width, image.height));
            group.cases.push(Case {
                caption: format!("{case}: {}, {:.1} %", item.name, 100.0 * scores[at]),
                pictures: vec![
                    ("truth".to_owned(), drawn(self.truths[at])),
                    ("found".to_owned(), drawn(found[at])),
                    ("the image".to_owned(), image),
                ],
            });
        }
        Ok(group)
    }

    /// Scores the boxes that are the same in every image.
    fn baselines(&self) -> Result<Vec<Row>, Error> {
        let one = |(name, corners): (String, Corners)| {
            let mut cells = cells(&self.scores(&vec![corners; self.truths.len()]))?;
            cells.resize(COLUMNS, Cell::Empty);
            Ok(row(&name, RowKind::Baseline, cells))
        };
        constant_boxes(&self.learned).into_iter().map(one).collect()
    }

    fn table(&self, rows: Vec<Row>) -> Table {
        let interval = |of: &str| column(&format!("95 % of {of}"), "", Better::Neither, 0);
        let mut columns = vec![
            column("mean IoU", "%", Better::Higher, 2),
            interval("mean IoU"),
        ];
        for least in FOUND {
            let label = format!("IoU of at least {least}");
            columns.push(column(&label, "%", Better::Higher, 2));
            columns.push(interval(&label));
        }
        columns.push(column("AP of boxes, COCO", "", Better::Neither, 1));
        for label in ["method", "decoder of pre-training", "recipe"] {
            columns.push(column(label, "", Better::Neither, 0));
        }
        Table {
            caption: format!(
                "Boxes, {}: {} images to learn from, {} test images",
                self.opened.name,
                self.learned.len(),
                self.truths.len()
            ),
            columns,
            rows,
            settings: Vec::new(),
            note: "A proxy for detection on COCO: a linear head predicts one box for each image. The \
                   true box is the annotated one, or the smallest one around the foreground. IoU is \
                   the intersection over union of the predicted and the true box. The interval is a \
                   bootstrap over test images. The centred box and the mean box come from the images \
                   to learn from. The published AP needs COCO and ViTDet. No measured number is \
                   compared with it."
                .to_owned(),
        }
    }
}

/// The mean overlap, and the shares of images with a large overlap, each with its interval.
fn cells(scores: &[f64]) -> Result<Vec<Cell>, Error> {
    let mut cells = score(scores)?;
    for least in FOUND {
        let found = scores
            .iter()
            .map(|&score| f64::from(u8::from(score >= least)));
        cells.extend(score(&found.collect::<Vec<_>>())?);
    }
    Ok(cells)
}
