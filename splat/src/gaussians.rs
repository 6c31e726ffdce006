//! The Gaussians of a scene. A gradient with respect to them has the same type.

use crate::error::{RenderError, checked_product};

/// N Gaussians in world space, with C feature channels.
///
/// `S` is the type of a buffer: a slice, a vector or a device buffer. All buffers are dense and
/// row-major. The gradient of a loss with respect to Gaussians has the same type.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Gaussians<S> {
    /// Centres `[N, 3]`, world units.
    pub means: S,
    /// Standard deviations along the Gaussian's own axes `[N, 3]`, linear, world units. The sign
    /// has no effect, and zero is allowed.
    pub scales: S,
    /// Rotations `[N, 4]` as w, x, y, z. The renderer normalises them. The squared length must be a
    /// positive finite number of the scalar type, which for `f32` means lengths of 1e-18 to 1e19.
    /// Gaussians with other quaternions are culled.
    pub quaternions: S,
    /// Opacities `[N]`, normally in `[0, 1]`. Values above 1 are valid: alpha is clamped to
    /// `alpha_max`.
    pub opacities: S,
    /// Features `[N, C]` of any unit and sign, such as colours.
    pub features: S,
    /// The number N of Gaussians.
    pub count: usize,
    /// The number C of feature channels, at least 1.
    pub channels: usize,
}

impl<S> Gaussians<S> {
    /// Applies `f` to every buffer and keeps the counts.
    pub fn map<'a, U>(&'a self, f: impl Fn(&'a S) -> U) -> Gaussians<U> {
        Gaussians {
            means: f(&self.means),
            scales: f(&self.scales),
            quaternions: f(&self.quaternions),
            opacities: f(&self.opacities),
            features: f(&self.features),
            count: self.count,
            channels: self.channels,
        }
    }

    /// Applies `f` to every buffer, in the order of the fields, and keeps the counts.
    ///
    /// # Errors
    /// The first error that `f` returns.
    pub fn try_map<'a, U, E>(
        &'a self,
        mut f: impl FnMut(&'a S) -> Result<U, E>,
    ) -> Result<Gaussians<U>, E> {
        Ok(Gaussians {
            means: f(&self.means)?,
            scales: f(&self.scales)?,
            quaternions: f(&self.quaternions)?,
            opacities: f(&self.opacities)?,
            features: f(&self.features)?,
            count: self.count,
            channels: self.channels,
        })
    }

    /// Returns every buffer with its name, in the order of the fields.
    pub fn buffers(&self) -> [(&'static str, &S); 5] {
        [
            ("means", &self.means),
            ("scales", &self.scales),
            ("quaternions", &self.quaternions),
            ("opacities", &self.opacities),
            ("features", &self.features),
        ]
    }

    /// Checks the number of channels and the length of every buffer. `len` returns the length of a
    /// buffer.
    ///
    /// # Errors
    /// - [`RenderError::Config`] if `channels` is 0 or exceeds 32 bits.
    /// - [`RenderError::Shape`] names the first buffer with a wrong length.
    /// - [`RenderError::Capacity`] if the number of elements of a shape overflows.
    pub fn validate(&self, len: impl Fn(&S) -> usize) -> Result<(), RenderError> {
        check_channels("gaussians.channels", self.channels)?;
        let (n, c) = (self.count, self.channels);
        check_len("gaussians.means", "[N, 3]", &[n, 3], len(&self.means))?;
        check_len("gaussians.scales", "[N, 3]", &[n, 3], len(&self.scales))?;
        check_len(
            "gaussians.quaternions",
            "[N, 4]",
            &[n, 4],
            len(&self.quaternions),
        )?;
        check_len("gaussians.opacities", "[N]", &[n], len(&self.opacities))?;
        check_len("gaussians.features", "[N, C]", &[n, c], len(&self.features))
    }
}

impl<T> Gaussians<Vec<T>> {
    /// Borrows every buffer.
    pub fn as_slices(&self) -> Gaussians<&[T]> {
        self.map(Vec::as_slice)
    }
}

/// Checks that a number of channels or coefficients is at least 1 and fits 32 bits.
pub(crate) fn check_channels(argument: &'static str, channels: usize) -> Result<(), RenderError> {
    match u32::try_from(channels) {
        Ok(1..) => Ok(()),
        _ => Err(RenderError::config(argument, "1 to 4294967295", channels)),
    }
}

/// Checks that `got` is the number of elements of the shape `dims`. `symbols` names the shape in
/// the error.
pub(crate) fn check_len(
    argument: &'static str,
    symbols: &'static str,
    dims: &[usize],
    got: usize,
) -> Result<(), RenderError> {
    let expected = checked_product(argument, dims)?;
    if got == expected {
        return Ok(());
    }
    Err(RenderError::shape(
        argument,
        format!("{expected} elements, {symbols} = {dims:?}"),
        format!("{got} elements"),
    ))
}
