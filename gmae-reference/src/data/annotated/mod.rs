//! Images with an annotated object: a mask of its pixels, or its box.
//!
//! | file | content |
//! |---|---|
//! | `item.rs` | one image with its annotation |
//! | `options.rs` | layouts of folders, and the options of a set |
//! | `entry.rs` | the files of one item |
//! | `voc.rs` | PASCAL VOC: masks of classes, and boxes |
//! | `pairs.rs` | photographs with grey masks, and trimaps of images in another folder |
//! | `box_table.rs` | a table of images and boxes |
//! | `lists.rs` | lists of names |
//! | `classes.rs` | maps of class indices in PNG files |
//! | `masks.rs` | grey masks and trimaps |
//! | `files.rs` | finding and reading files |

use std::collections::BTreeMap;
use std::path::Path;

use super::dataset::Dataset;
use super::error::DataError;
use super::image::Image;
use super::shapes::Shapes;
use entry::{Entries, Entry, Label, fault};

mod box_table;
mod classes;
mod entry;
mod files;
mod item;
mod lists;
mod masks;
mod options;
mod pairs;
mod voc;

pub use item::{AnnotatedImage, Truth};
pub use options::{AnnotatedOptions, Layout};

/// Largest difference of the ratios of width to height of an image and its mask. Masks that were
/// made for a smaller copy of the image have rounded sides.
const ASPECT_TOLERANCE: f64 = 0.01;

/// A set of images with an annotated object each.
///
/// Opening a folder decodes no image. An item is decoded when it is asked for, and every request
/// gives the same item.
#[derive(Debug)]
pub struct Annotated {
    source: Source,
    remarks: Vec<String>,
}

#[derive(Debug)]
enum Source {
    Files { layout: Layout, entries: Vec<Entry> },
    Shapes(Shapes),
}

impl Annotated {
    /// Lists the items of a folder. `options` says how the folder is laid out and which images are
    /// read.
    ///
    /// # Errors
    ///
    /// [`DataError::Missing`], [`DataError::NotAFolder`] or [`DataError::List`] if a folder cannot
    /// be listed. [`DataError::Annotation`] if the layout is not recognised, a list or a table
    /// cannot be used, a mask is missing, or no item is left. [`DataError::Unusable`] if the size
    /// of an image with a box cannot be read.
    pub fn open(root: &Path, options: &AnnotatedOptions) -> Result<Self, DataError> {
        files::check_folder(root)?;
        let layout = options.layout.or_else(|| recognised(root));
        let layout = layout.ok_or_else(|| {
            let expected = format!(
                "{} or {}, {} and {}, {}, or image files of masks in it",
                voc::PHOTOGRAPHS,
                "a layout given as an option",
                pairs::PHOTOGRAPHS,
                pairs::MASKS,
                box_table::TABLE
            );
            fault("annotated images", root, expected, "none of these")
        })?;
        let Entries { entries, remarks } = match layout {
            Layout::Voc => voc::masks(root, options),
            Layout::VocBoxes => voc::boxes(root, options),
            Layout::FigureGround => pairs::figure_ground(root),
            Layout::Trimaps => pairs::trimaps(root, options),
            Layout::BoxTable => box_table::boxes(root, options),
        }?;
        if entries.is_empty() {
            let got = if remarks.is_empty() {
                "none".to_owned()
            } else {
                remarks.join("; ")
            };
            let expected = format!("at least one annotated image, as layout {layout}");
            return Err(fault("annotated images", root, expected, got));
        }
        Ok(Self {
            source: Source::Files { layout, entries },
            remarks,
        })
    }

    /// Returns the scenes of the procedural set. The object is everything except the background.
    /// Scenes are never mirrored.
    pub fn shapes(shapes: Shapes) -> Self {
        Self {
            source: Source::Shapes(shapes),
            remarks: Vec::new(),
        }
    }

    /// The layout of the folder. `None` for the procedural set.
    pub fn layout(&self) -> Option<Layout> {
        match &self.source {
            Source::Files { layout, .. } => Some(*layout),
            Source::Shapes(_) => None,
        }
    }

    /// The number of items.
    pub fn len(&self) -> usize {
        match &self.source {
            Source::Files { entries, .. } => entries.len(),
            Source::Shapes(shapes) => Dataset::len(shapes),
        }
    }

    /// Returns true if the set has no items.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Remarks for the user on files that were left out, one line each.
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// Returns the name of the item at `index`, or `None` if the index is out of range.
    pub fn name(&self, index: usize) -> Option<String> {
        match &self.source {
            Source::Files { entries, .. } => Some(entries.get(index)?.name.clone()),
            Source::Shapes(_) => (index < self.len()).then(|| format!("scene {index}")),
        }
    }

    /// Returns the names of the first two of the items below `count` that have the same image.
    pub(crate) fn repeated_image(&self, count: usize) -> Option<[&str; 2]> {
        let Source::Files { entries, .. } = &self.source else {
            return None;
        };
        let mut seen: BTreeMap<&Path, &str> = BTreeMap::new();
        entries.iter().take(count).find_map(|entry| {
            let first = seen.insert(&entry.image, &entry.name)?;
            Some([first, entry.name.as_str()])
        })
    }

    /// Returns a text that identifies the item at `index` on every machine: its name, its box or
    /// its class, and the sizes of its files in bytes.
    pub(super) fn identity(&self, index: usize) -> String {
        let name = self.name(index).unwrap_or_default();
        let bytes = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
        match &self.source {
            Source::Shapes(shapes) => format!("{name} of {}", shapes.fingerprint()),
            Source::Files { entries, .. } => entries.get(index).map_or(name, |entry| {
                let label = match &entry.label {
                    Label::Classes { mask, class } => format!("{class:?}, {}", bytes(mask)),
                    Label::Grey(mask) | Label::Trimap(mask) => bytes(mask).to_string(),
                    Label::Boxed {
                        size, rectangle, ..
                    } => format!("{rectangle:?} of {size:?}"),
                };
                format!("{}, {label}, {}", entry.name, bytes(&entry.image))
            }),
        }
    }

    /// Decodes the item at `index`.
    ///
    /// # Errors
    ///
    /// [`DataError::Index`] if `index` is not below `len()`. [`DataError::Unusable`] if the image
    /// cannot be read. [`DataError::Annotation`] if the annotation cannot be read or belongs to an
    /// image of another size.
    pub fn item(&self, index: usize) -> Result<AnnotatedImage, DataError> {
        let (image, truth) = match &self.source {
            Source::Files { entries, .. } => {
                let entry = entry(entries, index)?;
                let image = Image::from_rgb8(&files::picture(&entry.image)?);
                let truth = truth_of(entry, [image.width, image.height])?;
                (image, truth)
            }
            Source::Shapes(shapes) => {
                self.check(index)?;
                let scene = shapes.scene(index);
                let truth = Truth::mask(scene.truth().foreground);
                (scene.image, truth)
            }
        };
        Ok(AnnotatedImage {
            name: self.name(index).unwrap_or_default(),
            image,
            truth,
        })
    }

    /// Reads the annotation of the item at `index`, and the width and height of its image. The
    /// pixels of the image are not decoded.
    ///
    /// # Errors
    ///
    /// All errors of [`Annotated::item`].
    pub fn truth(&self, index: usize) -> Result<(Truth, [usize; 2]), DataError> {
        match &self.source {
            Source::Files { entries, .. } => {
                let entry = entry(entries, index)?;
                let size = files::size(&entry.image)?;
                Ok((truth_of(entry, size)?, size))
            }
            Source::Shapes(shapes) => {
                self.check(index)?;
                let side = shapes.size();
                let truth = shapes.truth(index, side)?;
                Ok((Truth::mask(truth.foreground), [side, side]))
            }
        }
    }

    fn check(&self, index: usize) -> Result<(), DataError> {
        let len = self.len();
        if index < len {
            return Ok(());
        }
        Err(DataError::Index { index, len })
    }
}

fn entry(entries: &[Entry], index: usize) -> Result<&Entry, DataError> {
    let len = entries.len();
    entries.get(index).ok_or(DataError::Index { index, len })
}

/// Returns the layout that the names in a folder show.
fn recognised(root: &Path) -> Option<Layout> {
    if root.join(voc::PHOTOGRAPHS).is_dir() {
        return Some(Layout::Voc);
    }
    if root.join(pairs::PHOTOGRAPHS).is_dir() && root.join(pairs::MASKS).is_dir() {
        return Some(Layout::FigureGround);
    }
    if root.join(box_table::TABLE).is_file() {
        return Some(Layout::BoxTable);
    }
    let masks = files::images_by_stem(root, false).ok()?;
    (!masks.is_empty()).then_some(Layout::Trimaps)
}

/// Reads the annotation of an image of `size`.
fn truth_of(entry: &Entry, size: [usize; 2]) -> Result<Truth, DataError> {
    let (path, truth, same_size) = match &entry.label {
        Label::Classes { mask, class } => (mask, classes::truth(mask, *class)?, true),
        Label::Grey(mask) => (mask, masks::grey(mask)?, false),
        Label::Trimap(mask) => (mask, masks::trimap(mask)?, true),
        Label::Boxed {
            source,
            size,
            rectangle,
        } => (source, Truth::boxed(*size, *rectangle), true),
    };
    let found = truth.foreground.size();
    let fits = if same_size {
        found == size
    } else {
        same_aspect(found, size)
    };
    if fits {
        return Ok(truth);
    }
    let ratio = if same_size { "" } else { "the ratio of " };
    let image = entry.image.display();
    let expected = format!("{ratio}{} x {} pixels, as {image}", size[0], size[1]);
    let got = format!("{} x {} pixels", found[0], found[1]);
    Err(fault("mask", path, expected, got))
}

/// Returns true if a mask has the ratio of width to height of an image, up to rounded sides.
fn same_aspect(mask: [usize; 2], image: [usize; 2]) -> bool {
    let [width, height] = mask.map(|v| v as f64);
    let expected = width * image[1] as f64 / image[0] as f64;
    (height - expected).abs() <= (ASPECT_TOLERANCE * height).max(1.0)
}

#[cfg(test)]
mod tests;
