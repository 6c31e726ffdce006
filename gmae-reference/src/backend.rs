//! Backends of Burn: the CPU, and GPU backends behind the features `wgpu` and `cuda`.

use burn::backend::Autodiff;
#[cfg(any(feature = "wgpu", feature = "cuda"))]
use burn::tensor::backend::Backend;
use clap::ValueEnum;

use crate::error::Error;
use crate::ops::Operations;
use crate::workers::Workers;

/// The default backend.
pub type Cpu = burn_flex::Flex;

/// The device of [`Cpu`].
pub type Device = burn_flex::FlexDevice;

/// The backend `B` with automatic differentiation.
pub type Training<B = Cpu> = Autodiff<B>;

/// The wgpu backend for GPUs with Vulkan, Metal or `DirectX`, in `f32`.
#[cfg(feature = "wgpu")]
pub type Wgpu = burn_wgpu::Wgpu<f32, i32, u32>;

/// The CUDA backend for NVIDIA GPUs, in `f32`.
#[cfg(feature = "cuda")]
pub type Cuda = burn_cuda::Cuda<f32, i32>;

/// The values of `--device`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Place {
    /// The CPU
    Cpu,
    /// A GPU through Vulkan, Metal or `DirectX`; requires a build with `--features wgpu`
    Wgpu,
    /// An NVIDIA GPU through CUDA; requires a build with `--features cuda`
    Cuda,
}

/// A backend that can train models.
pub trait Trains: Operations {
    /// Creates the threads for the pieces of a batch. By default there are none, and the caller
    /// computes the pieces.
    ///
    /// # Errors
    ///
    /// [`Error::Threads`] if the operating system cannot start the threads.
    fn workers() -> Result<Workers, Error> {
        Ok(Workers::none())
    }
}

impl Trains for Cpu {
    fn workers() -> Result<Workers, Error> {
        Workers::new(0)
    }
}

#[cfg(feature = "wgpu")]
impl Operations for Wgpu {}

#[cfg(feature = "wgpu")]
impl Trains for Wgpu {}

#[cfg(feature = "cuda")]
impl Operations for Cuda {}

#[cfg(feature = "cuda")]
impl Trains for Cuda {}

impl Place {
    /// Returns the error for a device that this build does not support.
    #[cfg(not(all(feature = "wgpu", feature = "cuda")))]
    pub(crate) fn missing(self) -> Error {
        let name = format!("{self:?}").to_lowercase();
        Error::Argument {
            argument: "--device",
            expected: format!("a program built with --features {name}"),
            got: name,
        }
    }
}

/// Returns the index of this process's device, if a launcher of MPI has started several processes
/// on this machine. On CUDA, each process gets one of the visible devices. On wgpu, the index has
/// no effect: all processes share the default device.
#[cfg(any(feature = "wgpu", feature = "cuda"))]
fn device_index() -> Option<u16> {
    let variable = |name| std::env::var(name).ok();
    let local = [
        "OMPI_COMM_WORLD_LOCAL_RANK",
        "MPI_LOCALRANKID",
        "SLURM_LOCALID",
    ];
    let local: u16 = local.into_iter().find_map(variable)?.parse().ok()?;
    let visible =
        variable("CUDA_VISIBLE_DEVICES").map_or(u16::MAX, |list| list.split(',').count() as u16);
    Some(local % visible)
}

/// Returns the device of this process on `B`: the default device, or one for each of several
/// processes.
///
/// # Errors
///
/// [`Error::Argument`] if no device or no driver is found.
#[cfg(any(feature = "wgpu", feature = "cuda"))]
pub fn find<B: Backend>() -> Result<B::Device, Error> {
    use burn::tensor::backend::Device;

    // CubeCL reports a missing adapter or driver only by a panic.
    let found = crate::panics::caught(|| {
        let mut id = B::Device::default().to_id();
        id.index_id = device_index().unwrap_or(id.index_id);
        let device = B::Device::from_id(id);
        let _ = B::name(&device);
        device
    });
    found.map_err(|words| Error::Argument {
        argument: "--device",
        expected:
            "a device with a driver (Vulkan, Metal or DirectX 12 for wgpu, NVIDIA's for cuda)"
                .to_owned(),
        got: format!("none: {words}"),
    })
}
