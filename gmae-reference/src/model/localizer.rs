//! A model of boxes: the encoder with all patches visible, and a head that proposes a box at every
//! patch token. The prediction is a weighted mean of the proposals.
//!
//! A box is left, top, right and bottom, as fractions of the sides of the image. The head maps the
//! normalised token of patch p to a score `s_p` and four numbers `o_p`. With the centre `(x, y)` of
//! the patch and `d = softplus(o_p + c)`, the token proposes the box
//! `[x - d_0, y - d_1, x + d_2, y + d_3]`. The prediction is the mean of the proposals with the
//! weights `softmax(s)` over the tokens of the image.
//!
//! Softplus is positive, so that the sides of every proposal and of their mean are in order. It
//! grows linearly, so that a large output does not overflow, as an exponential would. The position
//! of a token enters by the centre of its patch. The mean over tokens therefore keeps the position
//! of the object.

use std::collections::HashMap;

use burn::module::{Module, ParamId};
use burn::nn::{LayerNorm, Linear};
use burn::tensor::activation::{log_sigmoid, softmax};
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};

use super::autoencoder::Autoencoder;
use super::block::Drops;
use super::encoder::{Encoder, patch_tokens};
use super::init;
use super::patches::Visible;
use super::stored::Stored;
use crate::config::Config;
use crate::ops::{self, Operations};

/// Number of outputs of the head for each token: the score and four distances.
const OUTPUTS: usize = 5;
/// Distance of the initial sides of a proposal from the centre of its patch. The mean of the
/// initial proposals is a box about the centre with half of the sides of the image.
const INITIAL_DISTANCE: f64 = 0.25;

/// Vision Transformer that predicts the box of the object of an image.
#[derive(Debug, Module)]
pub struct Localizer<B: Backend> {
    encoder: Encoder<B>,
    /// The norm of every patch token. The last norm of the encoder is not used.
    token_norm: LayerNorm<B>,
    boxes: Linear<B>,
    /// Number of patches along one side.
    grid: usize,
}

impl<B: Operations> Localizer<B> {
    /// Creates a model of boxes with the encoder of `model`. The head has `5 (D + 1)` initial
    /// weights besides its norm. They depend on the seed of `config` alone.
    pub fn new(config: &Config, model: Autoencoder<B>) -> Self {
        let (token_norm, boxes) = init::head(config, OUTPUTS, &model.device());
        Self {
            encoder: model.into_encoder(),
            token_norm,
            boxes,
            grid: config.grid(),
        }
    }

    /// The device of the weights.
    pub fn device(&self) -> B::Device {
        self.encoder.device()
    }

    /// Computes the boxes, `[B, 4]`.
    pub fn forward(&self, input: &Visible<B>) -> Tensor<B, 2> {
        self.boxes(self.tokens(input, None), input)
    }

    /// Computes the patch tokens after the last block, `[B n, D]`, with factors on the branches of
    /// each block if they are given.
    pub fn tokens(&self, input: &Visible<B>, drops: Option<&[Drops<B>]>) -> Tensor<B, 2> {
        let tokens = self.encoder.through_blocks(input, drops, |_| {});
        patch_tokens(tokens, input.images).flatten(0, 1)
    }

    /// Computes the boxes, `[B, 4]`, from the patch tokens `[B n, D]` of `input`.
    pub fn boxes(&self, tokens: Tensor<B, 2>, input: &Visible<B>) -> Tensor<B, 2> {
        let images = input.images;
        let count = tokens.dims()[0] / images.max(1);
        let found = ops::linear(&self.boxes, ops::layer_norm(&self.token_norm, tokens));
        let scores = found.clone().narrow(1, 0, 1).reshape([images, count, 1]);
        let distances = softplus(found.narrow(1, 1, 4) + INITIAL_DISTANCE.exp_m1().ln());
        let device = self.device();
        let outwards = Tensor::<B, 2>::from_floats([[-1.0, -1.0, 1.0, 1.0]], &device);
        let centres = self.centres(&device).select(0, input.rows.clone());
        let proposals = (centres + distances * outwards).reshape([images, count, 4]);
        (proposals * softmax(scores, 1))
            .sum_dim(1)
            .reshape([images, 4])
    }

    /// Returns the centres of the patches, `[1 + N, 4]`, in the rows of the position table. Each
    /// row has x, y, x and y, as fractions of the sides of the image. Row 0, of the CLS token, is
    /// not used.
    fn centres(&self, device: &B::Device) -> Tensor<B, 2> {
        let centre = |at: usize| (at as f32 + 0.5) / self.grid as f32;
        let mut values = vec![0.5; 4];
        for patch in 0..self.grid * self.grid {
            let [x, y] = [patch % self.grid, patch / self.grid].map(centre);
            values.extend([x, y, x, y]);
        }
        let rows = values.len() / 4;
        Tensor::from_data(TensorData::new(values, [rows, 4]), device)
    }

    /// Returns the factors on the learning rates for a layer decay of `decay`. The head has the
    /// whole rate.
    pub fn rates(&self, decay: f64) -> HashMap<ParamId, f64> {
        self.encoder.rates(decay)
    }
}

/// Computes `ln(1 + exp(x))` without overflow. Burn's function of this name overflows.
fn softplus<B: Backend>(x: Tensor<B, 2>) -> Tensor<B, 2> {
    log_sigmoid(x.neg()).neg()
}

impl<B: Operations> Stored<B> for Localizer<B> {
    fn positions(&self) -> Vec<&Tensor<B, 2>> {
        vec![self.encoder.positions()]
    }

    fn with_positions(self, tables: Vec<Tensor<B, 2>>) -> Self {
        Self {
            encoder: self.encoder.with_positions(tables.into_iter().next()),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::module::Param;

    use super::*;
    use crate::backend::{Cpu, Device};
    use crate::config::Preset;
    use crate::model::Mask;

    /// Two patches along each side, and tokens of width 4.
    fn model() -> (Config, Localizer<Cpu>) {
        let config = Config {
            image_size: 8,
            patch_size: 4,
            encoder_width: 4,
            encoder_heads: 2,
            encoder_depth: 1,
            mask_ratio: 0.0,
            ..Preset::Nano.config()
        };
        let model = Localizer::new(&config, Autoencoder::new(&config, &Device::default()));
        (config, model)
    }

    fn visible(config: &Config, images: usize) -> Visible<Cpu> {
        let pixels: Vec<f32> = (0..images * config.image_len())
            .map(|i| (i * 37 % 101) as f32 / 100.0)
            .collect();
        let masks = vec![Mask::none(config.patches()); images];
        Visible::new(config, &pixels, &masks, &Device::default()).expect("images")
    }

    fn values(tensor: Tensor<Cpu, 2>) -> Vec<f32> {
        tensor.into_data().into_vec().expect("f32")
    }

    #[test]
    fn softplus_does_not_overflow() {
        let x =
            Tensor::<Cpu, 2>::from_floats([[-200.0, -1.0, 0.0, 2.0, 200.0]], &Device::default());
        let expected = [
            0.0,
            (-1.0_f32).exp().ln_1p(),
            2.0_f32.ln(),
            2.0_f32.exp().ln_1p(),
            200.0,
        ];
        for (got, expected) in values(softplus(x)).iter().zip(expected) {
            assert!((got - expected).abs() < 1e-6, "{got}, {expected}");
        }
    }

    #[test]
    fn a_new_model_predicts_half_of_the_sides() {
        let (config, model) = model();
        let input = visible(&config, 3);
        assert_eq!(model.tokens(&input, None).dims(), [12, 4]);
        let boxes = model.forward(&input);
        assert_eq!(boxes.dims(), [3, 4]);
        for (i, side) in values(boxes).iter().enumerate() {
            let expected = [0.25, 0.25, 0.75, 0.75][i % 4];
            assert!((side - expected).abs() < 0.01, "{side}, {expected}");
        }
    }

    /// The linear map reads the score from the first channel of the normalised token, and the
    /// distances from the others. The norm maps a token with two values of 1 and two of -1 to
    /// itself, up to its epsilon.
    #[test]
    fn the_box_is_the_mean_of_the_proposals() {
        let (config, mut model) = model();
        let weight = [
            [3.0, 0.0, 0.0, 0.0, 0.0],
            [0.0, 1.0, 0.0, 0.0, 0.0],
            [0.0, 0.0, -2.0, 0.5, 0.0],
            [0.0, 0.0, 0.0, 0.0, 4.0],
        ];
        let device = Device::default();
        model.boxes.weight = Param::from_tensor(Tensor::from_floats(weight, &device));
        let tokens = [
            [1.0, -1.0, 1.0, -1.0],
            [-1.0, 1.0, 1.0, -1.0],
            [1.0, 1.0, -1.0, -1.0],
            [-1.0, -1.0, 1.0, 1.0],
        ];
        let got = values(model.boxes(Tensor::from_floats(tokens, &device), &visible(&config, 1)));
        let shift = 0.25_f64.exp_m1().ln();
        let (mut sum, mut total) = ([0.0; 4], 0.0);
        for (p, token) in tokens.iter().enumerate() {
            let [x, y] = [p % 2, p / 2].map(|at| [0.25, 0.75][at]);
            let out = |k: usize| (0..4).map(|i| token[i] * weight[i][k]).sum::<f64>();
            let [left, up, right, down] = [1, 2, 3, 4].map(|k| (out(k) + shift).exp().ln_1p());
            let proposal = [x - left, y - up, x + right, y + down];
            assert!(proposal[0] < proposal[2] && proposal[1] < proposal[3]);
            let weight = out(0).exp();
            total += weight;
            sum.iter_mut()
                .zip(proposal)
                .for_each(|(s, v)| *s += weight * v);
        }
        for (got, sum) in got.iter().zip(sum) {
            let expected = sum / total;
            assert!(
                (f64::from(*got) - expected).abs() < 1e-4,
                "{got}, {expected}"
            );
        }
        assert!(got[0] < got[2] && got[1] < got[3], "{got:?}");
    }

    /// The centre follows the number of the patch, not the place of its token.
    #[test]
    fn hidden_patches_propose_nothing() {
        let (config, model) = model();
        let all = visible(&config, 1);
        let mask = Mask {
            visible: vec![3],
            masked: vec![0, 1, 2],
        };
        let pixels = vec![0.5; config.image_len()];
        let one = Visible::new(&config, &pixels, &[mask], &model.device()).expect("an image");
        let corner = values(model.forward(&one));
        for (side, expected) in corner.iter().zip([0.5, 0.5, 1.0, 1.0]) {
            assert!((side - expected).abs() < 0.01, "{corner:?}");
        }
        assert!((values(model.forward(&all))[0] - 0.25).abs() < 0.01);
    }
}
