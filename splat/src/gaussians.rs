//! The Gaussians of a scene. A gradient with respect to them has the same type.

use crate::encoding::{Encoding, Features};
use crate::error::{RenderError, checked_product, try_collected, try_reserved};
use crate::views::Views;

/// N Gaussians in world space, with C feature channels.
///
/// `S` is the type of a buffer: a slice, a vector or a device buffer. All buffers are dense and
/// row-major. The gradient of a loss with respect to Gaussians has the same type.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Gaussians<S> {
    /// Centres `[N, 3]`, world units.
    pub means: S,
    /// Standard deviations along the Gaussian's own axes `[N, 3]`, world units. The sign has no
    /// effect, and zero is allowed. If [`Encoding::raw`] is set, their natural logarithms.
    pub scales: S,
    /// Rotations `[N, 4]` as w, x, y, z. The renderer normalises them. The squared length must be a
    /// positive finite number of the scalar type, which for `f32` means lengths of 1e-18 to 1e19.
    /// Gaussians with other quaternions are culled.
    pub quaternions: S,
    /// Opacities `[N]`, normally in `[0, 1]`. Values above 1 are valid: alpha is clamped to
    /// `alpha_max`. If [`Encoding::raw`] is set, their logits.
    pub opacities: S,
    /// Features of any unit and sign, such as colours: `[N, C]`, or the shape of
    /// [`Encoding::features`].
    pub features: S,
    /// The number N of Gaussians.
    pub count: usize,
    /// The number C of feature channels, at least 1.
    pub channels: usize,
    /// The meaning of scales, opacities and features.
    pub encoding: Encoding,
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
            encoding: self.encoding,
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
            encoding: self.encoding,
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

    /// Checks the number of channels, the encoding and the length of every buffer. `len` returns
    /// the length of a buffer. The length of [`Features::PerSplat`] depends on the views and is not
    /// checked.
    ///
    /// # Errors
    /// - [`RenderError::Config`] if `channels` is 0 or exceeds 32 bits, the degree of harmonics
    ///   exceeds 4, or the number of stored harmonics exceeds 32 bits.
    /// - [`RenderError::Shape`] names the first buffer with a wrong length. The same variant is
    ///   returned if fewer harmonics are stored than the degree needs.
    /// - [`RenderError::Capacity`] if the number of elements of a shape overflows.
    pub fn validate(&self, len: impl Fn(&S) -> usize) -> Result<(), RenderError> {
        check_channels("gaussians.channels", self.channels)?;
        self.encoding.validate()?;
        let n = self.count;
        check_len("gaussians.means", "[N, 3]", &[n, 3], len(&self.means))?;
        check_len("gaussians.scales", "[N, 3]", &[n, 3], len(&self.scales))?;
        check_len(
            "gaussians.quaternions",
            "[N, 4]",
            &[n, 4],
            len(&self.quaternions),
        )?;
        check_len("gaussians.opacities", "[N]", &[n], len(&self.opacities))?;
        match self.encoding.features {
            Features::PerSplat => Ok(()),
            _ => self.check_features(0, &len),
        }
    }

    /// Checks these Gaussians, `views`, and that the two belong together. `len` returns the length
    /// of a buffer.
    ///
    /// # Errors
    /// The errors of [`Gaussians::validate`] and [`Views::validate`], and [`RenderError::Shape`] if
    /// [`Features::PerSplat`] are not one row per splat of `views`.
    pub fn validate_in(&self, views: &Views, len: impl Fn(&S) -> usize) -> Result<(), RenderError> {
        self.validate(&len)?;
        views.validate(self.count)?;
        self.check_features(views.splat_count(), &len)
    }

    /// Checks that the numbers and the encoding of these Gaussians are those of a forward pass.
    pub(crate) fn check_same(&self, of: &Gaussians<()>) -> Result<(), RenderError> {
        let own = [self.count, self.channels];
        if own != [of.count, of.channels] {
            let say = |[n, c]: [usize; 2]| format!("{n} Gaussians with {c} channels");
            let expected = format!("{}, as in the forward pass", say([of.count, of.channels]));
            return Err(RenderError::shape("scene.gaussians", expected, say(own)));
        }
        if self.encoding != of.encoding {
            let expected = format!("{:?}, as in the forward pass", of.encoding);
            let got = format!("{:?}", self.encoding);
            return Err(RenderError::shape(
                "scene.gaussians.encoding",
                expected,
                got,
            ));
        }
        Ok(())
    }

    /// Checks the length of the features for `m` splats.
    fn check_features(&self, m: usize, len: impl Fn(&S) -> usize) -> Result<(), RenderError> {
        let name = "gaussians.features";
        let (n, c, got) = (self.count, self.channels, len(&self.features));
        match self.encoding.features {
            Features::PerGaussian => check_len(name, "[N, C]", &[n, c], got),
            Features::PerSplat => check_len(name, "[M, C]", &[m, c], got),
            Features::Harmonics { stored, .. } => {
                check_len(name, "[N, K, C]", &[n, stored, c], got)
            }
        }
    }
}

impl Gaussians<&[f64]> {
    /// Returns the Gaussians with coordinates relative to a centre, and the centre, world units.
    /// The centre is subtracted in `f64`, and the numbers are then rounded to `f32`.
    ///
    /// Means far from the origin would lose digits if they were rounded as they are. A camera
    /// belongs to the result after [`Camera::recentred`](crate::Camera::recentred) with the same
    /// centre. The centre is the middle of the box around the finite means.
    ///
    /// # Errors
    /// - [`RenderError::Shape`] if the number of means is not `3 N`.
    /// - [`RenderError::Capacity`] if an allocation fails.
    pub fn recentred(&self) -> Result<(Gaussians<Vec<f32>>, [f64; 3]), RenderError> {
        check_len(
            "gaussians.means",
            "[N, 3]",
            &[self.count, 3],
            self.means.len(),
        )?;
        let (rows, _) = self.means.as_chunks::<3>();
        let finite = rows.iter().filter(|row| row.iter().all(|x| x.is_finite()));
        let none = [[f64::INFINITY; 3], [f64::NEG_INFINITY; 3]];
        let [low, high] = finite.fold(none, |[low, high], row| {
            [
                std::array::from_fn(|axis| low[axis].min(row[axis])),
                std::array::from_fn(|axis| high[axis].max(row[axis])),
            ]
        });
        let centre = std::array::from_fn(|axis| {
            let middle = 0.5 * low[axis] + 0.5 * high[axis];
            if middle.is_finite() { middle } else { 0.0 }
        });
        let rounded =
            |what, numbers: &[f64]| try_collected(what, numbers.iter().map(|&x| x as f32));
        let means = rows.iter().flatten().zip(centre.iter().cycle());
        let means = means.map(|(x, centre)| (x - centre) as f32);
        let mut reserved = try_reserved("means [N, 3]", self.means.len())?;
        reserved.extend(means);
        let gaussians = Gaussians {
            means: reserved,
            scales: rounded("scales [N, 3]", self.scales)?,
            quaternions: rounded("quaternions [N, 4]", self.quaternions)?,
            opacities: rounded("opacities [N]", self.opacities)?,
            features: rounded("features", self.features)?,
            count: self.count,
            channels: self.channels,
            encoding: self.encoding,
        };
        Ok((gaussians, centre))
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
