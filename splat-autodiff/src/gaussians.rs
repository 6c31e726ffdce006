//! The scene as Burn tensors, ragged and dense.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use crate::error::Error;

/// N Gaussians of all views together: the tensors of [`splat::Gaussians`]. The ranges of [`splat::Views`] say which view
/// sees which of them.
#[derive(Debug, Clone)]
pub struct GaussianTensors<B: Backend> {
    /// Centres `[N, 3]`, world units.
    pub means: Tensor<B, 2>,
    /// Standard deviations along the three own axes `[N, 3]`, linear, world units.
    pub scales: Tensor<B, 2>,
    /// Rotations `[N, 4]` as w, x, y, z of any length but zero; normalised inside.
    pub quaternions: Tensor<B, 2>,
    /// Opacities `[N]` in [0, 1].
    pub opacities: Tensor<B, 1>,
    /// Features `[N, C]`.
    pub features: Tensor<B, 2>,
}

/// B scenes of N Gaussians each: the dense form, for [`splat::Views::dense`].
#[derive(Debug, Clone)]
pub struct GaussianBatch<B: Backend> {
    /// Centres `[B, N, 3]`, world units.
    pub means: Tensor<B, 3>,
    /// Standard deviations along the three own axes `[B, N, 3]`, linear, world units.
    pub scales: Tensor<B, 3>,
    /// Rotations `[B, N, 4]` as w, x, y, z of any length but zero; normalised inside.
    pub quaternions: Tensor<B, 3>,
    /// Opacities `[B, N]` in [0, 1].
    pub opacities: Tensor<B, 2>,
    /// Features `[B, N, C]`.
    pub features: Tensor<B, 3>,
}

impl<B: Backend> GaussianBatch<B> {
    /// The same Gaussians as one list of B N: scene `b` is `b N .. (b + 1) N`, as [`splat::Views::dense`] has it.
    /// Differentiable.
    ///
    /// # Errors
    /// [`Error::Shape`] where the tensors disagree on B or N, or have other widths than 3, 3, 4.
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
        check(
            "batch.features",
            "[B, N, C]",
            channels,
            self.features.dims(),
        )?;
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
