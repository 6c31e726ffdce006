//! Every hyper-parameter of a run, in one plain struct, and the presets.
//!
//! The list of settings is written once, in `settings!`: it becomes [`Config`], which is stored in checkpoints,
//! and [`Overrides`], the same list as command-line flags that all default to "keep the preset's value".

use std::fmt::Display;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// How Gaussians are projected onto the image.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum CameraKind {
    /// Centres orthographic, footprint from the perspective Jacobian.
    Hybrid,
    /// Centres and footprint orthographic: depth orders, and nothing else.
    Orthographic,
    /// A pinhole camera; centres spread over (-5, 5) so that they can reach the border of the image.
    Perspective,
}

/// Which squared differences are averaged.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum LossKind {
    /// Every patch.
    All,
    /// The masked patches.
    Masked,
    /// The masked patches, the target of each standardised by its own mean and variance.
    MaskedNormTarget,
    /// The masked patches, target and prediction of each standardised by the target's mean and variance.
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
        #[command(next_help_heading = "Settings (each overrides the preset's value)")]
        pub struct Overrides {
            $($(#[doc = $doc])+ #[arg(long, allow_negative_numbers = true $(, $arg)?)] pub $name: Option<$kind>,)+
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
    /// Projection
    camera: CameraKind = value_enum,
    /// Loss
    loss: LossKind = value_enum,
    /// Images per optimiser step
    batch_size: usize,
    /// Images whose gradient one thread computes in one go; the batch is cut into pieces of this size
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

/// The named starting points of [`Config`].
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// 32 px, 0.9 M parameters.
    Nano,
    /// 32 px, 6.2 M parameters.
    Tiny,
    /// 64 px, 3.1 M parameters.
    Small,
    /// 224 px, 111 M parameters: the published model.
    Base,
}

impl Preset {
    /// The values behind the name.
    pub fn config(self) -> Config {
        match self {
            Self::Nano => NANO,
            Self::Tiny => TINY,
            Self::Small => SMALL,
            Self::Base => BASE,
        }
    }
}

// base: ViT-B/16 and the published recipe. Everything else is stated as a difference from it.
const BASE: Config = Config {
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
    // Gaussians: largest sigma c W / 16 = 14 px, blur of the usual 0.3 square pixels.
    gaussians: 512,
    gaussian_scale: 1.0,
    blur: 0.3,
    camera: CameraKind::Hybrid,
    loss: LossKind::Masked,
    // Recipe: AdamW, 1e-4 x batch / 256, cosine to zero after 20 epochs of warm-up.
    batch_size: 4096,
    micro_batch: 16,
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

// nano: minutes on two cores. 64 patches, 16 visible.
const NANO: Config = Config {
    image_size: 32,
    patch_size: 4,
    encoder_width: 128,
    encoder_depth: 4,
    encoder_heads: 4,
    decoder_width: 64,
    decoder_depth: 2,
    decoder_heads: 2,
    // c = 16 / sqrt(k), so that k Gaussians of the largest size cover the image whatever k is;
    // blur max(0.05, 0.3 (W / 224)^2), or it would dominate at this size.
    gaussians: 64,
    gaussian_scale: 2.0,
    blur: 0.05,
    // Small models on small images want small batches and a larger step.
    batch_size: 64,
    micro_batch: 16,
    epochs: 20,
    warmup_epochs: 1.0,
    learning_rate: 4e-3,
    // 8 % of 32 x 32 would be a crop of 9 x 9 pixels.
    crop_scale: 0.5,
    ..BASE
};

// tiny: nano's images, a deep encoder.
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

// small: 64 px in patches of 8.
const SMALL: Config = Config {
    image_size: 64,
    patch_size: 8,
    encoder_depth: 6,
    decoder_depth: 2,
    ..TINY
};

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

    /// Patches the encoder sees, n = floor(N (1 - mask ratio)).
    pub fn visible(&self) -> usize {
        // The nudge keeps 100 * (1 - 0.9) from becoming 9.
        (self.patches() as f64 * (1.0 - self.mask_ratio) + 1e-9).floor() as usize
    }

    /// Numbers per patch, `3 P^2`.
    pub fn patch_len(&self) -> usize {
        self.patch_size * self.patch_size * 3
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

    /// Checks every value and every product of sizes.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] names the first setting that cannot work.
    pub fn validate(&self) -> Result<(), Error> {
        self.validate_sizes()?;
        self.validate_shapes()?;
        self.validate_reals()?;
        self.validate_products()
    }

    fn validate_sizes(&self) -> Result<(), Error> {
        let positive = [
            ("image-size", self.image_size),
            ("patch-size", self.patch_size),
            ("encoder-width", self.encoder_width),
            ("encoder-depth", self.encoder_depth),
            ("encoder-heads", self.encoder_heads),
            ("decoder-width", self.decoder_width),
            ("decoder-depth", self.decoder_depth),
            ("decoder-heads", self.decoder_heads),
            ("mlp-ratio", self.mlp_ratio),
            ("gaussians", self.gaussians),
            ("batch-size", self.batch_size),
            ("micro-batch", self.micro_batch),
            ("epochs", self.epochs),
        ];
        for (name, value) in positive {
            require(value > 0, name, "at least 1", value)?;
        }
        Ok(())
    }

    fn validate_shapes(&self) -> Result<(), Error> {
        require(
            self.patch_size <= self.image_size,
            "patch-size",
            format!("at most the image size, {}", self.image_size),
            self.patch_size,
        )?;
        require(
            self.image_size.is_multiple_of(self.patch_size),
            "patch-size",
            format!("a divisor of the image size, {}", self.image_size),
            self.patch_size,
        )?;
        for (name, width, heads) in [
            ("encoder-width", self.encoder_width, self.encoder_heads),
            ("decoder-width", self.decoder_width, self.decoder_heads),
        ] {
            let expected = format!("a multiple of 4 and of the number of heads, {heads}");
            let fits = width.is_multiple_of(4) && width.is_multiple_of(heads);
            require(fits, name, expected, width)?;
        }
        Ok(())
    }

    fn validate_reals(&self) -> Result<(), Error> {
        let (unit, finite) = (0.0..1.0, 0.0..f64::MAX);
        let checks = [
            ("mask-ratio", self.mask_ratio, &unit, "in [0, 1)"),
            ("beta1", self.beta1, &unit, "in [0, 1)"),
            ("beta2", self.beta2, &unit, "in [0, 1)"),
            ("blur", self.blur, &finite, "finite and at least 0"),
            (
                "warmup-epochs",
                self.warmup_epochs,
                &finite,
                "finite and at least 0",
            ),
            (
                "weight-decay",
                self.weight_decay,
                &finite,
                "finite and at least 0",
            ),
        ];
        for (name, value, range, expected) in checks {
            require(range.contains(&value), name, expected, value)?;
        }
        for (name, value) in [
            ("gaussian-scale", self.gaussian_scale),
            ("learning-rate", self.learning_rate),
            ("clip-norm", self.clip_norm),
        ] {
            let fits = value > 0.0 && value.is_finite();
            require(fits, name, "finite and above 0", value)?;
        }
        let fits = self.crop_scale > 0.0 && self.crop_scale <= 1.0;
        require(fits, "crop-scale", "in (0, 1]", self.crop_scale)
    }

    /// Sizes fit: the pieces below are the largest buffers of a run.
    fn validate_products(&self) -> Result<(), Error> {
        let pixels = product("image-size", &[self.image_size, self.image_size, 3])?;
        product("batch-size x image-size^2 x 3", &[self.batch_size, pixels])?;
        let patches = self.patches();
        let visible = self.visible();
        require(
            visible > 0,
            "mask-ratio",
            format!("at least one of the {patches} patches left visible"),
            self.mask_ratio,
        )?;
        product("gaussians x 14", &[self.micro_batch, self.gaussians, 14])?;
        let decoder_tokens = (1 + visible).checked_add(self.gaussians);
        let decoder_tokens =
            decoder_tokens.ok_or_else(|| overflow("gaussians", &[self.gaussians]))?;
        for (name, width, heads, depth, tokens) in [
            (
                "encoder",
                self.encoder_width,
                self.encoder_heads,
                self.encoder_depth,
                1 + patches,
            ),
            (
                "decoder",
                self.decoder_width,
                self.decoder_heads,
                self.decoder_depth,
                decoder_tokens,
            ),
        ] {
            product(
                &format!("{name} weights"),
                &[depth, width, width, 4 + 2 * self.mlp_ratio.min(1 << 20)],
            )?;
            let hidden = product(&format!("{name} hidden units"), &[width, self.mlp_ratio])?;
            product(
                &format!("{name} activations"),
                &[self.micro_batch, tokens, hidden],
            )?;
            product(
                &format!("{name} attention"),
                &[self.micro_batch, heads, tokens, tokens],
            )?;
        }
        Ok(())
    }
}

/// Most numbers in one buffer: 16 GiB of f32.
const MAX_ELEMENTS: usize = 1 << 32;

fn product(name: &str, factors: &[usize]) -> Result<usize, Error> {
    factors
        .iter()
        .try_fold(1_usize, |acc, &factor| acc.checked_mul(factor))
        .filter(|&total| total <= MAX_ELEMENTS)
        .ok_or_else(|| overflow(name, factors))
}

fn overflow(name: &str, factors: &[usize]) -> Error {
    let factors: Vec<String> = factors.iter().map(ToString::to_string).collect();
    Error::Setting {
        name: name.to_owned(),
        expected: format!("a product of at most {MAX_ELEMENTS}"),
        got: factors.join(" x "),
    }
}

fn require(
    fits: bool,
    name: &str,
    expected: impl Into<String>,
    got: impl Display,
) -> Result<(), Error> {
    if fits {
        return Ok(());
    }
    Err(Error::Setting {
        name: name.to_owned(),
        expected: expected.into(),
        got: got.to_string(),
    })
}
