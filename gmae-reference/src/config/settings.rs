//! Every hyper-parameter of a run, in one plain struct.
//!
//! The macro `settings!` lists the settings once. The macro generates [`Config`], which checkpoints
//! store, and [`Overrides`], the same list as command-line flags. A flag that is not given keeps
//! the value of the preset.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// What the decoder predicts.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Gaussians that are rendered to an image (GMAE).
    #[default]
    Gmae,
    /// The pixels of the patches (MAE, arXiv 2111.06377).
    Mae,
}

impl Method {
    /// The name of the method in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gmae => "GMAE",
            Self::Mae => "MAE",
        }
    }
}

/// The projection of the Gaussians onto the image.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum CameraKind {
    /// Projects centres orthographically and footprints with the perspective Jacobian.
    Hybrid,
    /// Projects centres and footprints orthographically; depth only determines the drawing order.
    Orthographic,
    /// Pinhole camera; centres spread over (-5, 5) so that they can reach the border of the image.
    Perspective,
}

/// The patches and the normalisation of the squared differences that the loss averages.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum LossKind {
    /// Averages over all patches.
    All,
    /// Averages over the masked patches.
    Masked,
    /// Averages over the masked patches, with each target patch standardised by its own mean and
    /// variance.
    MaskedNormTarget,
    /// Averages over the masked patches, with target and prediction standardised by the mean and
    /// variance of the target patch.
    MaskedNormBoth,
}

/// Declares the settings once, as [`Config`] and as the command-line flags [`Overrides`].
macro_rules! settings {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident: $kind:ty $(= [$($arg:tt)+])? $(| $serde:ident)?,
    )+) => {
        /// Every hyper-parameter of a run.
        #[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
        #[serde(deny_unknown_fields)]
        pub struct Config {
            $($(#[doc = $doc])+ $(#[serde($serde)])? pub $name: $kind,)+
        }

        /// The settings of [`Config`] as optional command-line flags. Each flag has the name of its
        /// setting.
        #[derive(Clone, Debug, Default, clap::Args)]
        #[command(next_help_heading = "Settings (each replaces a preset's value, and must agree with a checkpoint)")]
        pub struct Overrides {
            $($(#[doc = $doc])+ #[arg(long, value_name = "VALUE", allow_negative_numbers = true $(, $($arg)+)?)] pub $name: Option<$kind>,)+
        }

        impl Overrides {
            /// Returns `base` with the values of all given flags.
            pub fn apply(&self, base: Config) -> Config {
                Config { $($name: self.$name.unwrap_or(base.$name),)+ }
            }
        }

        impl Config {
            /// Returns the name and the value of every setting, in the order of declaration.
            pub fn entries(&self) -> Vec<(String, String)> {
                vec![$((stringify!($name).to_owned(), shown(&self.$name)),)+]
            }
        }
    };
}

settings! {
    /// What the decoder predicts: Gaussians, or the pixels of the patches
    method: Method = [value_enum] | default,
    /// Side of the square input image, in pixels
    image_size: usize,
    /// Side of a square patch, in pixels; must divide the image size
    patch_size: usize,
    /// Fraction of the patches that is hidden from the encoder; at least 0 and below 1
    mask_ratio: f64,
    /// Encoder width (channels per token); must be a multiple of 4 and of the encoder heads
    encoder_width: usize,
    /// Number of transformer blocks in the encoder
    encoder_depth: usize,
    /// Number of attention heads in the encoder
    encoder_heads: usize,
    /// Decoder width (channels per token); must be a multiple of 4 and of the decoder heads
    decoder_width: usize,
    /// Number of transformer blocks in the decoder
    decoder_depth: usize,
    /// Number of attention heads in the decoder
    decoder_heads: usize,
    /// Hidden channels of the MLP of a block, as a multiple of the width
    mlp_ratio: usize,
    /// Number of Gaussians per image (k)
    gaussians: usize,
    /// Largest scale of a Gaussian along an axis (c), in world units
    gaussian_scale: f64,
    /// Variance added to every footprint, in square pixels
    blur: f64,
    /// Projection of the Gaussians onto the image
    camera: CameraKind = [value_enum],
    /// Whether the centres of the Gaussians receive no gradient along the viewing axis (z)
    freeze_z: bool = [num_args = 0..=1, default_missing_value = "on", value_parser = switch] | default,
    /// Whether the Gaussians are drawn in random depth order, with the sizes of z = 0
    random_depth_order: bool = [num_args = 0..=1, default_missing_value = "on", value_parser = switch] | default,
    /// Squared differences that the loss averages
    loss: LossKind = [value_enum],
    /// Whether MAE predicts patches that are standardised by their own mean and variance
    norm_pix: bool = [num_args = 0..=1, default_missing_value = "on", value_parser = switch] | default,
    /// Number of images per optimiser step
    batch_size: usize,
    /// Number of images per piece of a batch, or 0 to choose it by memory and batch size; a thread
    /// computes the gradient of one piece at a time
    micro_batch: usize,
    /// Number of passes over the data
    epochs: usize,
    /// Epochs of linear learning-rate warm-up; can be fractional
    warmup_epochs: f64,
    /// Peak learning rate for a batch of 256 images; it is scaled by batch size / 256
    learning_rate: f64,
    /// `AdamW` weight decay of every parameter that is not one-dimensional
    weight_decay: f64,
    /// `AdamW` decay rate of the first moment
    beta1: f64,
    /// `AdamW` decay rate of the second moment
    beta2: f64,
    /// Largest norm of the whole gradient; a larger gradient is scaled down to this norm
    clip_norm: f64,
    /// Smallest area of a training crop, as a fraction of the image
    crop_scale: f64,
    /// Seed of the initial weights, the data order, the crops and the masks
    seed: u64,
}

/// Reads a setting that is on or off.
fn switch(text: &str) -> Result<bool, String> {
    match text {
        "on" | "true" => Ok(true),
        "off" | "false" => Ok(false),
        _ => Err("expected on or off".to_owned()),
    }
}

/// Formats a setting as on the command line.
fn shown<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        Ok(serde_json::Value::Bool(on)) => if on { "on" } else { "off" }.to_owned(),
        Ok(other) => other.to_string(),
        Err(error) => error.to_string(),
    }
}

impl Config {
    /// Number of patches along one side.
    pub fn grid(&self) -> usize {
        self.image_size / self.patch_size
    }

    /// Number of patches per image, N.
    pub fn patches(&self) -> usize {
        self.grid() * self.grid()
    }

    /// Returns true if the Gaussians are trained to render standardised patches. The renders are
    /// then not colours.
    pub fn renders_standardised(&self) -> bool {
        self.method == Method::Gmae && self.loss == LossKind::MaskedNormTarget
    }

    /// Number of visible patches, n = floor(N (1 - mask ratio)).
    pub fn visible(&self) -> usize {
        // The 1e-9 compensates for rounding: 100 * (1 - 0.9) is below 10 in `f64`.
        (self.patches() as f64 * (1.0 - self.mask_ratio) + 1e-9).floor() as usize
    }

    /// Numbers of parameters of the encoder and of the decoder, about: without the tables of
    /// positions, the norms and the biases. A number that `usize` does not hold becomes its
    /// greatest.
    pub fn parameters(&self) -> [usize; 2] {
        // Four layers of the attention and two of the MLP.
        let block = |width: usize| {
            let layers = self.mlp_ratio.saturating_mul(2).saturating_add(4);
            width.saturating_mul(width).saturating_mul(layers)
        };
        let blocks = |depth: usize, width| depth.saturating_mul(block(width));
        let (e, d) = (self.encoder_width, self.decoder_width);
        let encoder = [
            (self.patch_len() + 1).saturating_mul(e),
            blocks(self.encoder_depth, e),
            e.saturating_mul(3),
        ];
        let outputs = match self.method {
            Method::Gmae => self.gaussians.saturating_mul(d),
            Method::Mae => self.patch_len().saturating_mul(d),
        };
        let decoder = [
            (e + 1).saturating_mul(d),
            blocks(self.decoder_depth, d),
            outputs,
        ];
        [encoder, decoder].map(|parts| parts.into_iter().fold(0, usize::saturating_add))
    }

    /// Number of values per patch, `3 P^2`.
    pub fn patch_len(&self) -> usize {
        self.patch_size * self.patch_size * 3
    }

    /// Number of values per image, `3 H W`.
    pub fn image_len(&self) -> usize {
        self.image_size * self.image_size * 3
    }

    /// Number of images per piece of a batch. It is `micro_batch`, or if that is 0, a sixteenth of
    /// the batch, at least 8 images, and at most the number whose activations take half a gigabyte,
    /// rounded down to an even number, and at least 2.
    ///
    /// A small batch therefore has few pieces: 16 images are two pieces, for two threads. Besides
    /// the activations, each piece in flight holds a gradient as large as the model.
    ///
    /// The number depends on the settings only, so that the split of a batch, and with it the order
    /// of its sums, does not depend on the number of threads.
    pub fn images_per_piece(&self) -> usize {
        /// Pieces of a batch that is large enough.
        const PIECES: usize = 16;
        /// With smaller pieces, the sum of the gradients takes a large part of the time at nano.
        const LEAST: usize = 8;
        /// Memory of the activations of one piece, in bytes.
        const MEMORY: f64 = 5e8;

        if self.micro_batch > 0 {
            return self.micro_batch;
        }
        let by_memory = (MEMORY / self.bytes_per_image()).max(2.0) as usize;
        by_memory.min((self.batch_size / PIECES).max(LEAST)) / 2 * 2
    }

    /// An estimate of the memory of one image during a training step, in bytes: the `f32` values
    /// that the transformer keeps for its backward pass.
    pub fn bytes_per_image(&self) -> f64 {
        // Per token and block: both normalised inputs, queries, keys, values, the mixed values and
        // two sums are as wide as the token; the MLP keeps its hidden values twice.
        let widths = 8.0 + 2.0 * self.mlp_ratio as f64;
        let side = |width: usize, depth: usize, tokens: f64| {
            4.0 * width as f64 * depth as f64 * tokens * widths
        };
        let seen = 1.0 + self.visible() as f64;
        let tokens = self.decoder_tokens() as f64;
        side(self.encoder_width, self.encoder_depth, seen)
            + side(self.decoder_width, self.decoder_depth, tokens)
    }

    /// Number of tokens per image in the decoder: CLS, n latents and k queries with GMAE, CLS and
    /// all N patches with MAE. The sum saturates.
    pub fn decoder_tokens(&self) -> usize {
        match self.method {
            Method::Gmae => (1 + self.visible()).saturating_add(self.gaussians),
            Method::Mae => 1 + self.patches(),
        }
    }

    /// Width, depth and heads of the decoder in words. A probe depends on them as much as on the
    /// method.
    pub(crate) fn decoder(&self) -> String {
        let (width, depth) = (self.decoder_width, self.decoder_depth);
        format!("{width} x {depth}, {} heads", self.decoder_heads)
    }

    /// Peak learning rate for the configured batch size: `learning_rate * batch_size / 256`.
    pub fn peak_learning_rate(&self) -> f64 {
        self.learning_rate * self.batch_size as f64 / 256.0
    }

    /// Returns `self` with the settings of `other` that determine the shape of the model.
    #[must_use]
    pub fn with_model_of(&self, other: &Self) -> Self {
        Self {
            method: other.method,
            image_size: other.image_size,
            patch_size: other.patch_size,
            encoder_width: other.encoder_width,
            encoder_depth: other.encoder_depth,
            encoder_heads: other.encoder_heads,
            decoder_width: other.decoder_width,
            decoder_depth: other.decoder_depth,
            decoder_heads: other.decoder_heads,
            mlp_ratio: other.mlp_ratio,
            gaussians: other.gaussians,
            ..*self
        }
    }

    /// Checks that the settings that shape the model are those of `other`.
    ///
    /// # Errors
    ///
    /// The first setting that differs, in words.
    pub(crate) fn expect_shape_of(&self, other: &Self) -> Result<(), String> {
        match self.first_difference(&self.with_model_of(other)) {
            None => Ok(()),
            Some((name, got, expected)) => Err(format!(
                "{name}: expected {expected}, because it shapes the model, got {got}"
            )),
        }
    }

    /// Returns the first setting in which `self` and `other` differ: the name, the value in `self`
    /// and the value in `other`.
    pub fn first_difference(&self, other: &Self) -> Option<(String, String, String)> {
        let pairs = self.entries().into_iter().zip(other.entries());
        pairs.into_iter().find_map(|((name, mine), (_, theirs))| {
            (mine != theirs).then_some((name, mine, theirs))
        })
    }
}
