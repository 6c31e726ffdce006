//! What a run trains: the model, and the gradient of a piece of a batch.

use std::collections::HashMap;

use burn::module::{AutodiffModule, ParamId};
use splat::RenderConfig;

use super::gradient::Gradient;
use super::method::piece_gradient;
use super::sampling::Piece;
use crate::backend::{Training, Trains};
use crate::config::{Config, Tuning};
use crate::error::Error;
use crate::model::render::settings;
use crate::model::{Autoencoder, Stored};

/// A kind of training.
pub trait Task<B: Trains>: Clone + Send + Sync {
    /// The model.
    type Model: AutodiffModule<Training<B>, InnerModule = Self::Inner> + Stored<Training<B>>;
    /// The model without gradients.
    type Inner: Stored<B> + 'static;

    /// Creates the task of a run of `config`. `finetuning` are the settings of a model that is
    /// trained from an encoder.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if `finetuning` is invalid or belongs to another kind of model.
    fn new(config: &Config, finetuning: Option<Tuning>) -> Result<Self, Error>;

    /// The settings of a model that is trained from an encoder. Other models have none.
    fn finetuning(&self) -> Option<Tuning> {
        None
    }

    /// Creates the model with the encoder of `start`. A head has its initial weights.
    fn model(&self, config: &Config, start: Autoencoder<Training<B>>) -> Self::Model;

    /// Computes the gradient and the loss of a piece of a batch. Both are means over its images.
    ///
    /// # Errors
    ///
    /// An error that names the argument or the image at fault.
    fn gradient(
        &self,
        config: &Config,
        model: &Self::Model,
        piece: &Piece,
        device: &B::Device,
    ) -> Result<(Gradient, f64), Error>;

    /// Factors on the learning rate of single parameters. All other parameters have factor 1.
    fn rates(&self, _model: &Self::Model) -> HashMap<ParamId, f64> {
        HashMap::new()
    }
}

/// The training of a masked autoencoder.
#[derive(Clone, Debug)]
pub struct Pretraining {
    /// The settings of the renderer.
    pub(super) render_settings: RenderConfig,
}

impl<B: Trains> Task<B> for Pretraining {
    type Model = Autoencoder<Training<B>>;
    type Inner = Autoencoder<B>;

    fn new(config: &Config, finetuning: Option<Tuning>) -> Result<Self, Error> {
        if finetuning.is_some() {
            return Err(other_kind("a masked autoencoder", finetuning));
        }
        Ok(Self {
            render_settings: settings(config),
        })
    }

    fn model(&self, _config: &Config, start: Autoencoder<Training<B>>) -> Self::Model {
        start
    }

    fn gradient(
        &self,
        config: &Config,
        model: &Self::Model,
        piece: &Piece,
        device: &B::Device,
    ) -> Result<(Gradient, f64), Error> {
        let (pixels, masks) = (&piece.batch.pixels, &piece.batch.masks);
        piece_gradient(config, &self.render_settings, model, pixels, masks, device)
    }
}

/// Returns the error for the settings of another kind of model.
pub(super) fn other_kind(expected: &str, got: Option<Tuning>) -> Error {
    Error::Setting {
        name: "the model".to_owned(),
        expected: expected.to_owned(),
        got: Tuning::kind_of(got).to_owned(),
    }
}
