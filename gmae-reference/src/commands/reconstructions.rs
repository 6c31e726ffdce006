//! `reconstruct --data`: measures the reconstructions of a folder of images.

use std::path::Path;

use super::arguments::Reconstruct;
use super::comparison::{
    column, command, expect_no_report, method_of_pictures, names, row, runs, write,
};
use super::models::warn_of_other_units;
use crate::backend::Trains;
use crate::config::{Config, Preset};
use crate::data::{Dataset, Folder, FolderOptions, Image, Transform};
use crate::error::Error;
use crate::evaluation::arrangement::{ARRANGED, arrangement};
use crate::evaluation::quality::{Fill, Quality, Spread, bilinear_fill, mean_colour_fill};
use crate::evaluation::reconstruction::{FeatureModel, Filler, Reconstructed, mask, reconstruct};
use crate::evaluation::{image_losses, masked, pasted};
use crate::model::{Autoencoder, Batch, predict};
use crate::report::comparison::{
    Better, Cell, ComparedPicture, ComparisonData, Quantity, Reconstruction, Row, RowKind, Table,
};
use crate::terminal::{self, Bar};
use crate::training::{Checkpoint, Outcome, Public, Stream, stream};

/// Number of images shown with their reconstructions.
const SHOWN: usize = 8;
/// The baselines.
const FILLS: [(&str, Fill); 2] = [
    ("mean visible colour", mean_colour_fill),
    ("bilinear fill from visible patches", bilinear_fill),
];

/// Reconstructs every image with every checkpoint and with the baselines.
///
/// # Errors
///
/// An error that names the argument or the file at fault.
pub(super) fn reconstructions<B: Trains>(
    checkpoints: &[Checkpoint],
    arguments: &Reconstruct,
    device: &B::Device,
) -> Result<Outcome, Error> {
    expect_no_report(&arguments.output)?;
    let names = names(checkpoints);
    let features = match &arguments.features {
        None => None,
        Some(path) => Some(feature_model::<B>(path, device)?),
    };
    let mut tables = Vec::new();
    let mut data = ComparisonData {
        title: "Reconstructions".to_owned(),
        command: command(),
        notes: warn_of_other_units(checkpoints),
        runs: runs(checkpoints, &names)?,
        ..ComparisonData::default()
    };
    let first = checkpoints.first().map(|checkpoint| checkpoint.config);
    for config in shapes(checkpoints) {
        let folder = open(arguments, &config)?;
        let study = Study::<B> {
            config,
            folder: &folder,
            features: features
                .as_ref()
                .map(|(config, model)| FeatureModel { config, model }),
            seed: arguments.mask_seed,
        };
        let mut rows = Vec::new();
        for (checkpoint, name) in checkpoints.iter().zip(&names) {
            if shape(&checkpoint.config) != shape(&config) {
                continue;
            }
            let model = checkpoint.model::<B>(device)?;
            let config = &checkpoint.config;
            let words = [method_of_pictures(&checkpoint.config), config.decoder()];
            let filler = Filler::Model(&model);
            match study.row(config, name, RowKind::Run, words, &filler)? {
                Some(row) => rows.push(row),
                None => return Ok(Outcome::Interrupted),
            }
        }
        for (name, fill) in FILLS {
            let words = ["-", "-"].map(str::to_owned);
            let filler = Filler::Fill(fill);
            match study.row(&config, name, RowKind::Baseline, words, &filler)? {
                Some(row) => rows.push(row),
                None => return Ok(Outcome::Interrupted),
            }
        }
        tables.push(study.table(rows));
        if first.is_some_and(|first| shape(&first) == shape(&config)) {
            study.pictures(checkpoints, &mut data, device)?;
        }
        study.arrangements(checkpoints, &names, &mut data, device)?;
        for summary in folder.summary() {
            terminal::note(format_args!("warning: {summary}"));
        }
    }
    data.tables = tables;
    write(&arguments.output, &data)?;
    Ok(Outcome::Finished)
}

/// What two models must have in common for the same masks.
fn shape(config: &Config) -> [usize; 3] {
    [config.image_size, config.patch_size, config.visible()]
}

/// One configuration for each shape, that of the first checkpoint.
fn shapes(checkpoints: &[Checkpoint]) -> Vec<Config> {
    let mut found: Vec<Config> = Vec::new();
    for Checkpoint { config, .. } in checkpoints {
        if found.iter().all(|other| shape(other) != shape(config)) {
            found.push(*config);
        }
    }
    found
}

fn open(arguments: &Reconstruct, config: &Config) -> Result<Folder, Error> {
    let path = arguments.data.as_deref().unwrap_or(Path::new(""));
    let options = FolderOptions {
        min_side: config.patch_size,
        images: arguments.images,
        strict: true,
        ..FolderOptions::new(Transform::evaluation(config.image_size)?)
    };
    let folder = Folder::open(path, options)?;
    for warning in folder.warnings() {
        terminal::note(format_args!("warning: {warning}"));
    }
    Ok(folder)
}

/// Reads the model whose features are compared: a run, or a public file of a ViT.
fn feature_model<B: Trains>(
    path: &Path,
    device: &B::Device,
) -> Result<(Config, Autoencoder<B>), Error> {
    if path.is_dir() {
        let checkpoint = Checkpoint::load(path)?;
        return Ok((checkpoint.config, checkpoint.encoder(device)?));
    }
    let public = Public::read(path)?;
    let config = public.config(Preset::Base.config(), None)?;
    Ok((config, public.model::<B>(&config, device)?))
}

/// The reconstructions of models of one shape.
struct Study<'a, B: Trains> {
    config: Config,
    folder: &'a Folder,
    features: Option<FeatureModel<'a, B>>,
    seed: u64,
}

impl<B: Trains> Study<'_, B> {
    /// Measures one row. The result is `None` after an interruption.
    fn row(
        &self,
        config: &Config,
        name: &str,
        kind: RowKind,
        words: [String; 2],
        filler: &Filler<B>,
    ) -> Result<Option<Row>, Error> {
        let mut bar = Bar::new(name);
        let watch = &mut |done, total| bar.show(done, total);
        let features = self.features.as_ref();
        let found = reconstruct(config, filler, features, self.folder, self.seed, watch)?;
        let Some(found) = found else {
            return Ok(None);
        };
        let mut cells = self.cells(&found)?;
        cells.extend(words.map(Cell::Text));
        Ok(Some(row(name, kind, cells)))
    }

    fn cells(&self, found: &Reconstructed) -> Result<Vec<Cell>, Error> {
        let (pasted, raw) = (Quality::of(&found.pasted), Quality::of(&found.raw));
        let mean = |spread: Option<Spread>| match spread {
            None => Cell::Empty,
            Some(spread) => Cell::single(spread.mean),
        };
        let mut cells = vec![
            mean(pasted.masked_mse),
            mean(pasted.masked_psnr),
            mean(pasted.masked_ssim),
            mean(pasted.mse),
            mean(pasted.psnr),
            mean(pasted.ssim),
            mean(raw.mse),
            mean(raw.psnr),
            mean(raw.ssim),
        ];
        if let Some(features) = &self.features {
            let distance = found.frechet_distance(features.config.encoder_width)?;
            cells.push(distance.map_or(Cell::Empty, Cell::single));
        }
        Ok(cells)
    }

    fn table(&self, rows: Vec<Row>) -> Table {
        let three = |of: &str| -> [Quantity; 3] {
            [
                column(&format!("{of} MSE"), "", Better::Lower, 5),
                column(&format!("{of} PSNR"), "dB", Better::Higher, 2),
                column(&format!("{of} SSIM"), "", Better::Higher, 4),
            ]
        };
        let mut columns: Vec<Quantity> = ["masked", "pasted", "whole"].map(three).concat();
        if self.features.is_some() {
            columns.push(column("FD", "", Better::Lower, 3));
        }
        columns.push(column("method", "", Better::Neither, 0));
        columns.push(column("decoder", "", Better::Neither, 0));
        let config = &self.config;
        Table {
            caption: format!(
                "{} images of {} px, {} of {} patches visible, mask seed {}",
                self.folder.len(),
                config.image_size,
                config.visible(),
                config.patches(),
                self.seed
            ),
            columns,
            rows,
            settings: Vec::new(),
            note: self.note(),
        }
    }

    /// What the columns mean.
    fn note(&self) -> String {
        let mut note = "Means over the images, for colours in [0, 1]. Masked: the masked patches. \
                        Pasted: all pixels of the image whose masked patches are predicted. Whole: \
                        all pixels as the model predicts them. SSIM of masked patches: windows with \
                        their centre in one."
            .to_owned();
        if self.features.is_some() {
            note += " FD: Fréchet distance between the features of originals and of pasted images.";
        }
        note
    }

    /// Some images, spread over the folder, with the masks of the table.
    fn batch(&self, count: usize) -> Result<(Batch, Vec<Image>), Error> {
        let (mut batch, mut images) = (Batch::default(), Vec::new());
        for index in 0..count.min(self.folder.len()) {
            // Spread over the folder, so that several classes are shown.
            let index = index * self.folder.len() / count.min(self.folder.len());
            let image = self
                .folder
                .image(index, &mut stream(0, Stream::HeldOut, 0))?;
            batch.pixels.extend(&image.pixels);
            batch.masks.push(mask(&self.config, self.seed, index));
            images.push(image);
        }
        Ok((batch, images))
    }

    /// Adds pictures with the reconstruction of every checkpoint of this shape.
    fn pictures(
        &self,
        checkpoints: &[Checkpoint],
        data: &mut ComparisonData,
        device: &B::Device,
    ) -> Result<(), Error> {
        let (batch, images) = self.batch(SHOWN)?;
        let mut all: Vec<ComparedPicture> = images
            .iter()
            .zip(&batch.masks)
            .map(|(original, of)| ComparedPicture {
                original: original.clone(),
                masked: masked(&self.config, original, of),
                reconstructions: Vec::new(),
            })
            .collect();
        for checkpoint in checkpoints {
            let config = &checkpoint.config;
            if shape(config) != shape(&self.config) {
                for picture in &mut all {
                    picture.reconstructions.push(None);
                }
                continue;
            }
            let prediction = predict(config, &checkpoint.model::<B>(device)?, &batch)?;
            let losses = image_losses(config, &batch, &prediction.pixels)?;
            let predicted = prediction.pixels.chunks(config.image_len());
            let each = all.iter_mut().zip(predicted).zip(&batch.masks).zip(losses);
            for (((picture, pixels), mask), loss) in each {
                let render = Image {
                    pixels: pixels.to_vec(),
                    ..picture.original.clone()
                };
                picture.reconstructions.push(Some(Reconstruction {
                    image: pasted(config, &picture.original, &render, mask),
                    loss,
                }));
            }
        }
        data.reconstructions = all;
        Ok(())
    }

    /// Adds the distributions of the Gaussians of every checkpoint of this shape.
    fn arrangements(
        &self,
        checkpoints: &[Checkpoint],
        names: &[String],
        data: &mut ComparisonData,
        device: &B::Device,
    ) -> Result<(), Error> {
        let (batch, _) = self.batch(ARRANGED)?;
        for (checkpoint, name) in checkpoints.iter().zip(names) {
            let config = &checkpoint.config;
            if shape(config) != shape(&self.config) {
                continue;
            }
            let model = checkpoint.model::<B>(device)?;
            if let Some(found) = arrangement(config, name, &model, &batch)? {
                data.density.push(found.density);
                data.size_depth.push(found.size_depth);
            }
        }
        Ok(())
    }
}
