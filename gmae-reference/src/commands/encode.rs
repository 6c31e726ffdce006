//! `encode`: writes the encoder's tokens of images.

use std::path::{Path, PathBuf};

use safetensors::Dtype;
use safetensors::tensor::TensorView;

use super::reconstruct::read;
use crate::data::Transform;
use crate::error::Error;
use crate::files::{expect_absent, write_at};
use crate::model::{Mask, Visible};
use crate::numbers::numbers;
use crate::ops::Operations;
use crate::terminal;
use crate::training::{Checkpoint, Outcome, Stream, stream};

/// Encodes `images` with every patch visible. The file gets two tensors: `tokens` `[B, 1 + N, D]`,
/// and `images` `[B, H, W, 3]` in `[0, 1]`, the pixels that were encoded.
///
/// # Errors
///
/// An error that names the image or the file at fault.
pub(super) fn encode<B: Operations>(
    checkpoint: &Checkpoint,
    images: &[PathBuf],
    output: &Path,
    device: &B::Device,
) -> Result<Outcome, Error> {
    expect_absent(output)?;
    let config = checkpoint.config;
    let model = checkpoint.encoder::<B>(device)?;
    let transform = Transform::evaluation(config.image_size)?;
    let (mut tokens, mut pixels) = (Vec::new(), Vec::new());
    for path in images {
        // An evaluation draws nothing.
        let mut rng = stream(config.seed, Stream::HeldOut, 0);
        let image = transform.apply(&read(path, config.patch_size)?, &mut rng)?;
        let mask = Mask::none(config.patches());
        let visible = Visible::new(&config, &image.pixels, &[mask], device)?;
        tokens.extend(numbers(model.encode(&visible))?);
        pixels.extend(image.pixels);
    }
    let side = config.image_size;
    let shapes = [
        vec![images.len(), 1 + config.patches(), config.encoder_width],
        vec![images.len(), side, side, 3],
    ];
    let bytes = [&tokens, &pixels].map(|values| bytemuck::cast_slice::<f32, u8>(values));
    let mut views = Vec::new();
    for ((name, shape), bytes) in ["tokens", "images"].into_iter().zip(shapes).zip(bytes) {
        let view = TensorView::new(Dtype::F32, shape, bytes);
        views.push((name, view.map_err(failed(output))?));
    }
    write_at(output, |path| {
        safetensors::serialize_to_file(views, None, path).map_err(failed(output))
    })?;
    terminal::line(format_args!(
        "{} images, {} tokens of {} values each; {}",
        images.len(),
        1 + config.patches(),
        config.encoder_width,
        output.display()
    ))?;
    Ok(Outcome::Finished)
}

fn failed(path: &Path) -> impl Fn(safetensors::SafeTensorError) -> Error + use<'_> {
    move |error| Error::file("encoding", path)(std::io::Error::other(error))
}
