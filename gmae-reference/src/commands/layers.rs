//! `layers`: the Gaussians of images in layers of depth.

use std::io::Cursor;
use std::path::Path;
use std::slice;

use image::{GrayImage, ImageFormat, RgbImage, imageops};

use super::comparison::command;
use super::models::warn_of_other_units;
use super::reading::Layers as Arguments;
use super::reconstruct::read;
use crate::data::Image;
use crate::error::Error;
use crate::evaluation::segmentation::LabelMap;
use crate::files::{create_folder, expect_free, expect_writable, write_atomically};
use crate::ops::Operations;
use crate::readings::labels::{Rule, labels};
use crate::readings::layers::{LEVELS, Layers, layers};
use crate::readings::scene::{Scene, scenes};
use crate::report::{self, LabelPicture, LayeredPicture, LayersData, label_map};
use crate::terminal::{self, Bar};
use crate::training::{Checkpoint, Outcome};

/// Largest number of images of one report.
const MAX_IMAGES: usize = 64;
/// Largest side of a render, px.
const MAX_SIDE: usize = 2048;
/// The number of layers that are shown by themselves.
const ALONE: usize = 8;
/// The number of layers of the slider.
const SLIDER: usize = LEVELS[LEVELS.len() - 1];

/// Renders the layers of every image and writes a report, and a label map as PNG for each number of
/// layers.
///
/// # Errors
///
/// An error that names the argument or the image at fault.
pub(super) fn run<B: Operations>(
    arguments: &Arguments,
    device: &B::Device,
) -> Result<Outcome, Error> {
    check(arguments)?;
    let checkpoint = Checkpoint::load(&arguments.checkpoint)?;
    let config = checkpoint.config;
    let model = checkpoint.model::<B>(device)?;
    let rule = arguments.reading.rule()?;
    let mut notes = vec![rule.words()];
    notes.extend(warn_of_other_units(slice::from_ref(&checkpoint)));
    let names = names(arguments);
    let mut bar = Bar::new("rendering layers".to_owned());
    let mut pictures = Vec::with_capacity(names.len());
    create_folder(&arguments.output)?;
    for (i, (path, name)) in arguments.image.iter().zip(&names).enumerate() {
        if !bar.show(i, names.len()) {
            return Ok(Outcome::Interrupted);
        }
        let stored = read(path, config.patch_size)?;
        let input = Image::from_rgb8(&stored).resized(config.image_size)?;
        let (width, height) = size(&stored, arguments.size);
        for scene in scenes(&config, &model, &[input])? {
            let found = layers(&scene, &LEVELS, width, height)?;
            for groups in LEVELS {
                let labels = labels(&found, groups, rule)?;
                let file = arguments.output.join(format!("{name}-{groups}.png"));
                write_labels(&file, &labels)?;
            }
            pictures.push(picture(name, &stored, &scene, &found, rule)?);
        }
    }
    let data = LayersData {
        title: "Layers of depth".to_owned(),
        command: command(),
        notes,
        pictures,
    };
    let path = report::write_layers(&arguments.output, &data)?;
    terminal::line(format_args!("report {}", path.display()))?;
    Ok(Outcome::Finished)
}

fn check(arguments: &Arguments) -> Result<(), Error> {
    let refuse = |argument, expected: String, got: String| {
        Err(Error::Argument {
            argument,
            expected,
            got,
        })
    };
    if arguments.image.len() > MAX_IMAGES {
        let expected = format!("at most {MAX_IMAGES} images");
        return refuse("--image", expected, arguments.image.len().to_string());
    }
    if !(1..=MAX_SIDE).contains(&arguments.size) {
        let expected = format!("1 to {MAX_SIDE} px");
        return refuse("--size", expected, arguments.size.to_string());
    }
    expect_free(&arguments.output, &[report::FILE], "or another folder")?;
    expect_writable(&arguments.output)
}

/// Returns a name for each image: its file name without the extension, and a number where names are
/// equal.
fn names(arguments: &Arguments) -> Vec<String> {
    let stem = |path: &Path| {
        let stem = path.file_stem().unwrap_or_default();
        stem.to_string_lossy().into_owned()
    };
    let stems: Vec<String> = arguments.image.iter().map(|path| stem(path)).collect();
    let name = |i: usize| match stems[..i]
        .iter()
        .filter(|other| **other == stems[i])
        .count()
    {
        0 => stems[i].clone(),
        before => format!("{}-copy{before}", stems[i]),
    };
    (0..stems.len()).map(name).collect()
}

/// The size of the render: that of the image, reduced so that its longer side is at most `longest`.
/// An image that is smaller is rendered larger.
fn size(stored: &RgbImage, longest: usize) -> (usize, usize) {
    let (width, height) = (stored.width() as usize, stored.height() as usize);
    let long = width.max(height).max(1);
    let scaled = |side: usize| (side * longest + long / 2) / long;
    (scaled(width).max(1), scaled(height).max(1))
}

fn picture(
    name: &str,
    stored: &RgbImage,
    scene: &Scene,
    found: &Layers,
    rule: Rule,
) -> Result<LayeredPicture, Error> {
    let (width, height) = (found.width(), found.height());
    let filter = imageops::FilterType::CatmullRom;
    let original = imageops::resize(stored, width as u32, height as u32, filter);
    let alone = (1..=ALONE).map(|group| found.alone(scene, group, ALONE));
    let map = |groups: usize| {
        Ok(LabelPicture {
            caption: format!("{groups} layers"),
            image: label_map(&labels(found, groups, rule)?, groups),
        })
    };
    let labels: Result<Vec<_>, Error> = LEVELS.into_iter().map(map).collect();
    Ok(LayeredPicture {
        name: name.to_owned(),
        original: Image::from_rgb8(&original),
        prefixes: (0..=SLIDER)
            .map(|group| found.prefix(group, SLIDER))
            .collect(),
        alone: alone.collect::<Result<_, _>>()?,
        labels: labels?,
    })
}

/// Writes labels as the values of a grey PNG file.
fn write_labels(path: &Path, map: &LabelMap) -> Result<(), Error> {
    let failed = |error: std::io::Error| Error::file("writing labels", path)(error);
    let [width, height] = map.size();
    let values = map.labels().iter().map(|&label| label as u8).collect();
    let image = GrayImage::from_raw(width as u32, height as u32, values);
    let image = image.ok_or_else(|| failed(std::io::Error::other("too few labels")))?;
    let mut bytes = Cursor::new(Vec::new());
    let encoded = image.write_to(&mut bytes, ImageFormat::Png);
    encoded.map_err(|error| failed(std::io::Error::other(error)))?;
    write_atomically(path, |file| file.write_all(bytes.get_ref())).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renders_keep_the_shape_of_the_image() {
        let of = |width, height| size(&RgbImage::new(width, height), 192);
        assert_eq!(of(192, 96), (192, 96));
        assert_eq!(of(481, 321), (192, 128));
        assert_eq!(of(32, 32), (192, 192));
        assert_eq!(of(1, 4000), (1, 192));
    }
}
