//! Renders on a device that the program itself created, see `splat::wgpu_interop`.
//!
//! `cargo run --release -p splat --features wgpu --example share_device -- share_device.png`
//!
//! A shader of the program writes the means, `splat` renders them, and the picture is copied to a
//! texture of the program. Exit code 0: a Gaussian is visible, the texture has the bytes that `splat`
//! gives for the image, and they are written as a PNG file. Exit code 2: otherwise, or without a device.

mod caller;
#[expect(dead_code, reason = "this example writes one file")]
#[path = "../common/mod.rs"]
mod common;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use image::{DynamicImage, RgbaImage};
use splat::encoding::Encoding;
use splat::pack::{self, Alpha, TransferFunction};
use splat::stages::ImageSize;
use splat::{Camera, Gaussians, Gpu, RenderConfig, Scene, Views, render};

const COUNT: usize = 600;
const SIZE: ImageSize = ImageSize {
    views: 1,
    height: 150,
    width: 203,
};

fn main() -> ExitCode {
    let file = std::env::args_os().nth(1);
    let file = file.unwrap_or("share_device.png".into());
    let camera = Camera::pinhole(200.0, 200.0, 101.5, 75.0);
    common::exit(run(Path::new(&file), camera))
}

pub(crate) fn run(file: &Path, camera: Camera) -> Result<(), Box<dyn Error>> {
    let caller = caller::Caller::new()?;
    let gpu = Gpu::from_wgpu(&caller.device, &caller.queue)?;
    let means = gpu.allocate(3 * COUNT)?;
    caller.write_spiral(&gpu.wgpu_buffer(&means)?);
    let colours: Vec<f32> = (0..3 * COUNT).map(|i| (i % 7) as f32 / 6.0).collect();
    let scene = Scene {
        gaussians: Gaussians {
            means: &means,
            scales: &gpu.upload(&[0.03; 3 * COUNT])?,
            quaternions: &gpu.upload(&[0.5; 4 * COUNT])?,
            opacities: &gpu.upload(&[0.9; COUNT])?,
            features: &gpu.upload(&colours)?,
            count: COUNT,
            channels: 3,
            encoding: Encoding::PLAIN,
        },
        views: &Views::single(SIZE.width, SIZE.height, camera, COUNT),
        backgrounds: &gpu.upload(&[0.0; 3])?,
    };
    let (image, saved) = render(&gpu, &scene, &RenderConfig::default())?;
    let mut visible = common::visible::Visible::default();
    visible.add(&gpu.download_splats(&saved.splats)?);
    visible.check()?;
    let packed = gpu.pack_rgba8(&image, SIZE, TransferFunction::Srgb, Alpha::Opaque)?;
    let texture = caller.texture(SIZE.width as u32, SIZE.height as u32);
    let mut encoder = caller.encoder();
    gpu.copy_to_texture(&packed, &texture, &mut encoder)?;
    caller.queue.submit([encoder.finish()]);

    let shown = caller.read(&texture)?;
    let image = gpu.download_image(&image)?;
    let image = image.as_slices();
    let on_host = pack::rgba8(&image, SIZE, TransferFunction::Srgb, Alpha::Opaque)?;
    if shown != gpu.download_packed(&packed)? || shown != on_host {
        return Err("the texture differs from the image".into());
    }
    let picture = RgbaImage::from_raw(SIZE.width as u32, SIZE.height as u32, shown)
        .ok_or("the texture has another size than the image")?;
    common::pictures::write_png(file, &DynamicImage::from(picture).into_rgb8())?;
    Ok(common::terminal::line(file.display())?)
}
