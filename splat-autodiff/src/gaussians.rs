//! The Gaussians of a scene as Burn tensors, in a ragged and in a dense form.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use crate::error::Error;

/// One list of N Gaussians for all views: [`splat::Gaussians`] as Burn tensors.
///
/// [`splat::Views::ranges`] assigns a range of these Gaussians to each view. All tensors of a
/// render have one element type and one device.
#[derive(Debug, Clone)]
pub struct GaussianTensors<B: Backend> {
    /// Centres `[N, 3]`, world units.
    pub means: Tensor<B, 2>,
    /// Standard deviations along the principal axes `[N, 3]`, linear (not logarithms), world units.
    pub scales: Tensor<B, 2>,
    /// Rotations `[N, 4]` as quaternions w, x, y, z. The renderer normalises them. A quaternion of
    /// length zero culls its Gaussian.
    pub quaternions: Tensor<B, 2>,
    /// Opacities `[N]` in [0, 1].
    pub opacities: Tensor<B, 1>,
    /// Features `[N, C]` of any sign and unit, C at least 1. A
    /// [`Renderer`](crate::Renderer::with_encoding) also takes harmonics and features of splats.
    pub features: Tensor<B, 2>,
}

/// A dense batch of B scenes with N Gaussians each.
///
/// [`splat::Views::dense`] views all scenes through one camera.
/// [`splat::Views::dense_with_cameras`] gives each scene its own camera.
///
/// ```
/// use burn::tensor::Tensor;
/// use burn_flex::Flex;
/// use splat::{Camera, RenderConfig, Views};
/// use splat_autodiff::{GaussianBatch, render_forward};
///
/// // Two scenes of four Gaussians with one channel, each seen from another distance.
/// let device = Default::default();
/// let batch = GaussianBatch::<Flex> {
///     means: Tensor::zeros([2, 4, 3], &device),
///     scales: Tensor::ones([2, 4, 3], &device) * 0.1,
///     quaternions: Tensor::ones([2, 4, 4], &device),
///     opacities: Tensor::ones([2, 4], &device) * 0.5,
///     features: Tensor::ones([2, 4, 1], &device),
/// };
/// let cameras = [2.0, 3.0].map(|distance| {
///     Camera::pinhole(32.0, 32.0, 16.0, 16.0).with_pose([
///         [1.0, 0.0, 0.0, 0.0],
///         [0.0, 1.0, 0.0, 0.0],
///         [0.0, 0.0, 1.0, distance],
///     ])
/// });
/// let views = Views::dense_with_cameras(32, 32, cameras.to_vec(), 4)?;
/// let background = Tensor::zeros([2, 1], &device);
/// let image = render_forward(&batch.flatten()?, &views, background, &RenderConfig::default())?;
/// assert_eq!(image.features.dims(), [2, 32, 32, 1]);
/// # Ok::<(), splat_autodiff::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct GaussianBatch<B: Backend> {
    /// Centres `[B, N, 3]`, world units.
    pub means: Tensor<B, 3>,
    /// Standard deviations along the principal axes `[B, N, 3]`, linear (not logarithms), world
    /// units.
    pub scales: Tensor<B, 3>,
    /// Rotations `[B, N, 4]` as quaternions w, x, y, z. The renderer normalises them. A quaternion
    /// of length zero culls its Gaussian.
    pub quaternions: Tensor<B, 3>,
    /// Opacities `[B, N]` in [0, 1].
    pub opacities: Tensor<B, 2>,
    /// Features `[B, N, C]` of any sign and unit, C at least 1.
    pub features: Tensor<B, 3>,
}

impl<B: Backend> GaussianBatch<B> {
    /// Reshapes the batch to one list of `B * N` Gaussians.
    ///
    /// Scene `b` becomes the Gaussians `b * N .. (b + 1) * N`. These are the ranges of
    /// [`splat::Views::dense`] and [`splat::Views::dense_with_cameras`]. Gradients propagate to the
    /// tensors of the batch.
    ///
    /// # Errors
    /// Returns [`Error::Shape`] if the tensors disagree on B or N. Returns the same error if the
    /// last dimension is not 3 (means, scales) or 4 (quaternions), or is 0 (features).
    pub fn flatten(self) -> Result<GaussianTensors<B>, Error> {
        let [batch, count, _] = self.means.dims();
        let [_, _, channels] = self.features.dims();
        let check = |argument, symbols: &str, width: usize, got: [usize; 3]| {
            let expected = [batch, count, width];
            if got == expected {
                Ok(())
            } else {
                Err(Error::shape(
                    argument,
                    format!("{symbols} = {expected:?}"),
                    &got,
                ))
            }
        };
        check("batch.means", "[B, N, 3]", 3, self.means.dims())?;
        check("batch.scales", "[B, N, 3]", 3, self.scales.dims())?;
        check("batch.quaternions", "[B, N, 4]", 4, self.quaternions.dims())?;
        // No batch has features of zero channels, so that the message states the least number.
        let (symbols, width) = ("[B, N, C >= 1]", channels.max(1));
        check("batch.features", symbols, width, self.features.dims())?;
        let opacities = self.opacities.dims();
        if opacities != [batch, count] {
            let expected = format!("[B, N] = {:?}", [batch, count]);
            return Err(Error::shape("batch.opacities", expected, &opacities));
        }
        let count = batch * count;
        Ok(GaussianTensors {
            means: self.means.reshape([count, 3]),
            scales: self.scales.reshape([count, 3]),
            quaternions: self.quaternions.reshape([count, 4]),
            opacities: self.opacities.reshape([count]),
            features: self.features.reshape([count, channels]),
        })
    }
}
