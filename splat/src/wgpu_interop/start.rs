//! Backends on a device of the caller, and on a device that is started without blocking.

use cubecl_wgpu::{AutoGraphicsApi, RuntimeOptions, WgpuDevice, WgpuRuntime, init_setup_async};

use crate::device::Gpu;
use crate::device::started::{Start, begin, caught, caught_while_polled};
use crate::error::RenderError;
use crate::wgpu_interop::server;

impl Gpu<WgpuRuntime> {
    /// Creates a backend on a device of the caller, see [`wgpu_interop`](crate::wgpu_interop).
    ///
    /// `queue` must be the queue that was created with `device`. The device is used with its own
    /// limits and its enabled features, not with those of its adapter: 16-bit floats need
    /// `wgpu::Features::SHADER_F16`. No feature is required. The kernels are compiled from WGSL.
    ///
    /// The first call for a device creates a client of `CubeCL` with memory and pipelines of its
    /// own. Later calls return backends on the same client, so that their buffers can be mixed. The
    /// device and the client live until the program ends.
    ///
    /// # Errors
    /// [`RenderError::Device`] if the device has less than 256 threads per workgroup, 65,535
    /// workgroups per side of a grid, 16 KiB of shared memory or 8 storage buffers per shader,
    /// which are limits of plain WebGPU. The error names the limit. The same variant is returned if
    /// the device is lost, or if `queue` belongs to another device. A browser does not report the
    /// latter.
    ///
    /// wgpu has no function that names the device of a queue, so this function provokes an error on
    /// `queue`. It is captured if the queue is the right one. Else the device of `queue` receives
    /// the error, or wgpu panics. The function catches the panic, but the panic hook still runs.
    pub fn from_wgpu(device: &wgpu::Device, queue: &wgpu::Queue) -> Result<Self, RenderError> {
        Self::from_client(server::client(device, queue)?)
    }

    /// [`Gpu::new`] for hosts that must not block. After one of the two has created the client of a
    /// device, both return backends on this client.
    ///
    /// A device `WgpuDevice::Existing` must have been created before.
    ///
    /// # Errors
    /// The errors of [`Gpu::new`]. Also [`RenderError::Device`] if another call for the same device
    /// has not finished, or if a browser's adapter has no timestamps (`timestamp-query`), without
    /// which `CubeCL` does not start there.
    pub async fn new_async(device: &WgpuDevice) -> Result<Self, RenderError> {
        if matches!(device, WgpuDevice::Existing(_)) {
            return Self::new(device);
        }
        let starting = match begin(device) {
            // The client exists, so that `new` only looks it up.
            Start::Done => return Self::new(device),
            Start::Busy => {
                return Err(RenderError::Device {
                    expected: "one start of a device at a time".to_owned(),
                    got: "a second call before the first has finished".to_owned(),
                });
            }
            Start::Mine(starting) => starting,
        };
        let failed = |got: String| RenderError::Device {
            expected: format!("a device and driver for wgpu ({device:?})"),
            got,
        };
        // A panic cannot be caught in a browser.
        if cfg!(target_family = "wasm") {
            look_for_adapter().await.map_err(failed)?;
        }
        let options = caught(RuntimeOptions::default).map_err(failed)?;
        let setup = init_setup_async::<AutoGraphicsApi>(device, options);
        match caught_while_polled(setup).await {
            Ok(_) => {}
            // Another user of `CubeCL` started the device.
            Err(got) if got.contains("already registered") => {}
            Err(got) => return Err(failed(got)),
        }
        starting.done();
        Self::new(device)
    }
}

/// Checks that there is an adapter with the features that `CubeCL` cannot do without.
async fn look_for_adapter() -> Result<(), String> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let options = wgpu::RequestAdapterOptions::default();
    let adapter = instance.request_adapter(&options).await;
    let adapter = adapter.map_err(|error| error.to_string())?;
    let timestamps = wgpu::Features::TIMESTAMP_QUERY;
    if adapter.features().contains(timestamps) {
        return Ok(());
    }
    Err("an adapter without the feature timestamp-query".to_owned())
}
