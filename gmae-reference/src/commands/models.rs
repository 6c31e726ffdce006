//! The models whose Gaussians are read: those of checkpoints, and models with initial weights.

use super::comparison::names;
use crate::backend::Trains;
use crate::config::{Config, Method};
use crate::error::Error;
use crate::model::Autoencoder;
use crate::report::comparison::RowKind;
use crate::terminal;
use crate::training::Checkpoint;

/// A model that is scored as one row.
pub(super) struct Model<'a> {
    /// The name of the row.
    pub(super) name: String,
    /// The kind of the row.
    pub(super) kind: RowKind,
    weights: Weights<'a>,
}

/// The weights of a model.
pub(super) enum Weights<'a> {
    /// Those of a checkpoint.
    Of(&'a Checkpoint),
    /// Initial weights.
    Initial(Config),
}

impl Weights<'_> {
    /// Identifies the weights, and the settings that a prediction depends on. Equal texts mean
    /// equal predictions.
    pub(super) fn identity(&self) -> String {
        match self {
            Self::Of(checkpoint) => {
                let Checkpoint { config, .. } = checkpoint;
                format!("{:?} {config:?}", checkpoint.fingerprint())
            }
            Self::Initial(config) => format!("initial {config:?}"),
        }
    }
}

impl Model<'_> {
    /// Identifies the model, see [`Weights::identity`].
    pub(super) fn identity(&self) -> String {
        self.weights.identity()
    }

    /// The settings of the model.
    pub(super) fn config(&self) -> Config {
        match self.weights {
            Weights::Of(checkpoint) => checkpoint.config,
            Weights::Initial(config) => config,
        }
    }

    /// Creates the model on `device`.
    pub(super) fn on<B: Trains>(&self, device: &B::Device) -> Result<Autoencoder<B>, Error> {
        match &self.weights {
            Weights::Of(checkpoint) => checkpoint.model::<B>(device),
            Weights::Initial(config) => Ok(Autoencoder::new(config, device)),
        }
    }
}

/// Warns of models whose renders are not colours, and returns the warnings.
pub(super) fn warn_of_other_units(checkpoints: &[Checkpoint]) -> Vec<String> {
    let models = checkpoints.iter().zip(names(checkpoints));
    let other = models.filter(|(checkpoint, _)| checkpoint.config.renders_standardised());
    let warnings: Vec<String> = other
        .map(|(_, name)| {
            format!(
                "{name} was trained with the loss masked-norm-target. It predicts patches of mean 0 \
                 and variance 1, so that its renders are not colours."
            )
        })
        .collect();
    for warning in &warnings {
        terminal::note(format_args!("warning: {warning}"));
    }
    warnings
}

/// Returns the checkpoints that predict Gaussians, and one model with initial weights for each
/// shape of model and number of Gaussians.
pub(super) fn with_gaussians(checkpoints: &[Checkpoint]) -> Vec<Model<'_>> {
    let usable = |checkpoint: &&Checkpoint| checkpoint.config.method == Method::Gmae;
    let trained: Vec<(&Checkpoint, String)> = checkpoints
        .iter()
        .zip(names(checkpoints))
        .filter(|(checkpoint, _)| usable(checkpoint))
        .collect();
    let mut initial: Vec<Config> = Vec::new();
    for (checkpoint, _) in &trained {
        let config = checkpoint.config;
        if initial.iter().all(|other| shape(other) != shape(&config)) {
            initial.push(config);
        }
    }
    let mut models: Vec<Model> = trained
        .into_iter()
        .map(|(checkpoint, name)| Model {
            name,
            kind: RowKind::Run,
            weights: Weights::Of(checkpoint),
        })
        .collect();
    models.extend(initial.into_iter().map(|config| Model {
        name: format!("random weights, k = {}", config.gaussians),
        kind: RowKind::Baseline,
        weights: Weights::Initial(config),
    }));
    models
}

/// The settings that shape a model and its Gaussians.
fn shape(config: &Config) -> ([usize; 7], u64) {
    let sizes = [
        config.image_size,
        config.patch_size,
        config.gaussians,
        config.encoder_depth,
        config.encoder_width,
        config.decoder_depth,
        config.decoder_width,
    ];
    (sizes, config.gaussian_scale.to_bits())
}
