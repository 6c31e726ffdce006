//! Buffers on a device.

use cubecl::prelude::*;
use cubecl::server::Handle;

use crate::error::RenderError;
use crate::splats::Splats;

/// Contiguous 32-bit words on a device: the backend's `f32` buffers.
#[derive(Debug, Clone)]
pub struct GpuBuffer {
    pub(super) handle: Handle,
    pub(super) len: usize,
}

impl GpuBuffer {
    /// The first `len` words behind `handle`.
    ///
    /// A handle of `CubeCL` does not name the device that it was made on, so a buffer cannot be
    /// told from one of another device. Passing a buffer to a [`Gpu`](crate::Gpu) on another client
    /// is a fault that is not found: kernels read and write memory of that client which has nothing
    /// to do with the buffer, or `CubeCL` panics. A clone of a client, and a client made from the
    /// same device, will do.
    ///
    /// # Errors
    /// [`RenderError::Shape`] where there are fewer; [`RenderError::Capacity`] where 32 bits do not
    /// number them.
    pub fn from_handle(handle: Handle, len: usize) -> Result<Self, RenderError> {
        if len >= u32::MAX as usize {
            return Err(RenderError::Capacity {
                what: "a buffer",
                needed: format!("{len} words"),
                limit: format!("{} (32-bit index)", u32::MAX - 1),
            });
        }
        let words = handle.size_in_used() / size_of::<f32>() as u64;
        if words < len as u64 {
            let expected = format!("at least {len} words of 32 bits");
            return Err(RenderError::shape("handle", expected, words.to_string()));
        }
        Ok(Self { handle, len })
    }

    /// The memory of the words.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// The number of words.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The `len` words from `start` on, `start` being where a section of
    /// [`Sections`](crate::device::launch::Sections) begins.
    pub(crate) fn section(&self, start: usize, len: usize) -> Self {
        let word = size_of::<f32>();
        let handle = self.handle.clone();
        let rest = handle.size_in_used() - ((start + len.max(1)) * word) as u64;
        let handle = handle.offset_start((start * word) as u64).offset_end(rest);
        Self { handle, len }
    }

    /// The buffer as a kernel's argument.
    pub(crate) fn arg<R: Runtime>(&self) -> ArrayArg<R> {
        // SAFETY: the handle has `len` words, as whoever made the buffer has seen to, and launches
        // check every index against it. An empty buffer is passed as one word, for want of empty
        // arrays; no count lets a kernel read it.
        unsafe { ArrayArg::from_raw_parts(self.handle.clone(), self.len.max(1)) }
    }

    /// The buffer as an argument of `len` numbers of 16 bits, two to a word.
    pub(crate) fn arg_of_halves<R: Runtime>(&self, len: usize) -> ArrayArg<R> {
        // SAFETY: as `arg`, two numbers to a word.
        unsafe { ArrayArg::from_raw_parts(self.handle.clone(), len.min(2 * self.len).max(1)) }
    }
}

/// Checks shapes, and that features are where kernels look for them.
pub(crate) fn validate_splats(splats: &Splats<&GpuBuffer>) -> Result<(), RenderError> {
    splats.validate(|buffer| buffer.len())?;
    if splats.half_features.is_none() {
        return Ok(());
    }
    let expected = "none on a device: `Gpu::upload_splats` widens them";
    Err(RenderError::shape("splats.half_features", expected, "some"))
}
