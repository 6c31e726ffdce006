//! Where a render runs: on the device of the tensors where there are kernels for it, else on the CPU. The one place that decides.

use std::fmt::Debug;
use std::sync::Arc;

use burn::tensor::DType;
use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use splat::{Image, RenderConfig, Views, Wanted};

use crate::error::Error;
use crate::host;
use crate::inputs::Inputs;
use crate::layout::Layout;

/// Images as tensors of the backend's own form, in their shapes.
pub(crate) type Forward<B> = Image<FloatTensor<B>>;

/// A forward pass that can be followed by a backward pass.
pub(crate) struct Recording<B: Backend> {
    /// Features, then transmittance, then depth, in one dimension.
    pub(crate) joined: FloatTensor<B>,
    /// `[V, L, H, W, C]`
    pub(crate) layers: Option<FloatTensor<B>>,
    /// Where the outputs lie in `joined`.
    pub(crate) layout: Layout,
    /// What the backward pass reads.
    pub(crate) tape: Arc<dyn Tape<B>>,
}

/// What a forward pass keeps, and the vjp that reads it.
pub(crate) trait Tape<B: Backend>: Debug + Send + Sync {
    /// The gradients by those inputs that are `tracked`, given that by the joined outputs. Means, scales, quaternions, opacities,
    /// features, background, poses.
    fn vjp(
        &self,
        v_joined: FloatTensor<B>,
        tracked: [bool; 7],
    ) -> Result<[Option<FloatTensor<B>>; 7], Error>;
}

/// Runs `$function` for the place of the tensors of `$backend`.
macro_rules! on_the_right_place {
    ($function:ident::<$backend:ty>, $inputs:expr, $views:expr, $config:expr) => {{
        let (inputs, views, config) = ($inputs, $views, $config);
        let dtype = inputs.dtype();
        #[cfg(feature = "wgpu")]
        if dtype != DType::F64 && crate::primitive::lies_on::<$backend, Wgpu>() {
            return crate::device::$function::<$backend, Wgpu>(inputs, views, config);
        }
        #[cfg(feature = "cuda")]
        if dtype != DType::F64 && crate::primitive::lies_on::<$backend, Cuda>() {
            return crate::device::$function::<$backend, Cuda>(inputs, views, config);
        }
        match dtype {
            DType::F64 => host::$function::<$backend, f64>(inputs, views, config),
            DType::F32 | DType::Flex32 | DType::F16 | DType::BF16 => {
                host::$function::<$backend, f32>(inputs, views, config)
            }
            other => Err(Error::DType {
                argument: "gaussians.means",
                expected: "F64, F32, Flex32, F16 or BF16".to_owned(),
                got: format!("{other:?}"),
            }),
        }
    }};
}

#[cfg(feature = "wgpu")]
type Wgpu = burn_wgpu::WgpuRuntime;
#[cfg(feature = "cuda")]
type Cuda = cubecl_cuda::CudaRuntime;

/// Renders, and keeps nothing.
pub(crate) fn forward<B: Backend>(
    inputs: Inputs<B>,
    views: &Views,
    config: &RenderConfig,
) -> Result<Forward<B>, Error> {
    on_the_right_place!(forward::<B>, inputs, views, config)
}

/// Renders, and keeps what the backward pass needs.
pub(crate) fn record<B: Backend>(
    inputs: Inputs<B>,
    views: &Views,
    config: &RenderConfig,
) -> Result<Recording<B>, Error> {
    on_the_right_place!(record::<B>, inputs, views, config)
}

/// The shapes of the outputs.
pub(crate) struct ImageShapes {
    pub(crate) features: [usize; 4],
    pub(crate) plane: [usize; 3],
    pub(crate) layers: [usize; 5],
}

/// The shapes of images with `layers` prefix images.
pub(crate) fn image_shapes(layout: Layout, layers: usize) -> ImageShapes {
    let [v, h, w, c] = layout.shape;
    ImageShapes {
        features: layout.shape,
        plane: [v, h, w],
        layers: [v, layers, h, w, c],
    }
}

/// The shapes of the seven inputs: N Gaussians of C channels, V views.
pub(crate) fn input_shapes(n: usize, c: usize, v: usize) -> [Vec<usize>; 7] {
    [
        vec![n, 3],
        vec![n, 3],
        vec![n, 4],
        vec![n],
        vec![n, c],
        vec![v, c],
        vec![v, 3, 4],
    ]
}

/// What a vjp shall compute so that all `tracked` inputs have their gradient.
pub(crate) fn wanted(tracked: [bool; 7]) -> Wanted {
    Wanted {
        geometry: tracked[..4].contains(&true),
        features: tracked[4],
        backgrounds: tracked[5],
        cameras: tracked[6],
    }
}
