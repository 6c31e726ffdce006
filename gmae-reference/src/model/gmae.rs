//! The autoencoder: encoder, decoder and head, one after the other.

use burn::module::Module;
use burn::tensor::backend::Backend;

use super::decoder::Decoder;
use super::encoder::Encoder;
use super::head::{Gaussians, Head};
use super::init::Initializer;
use super::patches::Visible;
use crate::config::Config;

/// Gaussian masked autoencoder.
#[derive(Debug, Module)]
pub struct Gmae<B: Backend> {
    encoder: Encoder<B>,
    decoder: Decoder<B>,
    head: Head<B>,
}

impl<B: Backend> Gmae<B> {
    /// The model of `config` with the initial weights of its seed.
    pub fn new(config: &Config, device: &B::Device) -> Self {
        let mut init = Initializer::new(config.seed, device);
        Self {
            encoder: Encoder::new(&mut init, config),
            decoder: Decoder::new(&mut init, config),
            head: Head::new(&mut init, config),
        }
    }

    /// Visible patches of B images -> k Gaussians for each.
    pub fn forward(&self, input: &Visible<B>) -> Gaussians<B> {
        let latents = self.encoder.forward(input); // [B (1 + n), D]
        let queries = self.decoder.forward(latents, input); // [B k, d]
        self.head.forward(queries, input.images)
    }

    /// The device of the weights.
    pub fn device(&self) -> B::Device {
        self.encoder.device()
    }
}
