//! The memory of a buffer as wgpu sees it, and copies to textures.

use std::num::NonZeroU64;

use cubecl_wgpu::WgpuRuntime;
use wgpu::TextureFormat;

use crate::device::Gpu;
use crate::device::buffer::GpuBuffer;
use crate::device::started::caught;
use crate::error::RenderError;
use crate::pack::gpu::PackedImage;

/// The part of a `wgpu::Buffer` that is the memory of a [`GpuBuffer`], see
/// [`wgpu_interop`](crate::wgpu_interop). `CubeCL` does not use the memory for anything else before
/// the slice is dropped.
#[derive(Debug, Clone)]
pub struct WgpuSlice {
    buffer: wgpu::Buffer,
    offset: u64,
    size: NonZeroU64,
    /// Keeps the memory from being used again.
    _memory: GpuBuffer,
}

impl WgpuSlice {
    /// Returns the buffer that contains the slice and, in general, other buffers of `CubeCL`. Its
    /// usages are `STORAGE`, `COPY_SRC`, `COPY_DST` and `INDIRECT`.
    pub fn buffer(&self) -> &wgpu::Buffer {
        &self.buffer
    }

    /// Returns the first byte of the slice in [`WgpuSlice::buffer`]. It is a multiple of the
    /// device's `min_storage_buffer_offset_alignment`, if the [`GpuBuffer`] is one of this crate's.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Returns the number of bytes: 4 times the number of words of the [`GpuBuffer`].
    pub fn size(&self) -> u64 {
        self.size.get()
    }

    /// Returns the slice as a resource of a bind group.
    pub fn as_binding(&self) -> wgpu::BindingResource<'_> {
        wgpu::BindingResource::Buffer(wgpu::BufferBinding {
            buffer: &self.buffer,
            offset: self.offset,
            size: Some(self.size),
        })
    }
}

impl Gpu<WgpuRuntime> {
    /// Submits the pending launches of the calling thread and of the thread that allocated
    /// `buffer`, and returns the memory of `buffer`. It does not wait for the device. See
    /// [`wgpu_interop`](crate::wgpu_interop) for the order of the caller's work and the launches.
    ///
    /// # Errors
    /// - [`RenderError::Shape`] if the buffer is empty: wgpu has no empty bindings.
    /// - [`RenderError::Device`] if a launch or an allocation of these threads failed, or if the
    ///   device is lost.
    pub fn wgpu_buffer(&self, buffer: &GpuBuffer) -> Result<WgpuSlice, RenderError> {
        let device = |got: String| RenderError::Device {
            expected: "the memory of a buffer".to_owned(),
            got,
        };
        let bytes = (buffer.len() * size_of::<u32>()) as u64;
        let size = NonZeroU64::new(bytes)
            .ok_or_else(|| RenderError::shape("buffer", "at least one word", "none"))?;
        caught(|| self.client.flush())
            .and_then(|flushed| flushed.map_err(|error| error.to_string()))
            .map_err(device)?;
        self.flush(buffer).map_err(device)?;
        let found = caught(|| self.client.get_resource(buffer.handle().clone()));
        let found = found.map_err(device)?;
        let found = found.map_err(|error| device(error.to_string()))?;
        let resource = found.resource();
        Ok(WgpuSlice {
            buffer: resource.buffer.clone(),
            offset: resource.offset,
            size,
            _memory: buffer.clone(),
        })
    }

    /// Records in `encoder` a copy of packed images to `texture`: image `b` becomes layer `b`. The
    /// caller submits the encoder. It must keep `packed` until then, see
    /// [`wgpu_interop`](crate::wgpu_interop).
    ///
    /// `texture` and `encoder` must belong to the device of this backend. wgpu reports those of
    /// another device when `encoder` is finished.
    ///
    /// # Errors
    /// - [`RenderError::Shape`] if the texture is not a two-dimensional one of the width, the height
    ///   and the number of layers of the images, if its format is not `Rgba8Unorm` or
    ///   `Rgba8UnormSrgb` for bytes and `Rgba16Float` for 16-bit floats, if it has several samples,
    ///   or if it lacks the usage `COPY_DST`. The same variant is returned if there are no images.
    /// - The errors of [`Gpu::wgpu_buffer`].
    pub fn copy_to_texture(
        &self,
        packed: &PackedImage,
        texture: &wgpu::Texture,
        encoder: &mut wgpu::CommandEncoder,
    ) -> Result<(), RenderError> {
        check_texture(packed, texture)?;
        let slice = self.wgpu_buffer(packed.buffer())?;
        encoder.copy_buffer_to_texture(
            wgpu::TexelCopyBufferInfo {
                buffer: slice.buffer(),
                layout: wgpu::TexelCopyBufferLayout {
                    offset: slice.offset(),
                    bytes_per_row: Some(packed.bytes_per_row() as u32),
                    rows_per_image: Some(packed.size().height as u32),
                },
            },
            texture.as_image_copy(),
            texture.size(),
        );
        Ok(())
    }
}

/// Checks everything that the copy of packed images requires of a texture.
fn check_texture(packed: &PackedImage, texture: &wgpu::Texture) -> Result<(), RenderError> {
    let wrong = |expected: &str, got: String| Err(RenderError::shape("texture", expected, got));
    let formats: &[TextureFormat] = match packed.bytes_per_pixel() {
        4 => &[TextureFormat::Rgba8Unorm, TextureFormat::Rgba8UnormSrgb],
        _ => &[TextureFormat::Rgba16Float],
    };
    if !formats.contains(&texture.format()) {
        return wrong(
            &format!("a format of {formats:?}"),
            format!("{:?}", texture.format()),
        );
    }
    let size = packed.size();
    let expected = [size.width, size.height, size.views];
    let got = texture.size();
    let got = [got.width, got.height, got.depth_or_array_layers].map(|side| side as usize);
    if got != expected {
        return wrong(
            &format!("width, height and layers {expected:?}"),
            format!("{got:?}"),
        );
    }
    if texture.dimension() != wgpu::TextureDimension::D2 || texture.sample_count() != 1 {
        return wrong(
            "two dimensions and one sample",
            format!("{:?}, {}", texture.dimension(), texture.sample_count()),
        );
    }
    if !texture.usage().contains(wgpu::TextureUsages::COPY_DST) {
        return wrong("the usage COPY_DST", format!("{:?}", texture.usage()));
    }
    Ok(())
}
