//! Copies of packed images to textures of the caller.

use libtest_mimic::Failed;
use splat::pack::{Alpha, TransferFunction};
use splat::stages::ImageSize;
use splat::{Image, RenderError};
use wgpu::{TextureFormat, TextureUsages};

use crate::caller::{Caller, Case, ensure};
use crate::pixels::size;

pub(crate) const TRIALS: &[Case] = &[
    (
        "a_texture_has_the_packed_pixels",
        a_texture_has_the_packed_pixels,
    ),
    ("other_textures_are_refused", other_textures_are_refused),
];

fn texture(
    caller: &Caller,
    size: ImageSize,
    format: TextureFormat,
    usage: TextureUsages,
) -> wgpu::Texture {
    caller.device.create_texture(&wgpu::TextureDescriptor {
        label: None,
        size: wgpu::Extent3d {
            width: size.width as u32,
            height: size.height as u32,
            depth_or_array_layers: size.views as u32,
        },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format,
        usage,
        view_formats: &[],
    })
}

/// Images of several views become layers, in rows that need padding.
fn a_texture_has_the_packed_pixels(caller: &Caller) -> Result<(), Failed> {
    let gpu = caller.gpu()?;
    let size = size(3, 53, 37);
    let count = size.views * size.height * size.width * 4;
    let features: Vec<f32> = (0..count).map(|i| i as f32 / count as f32).collect();
    let image = Image::from_features(gpu.upload(&features)?);
    let bytes = gpu.pack_rgba8(&image, size, TransferFunction::Srgb, Alpha::Channel)?;
    let halves = gpu.pack_rgba16f(&image, size, Alpha::Channel)?;
    for (packed, format) in [
        (&bytes, TextureFormat::Rgba8Unorm),
        (&bytes, TextureFormat::Rgba8UnormSrgb),
        (&halves, TextureFormat::Rgba16Float),
    ] {
        let usage = TextureUsages::COPY_DST | TextureUsages::COPY_SRC;
        let texture = texture(caller, size, format, usage);
        let mut encoder = caller.encoder();
        gpu.copy_to_texture(packed, &texture, &mut encoder)?;
        caller.queue.submit([encoder.finish()]);
        let expected = gpu.download_packed(packed)?;
        ensure(expected.iter().any(|&byte| byte != 0), "all zero")?;
        ensure(caller.texels(&texture)? == expected, format!("{format:?}"))?;
    }
    Ok(())
}

fn other_textures_are_refused(caller: &Caller) -> Result<(), Failed> {
    let gpu = caller.gpu()?;
    let right = size(1, 4, 5);
    let image = Image::from_features(gpu.upload(&[0.5; 4 * 5 * 3])?);
    let bytes = gpu.pack_rgba8(&image, right, TransferFunction::Srgb, Alpha::Opaque)?;
    let halves = gpu.pack_rgba16f(&image, right, Alpha::Opaque)?;
    let (byte, half) = (TextureFormat::Rgba8Unorm, TextureFormat::Rgba16Float);
    let target = TextureUsages::COPY_DST;
    for (packed, size, format, usage) in [
        (&bytes, right, half, target),
        (&halves, right, byte, target),
        (&bytes, right, TextureFormat::Bgra8Unorm, target),
        (&bytes, size(1, 5, 4), byte, target),
        (&bytes, size(2, 4, 5), byte, target),
        (&bytes, right, byte, TextureUsages::COPY_SRC),
    ] {
        let texture = texture(caller, size, format, usage);
        let mut encoder = caller.encoder();
        match gpu.copy_to_texture(packed, &texture, &mut encoder) {
            Err(RenderError::Shape {
                argument: "texture",
                ..
            }) => {}
            other => return Err(format!("{size:?} {format:?} {usage:?}: {other:?}").into()),
        }
    }
    Ok(())
}
