//! `edges`: maps of the boundaries between layers, one PNG file for each image of a folder.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::{GrayImage, ImageFormat};
use rayon::prelude::*;

use super::reading::Edges as Arguments;
use crate::backend::Trains;
use crate::config::Config;
use crate::data::{Image, KINDS, decode};
use crate::error::Error;
use crate::files::{create_folder, expect_free, expect_writable, write_atomically};
use crate::model::Autoencoder;
use crate::readings::edges::{EDGE_LEVELS, boundaries, thinned};
use crate::readings::labels::Rule;
use crate::readings::layers::layers;
use crate::readings::scene::scenes;
use crate::terminal::{self, Bar};
use crate::training::{Checkpoint, Outcome};

/// Extensions of image files, in lower case.
const EXTENSIONS: [&str; 8] = ["jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff"];
/// Number of images that are encoded together.
const TOGETHER: usize = 8;

/// Writes the map of every image.
///
/// # Errors
///
/// An error that names the argument or the image at fault.
pub(super) fn run<B: Trains>(arguments: &Arguments, device: &B::Device) -> Result<Outcome, Error> {
    let images = listed(&arguments.data)?;
    let maps: Vec<String> = images
        .iter()
        .map(|(name, _)| format!("{name}.png"))
        .collect();
    let names: Vec<&str> = maps.iter().map(String::as_str).collect();
    if let Some(taken) = names
        .iter()
        .find(|name| arguments.output.join(name).exists())
    {
        expect_free(&arguments.output, &[taken], "or another folder")?;
    }
    expect_writable(&arguments.output)?;
    let checkpoint = Checkpoint::load(&arguments.checkpoint)?;
    let config = checkpoint.config;
    let model = checkpoint.model::<B>(device)?;
    let rule = arguments.reading.rule()?;
    if !draw(&config, &model, rule, &images, &arguments.output)? {
        return Ok(Outcome::Interrupted);
    }
    terminal::line(format_args!(
        "{} maps in {}",
        images.len(),
        arguments.output.display()
    ))?;
    Ok(Outcome::Finished)
}

/// Draws the map of every image into `folder`. The result is false after an interruption.
///
/// # Errors
///
/// An error that names the image at fault.
pub(super) fn draw<B: Trains>(
    config: &Config,
    model: &Autoencoder<B>,
    rule: Rule,
    images: &[(String, PathBuf)],
    folder: &Path,
) -> Result<bool, Error> {
    create_folder(folder)?;
    let mut bar = Bar::new("drawing boundaries");
    for (first, piece) in (0..).step_by(TOGETHER).zip(images.chunks(TOGETHER)) {
        if !bar.show(first, images.len()) {
            return Ok(false);
        }
        let read: Result<Vec<_>, Error> = piece
            .par_iter()
            .map(|(_, path)| {
                let stored = decode(path, 1).map_err(|reason| unusable(path, &reason))?;
                let image = Image::from_rgb8(&stored).resized(config.image_size)?;
                Ok((image, stored.dimensions()))
            })
            .collect();
        let (inputs, sizes): (Vec<_>, Vec<_>) = read?.into_iter().unzip();
        let scenes = scenes(config, model, &inputs)?;
        let drawn: Result<Vec<()>, Error> = scenes
            .par_iter()
            .zip(sizes)
            .zip(piece)
            .map(|((scene, (width, height)), (name, _))| {
                let (wide, high) = (width as usize, height as usize);
                let found = layers(scene, &EDGE_LEVELS, wide, high)?;
                let map = thinned(&boundaries(&found, rule)?, wide, high);
                let path = folder.join(format!("{name}.png"));
                write(&path, &map, width, height)
            })
            .collect();
        drawn?;
    }
    Ok(true)
}

/// Returns the images of a folder with their names without extension, by name.
pub(super) fn listed(folder: &Path) -> Result<Vec<(String, PathBuf)>, Error> {
    let failed = Error::file("listing images", folder);
    let entries = std::fs::read_dir(folder).map_err(failed)?;
    let mut images = Vec::new();
    for entry in entries {
        let path = entry.map_err(Error::file("listing images", folder))?.path();
        let extension = path.extension().unwrap_or_default().to_string_lossy();
        if EXTENSIONS.contains(&extension.to_lowercase().as_str()) {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            images.push((stem.into_owned(), path));
        }
    }
    images.sort();
    if let Some(pair) = images.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(unusable(&pair[1].1, "another image has the same name"));
    }
    if images.is_empty() {
        return Err(Error::Argument {
            argument: "--data",
            expected: format!("a folder of {KINDS} images"),
            got: format!("{} without one", folder.display()),
        });
    }
    Ok(images)
}

fn unusable(path: &Path, reason: &str) -> Error {
    Error::Argument {
        argument: "--data",
        expected: "images that can be read, each with a name of its own".to_owned(),
        got: format!("{}: {reason}", path.display()),
    }
}

/// Writes a map with values in [0, 1] as a grey PNG file.
fn write(path: &Path, map: &[f32], width: u32, height: u32) -> Result<(), Error> {
    let failed = |error: std::io::Error| Error::file("writing map", path)(error);
    let grey = map
        .iter()
        .map(|v| (v.clamp(0.0, 1.0) * 255.0).round() as u8);
    let image = GrayImage::from_raw(width, height, grey.collect());
    let image = image.ok_or_else(|| failed(std::io::Error::other("too few pixels")))?;
    let mut bytes = Cursor::new(Vec::new());
    let encoded = image.write_to(&mut bytes, ImageFormat::Png);
    encoded.map_err(|error| failed(std::io::Error::other(error)))?;
    write_atomically(path, |file| file.write_all(bytes.get_ref())).map_err(failed)
}
