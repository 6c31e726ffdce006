//! The images of a split of BSDS500 and the files that belong to them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::error::{BsdsError, Fault};

/// Extensions of images, in small letters.
const IMAGES: &[&str] = &["jpg", "jpeg", "png"];
const GROUND_TRUTH: &[&str] = &["mat"];
const MAPS: &[&str] = &["png"];

/// One image and its ground truth.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Annotated {
    /// Name of the files without their extensions.
    pub name: String,
    /// The image.
    pub image: PathBuf,
    /// The `.mat` file.
    pub ground_truth: PathBuf,
}

/// An image and its map.
pub(super) type Mapped = (Annotated, PathBuf);

/// The images of a split, and what is wrong with it.
#[derive(Debug)]
pub struct Split {
    /// The images that have ground truth, by name.
    pub images: Vec<Annotated>,
    /// Images without ground truth, and ground truth without an image.
    pub problems: Vec<BsdsError>,
    /// The names of the images without ground truth.
    unknown: BTreeSet<String>,
}

impl Split {
    /// Lists `images/{split}` and `groundTruth/{split}` in the folder `data`.
    ///
    /// # Errors
    ///
    /// [`BsdsError::Folder`] if a folder cannot be listed or has no file of its kind.
    pub fn open(data: &Path, split: &str) -> Result<Self, BsdsError> {
        let images = list(&data.join("images").join(split), IMAGES)?;
        let folder = data.join("groundTruth").join(split);
        let mut ground_truth = list(&folder, GROUND_TRUTH)?;
        let (mut found, mut problems) = (Vec::new(), Vec::new());
        let mut unknown = BTreeSet::new();
        for (name, image) in images {
            if let Some(ground_truth) = ground_truth.remove(&name) {
                found.push(Annotated {
                    name,
                    image,
                    ground_truth,
                });
                continue;
            }
            let file = folder.join(format!("{name}.mat"));
            let expected = format!("the annotations of {}", image.display());
            problems.push(Fault::new(expected, "no file").of_truth(&file));
            unknown.insert(name);
        }
        for path in ground_truth.into_values() {
            problems.push(Fault::new("an image of that name", "none").of_truth(&path));
        }
        Ok(Self {
            images: found,
            problems,
            unknown,
        })
    }

    /// Finds the map of every image in `folder`. The second list names images without a map and
    /// maps without an image.
    ///
    /// # Errors
    ///
    /// [`BsdsError::Folder`] if the folder cannot be listed or has no map.
    pub(super) fn maps(&self, folder: &Path) -> Result<(Vec<Mapped>, Vec<BsdsError>), BsdsError> {
        let mut maps = list(folder, MAPS)?;
        let (mut found, mut problems) = (Vec::new(), Vec::new());
        for image in &self.images {
            if let Some(map) = maps.remove(&image.name) {
                found.push((image.clone(), map));
                continue;
            }
            let file = folder.join(format!("{}.png", image.name));
            let expected = format!("the map of {}", image.image.display());
            problems.push(Fault::new(expected, "no file").of_map(&file));
        }
        maps.retain(|name, _| !self.unknown.contains(name));
        for path in maps.into_values() {
            let expected = "the name of an image of the split";
            problems.push(Fault::new(expected, "another name").of_map(&path));
        }
        Ok((found, problems))
    }
}

/// Lists the files of a folder with one of `kinds` as extension, by name. Hidden files are ignored.
fn list(folder: &Path, kinds: &[&str]) -> Result<BTreeMap<String, PathBuf>, BsdsError> {
    let unreadable = |error: std::io::Error| {
        Fault::new("a folder that can be listed", error.to_string()).of_folder(folder)
    };
    let mut files = BTreeMap::new();
    for entry in folder.read_dir().map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let kind = path
            .extension()
            .map(|kind| kind.to_string_lossy().to_lowercase());
        let name = path
            .file_stem()
            .map(|name| name.to_string_lossy().into_owned());
        let (Some(kind), Some(name)) = (kind, name) else {
            continue;
        };
        if name.starts_with('.') || !kinds.contains(&kind.as_str()) {
            continue;
        }
        if let Some(other) = files.insert(name, path.clone()) {
            let got = format!("{} and {}", other.display(), path.display());
            return Err(Fault::new("one file of each name", got).of_folder(folder));
        }
    }
    if files.is_empty() {
        let expected = format!("at least one .{} file", kinds.join(" or ."));
        return Err(Fault::new(expected, "none").of_folder(folder));
    }
    Ok(files)
}
