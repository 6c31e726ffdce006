//! Folders in which an image and its mask have the same name: photographs with grey masks beside
//! them, and trimaps with the images in another folder.

use std::path::{Path, PathBuf};

use super::entry::{Entries, Entry, Label, fault};
use super::files::{images_by_stem, named, only};
use super::options::AnnotatedOptions;
use crate::data::error::DataError;

/// Folder of the photographs.
pub(super) const PHOTOGRAPHS: &str = "rgb";
/// Folder of the masks of the photographs.
pub(super) const MASKS: &str = "figure_ground";

/// Lists photographs in `rgb` and their masks in `figure_ground`. Every photograph needs a mask.
///
/// # Errors
///
/// [`DataError::Annotation`] if a photograph has no mask, or two files have the same name.
pub(super) fn figure_ground(root: &Path) -> Result<Entries, DataError> {
    let photographs = images_by_stem(&root.join(PHOTOGRAPHS), false)?;
    let folder = root.join(MASKS);
    let mut masks = images_by_stem(&folder, false)?;
    let mut entries = Vec::new();
    for stem in photographs.keys() {
        let Some(image) = only(&photographs, stem, "image")? else {
            continue;
        };
        let Some(mask) = only(&masks, stem, "mask")? else {
            let expected = format!("a mask of {}", image.display());
            return Err(fault(
                "folder of masks",
                &folder,
                expected,
                "none of that name",
            ));
        };
        entries.push(Entry {
            name: stem.clone(),
            image: image.clone(),
            label: Label::Grey(mask.clone()),
        });
        masks.remove(stem);
    }
    let left: Vec<String> = masks.into_keys().collect();
    Ok(Entries {
        entries,
        remarks: without_image(&left, &folder),
    })
}

/// Lists trimaps in `root`, each with the image of its name.
///
/// # Errors
///
/// [`DataError::Annotation`] if there is no folder of images, or two files have the same name.
pub(super) fn trimaps(root: &Path, options: &AnnotatedOptions) -> Result<Entries, DataError> {
    let masks = images_by_stem(root, false)?;
    let images = images_by_stem(&image_folder(root, options)?, true)?;
    let mut entries = Vec::new();
    let mut left = Vec::new();
    for stem in masks.keys() {
        let Some(mask) = only(&masks, stem, "mask")? else {
            continue;
        };
        match only(&images, stem, "image")? {
            Some(image) => entries.push(Entry {
                name: stem.clone(),
                image: image.clone(),
                label: Label::Trimap(mask.clone()),
            }),
            None => left.push(stem.clone()),
        }
    }
    Ok(Entries {
        entries,
        remarks: without_image(&left, root),
    })
}

fn image_folder(root: &Path, options: &AnnotatedOptions) -> Result<PathBuf, DataError> {
    if let Some(images) = &options.images {
        return Ok(images.clone());
    }
    let mut candidates = vec![root.join("images")];
    // The folder beside `.` is found through its real path.
    let real = std::fs::canonicalize(root).ok();
    if let Some(parent) = real.as_deref().and_then(Path::parent) {
        candidates.push(parent.join("images"));
        candidates.push(parent.join("bsds500").join("images"));
    }
    let found = candidates.into_iter().find(|folder| folder.is_dir());
    found.ok_or_else(|| {
        let expected = "a folder of the images, given as an option or named `images` or \
                        `bsds500/images`";
        fault("folder of masks", root, expected, "none")
    })
}

fn without_image(stems: &[String], folder: &Path) -> Vec<String> {
    if stems.is_empty() {
        return Vec::new();
    }
    let masks = if stems.len() == 1 { "mask" } else { "masks" };
    vec![format!(
        "left out {} {masks} of {} without an image: {}",
        stems.len(),
        folder.display(),
        named(stems)
    )]
}
