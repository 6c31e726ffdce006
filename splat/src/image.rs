//! Rendered images, and the size of a batch of images.

use crate::error::{RenderError, checked_product};
use crate::gaussians::check_len;
use crate::views::validate_size;

/// B rendered images, row-major, with row 0 on top. The gradient of a loss with respect to images
/// has the same type.
///
/// The struct is non-exhaustive: start from [`Image::from_features`].
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Image<S> {
    /// Features `[B, H, W, C]`: the sum of weight times features, plus transmittance times
    /// background.
    pub features: S,
    /// Final transmittance T `[B, H, W]`. The alpha of the image is `1 - T`. Present if
    /// `config.outputs.transmittance` is set. In a gradient, `None` means zero.
    pub transmittance: Option<S>,
    /// Depth `[B, H, W]`, world units: the sum of weight times camera z, not divided by alpha.
    /// Present if `config.outputs.depth` is set. In a gradient, `None` means zero.
    pub depth: Option<S>,
    /// Prefix images `[B, L, H, W, C]`: image `l` shows the nearest `config.layers[l]` visible
    /// splats over the background. Present if `config.layers` is not empty. In a gradient the value
    /// is `None`, because prefix images carry no gradient.
    pub layers: Option<S>,
    /// Transmittance of the prefix images `[B, L, H, W]`. Present if `config.layers` is not empty
    /// and `config.outputs.transmittance` is set. In a gradient the value is `None`, as for
    /// `layers`.
    pub layer_transmittance: Option<S>,
}

impl<S> Image<S> {
    /// Returns images with features `[B, H, W, C]` only. Use it for the gradient of a loss that
    /// depends on no other output.
    pub fn from_features(features: S) -> Self {
        Self {
            features,
            transmittance: None,
            depth: None,
            layers: None,
            layer_transmittance: None,
        }
    }

    /// Returns these images with [`transmittance`](Self::transmittance) replaced.
    #[must_use]
    pub fn with_transmittance(self, transmittance: impl Into<Option<S>>) -> Self {
        let transmittance = transmittance.into();
        Self {
            transmittance,
            ..self
        }
    }

    /// Returns these images with [`depth`](Self::depth) replaced.
    #[must_use]
    pub fn with_depth(self, depth: impl Into<Option<S>>) -> Self {
        let depth = depth.into();
        Self { depth, ..self }
    }

    /// Returns these images with [`layers`](Self::layers) replaced.
    #[must_use]
    pub fn with_layers(self, layers: impl Into<Option<S>>) -> Self {
        let layers = layers.into();
        Self { layers, ..self }
    }

    /// Returns these images with [`layer_transmittance`](Self::layer_transmittance) replaced.
    #[must_use]
    pub fn with_layer_transmittance(self, layer_transmittance: impl Into<Option<S>>) -> Self {
        let layer_transmittance = layer_transmittance.into();
        Self {
            layer_transmittance,
            ..self
        }
    }

    /// Returns these images without [`layers`](Self::layers) and
    /// [`layer_transmittance`](Self::layer_transmittance), which carry no gradient.
    #[must_use]
    pub fn without_layers(self) -> Self {
        Self {
            layers: None,
            layer_transmittance: None,
            ..self
        }
    }

    /// Applies `f` to every buffer that is present.
    pub fn map<'a, U>(&'a self, f: impl Fn(&'a S) -> U) -> Image<U> {
        Image {
            features: f(&self.features),
            transmittance: self.transmittance.as_ref().map(&f),
            depth: self.depth.as_ref().map(&f),
            layers: self.layers.as_ref().map(&f),
            layer_transmittance: self.layer_transmittance.as_ref().map(&f),
        }
    }

    /// Applies `f` to every buffer that is present, in the order of the fields.
    ///
    /// # Errors
    /// The first error that `f` returns.
    pub fn try_map<'a, U, E>(
        &'a self,
        mut f: impl FnMut(&'a S) -> Result<U, E>,
    ) -> Result<Image<U>, E> {
        Ok(Image {
            features: f(&self.features)?,
            transmittance: self.transmittance.as_ref().map(&mut f).transpose()?,
            depth: self.depth.as_ref().map(&mut f).transpose()?,
            layers: self.layers.as_ref().map(&mut f).transpose()?,
            layer_transmittance: self.layer_transmittance.as_ref().map(&mut f).transpose()?,
        })
    }

    /// Checks the lengths of a gradient with respect to images of `size` with `channels` channels.
    /// `len` returns the length of a buffer.
    ///
    /// # Errors
    /// - [`RenderError::Shape`] names the first buffer with a wrong length. The same variant is
    ///   returned if `layers` or `layer_transmittance` is present, because layers carry no
    ///   gradient.
    /// - [`RenderError::Capacity`] if the number of elements of a shape overflows.
    pub fn validate_gradient(
        &self,
        size: ImageSize,
        channels: usize,
        len: impl Fn(&S) -> usize,
    ) -> Result<(), RenderError> {
        let ImageSize {
            views,
            height,
            width,
        } = size;
        let dims = [views, height, width, channels];
        check_len(
            "v_image.features",
            "[B, H, W, C]",
            &dims,
            len(&self.features),
        )?;
        for (argument, plane) in [
            ("v_image.transmittance", &self.transmittance),
            ("v_image.depth", &self.depth),
        ] {
            if let Some(plane) = plane {
                check_len(argument, "[B, H, W]", &dims[..3], len(plane))?;
            }
        }
        for (argument, buffer) in [
            ("v_image.layers", &self.layers),
            ("v_image.layer_transmittance", &self.layer_transmittance),
        ] {
            if buffer.is_some() {
                let expected = "None: prefix images carry no gradient";
                return Err(RenderError::shape(argument, expected, "a buffer"));
            }
        }
        Ok(())
    }
}

impl<T> Image<Vec<T>> {
    /// Borrows every buffer.
    pub fn as_slices(&self) -> Image<&[T]> {
        self.map(Vec::as_slice)
    }
}

/// The size of a batch of images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageSize {
    /// Number B of views.
    pub views: usize,
    /// Height H, px.
    pub height: usize,
    /// Width W, px.
    pub width: usize,
}

impl ImageSize {
    /// Checks both sides of the images and the number of pixels.
    ///
    /// # Errors
    /// - [`RenderError::Config`] if a side is not within 1 to 2^22 px.
    /// - [`RenderError::Capacity`] if the number of pixels of all images exceeds 32-bit indices.
    pub fn validate(&self) -> Result<(), RenderError> {
        validate_size(self.width, self.height, self.views)
    }

    /// Returns the number of pixels of all images, `B H W`.
    pub(crate) fn pixels(&self) -> usize {
        self.views * self.height * self.width
    }

    /// Returns the number of elements of a buffer with `per_pixel` values per pixel.
    pub(crate) fn elements(
        &self,
        what: &'static str,
        per_pixel: usize,
    ) -> Result<usize, RenderError> {
        checked_product(what, &[self.views, self.height, self.width, per_pixel])
    }
}
