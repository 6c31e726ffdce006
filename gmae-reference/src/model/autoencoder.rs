//! The autoencoder: encoder, decoder and head in sequence. GMAE and MAE differ in the decoder's
//! tokens and in the head.

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use super::decoded::{Decoded, Patches};
use super::decoder::Decoder;
use super::encoder::Encoder;
use super::head::Head;
use super::init::Initializer;
use super::patches::Visible;
use super::stored::Stored;
use crate::config::{Config, Method};
use crate::ops::Operations;

/// Masked autoencoder that predicts Gaussians or patches.
#[derive(Debug, Module)]
pub struct Autoencoder<B: Backend> {
    encoder: Encoder<B>,
    decoder: Decoder<B>,
    head: Head<B>,
    /// Whether the head predicts Gaussians.
    gaussians: bool,
}

impl<B: Operations> Autoencoder<B> {
    /// Creates the model of `config` with the initial weights of `config.seed`.
    pub fn new(config: &Config, device: &B::Device) -> Self {
        let mut init = Initializer::new(config.seed, device);
        Self {
            encoder: Encoder::new(&mut init, config),
            decoder: Decoder::new(&mut init, config),
            head: Head::new(&mut init, config),
            gaussians: config.method == Method::Gmae,
        }
    }

    /// Computes k Gaussians or N patches for each of the B images from its visible patches.
    pub fn forward(&self, input: &Visible<B>) -> Decoded<B> {
        let latents = self.encode(input); // [B (1 + n), D]
        self.decode(latents, input)
    }

    /// Computes the encoder's tokens `[B (1 + n), D]`: the CLS token of each image, then its
    /// visible patches.
    pub fn encode(&self, input: &Visible<B>) -> Tensor<B, 2> {
        self.encoder.forward(input)
    }

    /// Computes the Gaussians or the patches from the encoder's tokens.
    pub fn decode(&self, latents: Tensor<B, 2>, input: &Visible<B>) -> Decoded<B> {
        let outputs = self.decoder.forward(latents, input); // [B k, d] or [B N, d]
        if self.gaussians {
            Decoded::Gaussians(self.head.gaussians(outputs, &input.seeds))
        } else {
            Decoded::Patches(Patches {
                values: self.head.linear(outputs),
                images: input.images,
            })
        }
    }

    /// Computes the mean of the patch tokens after each block, `[B, D]` each. The tokens of the
    /// last block pass through the last `LayerNorm` first, as in [`Autoencoder::encode`].
    pub fn layers(&self, input: &Visible<B>) -> Vec<Tensor<B, 2>> {
        self.encoder.layers(input)
    }

    /// Returns the encoder alone.
    pub(super) fn into_encoder(self) -> Encoder<B> {
        self.encoder
    }

    /// The device of the weights.
    pub fn device(&self) -> B::Device {
        self.encoder.device()
    }
}

impl<B: Operations> Stored<B> for Autoencoder<B> {
    fn positions(&self) -> Vec<&Tensor<B, 2>> {
        vec![self.encoder.positions(), self.decoder.positions()]
    }

    fn with_positions(self, tables: Vec<Tensor<B, 2>>) -> Self {
        let mut tables = tables.into_iter();
        let (encoder, decoder) = (tables.next(), tables.next());
        Self {
            encoder: self.encoder.with_positions(encoder),
            decoder: self.decoder.with_positions(decoder),
            ..self
        }
    }
}
