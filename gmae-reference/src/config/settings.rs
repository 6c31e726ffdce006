//! Every hyper-parameter of a run, in one plain struct.
//!
//! The list of settings is written once, in `settings!`: it becomes [`Config`], which is stored in
//! checkpoints, and [`Overrides`], the same list as command-line flags that all default to "keep
//! the preset's value".

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// How Gaussians are projected onto the image.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum CameraKind {
    /// Centres orthographic, footprint from the perspective Jacobian.
    Hybrid,
    /// Centres and footprint orthographic: depth has no effect but the order.
    Orthographic,
    /// A pinhole camera; centres spread over (-5, 5) so that they can reach the border of the
    /// image.
    Perspective,
}

/// The squared differences that are averaged.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum LossKind {
    /// Every patch.
    All,
    /// The masked patches.
    Masked,
    /// The masked patches, the target of each standardised by its own mean and variance.
    MaskedNormTarget,
    /// The masked patches, target and prediction of each standardised by the target's mean and
    /// variance.
    MaskedNormBoth,
}

/// Declares the settings once, as [`Config`] and as command-line [`Overrides`].
macro_rules! settings {
    ($($(#[doc = $doc:literal])+ $name:ident: $kind:ty $(= $arg:ident)?,)+) => {
        /// Every hyper-parameter of a run.
        #[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
        #[serde(deny_unknown_fields)]
        pub struct Config {
            $($(#[doc = $doc])+ pub $name: $kind,)+
        }

        /// The settings of [`Config`] as optional flags, one per field and named like it.
        #[derive(Clone, Debug, Default, clap::Args)]
        #[command(next_help_heading = "Settings (each replaces the preset's value; those of a checkpoint must agree)")]
        pub struct Overrides {
            $($(#[doc = $doc])+ #[arg(long, value_name = "VALUE", allow_negative_numbers = true $(, $arg)?)] pub $name: Option<$kind>,)+
        }

        impl Overrides {
            /// `base` with every flag that was given put in.
            pub fn apply(&self, base: Config) -> Config {
                Config { $($name: self.$name.unwrap_or(base.$name),)+ }
            }
        }

        impl Config {
            /// Name and value of every setting, in the order of declaration.
            pub fn entries(&self) -> Vec<(String, String)> {
                vec![$((stringify!($name).to_owned(), shown(&self.$name)),)+]
            }
        }
    };
}

settings! {
    /// Side of the square input image, pixels
    image_size: usize,
    /// Side of a square patch, pixels; divides the image size
    patch_size: usize,
    /// Fraction of patches hidden from the encoder
    mask_ratio: f64,
    /// Encoder width (channels of a token); a multiple of 4 and of its heads
    encoder_width: usize,
    /// Encoder transformer blocks
    encoder_depth: usize,
    /// Encoder attention heads
    encoder_heads: usize,
    /// Decoder width (channels of a token); a multiple of 4 and of its heads
    decoder_width: usize,
    /// Decoder transformer blocks
    decoder_depth: usize,
    /// Decoder attention heads
    decoder_heads: usize,
    /// Hidden units of a block's MLP, as a multiple of the width
    mlp_ratio: usize,
    /// Gaussians per image, k
    gaussians: usize,
    /// Largest scale of a Gaussian along an axis, c, world units
    gaussian_scale: f64,
    /// Variance added to every footprint, square pixels
    blur: f64,
    /// How Gaussians are projected onto the image
    camera: CameraKind = value_enum,
    /// Which squared differences are averaged
    loss: LossKind = value_enum,
    /// Images per optimiser step
    batch_size: usize,
    /// Images whose gradient one thread computes in one go; the batch is cut into pieces of this
    /// size
    micro_batch: usize,
    /// Passes over the data
    epochs: usize,
    /// Epochs of linear learning-rate warm-up; may be fractional
    warmup_epochs: f64,
    /// Peak learning rate for a batch of 256; scaled by batch size / 256
    learning_rate: f64,
    /// `AdamW` weight decay of every parameter that is not one-dimensional
    weight_decay: f64,
    /// `AdamW` decay of the first moment
    beta1: f64,
    /// `AdamW` decay of the second moment
    beta2: f64,
    /// Largest norm of the whole gradient; larger ones are scaled down to it
    clip_norm: f64,
    /// Smallest area of a training crop, as a fraction of the image
    crop_scale: f64,
    /// Seed of initial weights, data order, crops and masks
    seed: u64,
}

/// A setting as it would be typed on the command line.
fn shown<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        Ok(other) => other.to_string(),
        Err(error) => error.to_string(),
    }
}

impl Config {
    /// Patches along one side.
    pub fn grid(&self) -> usize {
        self.image_size / self.patch_size
    }

    /// Patches per image, N.
    pub fn patches(&self) -> usize {
        self.grid() * self.grid()
    }

    /// Visible patches, n = floor(N (1 - mask ratio)).
    pub fn visible(&self) -> usize {
        // The nudge keeps 100 * (1 - 0.9) from becoming 9.
        (self.patches() as f64 * (1.0 - self.mask_ratio) + 1e-9).floor() as usize
    }

    /// Numbers per patch, `3 P^2`.
    pub fn patch_len(&self) -> usize {
        self.patch_size * self.patch_size * 3
    }

    /// Numbers per image, `3 H W`.
    pub fn image_len(&self) -> usize {
        self.image_size * self.image_size * 3
    }

    /// Peak learning rate of this batch size.
    pub fn peak_learning_rate(&self) -> f64 {
        self.learning_rate * self.batch_size as f64 / 256.0
    }

    /// The first setting in which `self` and `other` differ: its name and both values.
    pub fn first_difference(&self, other: &Self) -> Option<(String, String, String)> {
        let pairs = self.entries().into_iter().zip(other.entries());
        pairs.into_iter().find_map(|((name, mine), (_, theirs))| {
            (mine != theirs).then_some((name, mine, theirs))
        })
    }
}
