//! The caller's side: its device, and reads and copies with wgpu only.

use std::sync::mpsc;

use cubecl::future::block_on;
use cubecl_wgpu::WgpuRuntime;
use libtest_mimic::Failed;
use splat::{Gpu, RenderError};
use wgpu::Features;

/// A test of this program.
pub(crate) type Case = (&'static str, fn(&Caller) -> Result<(), Failed>);

/// Returns an error with `what` unless `holds`.
pub(crate) fn ensure(holds: bool, what: impl std::fmt::Display) -> Result<(), Failed> {
    if holds {
        return Ok(());
    }
    Err(what.to_string().into())
}

pub(crate) struct Caller {
    pub(crate) adapter: wgpu::Adapter,
    pub(crate) device: wgpu::Device,
    pub(crate) queue: wgpu::Queue,
}

impl Caller {
    /// Returns a new device with the limits of plain WebGPU and without features, or `None` without
    /// an adapter.
    pub(crate) fn plain() -> Option<Self> {
        Self::with(&wgpu::DeviceDescriptor::default(), |_| Features::empty())
    }

    /// Returns a new device with `features` of the adapter's.
    pub(crate) fn with(
        descriptor: &wgpu::DeviceDescriptor<'_>,
        features: impl Fn(Features) -> Features,
    ) -> Option<Self> {
        let mut instance = wgpu::InstanceDescriptor::new_without_display_handle();
        instance.backends = wgpu::Backends::PRIMARY;
        let instance = wgpu::Instance::new(instance);
        let options = wgpu::RequestAdapterOptions::default();
        let adapter = block_on(instance.request_adapter(&options)).ok()?;
        let descriptor = wgpu::DeviceDescriptor {
            required_features: features(adapter.features()),
            ..descriptor.clone()
        };
        let (device, queue) = block_on(adapter.request_device(&descriptor)).ok()?;
        Some(Self {
            adapter,
            device,
            queue,
        })
    }

    /// Returns another plain device of the same instance and adapter.
    pub(crate) fn sibling(&self) -> Option<Self> {
        let descriptor = wgpu::DeviceDescriptor::default();
        let adapter = self.adapter.clone();
        let (device, queue) = block_on(adapter.request_device(&descriptor)).ok()?;
        Some(Self {
            adapter,
            device,
            queue,
        })
    }

    pub(crate) fn gpu(&self) -> Result<Gpu<WgpuRuntime>, RenderError> {
        Gpu::from_wgpu(&self.device, &self.queue)
    }

    pub(crate) fn encoder(&self) -> wgpu::CommandEncoder {
        let descriptor = wgpu::CommandEncoderDescriptor::default();
        self.device.create_command_encoder(&descriptor)
    }

    /// Creates a buffer of the caller that the host can read.
    pub(crate) fn staging(&self, size: u64) -> wgpu::Buffer {
        self.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size,
            usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
            mapped_at_creation: false,
        })
    }

    /// Waits for the device and returns the bytes of a buffer of [`Caller::staging`].
    pub(crate) fn bytes(&self, staging: &wgpu::Buffer) -> Result<Vec<u8>, Failed> {
        let (sender, receiver) = mpsc::channel();
        staging.map_async(wgpu::MapMode::Read, .., move |mapped| {
            // The receiver waits below.
            let _ = sender.send(mapped);
        });
        self.device.poll(wgpu::PollType::wait_indefinitely())?;
        receiver.recv()??;
        Ok(staging.get_mapped_range(..).to_vec())
    }

    /// Returns the bytes of all layers of a texture, without padding.
    pub(crate) fn texels(&self, texture: &wgpu::Texture) -> Result<Vec<u8>, Failed> {
        let size = texture.size();
        let texel = texture.format().block_copy_size(None).ok_or("no texels")?;
        let row = texel * size.width;
        let padded = row.next_multiple_of(256);
        let rows = size.height * size.depth_or_array_layers;
        let staging = self.staging(u64::from(padded * rows));
        let target = wgpu::TexelCopyBufferInfo {
            buffer: &staging,
            layout: wgpu::TexelCopyBufferLayout {
                offset: 0,
                bytes_per_row: Some(padded),
                rows_per_image: Some(size.height),
            },
        };
        let mut encoder = self.encoder();
        encoder.copy_texture_to_buffer(texture.as_image_copy(), target, size);
        self.queue.submit([encoder.finish()]);
        let bytes = self.bytes(&staging)?;
        let rows = bytes.chunks(padded as usize);
        Ok(rows
            .flat_map(|bytes| bytes[..row as usize].to_vec())
            .collect())
    }
}
