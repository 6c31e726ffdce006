//! Backends of Burn: the CPU, and behind features the GPU backends that have kernels.

use burn::backend::Autodiff;
use burn::tensor::backend::Backend;
use clap::ValueEnum;

use crate::error::Error;
use crate::workers::Workers;

/// The default backend.
pub type Cpu = burn_flex::Flex;

/// The device of [`Cpu`].
pub type Device = burn_flex::FlexDevice;

/// A backend with gradients.
pub type Training<B = Cpu> = Autodiff<B>;

/// Any GPU that wgpu finds, in `f32`.
#[cfg(feature = "wgpu")]
pub type Wgpu = burn_wgpu::Wgpu<f32, i32, u32>;

/// A GPU of NVIDIA, in `f32`.
#[cfg(feature = "cuda")]
pub type Cuda = burn_cuda::Cuda<f32, i32>;

/// The values of `--device`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Place {
    /// The processor
    Cpu,
    /// A GPU through Vulkan, Metal or `DirectX`; in builds with `--features wgpu`
    Wgpu,
    /// A GPU of NVIDIA; in builds with `--features cuda`
    Cuda,
}

/// A backend on which models train.
pub trait Trains: Backend {
    /// Threads for the pieces of a batch.
    ///
    /// # Errors
    ///
    /// [`Error::Threads`] if the operating system refuses.
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
impl Trains for Wgpu {}

#[cfg(feature = "cuda")]
impl Trains for Cuda {}

impl Place {
    /// The error for a device for which this build has no kernels.
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

/// The default device of `B`.
///
/// # Errors
///
/// [`Error::Argument`] if there is none, or no driver for it.
#[cfg(any(feature = "wgpu", feature = "cuda"))]
pub fn find<B: Backend>() -> Result<B::Device, Error> {
    use std::panic;

    // CubeCL reports a missing adapter or driver by a panic, and in no other way.
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let found = panic::catch_unwind(|| B::name(&B::Device::default()));
    panic::set_hook(hook);
    match found {
        Ok(_) => Ok(B::Device::default()),
        Err(panic) => {
            let said = panic.downcast_ref::<String>().map(String::as_str);
            let said = said.or_else(|| panic.downcast_ref::<&str>().copied());
            Err(Error::Argument {
                argument: "--device",
                expected: "a device with a driver (Vulkan, Metal or DirectX 12 for wgpu, NVIDIA's for cuda)"
                    .to_owned(),
                got: format!("none: {}", said.unwrap_or("a panic of the runtime")),
            })
        }
    }
}
