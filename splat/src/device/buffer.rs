//! Buffers on a device.

use cubecl::prelude::*;
use cubecl::server::Handle;

use crate::error::RenderError;
use crate::splats::Splats;

/// A contiguous buffer of 32-bit words on a device. The backend stores `f32` in it.
#[derive(Debug, Clone)]
pub struct GpuBuffer {
    pub(super) handle: Handle,
    pub(super) len: usize,
}

impl GpuBuffer {
    /// Wraps the first `len` words of `handle`.
    ///
    /// A `CubeCL` handle does not name its device, so a buffer of another device is not detected.
    /// If a buffer is passed to a [`Gpu`](crate::Gpu) on another client, `CubeCL` may panic, or
    /// kernels read and write unrelated memory of that client. A clone of the client, or another
    /// client made from the same device, is valid.
    ///
    /// # Errors
    /// - [`RenderError::Shape`] if `handle` has fewer than `len` words.
    /// - [`RenderError::Capacity`] if `len` exceeds 32-bit indices.
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

    /// Returns the handle of the buffer's memory.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Returns the number of words.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns whether the buffer has no words.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns the `len` words from `start` on. `start` must be the beginning of a section of
    /// [`Sections`](crate::device::launch::Sections).
    pub(crate) fn section(&self, start: usize, len: usize) -> Self {
        let word = size_of::<f32>();
        let handle = self.handle.clone();
        let rest = handle.size_in_used() - ((start + len.max(1)) * word) as u64;
        let handle = handle.offset_start((start * word) as u64).offset_end(rest);
        Self { handle, len }
    }

    /// Returns the buffer as a kernel argument.
    pub(crate) fn arg<R: Runtime>(&self) -> ArrayArg<R> {
        // SAFETY: the constructors of the buffer ensure that the handle has `len` words, and
        // launches check every index against `len`. CubeCL has no empty arrays, so an empty buffer
        // is passed as one word. The counts of a kernel keep it from reading that word.
        unsafe { ArrayArg::from_raw_parts(self.handle.clone(), self.len.max(1)) }
    }

    /// Returns the buffer as a kernel argument of `len` 16-bit floats, two per word.
    pub(crate) fn arg_of_halves<R: Runtime>(&self, len: usize) -> ArrayArg<R> {
        // SAFETY: as in `arg`, with two 16-bit floats per word.
        unsafe { ArrayArg::from_raw_parts(self.handle.clone(), len.min(2 * self.len).max(1)) }
    }
}

/// A contiguous buffer of `u32` on a device.
#[derive(Debug, Clone)]
pub struct GpuIndices(pub(crate) GpuBuffer);

impl GpuIndices {
    /// Returns the handle of the buffer's memory.
    pub fn handle(&self) -> &Handle {
        self.0.handle()
    }

    /// Returns the number of indices.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether the buffer has no indices.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Checks the shapes, and that the features are in `features` and not in `half_features`.
pub(crate) fn validate_splats(splats: &Splats<&GpuBuffer>) -> Result<(), RenderError> {
    splats.validate(|buffer| buffer.len())?;
    if splats.half_features.is_none() {
        return Ok(());
    }
    let expected = "none on a device: `Gpu::upload_splats` converts them to f32";
    Err(RenderError::shape("splats.half_features", expected, "some"))
}
