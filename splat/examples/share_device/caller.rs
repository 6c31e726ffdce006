//! The program's own work with wgpu: its device, its shader and its texture.

use std::sync::mpsc;

use splat::cubecl::future::block_on;
use splat::wgpu;
use splat::wgpu_interop::WgpuSlice;

/// Places the Gaussians on a spiral in front of the camera.
const SPIRAL: &str = "
@group(0) @binding(0) var<storage, read_write> means: array<f32>;

@compute @workgroup_size(64)
fn spiral(@builtin(global_invocation_id) id: vec3<u32>) {
    let count = arrayLength(&means) / 3u;
    if id.x >= count {
        return;
    }
    let angle = 2.4 * f32(id.x);
    let radius = sqrt(f32(id.x) / f32(count));
    means[3u * id.x] = radius * cos(angle);
    means[3u * id.x + 1u] = radius * sin(angle);
    means[3u * id.x + 2u] = 3.0;
}
";

pub(crate) struct Caller {
    pub(crate) device: wgpu::Device,
    pub(crate) queue: wgpu::Queue,
}

impl Caller {
    /// Creates a device with the limits of plain WebGPU and without features.
    pub(crate) fn new() -> Result<Self, String> {
        let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
        descriptor.backends = wgpu::Backends::PRIMARY;
        let instance = wgpu::Instance::new(descriptor);
        let options = wgpu::RequestAdapterOptions::default();
        let adapter = block_on(instance.request_adapter(&options));
        let adapter = adapter.map_err(|error| format!("expected a GPU, got none: {error}"))?;
        let device = block_on(adapter.request_device(&wgpu::DeviceDescriptor::default()));
        let (device, queue) = device.map_err(|error| error.to_string())?;
        Ok(Self { device, queue })
    }

    /// Writes points of a spiral `[N, 3]` to `means`.
    pub(crate) fn write_spiral(&self, means: &WgpuSlice) {
        let module = wgpu::ShaderModuleDescriptor {
            label: None,
            source: wgpu::ShaderSource::Wgsl(SPIRAL.into()),
        };
        let module = self.device.create_shader_module(module);
        let pipeline = wgpu::ComputePipelineDescriptor {
            label: None,
            layout: None,
            module: &module,
            entry_point: Some("spiral"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache: None,
        };
        let pipeline = self.device.create_compute_pipeline(&pipeline);
        let group = self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &pipeline.get_bind_group_layout(0),
            entries: &[wgpu::BindGroupEntry {
                binding: 0,
                resource: means.as_binding(),
            }],
        });
        let mut encoder = self.encoder();
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        pass.set_pipeline(&pipeline);
        pass.set_bind_group(0, &group, &[]);
        pass.dispatch_workgroups((means.size() / 12).div_ceil(64) as u32, 1, 1);
        drop(pass);
        self.queue.submit([encoder.finish()]);
    }

    pub(crate) fn encoder(&self) -> wgpu::CommandEncoder {
        let descriptor = wgpu::CommandEncoderDescriptor::default();
        self.device.create_command_encoder(&descriptor)
    }

    /// Creates a texture that a window could show.
    pub(crate) fn texture(&self, width: u32, height: u32) -> wgpu::Texture {
        self.device.create_texture(&wgpu::TextureDescriptor {
            label: None,
            size: wgpu::Extent3d {
                width,
                height,
                depth_or_array_layers: 1,
            },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: wgpu::TextureFormat::Rgba8UnormSrgb,
            usage: wgpu::TextureUsages::COPY_DST
                | wgpu::TextureUsages::COPY_SRC
                | wgpu::TextureUsages::TEXTURE_BINDING,
            view_formats: &[],
        })
    }

    /// Copies a texture to the host: bytes `[H, W, 4]`.
    pub(crate) fn read(&self, texture: &wgpu::Texture) -> Result<Vec<u8>, String> {
        let row = 4 * texture.width();
        let padded = row.next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
        let buffer = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: u64::from(padded * texture.height()),
            usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
            mapped_at_creation: false,
        });
        let target = wgpu::TexelCopyBufferInfo {
            buffer: &buffer,
            layout: wgpu::TexelCopyBufferLayout {
                offset: 0,
                bytes_per_row: Some(padded),
                rows_per_image: None,
            },
        };
        let mut encoder = self.encoder();
        encoder.copy_texture_to_buffer(texture.as_image_copy(), target, texture.size());
        self.queue.submit([encoder.finish()]);
        let (sender, receiver) = mpsc::channel();
        buffer.map_async(wgpu::MapMode::Read, .., move |mapped| {
            // The receiver waits below.
            let _ = sender.send(mapped);
        });
        let polled = self.device.poll(wgpu::PollType::wait_indefinitely());
        polled.map_err(|error| error.to_string())?;
        let mapped = receiver.recv().map_err(|error| error.to_string())?;
        mapped.map_err(|error| error.to_string())?;
        let bytes = buffer.get_mapped_range(..);
        let rows = bytes.chunks(padded as usize);
        Ok(rows
            .flat_map(|padded| &padded[..row as usize])
            .copied()
            .collect())
    }
}
