//! The backends that render the pictures.

use clap::ValueEnum;
use splat::io::StoredView;
use splat::{Cpu, Gaussians, RenderConfig, RenderError, Scene, Splats, Views, render};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    Cpu,
    Wgpu,
    Cuda,
}

impl Kind {
    /// Checks that this build has the backend.
    pub(crate) fn check(self) -> Result<(), String> {
        let feature = match self {
            Self::Wgpu if cfg!(not(feature = "wgpu")) => "wgpu",
            Self::Cuda if cfg!(not(feature = "cuda")) => "cuda",
            _ => return Ok(()),
        };
        let command = format!("cargo run --release -p splat --features {feature}");
        Err(format!(
            "--backend {feature}: expected a build with the feature {feature} \
             ({command} --example view_scene), got one without it"
        ))
    }
}

/// Renders a view on black. Returns its colours `[H, W, 3]` and its splats.
pub(crate) type Draw<'a> =
    Box<dyn Fn(&StoredView) -> Result<(Vec<f32>, Splats<Vec<f32>>), RenderError> + 'a>;

/// Opens a backend for one scene.
///
/// # Errors
/// Those of the device, and that this build does not have the backend.
pub(crate) fn open<'a>(
    kind: Kind,
    gaussians: Gaussians<&'a [f32]>,
    config: &'a RenderConfig,
) -> Result<Draw<'a>, RenderError> {
    match kind {
        Kind::Cpu => Ok(on_cpu(gaussians, config)),
        #[cfg(feature = "wgpu")]
        Kind::Wgpu => {
            let gpu = splat::Gpu::<splat::WgpuRuntime>::new(&splat::WgpuDevice::default())?;
            on_gpu(gpu, gaussians, config)
        }
        #[cfg(feature = "cuda")]
        Kind::Cuda => {
            let gpu = splat::Gpu::<splat::CudaRuntime>::new(&splat::CudaDevice::default())?;
            on_gpu(gpu, gaussians, config)
        }
        #[cfg(not(all(feature = "wgpu", feature = "cuda")))]
        _ => Err(RenderError::Device {
            expected: "a backend of this build".to_owned(),
            got: format!("{kind:?}"),
        }),
    }
}

fn on_cpu<'a>(gaussians: Gaussians<&'a [f32]>, config: &'a RenderConfig) -> Draw<'a> {
    let backend = Cpu::<f32>::new();
    Box::new(move |view| {
        let scene = Scene {
            gaussians,
            views: &Views::single(view.width, view.height, view.camera, gaussians.count),
            backgrounds: &[0.0; 3],
        };
        let (image, saved) = render(&backend, &scene, config)?;
        Ok((image.features, saved.splats))
    })
}

/// Uploads the scene once.
#[cfg(any(feature = "wgpu", feature = "cuda"))]
fn on_gpu<'a, R: splat::cubecl::Runtime>(
    gpu: splat::Gpu<R>,
    gaussians: Gaussians<&'a [f32]>,
    config: &'a RenderConfig,
) -> Result<Draw<'a>, RenderError> {
    let uploaded = gaussians.try_map(|numbers| gpu.upload(numbers))?;
    let background = gpu.upload(&[0.0; 3])?;
    Ok(Box::new(move |view| {
        let scene = Scene {
            gaussians: uploaded.map(|buffer| buffer),
            views: &Views::single(view.width, view.height, view.camera, uploaded.count),
            backgrounds: &background,
        };
        let (image, saved) = render(&gpu, &scene, config)?;
        let splats = gpu.download_splats(&saved.splats)?;
        Ok((gpu.download_image(&image)?.features, splats))
    }))
}
