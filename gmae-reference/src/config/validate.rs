//! Checks of the settings.

use std::fmt::Display;

use super::settings::{CameraKind, Config, LossKind, Method};
use crate::error::Error;

impl Config {
    /// Checks every setting and the products of sizes.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] for the first setting, or product of settings, that is out of range.
    pub fn validate(&self) -> Result<(), Error> {
        self.validate_sizes()?;
        self.validate_shapes()?;
        self.validate_method()?;
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

    /// Checks the settings that only one of the methods has.
    fn validate_method(&self) -> Result<(), Error> {
        match self.method {
            Method::Gmae => {
                let expected = "off with --method gmae, which has --loss masked-norm-target";
                require(!self.norm_pix, "norm-pix", expected, "on")?;
                let both = self.freeze_z && self.random_depth_order;
                let expected = "off with --random-depth-order, in which z has no effect";
                require(!both, "freeze-z", expected, "on")?;
                let orthographic = self.freeze_z && self.camera == CameraKind::Orthographic;
                let expected = "off with --camera orthographic, where z has no gradient";
                require(!orthographic, "freeze-z", expected, "on")?;
                let far = self.random_depth_order && self.camera == CameraKind::Perspective;
                let expected = "off with --camera perspective, whose centres at z = 0 do not reach the \
                                border";
                require(!far, "random-depth-order", expected, "on")
            }
            Method::Mae => {
                for (name, on) in [
                    ("freeze-z", self.freeze_z),
                    ("random-depth-order", self.random_depth_order),
                ] {
                    require(!on, name, "off with --method mae", "on")?;
                }
                let fits = matches!(self.loss, LossKind::All | LossKind::Masked);
                let expected = "all or masked with --method mae, which has --norm-pix";
                require(fits, "loss", expected, "a standardised loss")
            }
        }
    }

    /// Checks the settings that are not integers. A setting that the optimiser, the model or the
    /// renderer uses in `f32` is rounded to `f32` before the check.
    fn validate_reals(&self) -> Result<(), Error> {
        let unit = 0.0..1.0;
        let fits = unit.contains(&self.mask_ratio);
        require(fits, "mask-ratio", "in [0, 1)", self.mask_ratio)?;
        let fits = self.warmup_epochs >= 0.0 && self.warmup_epochs.is_finite();
        let expected = "finite and at least 0";
        require(fits, "warmup-epochs", expected, self.warmup_epochs)?;
        let fits = self.crop_scale > 0.0 && self.crop_scale <= 1.0;
        require(fits, "crop-scale", "in (0, 1]", self.crop_scale)?;
        for (name, value) in [("beta1", self.beta1), ("beta2", self.beta2)] {
            require_f32(name, value, |v| (0.0..1.0).contains(&v), "in [0, 1)")?;
        }
        for (name, value) in [("blur", self.blur), ("weight-decay", self.weight_decay)] {
            require_f32(name, value, |v| v >= 0.0, "finite and at least 0")?;
        }
        for (name, value) in [
            ("gaussian-scale", self.gaussian_scale),
            ("learning-rate", self.learning_rate),
            ("clip-norm", self.clip_norm),
        ] {
            require_f32(name, value, |v| v > 0.0, "finite and above 0")?;
        }
        self.validate_rates()
    }

    /// Checks the products of settings that an optimiser step uses.
    fn validate_rates(&self) -> Result<(), Error> {
        let peak = self.peak_learning_rate();
        let name = "learning-rate x batch-size / 256";
        require_f32(name, peak, |v| v > 0.0, "finite and above 0")?;
        let decay = peak * self.weight_decay;
        let name = "learning-rate x batch-size / 256 x weight-decay";
        let fits = (decay as f32).is_finite();
        require(fits, name, "finite as a 32-bit float", decay)
    }

    /// Checks the mask and the sizes of the largest buffers of a run.
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
        require(
            visible < patches || self.loss == LossKind::All,
            "mask-ratio",
            "at least one patch hidden, or --loss all",
            self.mask_ratio,
        )?;
        let images = self.images_per_piece();
        product("gaussians x 14", &[images, self.gaussians, 14])?;
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
                self.decoder_tokens(),
            ),
        ] {
            product(
                &format!("{name} weights"),
                &[depth, width, width, 4 + 2 * self.mlp_ratio.min(1 << 20)],
            )?;
            let hidden = product(&format!("{name} hidden units"), &[width, self.mlp_ratio])?;
            product(&format!("{name} activations"), &[images, tokens, hidden])?;
            product(
                &format!("{name} attention"),
                &[images, heads, tokens, tokens],
            )?;
        }
        Ok(())
    }
}

/// Largest number of elements in one buffer: 16 GiB of `f32`.
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

/// Checks that `value`, rounded to `f32`, is finite and satisfies `fits`. A non-zero value that
/// becomes zero or subnormal in `f32` is also rejected, because it loses precision.
fn require_f32(
    name: &str,
    value: f64,
    fits: impl Fn(f32) -> bool,
    expected: &str,
) -> Result<(), Error> {
    let used = value as f32;
    let held = used.is_normal() || value == 0.0;
    let expected = format!("{expected}, as a 32-bit float");
    require(held && fits(used), name, expected, value)
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
