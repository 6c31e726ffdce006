//! `probe`: classifies images by the features of encoders.

use super::arguments::Probe;
use super::comparison::{column, command, expect_no_report, load, method, names, row, runs, write};
use super::published;
use crate::backend::Trains;
use crate::config::{Config, Tuning};
use crate::data::Dataset;
use crate::error::Error;
use crate::evaluation::judge::{Judgement, Probe as Kind, judge};
use crate::experiment::{Augmentation, Features, LabelledImages, encoded, pixels};
use crate::model::Autoencoder;
use crate::report::comparison::{Better, Cell, ComparisonData, Row, RowKind, Table};
use crate::terminal::Bar;
use crate::training::{Checkpoint, Outcome};

/// Judges the encoder of every checkpoint, an encoder with initial weights for each shape, and the
/// raw pixels.
///
/// # Errors
///
/// An error that names the argument or the file at fault.
pub(super) fn probe<B: Trains>(arguments: Probe, device: &B::Device) -> Result<Outcome, Error> {
    expect_no_report(&arguments.output)?;
    check_probes(&arguments.probes)?;
    let checkpoints = load(&arguments.checkpoint)?;
    let names = names(&checkpoints);
    let folders = arguments.labelled.folders(arguments.images);
    let open = |config: &Config| folders.open(config, Augmentation::None);
    let mut judges = Judges {
        kinds: &arguments.probes,
        table: Vec::new(),
        blocks: Vec::new(),
    };
    for (checkpoint, name) in checkpoints.iter().zip(&names) {
        let config = checkpoint.config;
        let model = checkpoint.encoder::<B>(device)?;
        let Some(features) = encoded(&config, &model, &open(&config)?, name)? else {
            return Ok(Outcome::Interrupted);
        };
        let shown = match checkpoint.finetuning {
            Some(Tuning::Classes(_)) => "classifier".to_owned(),
            Some(Tuning::Boxes(_)) => "model of boxes".to_owned(),
            None => config.decoder(),
        };
        let words = [method(&config), shown];
        if !judges.add(name, RowKind::Run, words, &features)? {
            return Ok(Outcome::Interrupted);
        }
    }
    for (config, name) in random_encoders(&checkpoints) {
        let model = Autoencoder::<B>::new(&config, device);
        let Some(features) = encoded(&config, &model, &open(&config)?, &name)? else {
            return Ok(Outcome::Interrupted);
        };
        if !judges.add(&name, RowKind::Baseline, none(), &features)? {
            return Ok(Outcome::Interrupted);
        }
    }
    let mut sizes: Vec<usize> = Vec::new();
    for checkpoint in &checkpoints {
        let size = checkpoint.config.image_size;
        if sizes.contains(&size) {
            continue;
        }
        sizes.push(size);
        let images = open(&checkpoint.config)?;
        let Some(features) = pixels(&images)? else {
            return Ok(Outcome::Interrupted);
        };
        let name = format!("raw pixels of {size} px");
        if !judges.add(&name, RowKind::Baseline, none(), &features)? {
            return Ok(Outcome::Interrupted);
        }
    }
    let images = open(&checkpoints[0].config)?;
    let data = ComparisonData {
        title: "Probes of encoders".to_owned(),
        command: command(),
        runs: runs(&checkpoints, &names)?,
        tables: judges.tables(&images),
        ..ComparisonData::default()
    };
    write(&arguments.output, &data)?;
    Ok(Outcome::Finished)
}

/// Checks that no probe is asked for twice.
///
/// # Errors
///
/// [`Error::Argument`] if one is.
fn check_probes(probes: &[Kind]) -> Result<(), Error> {
    let repeated = |(i, kind): (usize, &Kind)| probes[..i].contains(kind);
    if !probes.iter().enumerate().any(repeated) {
        return Ok(());
    }
    let names: Vec<&str> = probes.iter().map(|kind| label(*kind)).collect();
    Err(Error::Argument {
        argument: "--probes",
        expected: "each probe once".to_owned(),
        got: names.join(", "),
    })
}

/// Words of a row that has neither method nor decoder.
fn none() -> [String; 2] {
    ["-", "-"].map(str::to_owned)
}

/// One configuration for each shape of encoder, that of the first checkpoint, with the name of the
/// encoder of this shape with initial weights.
pub(super) fn random_encoders(checkpoints: &[Checkpoint]) -> Vec<(Config, String)> {
    let shape = |config: &Config| {
        let Config {
            image_size,
            patch_size,
            encoder_width,
            encoder_depth,
            encoder_heads,
            mlp_ratio,
            ..
        } = *config;
        [
            image_size,
            patch_size,
            encoder_width,
            encoder_depth,
            encoder_heads,
            mlp_ratio,
        ]
    };
    let mut found: Vec<Config> = Vec::new();
    for checkpoint in checkpoints {
        let config = checkpoint.config;
        if found.iter().all(|other| shape(other) != shape(&config)) {
            found.push(config);
        }
    }
    let named = |config: Config| {
        let name = format!(
            "random encoder, {} x {}, images of {} px",
            config.encoder_width, config.encoder_depth, config.image_size
        );
        (config, name)
    };
    found.into_iter().map(named).collect()
}

/// The rows of the tables.
struct Judges<'a> {
    kinds: &'a [Kind],
    table: Vec<Row>,
    blocks: Vec<Row>,
}

impl Judges<'_> {
    /// Judges features and adds a row. Returns false after an interruption.
    fn add(
        &mut self,
        name: &str,
        kind: RowKind,
        words: [String; 2],
        [train, test]: &Features,
    ) -> Result<bool, Error> {
        let (mut cells, mut all) = (Vec::new(), Vec::new());
        for probe in self.kinds {
            let mut bar = Bar::new(format!("{name}: {}", label(*probe)));
            let watch = &mut |done, total| bar.show(done, total);
            let Some(found) = judge(*probe, train, test, watch)? else {
                return Ok(false);
            };
            cells.push(Cell::single(100.0 * found.top1));
            cells.push(Cell::Text(remark(&found)));
            let blocks = found.blocks.iter().map(|(_, test)| 100.0 * test);
            let blocks: Vec<String> = blocks.map(|top1| format!("{top1:.1}")).collect();
            all.push(Cell::Text(blocks.join(" ")));
        }
        cells.extend(words.map(Cell::Text));
        self.table.push(row(name, kind, cells));
        self.blocks.push(row(name, kind, all));
        Ok(true)
    }

    fn tables(self, images: &LabelledImages) -> Vec<Table> {
        let mut columns = Vec::new();
        for kind in self.kinds {
            columns.push(column(label(*kind), "%", Better::Higher, 2));
            let remark = format!("{}: block, 95 %", label(*kind));
            columns.push(column(&remark, "", Better::Neither, 0));
        }
        let linear = self.kinds.iter().position(|kind| *kind == Kind::Linear);
        let mut rows = self.table;
        if let Some(linear) = linear {
            // Two columns for each probe, then method and decoder.
            rows.push(published::linear(columns.len() + 2, 2 * linear));
        }
        columns.push(column("method", "", Better::Neither, 0));
        columns.push(column("decoder", "", Better::Neither, 0));
        let each = self.kinds.iter();
        let each = each.map(|kind| column(label(*kind), "%", Better::Neither, 0));
        let caption = format!(
            "Top-1 accuracy, {} classes, {} images to learn from, {} test images",
            images.classes,
            images.train.len(),
            images.test.len()
        );
        vec![
            Table {
                caption,
                columns,
                rows,
                settings: Vec::new(),
                note: "The features are the means of the patch tokens after a block. The block is \
                       chosen on a tenth of the images to learn from, and so are the settings of \
                       the probes. The interval is that of Wilson, for the choice of the test \
                       images."
                    .to_owned(),
            },
            Table {
                caption: "Top-1 accuracy of every block on the test images".to_owned(),
                columns: each.collect(),
                rows: self.blocks,
                settings: Vec::new(),
                note: String::new(),
            },
        ]
    }
}

/// The best block and the interval.
fn remark(found: &Judgement) -> String {
    let (low, high) = found.interval;
    let interval = format!("{:.1} to {:.1}", 100.0 * low, 100.0 * high);
    match found.blocks.len() {
        1 => interval,
        blocks => format!("{} of {blocks}, {interval}", found.block),
    }
}

fn label(kind: Kind) -> &'static str {
    match kind {
        Kind::Ridge => "ridge probe",
        Kind::Linear => "linear probe",
        Kind::Knn => "20 neighbours",
    }
}
