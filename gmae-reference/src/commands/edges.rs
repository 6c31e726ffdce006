//! `edges`: maps of the boundaries between layers, one PNG file for each image of a folder. After
//! an interruption the command goes on with the missing maps.

use std::path::Path;
use std::slice;

use rayon::prelude::*;

use super::drawn::{Listed, Source, write_map};
use super::models::{Weights, warn_of_other_units};
use super::reading::Edges as Arguments;
use crate::backend::Trains;
use crate::config::Config;
use crate::data::{Image, KINDS, decode};
use crate::error::Error;
use crate::files::{create_folder, expect_writable};
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
    expect_writable(&arguments.output)?;
    let checkpoint = Checkpoint::load(&arguments.checkpoint)?;
    let rule = arguments.reading.rule()?;
    warn_of_other_units(slice::from_ref(&checkpoint));
    let source = Source::new(&Weights::Of(&checkpoint).identity(), rule);
    let missing = source.missing(&images, &arguments.output)?;
    if missing.len() < images.len() {
        let found = images.len() - missing.len();
        terminal::note(format_args!("{found} of {} maps are there", images.len()));
    }
    let model = checkpoint.model::<B>(device)?;
    let drawing = Drawing {
        config: &checkpoint.config,
        model: &model,
        rule,
        source: &source,
    };
    if !drawing.draw(&missing, &arguments.output)? {
        return Ok(Outcome::Interrupted);
    }
    terminal::line(format_args!(
        "{} maps in {}",
        images.len(),
        arguments.output.display()
    ))?;
    Ok(Outcome::Finished)
}

/// The drawing of the maps of one model.
pub(super) struct Drawing<'a, B: Trains> {
    pub(super) config: &'a Config,
    pub(super) model: &'a Autoencoder<B>,
    pub(super) rule: Rule,
    /// The source of the maps: that of the model and of the rule.
    pub(super) source: &'a Source,
}

impl<B: Trains> Drawing<'_, B> {
    /// Draws the map of every image into `folder`. The result is false after an interruption.
    ///
    /// # Errors
    ///
    /// An error that names the image at fault.
    pub(super) fn draw(&self, images: &[Listed], folder: &Path) -> Result<bool, Error> {
        let Self {
            config,
            model,
            rule,
            source,
        } = *self;
        create_folder(folder)?;
        let mut bar = Bar::new("drawing boundaries");
        for (first, piece) in (0..).step_by(TOGETHER).zip(images.chunks(TOGETHER)) {
            if !bar.show(first, images.len()) {
                return Ok(false);
            }
            let read: Result<Vec<_>, Error> = piece
                .par_iter()
                .map(|(_, path)| {
                    let hash = source.of(path)?;
                    let stored = decode(path, 1).map_err(|reason| unusable(path, &reason))?;
                    let image = Image::from_rgb8(&stored).resized(config.image_size)?;
                    let (width, height) = stored.dimensions();
                    Ok((image, ([width, height], hash)))
                })
                .collect();
            let (inputs, files): (Vec<_>, Vec<_>) = read?.into_iter().unzip();
            let scenes = scenes(config, model, &inputs)?;
            let drawn: Result<Vec<()>, Error> = scenes
                .par_iter()
                .zip(files)
                .zip(piece)
                .map(|((scene, (size, hash)), (name, _))| {
                    let [wide, high] = size.map(|side| side as usize);
                    let found = layers(scene, &EDGE_LEVELS, wide, high)?;
                    let map = thinned(&boundaries(&found, rule)?, wide, high);
                    let to = folder.join(format!("{name}.png"));
                    write_map(&to, &map, size, hash)
                })
                .collect();
            drawn?;
        }
        Ok(true)
    }
}

/// Returns the images of a folder with their names without extension, by name.
pub(super) fn listed(folder: &Path) -> Result<Vec<Listed>, Error> {
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
