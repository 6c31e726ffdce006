//! Writes checkpoints.

use std::path::Path;

use burn::module::{Module, ParamId};
use burn::tensor::Tensor;

use super::checksums;
use super::format::{CONFIG, ConfigFile, MODEL, PREFIXES, STATE, STATE_ENTRY};
use super::names::is_of_encoder;
use super::state::State;
use super::writing::{Visitor, Writing, values_of};
use crate::backend::Training;
use crate::config::{Config, Tuning};
use crate::error::Error;
use crate::files::{Lock, Staged, create_folder};
use crate::model::{Autoencoder, Classifier, Stored};
use crate::ops::Operations;
use crate::training::optimizer::Optimizer;

/// A state to be saved. The tensors are shared with the run until the run replaces them, so that a
/// snapshot can be written while the next steps are computed.
pub struct Snapshot<B: Operations, M: Stored<B> = Autoencoder<B>> {
    /// The settings.
    pub config: Config,
    /// The settings of a model that is trained from an encoder. Other models have none.
    pub finetuning: Option<Tuning>,
    /// The model.
    pub model: M,
    /// The state of the run with its optimiser. A model without a run has none.
    pub run: Option<(State, SavedMoments<B>)>,
}

/// The moments of the optimiser, in the order of the parameters of the model.
pub struct SavedMoments<B: Operations>(Vec<Moment<B>>);

struct Moment<B: Operations> {
    path: String,
    shape: Vec<usize>,
    /// First and second moment as vectors. There are none before the first step.
    values: Option<[Tensor<B, 1>; 2]>,
}

impl<B: Operations> SavedMoments<B> {
    /// Collects the moments of `optimizer` for the parameters of `model`.
    pub(in crate::training) fn of<M: Module<Training<B>>>(
        optimizer: &Optimizer<B>,
        model: &M,
    ) -> Self {
        let mut all = Vec::new();
        let mut visitor = Visitor {
            path: Vec::new(),
            visit: |path: &str, id: ParamId, shape: &[usize], _| {
                let moments = optimizer.moments(id);
                all.push(Moment {
                    path: path.to_owned(),
                    shape: shape.to_vec(),
                    values: moments.map(|m| [m.first.clone(), m.second.clone()]),
                });
            },
        };
        model.visit(&mut visitor);
        Self(all)
    }

    fn add_to(&self, writing: &mut Writing) {
        for Moment {
            path,
            shape,
            values,
        } in &self.0
        {
            let len: usize = shape.iter().product();
            for (i, prefix) in PREFIXES.into_iter().enumerate() {
                match values {
                    // The file of a run without a step is as large as those of later steps.
                    None => writing.add(prefix, path, shape, Box::new(move || vec![0.0; len])),
                    Some(values) => writing.add(prefix, path, shape, values_of(values[i].clone())),
                }
            }
        }
    }
}

impl<B: Operations, M: Stored<B>> Snapshot<B, M> {
    /// Creates the folder and writes the files of the checkpoint. At any time the folder holds
    /// either its old checkpoint or all of the new one.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if another process writes to the folder. [`Error::File`] if a file
    /// cannot be written. [`Error::NotSaved`] if a value is not finite.
    pub fn save(&self, folder: &Path) -> Result<(), Error> {
        create_folder(folder)?;
        let _lock = Lock::take(folder)?;
        self.replace(folder)
    }

    /// Writes the files of the checkpoint to a folder to which no other process writes.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if a file cannot be written, for example because the disk is full.
    /// [`Error::NotSaved`] if a value is not finite.
    pub(in crate::training) fn replace(&self, folder: &Path) -> Result<(), Error> {
        let staged =
            Staged::begin(folder).map_err(Error::file("writing a checkpoint to", folder))?;
        let file = ConfigFile::new(self.config, self.finetuning);
        let text = serde_json::to_string_pretty(&file)
            .map_err(std::io::Error::other)
            .map_err(Error::file("encoding", folder.join(CONFIG)))?;
        staged
            .write(CONFIG, (text + "\n").as_bytes())
            .map_err(Error::file("writing", folder.join(CONFIG)))?;
        // `pt` marks the layout of PyTorch.
        let metadata = ("format", "pt".to_owned());
        Writing::model(&self.model).write(&staged.path(MODEL), metadata)?;
        let mut names = vec![CONFIG, MODEL];
        if let Some((state, moments)) = &self.run {
            let mut writing = Writing::default();
            moments.add_to(&mut writing);
            let text = serde_json::to_string(state)
                .map_err(std::io::Error::other)
                .map_err(Error::file("encoding", folder.join(STATE)))?;
            writing.write(&staged.path(STATE), (STATE_ENTRY, text))?;
            names.push(STATE);
        }
        let mut sums = String::new();
        for name in names {
            let path = staged.path(name);
            let line = checksums::line_of(name, &path);
            sums += &line.map_err(Error::file("reading", &path))?;
        }
        staged
            .write(checksums::NAME, sums.as_bytes())
            .map_err(Error::file("writing", folder.join(checksums::NAME)))?;
        staged
            .commit()
            .map_err(Error::file("writing a checkpoint to", folder))
    }
}

/// The last norm of the encoder, which a classifier does not use.
const LAST_NORM: &str = "norm.";

/// Writes the weights of `model` to one file: all of them, or only those of the encoder. The names
/// are those of `model.safetensors`, and of timm's Vision Transformers.
///
/// # Errors
///
/// [`Error::File`] if the file cannot be written. [`Error::NotSaved`] if a value is not finite.
pub(crate) fn export<B: Operations>(
    model: &Autoencoder<B>,
    encoder_only: bool,
    path: &Path,
) -> Result<(), Error> {
    let mut writing = Writing::model(model);
    if encoder_only {
        writing.retain(is_of_encoder);
    }
    export_to(&writing, path)
}

/// Writes the weights of a classifier to one file that timm's Vision Transformers with mean pooling
/// can load (`global_pool="avg"`). They have no last norm of the encoder.
///
/// # Errors
///
/// All errors of [`export`].
pub(crate) fn export_classifier<B: Operations>(
    model: &Classifier<B>,
    path: &Path,
) -> Result<(), Error> {
    let mut writing = Writing::model(model);
    writing.retain(|name| !name.starts_with(LAST_NORM));
    export_to(&writing, path)
}

fn export_to(writing: &Writing, path: &Path) -> Result<(), Error> {
    crate::files::write_at(path, |temporary| {
        writing.write(temporary, ("format", "pt".to_owned()))
    })
}
