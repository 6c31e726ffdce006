//! The backends of the table, each as a function from numbers on the host to numbers on the host.

pub mod compare;
pub mod many;
pub mod scenes;

use std::sync::Arc;

use splat::{Cpu, Gradients, Image, RenderError, Wanted, render, render_vjp};
#[cfg(feature = "gpu")]
use splat::{Gpu, Regime, Support};

#[cfg(feature = "wgpu")]
use splat::measure::gpu::with_planes_in_order;

use crate::support::World;

/// What a render and its vjp gave.
pub type Outcome = (Image<Vec<f32>>, Gradients<Vec<f32>>);

type Run = dyn Fn(&World, &Image<Vec<f32>>, Wanted, Option<usize>) -> Result<Outcome, RenderError>
    + Send
    + Sync;

/// A backend in one regime.
#[derive(Clone)]
pub struct Place {
    pub name: &'static str,
    /// Bytes of working memory.
    pub budget: Option<usize>,
    run: Option<Arc<Run>>,
}

impl Place {
    /// Whether there is a device.
    pub fn available(&self) -> bool {
        self.run.is_some()
    }

    /// The same with at most `bytes` of working memory.
    pub fn with_budget(&self, bytes: usize) -> Self {
        let budget = Some(bytes);
        Self {
            budget,
            ..self.clone()
        }
    }

    /// Renders and differentiates.
    pub fn run(
        &self,
        world: &World,
        v_image: &Image<Vec<f32>>,
        wanted: Wanted,
    ) -> Result<Outcome, RenderError> {
        match &self.run {
            Some(run) => run(world, v_image, wanted, self.budget),
            None => Err(RenderError::Device {
                expected: self.name.to_owned(),
                got: "nothing".to_owned(),
            }),
        }
    }

    /// The CPU at `f32`.
    pub fn cpu() -> Self {
        let run = |world: &World, v_image: &Image<Vec<f32>>, wanted, _| {
            let rounded = world.rounded::<f32>();
            let (backend, scene) = (Cpu::new(), rounded.scene());
            let (image, saved) = render(&backend, &scene, &world.config)?;
            let v = render_vjp(&backend, &scene, &saved, &v_image.as_slices(), wanted)?;
            Ok((image, v))
        };
        Self {
            name: "cpu",
            budget: None,
            run: Some(Arc::new(run)),
        }
    }
}

/// A device in one regime.
#[cfg(feature = "gpu")]
fn device<R: cubecl::Runtime>(name: &'static str, cube: Option<&Gpu<R>>, regime: Regime) -> Place
where
    Gpu<R>: Send + Sync,
{
    let run = cube.map(|cube| {
        let cube = cube.clone().with_regime(regime);
        let run = move |world: &World, v_image: &Image<Vec<f32>>, wanted, budget| {
            let cube = match budget {
                Some(bytes) => cube.clone().with_memory_budget(bytes),
                None => cube.clone(),
            };
            on_device(&cube, world, v_image, wanted)
        };
        Arc::new(run) as Arc<Run>
    });
    Place {
        name,
        budget: None,
        run,
    }
}

/// Renders and differentiates on a device.
#[cfg(feature = "gpu")]
pub fn on_device<R: cubecl::Runtime>(
    cube: &Gpu<R>,
    world: &World,
    v_image: &Image<Vec<f32>>,
    wanted: Wanted,
) -> Result<Outcome, RenderError> {
    let rounded = world.rounded::<f32>();
    let gaussians = cube.upload_gaussians(&rounded.gaussians.as_slices())?;
    let backgrounds = cube.upload(&rounded.backgrounds)?;
    let scene = splat::Scene {
        gaussians: gaussians.map(|buffer| buffer),
        views: &rounded.views,
        backgrounds: &backgrounds,
    };
    let (image, saved) = render(cube, &scene, &world.config)?;
    let v_image = cube.upload_image(&v_image.as_slices())?;
    let v = render_vjp(cube, &scene, &saved, &v_image.map(|buffer| buffer), wanted)?;
    Ok((cube.download_image(&image)?, cube.download_gradients(&v)?))
}

/// Planes of a device.
#[cfg(feature = "wgpu")]
struct Planes {
    /// Whether it has any, reported by `CubeCL` or not.
    any: bool,
    /// Whether units are dealt to them in order, as far as is known: llvmpipe, a CPU, does so.
    in_order: bool,
}

#[cfg(feature = "wgpu")]
fn planes_of_device() -> Planes {
    let instance = wgpu::Instance::default();
    let adapter = instance.request_adapter(&wgpu::RequestAdapterOptions::default());
    let adapter = cubecl::future::block_on(adapter).ok();
    let features = adapter.as_ref().map(wgpu::Adapter::features);
    let kind = adapter.map(|adapter| adapter.get_info().device_type);
    Planes {
        any: features.is_some_and(|features| features.contains(wgpu::Features::SUBGROUP)),
        in_order: kind == Some(wgpu::DeviceType::Cpu),
    }
}

/// Every backend this program was built with.
pub fn places() -> Vec<Place> {
    #[cfg_attr(not(feature = "gpu"), expect(unused_mut, reason = "no other backend"))]
    let mut places = vec![Place::cpu()];
    #[cfg(feature = "wgpu")]
    {
        let cube = Gpu::<cubecl_wgpu::WgpuRuntime>::new(&cubecl_wgpu::WgpuDevice::default()).ok();
        let plain = cube.clone().map(|cube| cube.with_planes(Support::Never));
        let known = planes_of_device();
        let planes = cube.filter(|_| known.any);
        let planes = planes.map(|cube| cube.with_planes(Support::Assumed));
        let planes = planes.filter(|cube| cube.plane_size().is_some());
        places.push(device("wgpu_small", plain.as_ref(), Regime::Small));
        places.push(device("wgpu_large", plain.as_ref(), Regime::Large));
        places.push(device("wgpu_small_planes", planes.as_ref(), Regime::Small));
        // In one of the two regimes, so that both kinds of kernels run.
        let planes = planes.map(|cube| with_planes_in_order(cube, known.in_order));
        places.push(device("wgpu_large_planes", planes.as_ref(), Regime::Large));
    }
    #[cfg(feature = "cuda")]
    {
        let cube = Gpu::<cubecl_cuda::CudaRuntime>::new(&cubecl_cuda::CudaDevice::default()).ok();
        places.push(device("cuda_small", cube.as_ref(), Regime::Small));
        places.push(device("cuda_large", cube.as_ref(), Regime::Large));
        let plain = cube.map(|cube| cube.with_planes(Support::Never));
        places.push(device(
            "cuda_small_no_planes",
            plain.as_ref(),
            Regime::Small,
        ));
        places.push(device(
            "cuda_large_no_planes",
            plain.as_ref(),
            Regime::Large,
        ));
    }
    places
}
