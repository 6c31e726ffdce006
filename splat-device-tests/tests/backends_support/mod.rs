//! The tested backends, each as a function from host buffers to host buffers.

pub mod compare;
pub mod hostile;
pub mod many;
pub mod scenes;

use std::sync::Arc;

use splat::{Contributors, Cpu, Gradients, Image, RenderError, Wanted, render, render_vjp};
#[cfg(feature = "gpu")]
use splat::{Gpu, Regime, Support};

#[cfg(feature = "wgpu")]
use splat::measure::gpu::with_subgroups_in_order;

use crate::support::World;

/// The contributors of a render, if its settings ask for them.
pub type Found = Option<Contributors<Vec<f32>, Vec<u32>>>;

/// The image and the contributors of a render, and the gradients of its vjp.
pub type Outcome = (Image<Vec<f32>>, Gradients<Vec<f32>>, Found);

type Run = dyn Fn(&World, &Image<Vec<f32>>, Wanted, Option<usize>) -> Result<Outcome, RenderError>
    + Send
    + Sync;

/// A backend in one regime.
#[derive(Clone)]
pub struct Entry {
    pub name: &'static str,
    /// The memory budget in bytes, if it is not the default.
    pub budget: Option<usize>,
    run: Option<Arc<Run>>,
}

impl Entry {
    /// Whether the device of the backend is available.
    pub fn available(&self) -> bool {
        self.run.is_some()
    }

    /// Returns the backend with a memory budget of `bytes`.
    pub fn with_budget(&self, bytes: usize) -> Self {
        let budget = Some(bytes);
        Self {
            budget,
            ..self.clone()
        }
    }

    /// Renders the world and computes the gradients.
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
            Ok((image, v, saved.contributors().cloned()))
        };
        Self {
            name: "cpu",
            budget: None,
            run: Some(Arc::new(run)),
        }
    }
}

/// Returns the backend of a device in one regime.
#[cfg(feature = "gpu")]
fn device<R: cubecl::Runtime>(name: &'static str, gpu: Option<&Gpu<R>>, regime: Regime) -> Entry
where
    Gpu<R>: Send + Sync,
{
    let run = gpu.map(|gpu| {
        let gpu = gpu.clone().with_regime(regime);
        let run = move |world: &World, v_image: &Image<Vec<f32>>, wanted, budget| {
            let gpu = match budget {
                Some(bytes) => gpu.clone().with_memory_budget(bytes),
                None => gpu.clone(),
            };
            on_device(&gpu, world, v_image, wanted)
        };
        Arc::new(run) as Arc<Run>
    });
    Entry {
        name,
        budget: None,
        run,
    }
}

/// Renders the world and computes the gradients on a device.
#[cfg(feature = "gpu")]
pub fn on_device<R: cubecl::Runtime>(
    gpu: &Gpu<R>,
    world: &World,
    v_image: &Image<Vec<f32>>,
    wanted: Wanted,
) -> Result<Outcome, RenderError> {
    let rounded = world.rounded::<f32>();
    let gaussians = gpu.upload_gaussians(&rounded.gaussians.as_slices())?;
    let backgrounds = gpu.upload(&rounded.backgrounds)?;
    let scene = splat::Scene {
        gaussians: gaussians.map(|buffer| buffer),
        views: &rounded.views,
        backgrounds: &backgrounds,
    };
    let (image, saved) = render(gpu, &scene, &world.config)?;
    let v_image = gpu.upload_image(&v_image.as_slices())?;
    let v = render_vjp(gpu, &scene, &saved, &v_image.map(|buffer| buffer), wanted)?;
    let contributors = saved.contributors();
    let contributors = contributors.map(|found| gpu.download_contributors(found));
    Ok((
        gpu.download_image(&image)?,
        gpu.download_gradients(&v)?,
        contributors.transpose()?,
    ))
}

/// Properties of a device's subgroups.
#[cfg(feature = "wgpu")]
struct Planes {
    /// Whether the adapter supports subgroups, even if `CubeCL` does not report them.
    any: bool,
    /// Whether threads are known to be assigned to subgroups in order. This is known only of
    /// devices that are CPUs, such as llvmpipe.
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

/// Returns every backend of this build.
pub fn entries() -> Vec<Entry> {
    #[cfg_attr(not(feature = "gpu"), expect(unused_mut, reason = "no other backend"))]
    let mut entries = vec![Entry::cpu()];
    #[cfg(feature = "wgpu")]
    {
        let gpu = Gpu::<cubecl_wgpu::WgpuRuntime>::new(&cubecl_wgpu::WgpuDevice::default()).ok();
        let plain = gpu.clone().map(|gpu| gpu.with_subgroups(Support::Never));
        let known = planes_of_device();
        let planes = gpu.filter(|_| known.any);
        let planes = planes.map(|gpu| gpu.with_subgroups(Support::Assumed));
        let planes = planes.filter(|gpu| gpu.subgroup_size().is_some());
        entries.push(device("wgpu_small", plain.as_ref(), Regime::Small));
        entries.push(device("wgpu_large", plain.as_ref(), Regime::Large));
        entries.push(device("wgpu_small_planes", planes.as_ref(), Regime::Small));
        // Only in the large regime, so that the kernels of both cases run.
        let planes = planes.map(|gpu| with_subgroups_in_order(gpu, known.in_order));
        entries.push(device("wgpu_large_planes", planes.as_ref(), Regime::Large));
    }
    #[cfg(feature = "cuda")]
    {
        let gpu = Gpu::<cubecl_cuda::CudaRuntime>::new(&cubecl_cuda::CudaDevice::default()).ok();
        entries.push(device("cuda_small", gpu.as_ref(), Regime::Small));
        entries.push(device("cuda_large", gpu.as_ref(), Regime::Large));
        let plain = gpu.map(|gpu| gpu.with_subgroups(Support::Never));
        entries.push(device(
            "cuda_small_no_planes",
            plain.as_ref(),
            Regime::Small,
        ));
        entries.push(device(
            "cuda_large_no_planes",
            plain.as_ref(),
            Regime::Large,
        ));
    }
    entries
}
