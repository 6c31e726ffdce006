//! The presets: the published model, and three smaller models that train without `ImageNet`.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::settings::{CameraKind, Config, LossKind, Method};

/// Named sets of hyper-parameters.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// Images of 32 x 32 pixels, 0.9 million parameters.
    Nano,
    /// Images of 32 x 32 pixels, 6.2 million parameters.
    Tiny,
    /// Images of 64 x 64 pixels, 3.1 million parameters.
    Small,
    /// The published model: images of 224 x 224 pixels, 111 million parameters.
    Base,
}

impl Preset {
    /// Returns the hyper-parameters of the preset.
    pub fn config(self) -> Config {
        match self {
            Self::Nano => NANO,
            Self::Tiny => TINY,
            Self::Small => SMALL,
            Self::Base => BASE,
        }
    }
}

// base: ViT-B/16 and the published recipe. The other presets list only their differences.
const BASE: Config = Config {
    method: Method::Gmae,
    // Image: 196 patches, 49 of them visible.
    image_size: 224,
    patch_size: 16,
    mask_ratio: 0.75,
    // Encoder: ViT-B, 64 channels per head.
    encoder_width: 768,
    encoder_depth: 12,
    encoder_heads: 12,
    // Decoder: 32 channels per head.
    decoder_width: 512,
    decoder_depth: 8,
    decoder_heads: 16,
    mlp_ratio: 4,
    // Gaussians: the largest sigma is c W / 16 = 14 px. The blur is the default of the renderer.
    gaussians: 512,
    gaussian_scale: 1.0,
    blur: 0.3,
    camera: CameraKind::Hybrid,
    freeze_z: false,
    random_depth_order: false,
    loss: LossKind::Masked,
    norm_pix: false,
    // Recipe: AdamW, 1e-4 x batch / 256, cosine to zero after 20 epochs of warm-up.
    batch_size: 4096,
    micro_batch: 0,
    epochs: 400,
    warmup_epochs: 20.0,
    learning_rate: 1e-4,
    weight_decay: 0.05,
    beta1: 0.9,
    beta2: 0.95,
    clip_norm: 2.0,
    crop_scale: 0.08,
    seed: 0,
};

// nano: trains in minutes on two cores. 64 patches, 16 of them visible.
const NANO: Config = Config {
    image_size: 32,
    patch_size: 4,
    encoder_width: 128,
    encoder_depth: 4,
    encoder_heads: 4,
    decoder_width: 64,
    decoder_depth: 2,
    decoder_heads: 2,
    // c = 16 / sqrt(k), so that k Gaussians of the largest size cover the image for every k. The
    // blur is max(0.05, 0.3 (W / 224)^2). A blur of 0.3 would remove fine detail at this size.
    gaussians: 64,
    gaussian_scale: 2.0,
    blur: 0.05,
    // A short run needs many steps, hence the small batch and the large rate per 256 images.
    batch_size: 16,
    epochs: 20,
    warmup_epochs: 1.0,
    learning_rate: 1.6e-2,
    // 8 % of the area of 32 x 32 would be a crop of 9 x 9 pixels.
    crop_scale: 0.5,
    ..BASE
};

// tiny: images as in nano, a deep encoder.
const TINY: Config = Config {
    encoder_width: 192,
    encoder_depth: 12,
    encoder_heads: 3,
    decoder_width: 128,
    decoder_depth: 4,
    decoder_heads: 4,
    // c = 16 / sqrt(128)
    gaussians: 128,
    gaussian_scale: std::f64::consts::SQRT_2,
    batch_size: 128,
    epochs: 100,
    warmup_epochs: 5.0,
    learning_rate: 1e-3,
    ..NANO
};

// small: images of 64 px in patches of 8.
const SMALL: Config = Config {
    image_size: 64,
    patch_size: 8,
    encoder_depth: 6,
    decoder_depth: 2,
    ..TINY
};
