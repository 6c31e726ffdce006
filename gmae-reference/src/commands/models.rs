//! The models whose Gaussians are read: those of checkpoints, and models with initial weights.

use super::comparison::names;
use crate::backend::Trains;
use crate::config::{Config, Method};
use crate::error::Error;
use crate::model::Autoencoder;
use crate::report::comparison::RowKind;
use crate::training::Checkpoint;

/// A model that is scored as one row.
pub(super) struct Model<'a> {
    /// The name of the row.
    pub(super) name: String,
    /// The kind of the row.
    pub(super) kind: RowKind,
    weights: Weights<'a>,
}

enum Weights<'a> {
    Of(&'a Checkpoint),
    Initial(Config),
}

impl Model<'_> {
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
