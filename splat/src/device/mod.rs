//! The GPU engine: client, buffers, launches. It knows no stage.
//!
//! Buffers stay on the device from stage to stage. What plain WebGPU offers is enough: 16 KB of
//! shared memory, 256 threads per workgroup, eight storage buffers of which one is `CubeCL`'s own,
//! no subgroups, no atomic floats. Where a device reports more, some kernels have a variant that
//! uses it: subgroups (warps) that need not keep step with each other, numbers of 16 bits, twice
//! the shared memory.

pub(crate) mod buffer;
pub(crate) mod launch;
pub(crate) mod radix;
pub(crate) mod rows;
pub(crate) mod scan;
pub(crate) mod support;

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;

use cubecl::prelude::*;

use crate::device::buffer::GpuBuffer;
use crate::device::support::{CUDA, Support};
use crate::error::{RenderError, checked_product};

/// Bytes that working memory may take by default.
const BUDGET: usize = 1 << 28;

/// Splats of one view that the small regime sorts in shared memory.
pub(crate) const SMALL_VIEW: usize = 1024;

/// How the hits of a tile are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Regime {
    /// [`Regime::Small`] where it is possible and its working memory fits the budget, else
    /// [`Regime::Large`].
    #[default]
    Auto,
    /// Many views of at most 1024 splats: each view is sorted in shared memory, each tile keeps a
    /// bit per splat, and nothing is read back.
    Small,
    /// Few views of up to millions of splats: lists of (splat, tile) pairs, whose number is read
    /// back once.
    Large,
}

/// The GPU backend on the `CubeCL` runtime `R`, at `f32`. Inputs and outputs are [`GpuBuffer`]s,
/// all of one device: a buffer of another device is not found out, see [`GpuBuffer::from_handle`].
///
/// A stage checks that what it takes from the stage before belongs to its splats, as far as the
/// host knows: number of splats, views and their lengths, channels, sides of the image, regime,
/// number of hits. Positions and extents are known to the device alone: hits of other splats that
/// are alike in all of these are not found out. They give another image, and leave other memory
/// alone.
///
/// The same input gives the same bits on one device, whatever the memory budget: sums have a fixed
/// order, and no float is added atomically.
///
/// Launches do not wait for the device, so a kernel that could not be compiled, a buffer that could
/// not be allocated and a device that was lost show as [`RenderError::Device`] where numbers are
/// next read: at [`Gpu::download`], and in the large regime where hits are counted. One fault
/// `CubeCL` reports to nobody but the log: where the driver refuses a compiled kernel (its
/// pipeline), the launch does nothing, and what it was to write is as the buffer was. No kernel
/// here asks for more than the device reports, which rules out the reasons known. Nor does
/// llvmpipe, the software Vulkan of Mesa, say that it ends a thread's loops after 65,535 rounds in
/// all: there, a tile whose pixels walk about that many hits comes out wrong, and so does the
/// gradient by Gaussians that as many views see.
///
/// A browser lets nothing wait. There the device is made by `cubecl_wgpu::init_setup_async` first,
/// scenes are rendered by [`Gpu::render_async`], and results are read by [`Gpu::download_async`]
/// and its kind; [`Gpu::download`], [`Backend::bin`](crate::Backend::bin) and
/// [`render`](crate::render()) panic.
pub struct Gpu<R: Runtime> {
    pub(crate) client: ComputeClient<R>,
    pub(crate) regime: Regime,
    pub(crate) budget: usize,
    /// The largest buffer the device binds, in bytes.
    pub(crate) max_buffer: u64,
    pub(crate) planes: Support,
    /// Whether the device deals threads to subgroups in order: the first of a workgroup to its
    /// first subgroup, and so on. CUDA promises it (CUDA C++ Programming Guide, "SIMT
    /// Architecture"), WGSL and Vulkan leave it open.
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
    /// A backend on `device`.
    ///
    /// # Errors
    /// [`RenderError::Device`] where there is no such device, or it has less than plain WebGPU asks
    /// for. `CubeCL` says by a panic that there is none, which is caught: the panic hook hears of
    /// it, and a program built with `panic = "abort"` ends.
    pub fn new(device: &R::Device) -> Result<Self, RenderError> {
        match caught(|| R::client(device)) {
            Ok(client) => Self::from_client(client),
            Err(got) => {
                let runtime = std::any::type_name::<R>();
                let expected = format!("a device and driver for {runtime} ({device:?})");
                Err(RenderError::Device { expected, got })
            }
        }
    }

    /// A backend on the device of `client`, sharing its memory and its queue.
    ///
    /// # Errors
    /// [`RenderError::Device`] where the device has less than plain WebGPU asks for.
    pub fn from_client(client: ComputeClient<R>) -> Result<Self, RenderError> {
        let properties = client.properties();
        let hardware = &properties.hardware;
        let least = [
            (
                "threads per workgroup",
                hardware.max_units_per_cube as usize,
                256,
            ),
            (
                "bytes of shared memory",
                hardware.max_shared_memory_size,
                16 << 10,
            ),
            ("buffers per kernel", hardware.max_bindings as usize, 7),
        ];
        for (what, got, needed) in least {
            if got < needed {
                return Err(RenderError::Device {
                    expected: format!("a device with {needed} {what}"),
                    got: got.to_string(),
                });
            }
        }
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

    /// The same backend in a regime of one's choice. The image does not depend on it.
    #[must_use]
    pub fn with_regime(self, regime: Regime) -> Self {
        Self { regime, ..self }
    }

    /// The same backend with at most about `bytes` of working memory at a time: larger batches are
    /// taken in chunks, to the same bits. Inputs, outputs and what is saved for the vjp come on
    /// top. So do, in the large regime, 16 bytes per pixel of all views and the tables of the sort,
    /// both of which are whole. However small the budget, a chunk is at least one view, or 4096
    /// hits.
    #[must_use]
    pub fn with_memory_budget(self, bytes: usize) -> Self {
        let budget = bytes;
        Self { budget, ..self }
    }

    /// The client that the kernels are launched on.
    pub fn client(&self) -> &ComputeClient<R> {
        &self.client
    }

    /// Copies numbers to the device.
    ///
    /// # Errors
    /// [`RenderError::Capacity`] where the device has no buffers that long.
    pub fn upload(&self, numbers: &[f32]) -> Result<GpuBuffer, RenderError> {
        self.check_room("an upload", numbers.len())?;
        let some = if numbers.is_empty() { &[0.0] } else { numbers };
        let handle = self.client.create_from_slice(f32::as_bytes(some));
        let len = numbers.len();
        Ok(GpuBuffer { handle, len })
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
    /// [`RenderError::Device`] where the device failed.
    ///
    /// # Panics
    /// In a browser, where nothing may wait: see [`Gpu::download_async`].
    pub fn download(&self, buffer: &GpuBuffer) -> Result<Vec<f32>, RenderError> {
        cubecl::future::block_on(self.download_async(buffer))
    }

    /// [`Gpu::download`] for hosts that must not block.
    ///
    /// # Errors
    /// As [`Gpu::download`].
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
            expected: "a buffer read back".to_owned(),
            got,
        };
        // Asked first: what could not be launched or allocated is noted on the stream of the thread
        // that asked for it, and a read may not say so but give whatever was in the buffer.
        caught(|| buffer.handle.stream.executes(|| self.client.flush()))
            .and_then(|flushed| flushed.map_err(|error| error.to_string()))
            .map_err(device)?;
        let read = caught(|| self.client.read_async(vec![buffer.handle.clone()]));
        let mut read = Box::pin(read.map_err(device)?);
        let read = poll_fn(|context| match caught(|| read.as_mut().poll(context)) {
            Ok(poll) => poll.map(|read| read.map_err(|error| error.to_string())),
            Err(panic) => Poll::Ready(Err(panic)),
        });
        let mut bytes = read.await.map_err(device)?;
        let bytes = bytes.pop().ok_or_else(|| device("nothing".to_owned()))?;
        // Word by word: nothing is said of the alignment of what came back.
        let (words, _) = bytes.as_chunks();
        let words = words.iter().take(buffer.len);
        Ok(words.map(|&word| u32::from_ne_bytes(word)).collect())
    }

    /// Room for `len` words, with whatever is in them.
    pub(crate) fn empty(&self, what: &'static str, len: usize) -> Result<GpuBuffer, RenderError> {
        self.check_room(what, len)?;
        let handle = self.client.empty(len.max(1) * size_of::<f32>());
        Ok(GpuBuffer { handle, len })
    }

    /// Checks that the device binds buffers of `len` words, and that 32 bits number them.
    pub(crate) fn check_room(&self, what: &'static str, len: usize) -> Result<(), RenderError> {
        let bytes = checked_product(what, &[len, size_of::<f32>()])?;
        if len < u32::MAX as usize && bytes as u64 <= self.max_buffer {
            return Ok(());
        }
        Err(RenderError::Capacity {
            what,
            needed: format!("{bytes} bytes in one buffer"),
            limit: format!("{} bytes of the device, or 2^32 words", self.max_buffer),
        })
    }

    /// The most words that a buffer of working memory may have: the budget, or what the device
    /// binds.
    pub(crate) fn chunk_words(&self) -> usize {
        let bytes = (self.budget as u64).min(self.max_buffer);
        (bytes as usize / size_of::<f32>()).min(u32::MAX as usize)
    }
}

impl<R: Runtime> Gpu<R> {
    /// The same backend with or without subgroups, which the backward compositor uses: gradients
    /// then differ in the order of their sums. llvmpipe, the software Vulkan of Mesa, has subgroups
    /// that `CubeCL` does not report, as it reports none of a CPU.
    #[must_use]
    pub fn with_subgroups(self, planes: Support) -> Self {
        Self { planes, ..self }
    }

    /// The same backend with or without numbers of 16 bits, in which the compositors read features
    /// with [`half_features`](crate::RenderConfig::half_features).
    #[must_use]
    pub fn with_halves(self, halves: Support) -> Self {
        Self { halves, ..self }
    }

    /// The same backend with or without kernels whose barriers every thread of a workgroup can be
    /// seen to reach, by a compiler that knows no more than which buffers are only read. Browsers'
    /// compilers demand it (the WGSL specification, "Uniformity"), so it is the default on `wasm`
    /// targets; elsewhere a tile is left as soon as none of its pixels goes on. Kernels with
    /// subgroups exchange numbers within one while others pass by, which browsers refuse in either
    /// case. The image does not depend on it.
    #[must_use]
    pub fn with_uniform_barriers(self, uniform: bool) -> Self {
        Self { uniform, ..self }
    }

    /// The threads of a subgroup where kernels use subgroups: all subgroups of the device must have
    /// as many, 8, 16, 32 or 64.
    pub fn subgroup_size(&self) -> Option<u32> {
        support::usable_subgroup_size(self.client.properties(), self.planes)
    }

    /// Whether kernels read and write numbers of 16 bits.
    pub(crate) fn has_halves(&self) -> bool {
        support::has_halves(self.client.properties(), self.halves)
    }
}

/// Runs what asks something of `CubeCL`, which has no way but a panic to say that there is no
/// adapter or driver, or that a device is lost.
fn caught<T>(ask: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(ask)).map_err(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said.or_else(|| panic.downcast_ref::<&str>().copied());
        said.unwrap_or("a panic of the runtime").to_owned()
    })
}
