//! Reads checkpoints.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use burn::module::{Module, ParamId};
use burn::tensor::{Tensor, TensorData};

use super::checksums::{self, Checksums};
use super::format::{CONFIG, ConfigFile, FILES, FORMAT, MODEL, PREFIXES, STATE, STATE_ENTRY};
use super::legacy;
use super::names::{Location, is_of_encoder};
use super::state::State;
use super::tensors::{Tensors, metadata};
use super::writing::{Visitor, unnamed};
use crate::backend::Training;
use crate::config::{Config, Tuning};
use crate::error::Error;
use crate::files::{current, read};
use crate::model::{Autoencoder, Classifier, Localizer, Stored};
use crate::ops::{Moments, Operations};
use crate::training::optimizer::Optimizer;

/// Number of attempts to read the files of a run that replaces them.
const ATTEMPTS: usize = 10;

/// A checkpoint in memory.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    folder: PathBuf,
    /// The settings of the run.
    pub config: Config,
    /// The settings of a model that was trained from an encoder. Other models have none.
    pub finetuning: Option<Tuning>,
    /// The state of the run. A model without a run has none.
    pub state: Option<State>,
    checksums: Checksums,
    model: Tensors,
}

impl Checkpoint {
    /// Reads the checkpoint in the folder `path`, or in the folder of the file `path`. All files
    /// are compared with their checksums.
    ///
    /// # Errors
    ///
    /// [`Error::Checkpoint`] with the name of the file if a file is missing or damaged, belongs to
    /// another checkpoint, or contains invalid settings.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let folder = folder_of(path)?;
        // A run can replace its files while they are read.
        for _ in 0..ATTEMPTS {
            let before = read(&current(&folder, checksums::NAME)).ok();
            let loaded = Self::load_from(&folder);
            let after = read(&current(&folder, checksums::NAME)).ok();
            if loaded.is_ok() || before == after {
                return loaded;
            }
        }
        Self::load_from(&folder)
    }

    fn load_from(folder: &Path) -> Result<Self, Error> {
        let checksums = Checksums::read(folder, &[CONFIG, MODEL], STATE)?;
        let (config, finetuning) = config(folder, &checksums)?;
        let bytes = checksums.checked(folder, MODEL)?;
        let model = Tensors::parse(&current(folder, MODEL), &bytes)?;
        drop(bytes);
        expect_size(&config, finetuning.as_ref(), &model)?;
        let mut checkpoint = Self {
            folder: folder.to_owned(),
            config,
            finetuning,
            state: None,
            checksums,
            model,
        };
        checkpoint.state = checkpoint.read_state()?;
        Ok(checkpoint)
    }

    /// Number of steps taken: 0 for a model without a run.
    pub fn step(&self) -> usize {
        self.state.as_ref().map_or(0, |state| state.step)
    }

    /// The folder of the files.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The first 16 hexadecimal digits of the SHA-256 of the file of weights, as a number.
    pub(crate) fn fingerprint(&self) -> Option<u64> {
        self.checksums.digits(MODEL)
    }

    /// Checks that the checkpoint belongs to a run of `config`.
    ///
    /// # Errors
    ///
    /// [`Error::OtherConfig`] with the first setting that differs.
    pub fn expect(&self, config: &Config) -> Result<(), Error> {
        match self.config.first_difference(config) {
            None => Ok(()),
            Some((name, found, expected)) => Err(Error::OtherConfig {
                path: self.folder.clone(),
                name,
                found,
                expected,
            }),
        }
    }

    /// Checks that the settings of `config` that shape the model are those of this checkpoint.
    ///
    /// # Errors
    ///
    /// [`Error::OtherConfig`] with the first setting that differs.
    pub fn expect_shape(&self, config: &Config) -> Result<(), Error> {
        self.expect(&self.config.with_model_of(config))
    }

    /// Creates the masked autoencoder on `device`, on any backend.
    ///
    /// # Errors
    ///
    /// [`Error::Checkpoint`] if the model is of another kind, or if a tensor is missing, has
    /// another shape or is not finite.
    pub fn model<B: Operations>(&self, device: &B::Device) -> Result<Autoencoder<B>, Error> {
        if self.finetuning.is_some() {
            return Err(self.other_kind("a masked autoencoder", ", which has no decoder"));
        }
        self.weights(Autoencoder::new(&self.config, device), device)
    }

    /// Creates a model whose encoder is that of the checkpoint, which can be of any kind. The
    /// decoder has initial weights.
    ///
    /// # Errors
    ///
    /// [`Error::Checkpoint`] if a tensor of the encoder is missing, has another shape or is not
    /// finite.
    pub fn encoder<B: Operations>(&self, device: &B::Device) -> Result<Autoencoder<B>, Error> {
        let model = Autoencoder::new(&self.config, device);
        self.model.load(model, device, Some(is_of_encoder))
    }

    /// Creates the classifier on `device`.
    ///
    /// # Errors
    ///
    /// [`Error::Checkpoint`] if the model is of another kind, or if a tensor is missing, has
    /// another shape or is not finite.
    pub fn classifier<B: Operations>(&self, device: &B::Device) -> Result<Classifier<B>, Error> {
        let Some(Tuning::Classes(finetuning)) = self.finetuning else {
            return Err(self.other_kind("a classifier", ""));
        };
        let model = Autoencoder::new(&self.config, device);
        let model = Classifier::new(&self.config, finetuning.classes, model);
        self.weights(model, device)
    }

    /// Creates the model of boxes on `device`.
    ///
    /// # Errors
    ///
    /// The errors of [`Checkpoint::classifier`].
    pub fn localizer<B: Operations>(&self, device: &B::Device) -> Result<Localizer<B>, Error> {
        let Some(Tuning::Boxes(_)) = self.finetuning else {
            return Err(self.other_kind("a model of boxes", ""));
        };
        let model = Autoencoder::new(&self.config, device);
        self.weights(Localizer::new(&self.config, model), device)
    }

    /// Returns the error for a model of another kind than `expected`.
    fn other_kind(&self, expected: &str, remark: &str) -> Error {
        let got = Tuning::kind_of(self.finetuning);
        Error::Checkpoint {
            path: self.folder.clone(),
            reason: format!("expected {expected}, got {got}{remark}"),
        }
    }

    /// Returns `model` with all weights of the checkpoint.
    ///
    /// # Errors
    ///
    /// [`Error::Checkpoint`] if a tensor is missing, has another shape or is not finite.
    pub(in crate::training) fn weights<B: Operations, M: Stored<B>>(
        &self,
        model: M,
        device: &B::Device,
    ) -> Result<M, Error> {
        self.model.load(model, device, None)
    }

    /// Creates the optimiser of `model` with its moments.
    ///
    /// # Errors
    ///
    /// [`Error::Checkpoint`] if the checkpoint has no state, if a tensor is missing, has another
    /// shape or is not finite, or if the files have changed since they were read.
    pub fn optimizer<B: Operations, M: Module<Training<B>>>(
        &self,
        model: &M,
        device: &B::Device,
    ) -> Result<Optimizer<B>, Error> {
        self.expect_state()?;
        let tensors = self.state_tensors()?;
        let mut moments = HashMap::new();
        let mut error = None;
        let mut visitor = Visitor {
            path: Vec::new(),
            visit: |path: &str, id: ParamId, shape: &[usize], _| {
                let read = |prefix| {
                    let location = Location::of(path, shape);
                    let location =
                        location.ok_or_else(|| unnamed(&self.folder.join(STATE), path))?;
                    let values = tensors.read(prefix, &location)?;
                    let len = values.len();
                    Ok(Tensor::<B, 1>::from_data(
                        TensorData::new(values, [len]),
                        device,
                    ))
                };
                let [first, second] = PREFIXES.map(read);
                match (first, second) {
                    (Ok(first), Ok(second)) => {
                        moments.insert(id, Moments { first, second });
                    }
                    (Err(new), _) | (_, Err(new)) => {
                        error.get_or_insert(new);
                    }
                }
            },
        };
        model.visit(&mut visitor);
        match error {
            None => Ok(Optimizer::restored(&self.config, self.step(), moments)),
            Some(error) => Err(error),
        }
    }

    /// Returns the state.
    ///
    /// # Errors
    ///
    /// [`Error::Checkpoint`] if the checkpoint is a model without a run.
    pub fn expect_state(&self) -> Result<&State, Error> {
        self.state.as_ref().ok_or_else(|| Error::Checkpoint {
            path: self.folder.clone(),
            reason: format!("a model without a run: there is no {STATE} to continue from"),
        })
    }

    fn state_tensors(&self) -> Result<Tensors, Error> {
        let bytes = self.checksums.checked(&self.folder, STATE)?;
        Tensors::parse(&current(&self.folder, STATE), &bytes)
    }

    fn read_state(&self) -> Result<Option<State>, Error> {
        let path = current(&self.folder, STATE);
        let refused = |reason: String| Error::Checkpoint {
            path: path.clone(),
            reason,
        };
        if !self.checksums.lists(STATE) {
            if path.exists() {
                let sums = checksums::NAME;
                return Err(refused(format!(
                    "not listed in {sums}: it belongs to another checkpoint"
                )));
            }
            return Ok(None);
        }
        // The moments are read when a run is resumed.
        let bytes = self.checksums.checked(&self.folder, STATE)?;
        let text = metadata(&path, &bytes)?.remove(STATE_ENTRY);
        let state: State = serde_json::from_str(&text.unwrap_or_default())
            .map_err(|error| refused(format!("entry {STATE_ENTRY:?} of the metadata: {error}")))?;
        match state.contradiction(&self.config) {
            None => Ok(Some(state)),
            Some([entry, expected, got]) => Err(refused(format!(
                "entry {entry} of its state: expected {expected}, which follows from the settings \
                 and the other entries, got {got}"
            ))),
        }
    }
}

/// Reads the settings of the checkpoint in the folder `path`, or in the folder of the file `path`.
///
/// # Errors
///
/// [`Error::Checkpoint`] if a file is missing or damaged, or if the settings are invalid.
pub(crate) fn settings(path: &Path) -> Result<Config, Error> {
    let folder = folder_of(path)?;
    let checksums = Checksums::read(&folder, &[CONFIG, MODEL], STATE)?;
    Ok(config(&folder, &checksums)?.0)
}

fn config(folder: &Path, checksums: &Checksums) -> Result<(Config, Option<Tuning>), Error> {
    let bytes = checksums.checked(folder, CONFIG)?;
    let refused = |reason: String| Error::Checkpoint {
        path: current(folder, CONFIG),
        reason,
    };
    let file: serde_json::Value =
        serde_json::from_slice(&bytes).map_err(|error| refused(error.to_string()))?;
    let format = &file["format"];
    if *format != FORMAT {
        return Err(refused(format!(
            "expected format {FORMAT}, got format {format}"
        )));
    }
    let file: ConfigFile =
        serde_json::from_value(file).map_err(|error| refused(error.to_string()))?;
    let tuning = file.tuning().map_err(refused)?;
    let valid = file.settings.validate();
    let valid = valid.and_then(|()| tuning.as_ref().map_or(Ok(()), Tuning::validate));
    valid.map_err(|error| refused(error.to_string()))?;
    Ok((file.settings, tuning))
}

/// Checks that a model of these settings is not far larger than the file. A model is created before
/// its tensors are read, and would take the memory that its settings ask for.
fn expect_size(config: &Config, tuning: Option<&Tuning>, model: &Tensors) -> Result<(), Error> {
    const FACTOR: usize = 4;
    const SMALL: usize = 1 << 20;
    // The file of a model that was trained from an encoder has no decoder, but one is created.
    const DECODER: usize = 1 << 27;
    let got = model.numbers();
    let limit = got.saturating_mul(FACTOR).saturating_add(SMALL);
    let [encoder, decoder] = config.parameters();
    let table = |width: usize| config.patches().saturating_mul(width);
    let (encoder, decoder) = (
        encoder.saturating_add(table(config.encoder_width)),
        decoder.saturating_add(table(config.decoder_width)),
    );
    let head = match tuning {
        Some(Tuning::Classes(tuning)) => tuning.classes.saturating_mul(config.encoder_width),
        _ => 0,
    };
    let decoder_limit = tuning.map_or(limit, |_| limit.max(DECODER));
    if encoder.max(head) <= limit && decoder <= decoder_limit {
        return Ok(());
    }
    let expected = encoder.saturating_add(head).saturating_add(decoder);
    Err(Error::Checkpoint {
        path: model.path().to_owned(),
        reason: format!(
            "expected about {expected} numbers, which the settings in {CONFIG} ask for, got {got}"
        ),
    })
}

/// Returns the folder of a checkpoint, if `path` is this folder or one of its files.
fn folder_of(path: &Path) -> Result<PathBuf, Error> {
    let refused = |reason: String| {
        Err(Error::Checkpoint {
            path: path.to_owned(),
            reason,
        })
    };
    let folder = match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => path,
        Ok(_) if FILES.iter().any(|name| path.ends_with(name)) => path
            .parent()
            .filter(|parent| *parent != "")
            .unwrap_or(Path::new(".")),
        Ok(_) if legacy::is_legacy(path) => return refused(legacy::remedy(path)),
        Ok(_) => {
            let files = FILES.join(", ");
            return refused(format!("expected a folder with {files}, got another file"));
        }
        Err(error) => return refused(format!("expected the folder of a run: {error}")),
    };
    let complete = FILES.iter().any(|name| current(folder, name).exists());
    let old = folder.join(legacy::NAME);
    if !complete && legacy::is_legacy(&old) {
        return refused(legacy::remedy(&old));
    }
    Ok(folder.to_owned())
}
