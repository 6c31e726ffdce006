//! The scores of a classifier against a direct computation in `f64` from the tensors of its file,
//! as a Vision Transformer of timm with `global_pool="avg"` computes them.

use std::collections::BTreeMap;

use gmae_reference::backend::{Cpu, Device};
use gmae_reference::config::Config;
use gmae_reference::model::Visible;
use gmae_reference::training::Checkpoint;

use crate::support::{CLASSES, config, piece, plain, run, tensors};

/// Mean and deviation of the colours of `ImageNet`.
const MEAN: [f64; 3] = [0.485, 0.456, 0.406];
const DEVIATION: [f64; 3] = [0.229, 0.224, 0.225];

/// Largest difference of a score. The largest observed one is 1.9e-8.
const TOLERANCE: f64 = 1e-6;

/// The tensors of the file by name.
struct File(BTreeMap<String, Vec<f32>>);

impl File {
    fn get(&self, name: &str) -> Vec<f64> {
        self.0[name].iter().map(|&value| f64::from(value)).collect()
    }

    /// A linear layer, whose weight is `[out, in]` in the file.
    fn linear(&self, name: &str, input: &[f64]) -> Vec<f64> {
        let weight = self.get(&format!("{name}.weight"));
        let bias = self.get(&format!("{name}.bias"));
        let rows = weight.chunks(input.len()).zip(bias);
        rows.map(|(row, bias)| bias + dot(row, input)).collect()
    }

    fn norm(&self, name: &str, input: &[f64]) -> Vec<f64> {
        let count = input.len() as f64;
        let mean = input.iter().sum::<f64>() / count;
        let variance = input.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count;
        let [weight, bias] = ["weight", "bias"].map(|leaf| self.get(&format!("{name}.{leaf}")));
        let values = input.iter().zip(weight.iter().zip(bias));
        values
            .map(|(v, (weight, bias))| (v - mean) / (variance + 1e-6).sqrt() * weight + bias)
            .collect()
    }

    /// The CLS token and the patches of an image `[H, W, 3]`, with their position codes.
    fn tokens(&self, config: &Config, pixels: &[f32]) -> Vec<Vec<f64>> {
        let (size, side) = (config.image_size, config.patch_size);
        let filters = self.get("patch_embed.proj.weight");
        let bias = self.get("patch_embed.proj.bias");
        let mut tokens = vec![self.get("cls_token")];
        for patch in 0..config.patches() {
            let (top, left) = (patch / config.grid() * side, patch % config.grid() * side);
            let mut planes = Vec::new();
            for c in 0..3 {
                for (y, x) in (0..side).flat_map(|y| (0..side).map(move |x| (y, x))) {
                    let pixel = pixels[((top + y) * size + left + x) * 3 + c];
                    planes.push((f64::from(pixel) - MEAN[c]) / DEVIATION[c]);
                }
            }
            let filters = filters.chunks(planes.len()).zip(&bias);
            tokens.push(filters.map(|(f, bias)| bias + dot(f, &planes)).collect());
        }
        let positions = self.get("pos_embed");
        let rows = positions.chunks(config.encoder_width);
        tokens.iter().zip(rows).map(|(a, b)| sum(a, b)).collect()
    }

    fn block(&self, name: &str, heads: usize, tokens: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let width = tokens[0].len();
        let size = width / heads;
        let of = |layer: &str| format!("{name}.{layer}");
        let project = |x: &Vec<f64>| self.linear(&of("attn.qkv"), &self.norm(&of("norm1"), x));
        let qkv: Vec<Vec<f64>> = tokens.iter().map(project).collect();
        let mut result = Vec::new();
        for (i, token) in tokens.iter().enumerate() {
            let mut mixed = Vec::new();
            for first in (0..width).step_by(size) {
                let part = |j: usize, which: usize| &qkv[j][which * width + first..][..size];
                let weights: Vec<f64> = (0..tokens.len())
                    .map(|j| (dot(part(i, 0), part(j, 1)) / (size as f64).sqrt()).exp())
                    .collect();
                let total: f64 = weights.iter().sum();
                mixed.extend((0..size).map(|c| {
                    let values = weights.iter().enumerate();
                    values.map(|(j, w)| w / total * part(j, 2)[c]).sum::<f64>()
                }));
            }
            let token = sum(token, &self.linear(&of("attn.proj"), &mixed));
            let hidden = self.linear(&of("mlp.fc1"), &self.norm(&of("norm2"), &token));
            let hidden: Vec<f64> = hidden.into_iter().map(gelu).collect();
            result.push(sum(&token, &self.linear(&of("mlp.fc2"), &hidden)));
        }
        result
    }

    fn scores(&self, config: &Config, pixels: &[f32]) -> Vec<f64> {
        let mut tokens = self.tokens(config, pixels);
        for i in 0..config.encoder_depth {
            tokens = self.block(&format!("blocks.{i}"), config.encoder_heads, &tokens);
        }
        let zero = vec![0.0; config.encoder_width];
        let total = tokens[1..]
            .iter()
            .fold(zero, |total, token| sum(&total, token));
        let mean: Vec<f64> = total.iter().map(|v| v / config.patches() as f64).collect();
        self.linear("head", &self.norm("fc_norm", &mean))
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn sum(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

fn gelu(x: f64) -> f64 {
    x * 0.5 * (1.0 + libm::erf(x / std::f64::consts::SQRT_2))
}

#[test]
fn the_scores_are_those_of_a_direct_computation() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = Config {
        learning_rate: 0.2,
        ..config()
    };
    // After some steps no weight has a special value, such as the zeros of the biases.
    run(folder.path(), config, plain(), 2, None);
    let file = File(tensors(folder.path()));
    let checkpoint = Checkpoint::load(folder.path()).expect("a checkpoint");
    let device = Device::default();
    let model = checkpoint.classifier::<Cpu>(&device).expect("a classifier");
    let batch = piece(&config, 5).batch;
    let visible = Visible::new(&config, &batch.pixels, &batch.masks, &device).expect("pictures");
    let scores: Vec<f32> = model.forward(&visible).into_data().iter().collect();
    let images = batch.pixels.chunks(config.image_len());
    for (pixels, scores) in images.zip(scores.chunks(CLASSES)) {
        let expected = file.scores(&config, pixels);
        for (score, expected) in scores.iter().zip(expected) {
            let error = (f64::from(*score) - expected).abs();
            assert!(error < TOLERANCE, "{score}, {expected}");
        }
    }
}
