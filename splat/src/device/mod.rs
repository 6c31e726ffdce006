//! The GPU engine: client, buffers and launches. It does not depend on any stage.
//!
//! Buffers stay on the device between the stages. The kernels need no more than plain WebGPU: 16
//! KiB of shared memory, 256 threads per workgroup, eight storage buffers (`CubeCL` uses one of
//! them), no subgroups, and no atomic floats. If a device reports more, some kernels have a variant
//! that uses it: subgroups (warps) with independent control flow, 16-bit floats, or twice the
//! shared memory.

pub(crate) mod buffer;
pub(crate) mod launch;
pub(crate) mod radix;
pub(crate) mod rows;
pub(crate) mod scan;
pub(crate) mod started;
pub(crate) mod support;

use cubecl::prelude::*;

use crate::device::buffer::GpuBuffer;
use crate::device::started::{caught, caught_while_polled, mark_started};
use crate::device::support::{CUDA, Support};
use crate::error::{RenderError, checked_product};

/// Default budget of working memory, in bytes.
const BUDGET: usize = 1 << 28;

/// Greatest number of splats of a view in the small regime, which sorts a view in shared memory.
pub(crate) const SMALL_VIEW: usize = 1024;

/// The form of the list of hits of each tile. The image does not depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Regime {
    /// Selects [`Regime::Small`] if every view has at most 1024 splats and the working memory fits
    /// the budget, else [`Regime::Large`].
    #[default]
    Auto,
    /// For many views of at most 1024 splats. Each view is sorted in shared memory, and each tile
    /// stores one bit per splat. Nothing is read back.
    Small,
    /// For few views of up to millions of splats. The hits are stored in lists, and their number is
    /// read back once.
    Large,
}

/// The GPU backend on the `CubeCL` runtime `R`, at `f32`. Inputs and outputs are [`GpuBuffer`]s.
///
/// All buffers must be on the same device. A buffer of another device is not detected, see
/// [`GpuBuffer::from_handle`].
///
/// # Validation
/// A stage checks that its arguments from earlier stages belong to its splats. It compares the
/// quantities that the host stores: the number of splats, the views and their lengths, the
/// channels, the image size, the regime and the number of hits. Positions and extents are only on
/// the device. Hits of other splats that agree in all these quantities are therefore not detected.
/// They give a different image, but the kernels access no other memory.
///
/// # Determinism
/// The same input gives the same bits on one device for any memory budget. Sums have a fixed order,
/// and floats are never added atomically.
///
/// # Errors
/// Launches do not wait for the device. A kernel that fails to compile, a failed allocation or a
/// lost device therefore returns [`RenderError::Device`] at the next read: in [`Gpu::download`], or
/// when [`Backend::bin`](crate::Backend::bin) reads the number of hits in the large regime.
///
/// Two faults are not returned as errors:
///
/// - If the driver rejects a compiled kernel (its pipeline), the launch has no effect and the
///   output buffers keep their old contents. `CubeCL` reports this only in its log. No kernel of
///   this crate exceeds the limits that the device reports, which excludes the known causes.
/// - llvmpipe, the software Vulkan of Mesa, ends the loops of a shader after 65,535 iterations in
///   total. A tile whose pixels visit about fifty thousand hits is then wrong. The gradient with
///   respect to a Gaussian that about as many views show is also wrong.
///
/// # Browsers
/// A host in a browser cannot block. Create the backend with `Gpu::new_async` or `Gpu::from_wgpu`,
/// render with [`Gpu::render_async`], and read results with [`Gpu::download_async`] and the other
/// `_async` methods. [`Gpu::download`], [`Backend::bin`](crate::Backend::bin) and
/// [`render`](crate::render()) panic.
pub struct Gpu<R: Runtime> {
    pub(crate) client: ComputeClient<R>,
    pub(crate) regime: Regime,
    pub(crate) budget: usize,
    /// Size of the largest buffer that the device can bind, in bytes.
    pub(crate) max_buffer: u64,
    pub(crate) planes: Support,
    /// Whether the device assigns threads to subgroups in order: the first threads of a workgroup
    /// form its first subgroup, and so on. CUDA guarantees this (CUDA C++ Programming Guide, "SIMT
    /// Architecture"). WGSL and Vulkan do not.
    pub(crate) subgroups_in_order: bool,
    pub(crate) halves: Support,
    pub(crate) uniform: bool,
}

impl<R: Runtime> Clone for Gpu<R> {
    fn clone(&self) -> Self {
        Self {
            client: self.client.clone(),
            ..*self
        }
    }
}

impl<R: Runtime> std::fmt::Debug for Gpu<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gpu")
            .field("runtime", &R::name(&self.client))
            .field("regime", &self.regime)
            .field("budget", &self.budget)
            .field("subgroups", &self.planes)
            .field("subgroups_in_order", &self.subgroups_in_order)
            .field("halves", &self.halves)
            .field("uniform", &self.uniform)
            .finish_non_exhaustive()
    }
}

impl<R: Runtime> Gpu<R> {
    /// Creates a backend on `device`. All backends on one device share its memory and its queue.
    ///
    /// # Errors
    /// [`RenderError::Device`] if the device does not exist, or if it has less than 256 threads per
    /// workgroup, 65,535 workgroups per side of a grid, 16 KiB of shared memory or 7 buffers per
    /// kernel.
    ///
    /// `CubeCL` panics if the device does not exist. This function catches the panic, but the panic
    /// hook still runs, and a program built with `panic = "abort"` ends.
    pub fn new(device: &R::Device) -> Result<Self, RenderError> {
        match caught(|| R::client(device)) {
            Ok(client) => {
                mark_started(device);
                Self::from_client(client)
            }
            Err(got) => {
                let runtime = std::any::type_name::<R>();
                let expected = format!("a device and driver for {runtime} ({device:?})");
                Err(RenderError::Device { expected, got })
            }
        }
    }

    /// Creates a backend on the device of `client`, with the memory and the queue of `client`.
    ///
    /// # Errors
    /// [`RenderError::Device`] if the device has less than 256 threads per workgroup, 65,535
    /// workgroups per side of a grid, 16 KiB of shared memory or 7 buffers per kernel.
    pub fn from_client(client: ComputeClient<R>) -> Result<Self, RenderError> {
        let properties = client.properties();
        support::check_limits(properties)?;
        let max_buffer = properties.memory.max_page_size;
        let subgroups_in_order = R::name(&client) == CUDA;
        Ok(Self {
            client,
            regime: Regime::Auto,
            budget: BUDGET,
            max_buffer,
            planes: Support::Reported,
            subgroups_in_order,
            halves: Support::Reported,
            uniform: cfg!(target_family = "wasm"),
        })
    }

    /// Returns the backend with another regime. The image does not depend on the regime. With
    /// [`Regime::Small`], [`Backend::bin`](crate::Backend::bin) returns an error for a view of more
    /// than 1024 splats.
    #[must_use]
    pub fn with_regime(self, regime: Regime) -> Self {
        Self { regime, ..self }
    }

    /// Returns the backend with a budget of about `bytes` of working memory. Larger batches are
    /// processed in chunks and give the same bits.
    ///
    /// The budget does not include inputs, outputs and the saved state. In the large regime it also
    /// excludes 16 bytes per pixel of all views and the tables of the sort, which are not split.
    /// For any budget, a chunk has at least one view (small regime) or 4096 hits (large regime).
    #[must_use]
    pub fn with_memory_budget(self, bytes: usize) -> Self {
        let budget = bytes;
        Self { budget, ..self }
    }

    /// Returns the client that launches the kernels.
    pub fn client(&self) -> &ComputeClient<R> {
        &self.client
    }

    /// Copies values to the device.
    ///
    /// # Errors
    /// [`RenderError::Capacity`] if the buffer exceeds the device's largest buffer or 32-bit
    /// indices.
    pub fn upload(&self, numbers: &[f32]) -> Result<GpuBuffer, RenderError> {
        self.check_room("an upload", numbers.len())?;
        let some = if numbers.is_empty() { &[0.0] } else { numbers };
        let handle = self.client.create_from_slice(f32::as_bytes(some));
        let len = numbers.len();
        Ok(GpuBuffer { handle, len })
    }

    /// Allocates a buffer of `len` words with unspecified contents. Kernels of the caller fill it.
    ///
    /// # Errors
    /// [`RenderError::Capacity`] if the buffer exceeds the device's largest buffer or 32-bit
    /// indices. If the device's memory is exhausted, the next read returns [`RenderError::Device`].
    pub fn allocate(&self, len: usize) -> Result<GpuBuffer, RenderError> {
        self.empty("an allocation", len)
    }

    /// Copies integers to the device.
    pub(crate) fn upload_words(&self, words: &[u32]) -> Result<GpuBuffer, RenderError> {
        self.check_room("an upload", words.len())?;
        let some = if words.is_empty() { &[0] } else { words };
        let handle = self.client.create_from_slice(u32::as_bytes(some));
        let len = words.len();
        Ok(GpuBuffer { handle, len })
    }

    /// Waits for a buffer and copies it to the host.
    ///
    /// # Errors
    /// [`RenderError::Device`] if the device failed.
    ///
    /// # Panics
    /// Panics in a browser, where a host cannot block: use [`Gpu::download_async`].
    pub fn download(&self, buffer: &GpuBuffer) -> Result<Vec<f32>, RenderError> {
        cubecl::future::block_on(self.download_async(buffer))
    }

    /// [`Gpu::download`] for hosts that must not block.
    ///
    /// # Errors
    /// [`RenderError::Device`] if the device failed.
    pub async fn download_async(&self, buffer: &GpuBuffer) -> Result<Vec<f32>, RenderError> {
        let words = self.read(buffer).await?;
        Ok(words.into_iter().map(f32::from_bits).collect())
    }

    /// Waits for integers and copies them to the host.
    pub(crate) fn download_words(&self, buffer: &GpuBuffer) -> Result<Vec<u32>, RenderError> {
        cubecl::future::block_on(self.read(buffer))
    }

    pub(crate) async fn read(&self, buffer: &GpuBuffer) -> Result<Vec<u32>, RenderError> {
        if buffer.is_empty() {
            return Ok(Vec::new());
        }
        let device = |got: String| RenderError::Device {
            expected: "the contents of a buffer".to_owned(),
            got,
        };
        self.flush(buffer).map_err(device)?;
        let read = caught(|| self.client.read_async(vec![buffer.handle.clone()]));
        let read = caught_while_polled(read.map_err(device)?).await;
        let read = read.map_err(device)?;
        let mut bytes = read.map_err(|error| device(error.to_string()))?;
        let bytes = bytes.pop().ok_or_else(|| device("nothing".to_owned()))?;
        // The returned bytes need not be aligned to words.
        let (words, _) = bytes.as_chunks();
        let words = words.iter().take(buffer.len);
        Ok(words.map(|&word| u32::from_ne_bytes(word)).collect())
    }

    /// Submits the launches of the thread that allocated `buffer`. Failed launches and allocations
    /// are recorded on the stream of the thread that requested them. A read alone may return the
    /// buffer's contents without an error.
    pub(crate) fn flush(&self, buffer: &GpuBuffer) -> Result<(), String> {
        caught(|| buffer.handle.stream.executes(|| self.client.flush()))
            .and_then(|flushed| flushed.map_err(|error| error.to_string()))
    }

    /// Allocates `len` words with unspecified contents.
    pub(crate) fn empty(&self, what: &'static str, len: usize) -> Result<GpuBuffer, RenderError> {
        self.check_room(what, len)?;
        let handle = self.client.empty(len.max(1) * size_of::<f32>());
        Ok(GpuBuffer { handle, len })
    }

    /// Checks that the device can bind a buffer of `len` words, and that 32 bits can number the
    /// words.
    pub(crate) fn check_room(&self, what: &'static str, len: usize) -> Result<(), RenderError> {
        let bytes = checked_product(what, &[len, size_of::<f32>()])?;
        if len < u32::MAX as usize && bytes as u64 <= self.max_buffer {
            return Ok(());
        }
        Err(RenderError::Capacity {
            what,
            needed: format!("{bytes} bytes in one buffer"),
            limit: format!(
                "{} bytes in one buffer of the device, or 2^32 words",
                self.max_buffer
            ),
        })
    }

    /// Returns the greatest number of words of a buffer of working memory. The budget and the
    /// device's largest buffer limit it.
    pub(crate) fn chunk_words(&self) -> usize {
        let bytes = (self.budget as u64).min(self.max_buffer);
        (bytes as usize / size_of::<f32>()).min(u32::MAX as usize)
    }
}

impl<R: Runtime> Gpu<R> {
    /// Returns the backend with or without subgroups, which the backward compositor uses. The
    /// setting changes the order in which gradients are summed.
    ///
    /// llvmpipe, the software Vulkan of Mesa, supports subgroups, but `CubeCL` reports none for a
    /// CPU.
    #[must_use]
    pub fn with_subgroups(self, planes: Support) -> Self {
        Self { planes, ..self }
    }

    /// Returns the backend with or without 16-bit floats. The compositors use them to read features
    /// with [`half_features`](crate::RenderConfig::half_features).
    #[must_use]
    pub fn with_halves(self, halves: Support) -> Self {
        Self { halves, ..self }
    }

    /// Returns the backend with or without uniform barriers. The image does not depend on this
    /// setting.
    ///
    /// With uniform barriers, a compiler can prove that every thread of a workgroup reaches every
    /// barrier. The proof uses only the fact that some buffers are read-only. Browsers' compilers
    /// require such a proof (the WGSL specification, "Uniformity"), so uniform barriers are the
    /// default on `wasm` targets. Without uniform barriers, the forward compositor leaves a tile as
    /// soon as all of its pixels have ended.
    ///
    /// Kernels with subgroups exchange values within one subgroup while other subgroups skip the
    /// exchange. Browsers reject these kernels with either setting.
    #[must_use]
    pub fn with_uniform_barriers(self, uniform: bool) -> Self {
        Self { uniform, ..self }
    }

    /// Returns the number of threads per subgroup, or `None` if kernels use no subgroups. Kernels
    /// use subgroups only if all subgroups of the device have the same size of 8, 16, 32 or 64
    /// threads.
    pub fn subgroup_size(&self) -> Option<u32> {
        support::usable_subgroup_size(self.client.properties(), self.planes)
    }

    /// Returns whether kernels read and write 16-bit floats.
    pub(crate) fn has_halves(&self) -> bool {
        support::has_halves(self.client.properties(), self.halves)
    }
}
