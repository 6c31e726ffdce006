//! The result of a render.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

/// The rendered images of V views: [`splat::Image`] as Burn tensors.
///
/// H and W are the height and width of `views` in pixels, C is the number of feature channels, and
/// L the length of `config.layers`. The element type is the element type of the inputs. Equation
/// numbers refer to docs/MATH.md.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Rendered<B: Backend> {
    /// Feature images `[V, H, W, C]`: the sum of weight times features, plus the remaining
    /// transmittance times the background (eq. 15). The unit is the unit of the features.
    pub features: Tensor<B, 4>,
    /// Remaining transmittance T `[V, H, W]` in [0, 1] (eq. 15); alpha is `1 - T`. `Some` if
    /// [`splat::Outputs::transmittance`] is set.
    pub transmittance: Option<Tensor<B, 3>>,
    /// Depth images `[V, H, W]` in world units: the sum of weight times camera z (eq. 15), not
    /// divided by alpha. Of ellipses, the sum of weight times their depth, in its unit. `Some` if
    /// [`splat::Outputs::depth`] is set.
    pub depth: Option<Tensor<B, 3>>,
    /// Layer images `[V, L, H, W, C]`: image `l` contains only the nearest `config.layers[l]`
    /// visible splats, over the background. `Some` if `config.layers` is not empty. Layer images
    /// carry no gradient.
    pub layers: Option<Tensor<B, 5>>,
    /// Transmittance of the layer images `[V, L, H, W]`. `Some` if `config.layers` is not empty and
    /// [`splat::Outputs::transmittance`] is set. It carries no gradient.
    pub layer_transmittance: Option<Tensor<B, 4>>,
    /// The number of culled Gaussians or ellipses of each view, `[V]`. A culled Gaussian contributes
    /// nothing to its view and has no gradient from it. The reasons are listed in
    /// docs/CONVENTIONS.md, among them a depth out of range and a value that is not finite. A count
    /// near the length of a view's range points to a wrong camera. The reasons for ellipses are
    /// listed at [`EllipseTensors`](crate::EllipseTensors).
    ///
    /// `Some` if the render ran on the CPU. A render on a device counts only on request, by
    /// [`Renderer::with_culled_on_device`](crate::Renderer::with_culled_on_device).
    pub culled: Option<Vec<usize>>,
}
