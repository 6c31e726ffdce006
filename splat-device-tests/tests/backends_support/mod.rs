//! The tested backends, each as a function from a scene to its results.

pub mod many;

use std::sync::Arc;

use splat::check::{Outcome, OwnedScene, Report, check_backend, run_backend};
use splat::{Cpu, Image, RenderError, Wanted};
#[cfg(feature = "gpu")]
use splat::{Gpu, Regime, Support};

#[cfg(feature = "wgpu")]
use splat::measure::gpu::with_subgroups_in_order;

type Run = dyn Fn(&OwnedScene, &Image<Vec<f64>>, Wanted, Option<usize>) -> Result<Outcome, RenderError>
    + Send
    + Sync;

type Check = dyn Fn() -> Report + Send + Sync;

/// A backend in one regime.
#[derive(Clone)]
pub struct Entry {
    pub name: &'static str,
    /// The memory budget in bytes, if it is not the default.
    pub budget: Option<usize>,
    functions: Option<(Arc<Run>, Arc<Check>)>,
}

impl Entry {
    /// Whether the device of the backend is available.
    pub fn available(&self) -> bool {
        self.functions.is_some()
    }

    /// Returns the backend with a memory budget of `bytes`.
    pub fn with_budget(&self, bytes: usize) -> Self {
        let budget = Some(bytes);
        Self {
            budget,
            ..self.clone()
        }
    }

    fn functions(&self) -> Result<&(Arc<Run>, Arc<Check>), RenderError> {
        self.functions.as_ref().ok_or_else(|| RenderError::Device {
            expected: self.name.to_owned(),
            got: "nothing".to_owned(),
        })
    }

    /// Renders the scene and computes the gradients.
    pub fn run(
        &self,
        scene: &OwnedScene,
        v_image: &Image<Vec<f64>>,
        wanted: Wanted,
    ) -> Result<Outcome, RenderError> {
        self.functions()?.0(scene, v_image, wanted, self.budget)
    }

    /// Runs the checks of a backend.
    pub fn check(&self) -> Result<Report, RenderError> {
        Ok(self.functions()?.1())
    }

    /// The CPU at `f32`.
    pub fn cpu() -> Self {
        let on_cpu = |scene: &OwnedScene, v_image: &Image<Vec<f64>>, wanted, _| {
            run_backend(&Cpu::<f32>::new(), scene, v_image, wanted)
        };
        let check = || check_backend(&Cpu::<f32>::new());
        Self {
            name: "cpu",
            budget: None,
            functions: Some((Arc::new(on_cpu), Arc::new(check))),
        }
    }
}

/// Returns the backend of a device in one regime.
#[cfg(feature = "gpu")]
fn device<R: cubecl::Runtime>(name: &'static str, gpu: Option<&Gpu<R>>, regime: Regime) -> Entry
where
    Gpu<R>: Send + Sync,
{
    let functions = gpu.map(|gpu| {
        let gpu = gpu.clone().with_regime(regime);
        let checked = gpu.clone();
        let on_device = move |scene: &OwnedScene, v_image: &Image<Vec<f64>>, wanted, budget| {
            let gpu = match budget {
                Some(bytes) => gpu.clone().with_memory_budget(bytes),
                None => gpu.clone(),
            };
            run_backend(&gpu, scene, v_image, wanted)
        };
        let check = move || check_backend(&checked);
        (
            Arc::new(on_device) as Arc<Run>,
            Arc::new(check) as Arc<Check>,
        )
    });
    Entry {
        name,
        budget: None,
        functions,
    }
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
