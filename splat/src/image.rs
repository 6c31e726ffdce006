//! Rendered images, and the size of a batch of them.

use crate::camera::validate_size;
use crate::error::{RenderError, checked_product};
use crate::gaussians::check_len;

/// B rendered images, row-major, row 0 on top; or the gradient of a loss by them. More may be
/// added: start from [`Image::from_features`].
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Image<S> {
    /// `[B, H, W, C]`: sum of weight times features, plus transmittance times background.
    pub features: S,
    /// `[B, H, W]`: the transmittance left; alpha is `1 - T`. Present if asked for. In a gradient,
    /// `None` means zero.
    pub transmittance: Option<S>,
    /// `[B, H, W]`: sum of weight times camera z, not divided by alpha. As `transmittance`.
    pub depth: Option<S>,
    /// `[B, L, H, W, C]`: the images of the nearest `config.layers[l]` visible splats over the
    /// background. Present if any layer is asked for; without gradient.
    pub layers: Option<S>,
}

impl<S> Image<S> {
    /// Feature images alone: a gradient of a loss that depends on nothing else.
    pub fn from_features(features: S) -> Self {
        Self {
            features,
            transmittance: None,
            depth: None,
            layers: None,
        }
    }

    /// The same images with [`transmittance`](Self::transmittance).
    #[must_use]
    pub fn with_transmittance(self, transmittance: impl Into<Option<S>>) -> Self {
        let transmittance = transmittance.into();
        Self {
            transmittance,
            ..self
        }
    }

    /// The same images with [`depth`](Self::depth).
    #[must_use]
    pub fn with_depth(self, depth: impl Into<Option<S>>) -> Self {
        let depth = depth.into();
        Self { depth, ..self }
    }

    /// The same images with [`layers`](Self::layers).
    #[must_use]
    pub fn with_layers(self, layers: impl Into<Option<S>>) -> Self {
        let layers = layers.into();
        Self { layers, ..self }
    }

    /// The same images without [`layers`](Self::layers), which carry no gradient.
    #[must_use]
    pub fn without_layers(self) -> Self {
        Self {
            layers: None,
            ..self
        }
    }

    /// The same shape with every buffer mapped by `f`.
    pub fn map<'a, U>(&'a self, f: impl Fn(&'a S) -> U) -> Image<U> {
        Image {
            features: f(&self.features),
            transmittance: self.transmittance.as_ref().map(&f),
            depth: self.depth.as_ref().map(&f),
            layers: self.layers.as_ref().map(&f),
        }
    }

    /// The same shape with every buffer made by `f`, or the first error of `f`.
    ///
    /// # Errors
    /// Those of `f`.
    pub fn try_map<'a, U, E>(
        &'a self,
        mut f: impl FnMut(&'a S) -> Result<U, E>,
    ) -> Result<Image<U>, E> {
        Ok(Image {
            features: f(&self.features)?,
            transmittance: self.transmittance.as_ref().map(&mut f).transpose()?,
            depth: self.depth.as_ref().map(&mut f).transpose()?,
            layers: self.layers.as_ref().map(&mut f).transpose()?,
        })
    }

    /// Checks the lengths of a gradient by images of `size` with `channels`, `len` telling them.
    ///
    /// # Errors
    /// [`RenderError::Shape`] names the buffer at fault.
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
        match &self.layers {
            None => Ok(()),
            Some(_) => Err(RenderError::shape(
                "v_image.layers",
                "None: prefix images carry no gradient",
                "a buffer",
            )),
        }
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
    /// Views B.
    pub views: usize,
    /// Height H, px.
    pub height: usize,
    /// Width W, px.
    pub width: usize,
}

impl ImageSize {
    /// Checks the sides and the number of pixels.
    ///
    /// # Errors
    /// Names the side or product at fault.
    pub fn validate(&self) -> Result<(), RenderError> {
        validate_size(self.width, self.height, self.views)
    }

    /// The pixels of all images, `B H W`.
    #[cfg(feature = "gpu")]
    pub(crate) fn pixels(&self) -> usize {
        self.views * self.height * self.width
    }

    /// The elements of a buffer with `per_pixel` numbers per pixel.
    pub(crate) fn elements(
        &self,
        what: &'static str,
        per_pixel: usize,
    ) -> Result<usize, RenderError> {
        checked_product(what, &[self.views, self.height, self.width, per_pixel])
    }
}
