//! The scene: N Gaussians with C feature channels, and everything of the same shape (their
//! gradient).

use crate::error::{RenderError, checked_product};

/// N Gaussians in world space, row-major buffers `S` (slices, vectors, or a device's buffers).
///
/// The gradient of a loss with respect to Gaussians is a value of the same type.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Gaussians<S> {
    /// Centres `[N, 3]`, world units.
    pub means: S,
    /// Standard deviations along the three own axes `[N, 3]`, linear, world units.
    pub scales: S,
    /// Rotations `[N, 4]` as w, x, y, z, normalised inside: of any length whose square is a
    /// positive finite number of the precision (`f32`: 1e-18 to 1e19); others are culled.
    pub quaternions: S,
    /// Opacities `[N]` in [0, 1].
    pub opacities: S,
    /// Features `[N, C]`: colours, or whatever else is to be composited; any sign.
    pub features: S,
    /// The number N of Gaussians.
    pub count: usize,
    /// The number C of feature channels, at least 1.
    pub channels: usize,
}

impl<S> Gaussians<S> {
    /// The same shape with every buffer mapped by `f`.
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

    /// The same shape with every buffer made by `f`, or the first error of `f`.
    ///
    /// # Errors
    /// Those of `f`.
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

    /// Every buffer with its name, in the order of the fields.
    pub fn buffers(&self) -> [(&'static str, &S); 5] {
        [
            ("means", &self.means),
            ("scales", &self.scales),
            ("quaternions", &self.quaternions),
            ("opacities", &self.opacities),
            ("features", &self.features),
        ]
    }

    /// Checks every buffer's length, `len` telling it.
    ///
    /// # Errors
    /// [`RenderError::Shape`] names the buffer at fault.
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

/// Checks a number of channels or of coefficients: at least one, and an index of 32 bits.
pub(crate) fn check_channels(argument: &'static str, channels: usize) -> Result<(), RenderError> {
    match u32::try_from(channels) {
        Ok(1..) => Ok(()),
        _ => Err(RenderError::config(argument, "1 to 4294967295", channels)),
    }
}

/// Checks that `got` elements fill the shape `dims`, whose symbols are `symbols`.
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
