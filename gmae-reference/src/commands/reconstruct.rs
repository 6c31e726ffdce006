//! `reconstruct`: applies trained models to one image, or to a folder of images.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::slice;

use image::{ImageFormat, RgbImage};

use super::arguments::Reconstruct;
use super::models::warn_of_other_units;
use super::reconstructions::reconstructions;
use crate::backend::Trains;
use crate::config::Preset;
use crate::data::{Image, KINDS, Transform, decode};
use crate::error::Error;
use crate::evaluation::{image_losses, masked, pasted};
use crate::files::{create_folder, expect_free, write_atomically};
use crate::model::{Batch, Mask, predict};
use crate::ops::Operations;
use crate::terminal::{self, interrupt};
use crate::training::{Checkpoint, Outcome, Stream, stream};

/// Names of the pictures inside an output folder.
const PICTURES: [&str; 4] = [
    "original.png",
    "masked.png",
    "reconstruction.png",
    "pasted.png",
];

/// The image, the checkpoint and the output folder.
#[derive(Clone, Debug)]
struct Options {
    /// Folder of the checkpoint, or one of its files.
    checkpoint: PathBuf,
    /// Image file.
    image: PathBuf,
    /// Folder for the pictures.
    output: PathBuf,
    /// Seed of the mask.
    mask_seed: u64,
}

/// Reconstructs one image, or measures the reconstructions of a folder of images.
///
/// # Errors
///
/// An error that names the argument or the file at fault.
pub(super) fn run<B: Trains>(arguments: Reconstruct, device: &B::Device) -> Result<Outcome, Error> {
    let mut checkpoints = Vec::with_capacity(arguments.checkpoint.len());
    for folder in &arguments.checkpoint {
        let checkpoint = Checkpoint::load(folder)?;
        let base = arguments.config.map_or(checkpoint.config, Preset::config);
        checkpoint.expect(&arguments.overrides.apply(base))?;
        checkpoints.push(checkpoint);
    }
    let Some(image) = &arguments.image else {
        interrupt::install()?;
        return reconstructions::<B>(&checkpoints, &arguments, device);
    };
    let [checkpoint] = checkpoints.as_slice() else {
        return Err(Error::Argument {
            argument: "--checkpoint",
            expected: "one folder with --image".to_owned(),
            got: format!("{} folders", checkpoints.len()),
        });
    };
    let options = Options {
        checkpoint: arguments.checkpoint[0].clone(),
        image: image.clone(),
        output: arguments.output,
        mask_seed: arguments.mask_seed,
    };
    reconstruct::<B>(checkpoint, &options, device)
}

/// Writes `original.png`, `masked.png`, `reconstruction.png` and `pasted.png`, rendered on
/// `device`, and prints the error on masked patches.
///
/// # Errors
///
/// An error that names the file at fault. No picture is left incomplete, and no file of another run
/// is replaced.
fn reconstruct<B: Operations>(
    checkpoint: &Checkpoint,
    options: &Options,
    device: &B::Device,
) -> Result<Outcome, Error> {
    check_output(options)?;
    let config = checkpoint.config;
    let model = checkpoint.model::<B>(device)?;
    let mut rng = stream(options.mask_seed, Stream::HeldOut, 0);
    let mask = Mask::random(config.patches(), config.visible(), &mut rng);
    let stored = read(&options.image, config.patch_size)?;
    let original = Transform::evaluation(config.image_size)?.apply(&stored, &mut rng)?;
    let batch = Batch {
        pixels: original.pixels.clone(),
        masks: vec![mask.clone()],
    };
    warn_of_other_units(slice::from_ref(checkpoint));
    let prediction = predict(&config, &model, &batch)?;
    let losses = image_losses(&config, &batch, &prediction.pixels)?;
    let reconstruction = Image {
        pixels: prediction.pixels,
        ..original
    };
    create_folder(&options.output)?;
    let pictures = [
        &original,
        &masked(&config, &original, &mask),
        &reconstruction,
        &pasted(&config, &original, &reconstruction, &mask),
    ];
    for (name, picture) in PICTURES.into_iter().zip(pictures) {
        write(&options.output.join(name), picture)?;
    }
    terminal::line(format_args!(
        "{}; pictures in {}",
        summary(losses.first().copied().flatten(), config.norm_pix),
        options.output.display()
    ))?;
    Ok(Outcome::Finished)
}

/// Checks that the pictures replace neither the image nor the checkpoint. Existing pictures are
/// replaced only if all four of an earlier run are present.
fn check_output(options: &Options) -> Result<(), Error> {
    let paths = PICTURES.map(|name| options.output.join(name));
    for (argument, input) in [
        ("--image", &options.image),
        ("--checkpoint", &options.checkpoint),
    ] {
        let Ok(input) = input.canonicalize() else {
            continue;
        };
        let overwritten = |path: &PathBuf| path.canonicalize().is_ok_and(|path| path == input);
        if let Some(path) = paths.iter().find(|path| overwritten(path)) {
            return Err(Error::Argument {
                argument: "--output",
                expected: format!("a folder in which no picture replaces {argument}"),
                got: format!("one with {}", path.display()),
            });
        }
    }
    if paths.iter().all(|path| path.is_file()) {
        return Ok(());
    }
    let remedy = "or a folder with the four pictures of an earlier reconstruct";
    expect_free(&options.output, &PICTURES, remedy)
}

/// Formats the error. An error of zero has no value in decibels.
fn summary(loss: Option<f64>, norm_pix: bool) -> String {
    let known = if norm_pix {
        " (with mean and deviation of the true patches, which norm-pix leaves out)"
    } else {
        ""
    };
    let error = match loss {
        None => "nothing is masked: there is no error on masked patches".to_owned(),
        Some(loss) if loss > 0.0 => format!(
            "masked patches: mean squared error {loss:.5}, {:.2} dB",
            -10.0 * loss.log10()
        ),
        Some(loss) => format!("masked patches: mean squared error {loss:.5}"),
    };
    error + known
}

/// Reads an image and rejects a damaged one. Both sides must have at least `patch_size` pixels.
pub(super) fn read(path: &Path, patch_size: usize) -> Result<RgbImage, Error> {
    decode(path, patch_size).map_err(|reason| Error::Argument {
        argument: "--image",
        expected: format!(
            "a whole {KINDS} file of at least {patch_size} x {patch_size} pixels, the size of a patch"
        ),
        got: format!("{}: {reason}", path.display()),
    })
}

/// Writes a PNG file that is either complete or absent.
fn write(path: &Path, picture: &Image) -> Result<(), Error> {
    let mut bytes = Cursor::new(Vec::new());
    let encoded = picture.to_rgb8().write_to(&mut bytes, ImageFormat::Png);
    encoded
        .map_err(std::io::Error::other)
        .map_err(Error::file("encoding picture", path))?;
    write_atomically(path, |file| file.write_all(bytes.get_ref()))
        .map_err(Error::file("writing picture", path))
}
