//! The measures of one row of a table of ablations.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use super::classifier::train_classifier;
use super::features::{Features, encoded, pixels};
use super::labelled::{Augmentation, LabelledFolders, LabelledImages};
use super::pretraining::pretrain;
use super::tuned::Start;
use crate::ablation::{FINE_TUNE, Job, Measures, Runner, SECONDS, Subject};
use crate::backend::Trains;
use crate::config::{Config, Finetuning, LossKind};
use crate::error::Error;
use crate::evaluation::judge::{Probe, judge};
use crate::evaluation::probe::{LAMBDAS, LinearRecipe, NeighbourRecipe};
use crate::evaluation::quality::{Quality, bilinear_fill, mean_colour_fill};
use crate::evaluation::reconstruction::{Filler, Reconstructed, reconstruct};
use crate::model::Autoencoder;
use crate::terminal::{self, Bar};
use crate::training::{Checkpoint, LoaderOptions, METRICS, Outcome, metrics};

/// The measures of reconstructions.
const RECONSTRUCTION: [&str; 5] = ["masked_mse", "masked_psnr", "masked_ssim", "psnr", "ssim"];
/// The measures of features: name of the accuracy, name of the best block.
const PROBES: [(Probe, &str, &str); 3] = [
    (Probe::Ridge, "ridge", "ridge_block"),
    (Probe::Linear, "linear", "linear_block"),
    (Probe::Knn, "knn", "knn_block"),
];
/// The folder of the pre-training inside the folder of a job.
const PRETRAINING: &str = "pretraining";
/// The folder of the classifier inside the folder of a job.
const CLASSIFIER: &str = "classifier";
/// The seed of the masks. It is the same for all rows.
const MASK_SEED: u64 = 0;

/// Describes everything besides the settings and the images that determines the measures: the
/// recipes of the classifiers and of the probes, and the masks.
pub(crate) fn protocol() -> String {
    format!(
        "{:?}; {:?}; {:?}; {LAMBDAS:?}; {:?}; mask seed {MASK_SEED}",
        Finetuning::published(0),
        Finetuning::from_scratch(0),
        LinearRecipe::default(),
        NeighbourRecipe::default()
    )
}

/// The time of all steps of the run in `folder`, also of those before an interruption. Without a
/// run it is zero.
fn training_seconds(folder: &Path) -> Result<f64, Error> {
    let records = metrics::read(&folder.join(METRICS))?;
    if records.is_empty() {
        return Ok(0.0);
    }
    let run = Checkpoint::load(folder)?;
    // A step has no more images than the data set.
    let images = run.config.batch_size.min(run.expect_state()?.data.images) as f64;
    Ok(records
        .iter()
        .map(|record| images / record.images_per_second)
        .sum())
}

/// Trains and measures on two folders of labelled images.
pub(crate) struct Experiment<'a, B: Trains> {
    /// The images. The table determines the number of training images.
    pub(crate) folders: &'a LabelledFolders,
    /// Threads and memory for reading images.
    pub(crate) loader: LoaderOptions,
    /// The device.
    pub(crate) device: &'a B::Device,
}

impl<B: Trains> Runner for Experiment<'_, B> {
    fn run(&mut self, job: &Job, folder: &Path) -> Result<Option<Measures>, Error> {
        check_measures(&job.measures)?;
        let begun = Instant::now();
        let found = self.measure(job, folder);
        // A row that diverges has a result, so that the rows after it can run.
        if let Err(error @ (Error::NotFinite { .. } | Error::NotSaved { .. })) = &found {
            terminal::note(format_args!(
                "warning: {}, seed {}: {error}",
                job.row, job.seed
            ));
            let values = job.measures.iter().map(|name| (name.clone(), f64::NAN));
            return Ok(Some(Measures {
                values: values.collect(),
                seconds: f64::NAN,
            }));
        }
        let Some(mut values) = found? else {
            return Ok(None);
        };
        // Reconstructions and probes have more measures than a table may ask for.
        values.retain(|name, _| wants(job, name));
        let mut seconds = 0.0;
        for name in [PRETRAINING, CLASSIFIER] {
            seconds += training_seconds(&folder.join(name))?;
        }
        if seconds == 0.0 {
            seconds = begun.elapsed().as_secs_f64();
        }
        Ok(Some(Measures { values, seconds }))
    }
}

/// The values of some measures, or `None` after an interruption.
type Values = Option<BTreeMap<String, f64>>;

impl<B: Trains> Experiment<'_, B> {
    /// Returns all measures that a row has.
    fn measure(&self, job: &Job, folder: &Path) -> Result<Values, Error> {
        match job.subject {
            Subject::Trained => self.trained(job, folder),
            Subject::Random => {
                let model = Autoencoder::new(&job.config, self.device);
                self.features(job, &model)
            }
            Subject::RawPixels => self.raw_pixels(job),
            Subject::Supervised => self.classifier(job, Start::Scratch, folder),
            Subject::MeanColour => self.reconstructions(job, &Filler::Fill(mean_colour_fill)),
            Subject::BilinearFill => self.reconstructions(job, &Filler::Fill(bilinear_fill)),
        }
    }

    /// Opens the folders with the number of images of `job`. The crops are those of `config`.
    fn open(
        &self,
        job: &Job,
        config: &Config,
        augmentation: Augmentation,
    ) -> Result<LabelledImages, Error> {
        let folders = LabelledFolders {
            images: job.images,
            ..self.folders.clone()
        };
        folders.open(config, augmentation)
    }

    /// Pre-trains a model and returns all its measures.
    fn trained(&self, job: &Job, folder: &Path) -> Result<Values, Error> {
        let run = folder.join(PRETRAINING);
        let data = self.open(job, &job.config, Augmentation::Training)?.train;
        let outcome = pretrain::<B>(job.config, &data, &run, self.loader, self.device)?;
        if outcome == Outcome::Interrupted {
            return Ok(None);
        }
        let checkpoint = Checkpoint::load(&run)?;
        let model = checkpoint.model::<B>(self.device)?;
        let Some(mut values) = self.reconstructions(job, &Filler::Model(&model))? else {
            return Ok(None);
        };
        let Some(features) = self.features(job, &model)? else {
            return Ok(None);
        };
        values.extend(features);
        let classifier = self.classifier(job, Start::Encoder(&checkpoint), folder)?;
        Ok(classifier.map(|classifier| {
            values.extend(classifier);
            values
        }))
    }

    fn reconstructions(&self, job: &Job, filler: &Filler<B>) -> Result<Values, Error> {
        if !RECONSTRUCTION.iter().any(|name| wants(job, name)) {
            return Ok(Some(BTreeMap::new()));
        }
        let data = self.open(job, &job.config, Augmentation::None)?.test;
        let mut bar = Bar::new("reconstructing");
        // All rows see as many patches, also those that were trained with another mask ratio.
        let config = Config {
            mask_ratio: job.mask_ratio,
            // The loss has no effect on a prediction.
            loss: LossKind::All,
            ..job.config
        };
        let found = reconstruct(
            &config,
            filler,
            None,
            &data,
            MASK_SEED,
            &mut |done, total| bar.show(done, total),
        )?;
        Ok(found.map(|found| quality(&found)))
    }

    fn features(&self, job: &Job, model: &Autoencoder<B>) -> Result<Values, Error> {
        if !PROBES
            .iter()
            .any(|(_, name, block)| wants(job, name) || wants(job, block))
        {
            return Ok(Some(BTreeMap::new()));
        }
        let images = self.open(job, &job.config, Augmentation::None)?;
        let found = encoded(&job.config, model, &images, &job.row)?;
        found.map_or(Ok(None), |features| probes(job, &features))
    }

    fn raw_pixels(&self, job: &Job) -> Result<Values, Error> {
        let images = self.open(job, &job.config, Augmentation::None)?;
        pixels(&images)?.map_or(Ok(None), |features| probes(job, &features))
    }

    fn classifier(&self, job: &Job, start: Start, folder: &Path) -> Result<Values, Error> {
        let mut values = BTreeMap::new();
        if wants(job, FINE_TUNE) {
            let images = self.open(job, &job.finetuning, Augmentation::Training)?;
            let finetuning = match start {
                Start::Encoder(_) => Finetuning::published(images.classes),
                Start::Scratch => Finetuning::from_scratch(images.classes),
            };
            let run = folder.join(CLASSIFIER);
            let (config, loader, device) = (job.finetuning, self.loader, self.device);
            let found =
                train_classifier::<B>(start, config, finetuning, &images, &run, loader, device)?;
            let Some(accuracy) = found else {
                return Ok(None);
            };
            values.insert(FINE_TUNE.to_owned(), 100.0 * accuracy.top1());
        }
        Ok(Some(values))
    }
}

/// Applies the probes that `job` wants.
fn probes(job: &Job, [train, test]: &Features) -> Result<Values, Error> {
    let mut values = BTreeMap::new();
    for (probe, name, block) in PROBES {
        if !(wants(job, name) || wants(job, block)) {
            continue;
        }
        let mut bar = Bar::new(format!("{name} probe"));
        let found = judge(probe, train, test, &mut |done, total| bar.show(done, total))?;
        let Some(found) = found else {
            return Ok(None);
        };
        values.insert(name.to_owned(), 100.0 * found.top1);
        if train.len() > 1 {
            values.insert(block.to_owned(), found.block as f64);
        }
    }
    Ok(Some(values))
}

/// The means over all images. Ratios without a value are left out.
fn quality(found: &Reconstructed) -> BTreeMap<String, f64> {
    let quality = Quality::of(&found.pasted);
    let spreads = [
        quality.masked_mse,
        quality.masked_psnr,
        quality.masked_ssim,
        quality.psnr,
        quality.ssim,
    ];
    let named = RECONSTRUCTION.into_iter().zip(spreads);
    named
        .filter_map(|(name, spread)| Some((name.to_owned(), spread?.mean)))
        .collect()
}

/// Returns whether `job` asks for a measure.
fn wants(job: &Job, name: &str) -> bool {
    job.measures.iter().any(|wanted| wanted == name)
}

/// Checks that every measure is known.
///
/// # Errors
///
/// [`Error::Argument`] with the first unknown measure.
pub(crate) fn check_measures(measures: &[String]) -> Result<(), Error> {
    let probes = PROBES.iter().flat_map(|(_, name, block)| [*name, *block]);
    let known: Vec<&str> = RECONSTRUCTION
        .into_iter()
        .chain(probes)
        .chain([FINE_TUNE, SECONDS])
        .collect();
    match measures.iter().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => Err(Error::Argument {
            argument: "measures of the table",
            expected: format!("some of {}", known.join(", ")),
            got: name.clone(),
        }),
    }
}
