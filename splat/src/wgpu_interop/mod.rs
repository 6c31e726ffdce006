//! A device that `splat` and its caller share, through wgpu 29 and `CubeCL` 0.10.
//!
//! A program that draws with wgpu has a device of its own.
//! [`Gpu::from_wgpu`](crate::Gpu::from_wgpu) renders on that device, so that inputs and pictures
//! never leave it:
//!
//! 1. The caller creates a `wgpu::Device` and a `wgpu::Queue` with at least the limits of plain
//!    WebGPU (`wgpu::Limits::default()`).
//! 2. [`Gpu::from_wgpu`](crate::Gpu::from_wgpu) makes a backend of them.
//! 3. [`Gpu::allocate`](crate::Gpu::allocate) makes a buffer, and
//!    [`Gpu::wgpu_buffer`](crate::Gpu::wgpu_buffer) returns its `wgpu::Buffer`. The caller's shaders
//!    write means or any other input there.
//! 4. [`render`](crate::render()) renders.
//! 5. [`Gpu::pack_rgba8`](crate::Gpu::pack_rgba8) or
//!    [`Gpu::pack_rgba16f`](crate::Gpu::pack_rgba16f) makes pixels, and
//!    [`Gpu::copy_to_texture`](crate::Gpu::copy_to_texture) copies them to the caller's texture.
//!
//! The example `share_device` does all of this. `wgpu` must be the version of this crate,
//! `splat::wgpu`: a device of another version has another type.
//!
//! # Order of the work
//! wgpu executes submissions in the order of the calls of `wgpu::Queue::submit`. The caller submits
//! its own work. `CubeCL` collects launches and submits them later, so two rules keep the order:
//!
//! - The caller's work that reads a buffer of `splat` comes after the launches that write the buffer
//!   if it is submitted after [`Gpu::wgpu_buffer`](crate::Gpu::wgpu_buffer) or
//!   [`Gpu::copy_to_texture`](crate::Gpu::copy_to_texture) returned. These functions submit the
//!   pending launches of the calling thread and of the thread that allocated the buffer. They do not
//!   wait for the device. Launches of other threads may still be pending. Call one of the two
//!   functions on the thread that rendered.
//! - The caller's work that writes a buffer of `splat` comes before the launches that read the
//!   buffer if it is submitted before the launches are requested: call `submit`, then
//!   [`render`](crate::render()). A buffer that launches already read or write must not be written by
//!   the caller before another call of [`Gpu::wgpu_buffer`](crate::Gpu::wgpu_buffer), because these
//!   launches may still be pending.
//!
//! # Memory
//! `CubeCL` places many buffers in one `wgpu::Buffer`. Each [`WgpuSlice`] is a part of it: use its
//! offset and size, never the whole. This has three consequences:
//!
//! - wgpu permits one use of a `wgpu::Buffer` in a dispatch. In a bind group with several slices,
//!   declare all of them as `read_write` storage, also those that are only read. A slice cannot be a
//!   uniform.
//! - `copy_buffer_to_buffer` from one slice to another fails, because both may be in the same
//!   `wgpu::Buffer`. Copy with a shader, or from and to buffers of the caller.
//! - The memory of a slice is used again after the slice, and all clones of its
//!   [`GpuBuffer`](crate::GpuBuffer), have been dropped. Keep the slice until the work that uses it
//!   was submitted.
//!
//! # Lifetime
//! `CubeCL` keeps every device until the program ends, and so does [`Gpu::from_wgpu`]: a device
//! that was given to it is not destroyed when the caller drops it.
//!
//! [`Gpu::from_wgpu`]: crate::Gpu::from_wgpu

mod server;
mod slice;
mod start;

pub use crate::wgpu_interop::slice::WgpuSlice;
