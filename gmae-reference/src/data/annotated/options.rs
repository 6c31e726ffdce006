//! What a set of annotated images is, and where its parts are.

use std::fmt::{self, Display, Formatter};
use std::path::PathBuf;
use std::str::FromStr;

use crate::data::error::DataError;

/// Largest share of the image that the box of a detection item covers (Bar et al. 2022).
const LARGEST_BOX: f64 = 0.2;

/// The layout of a folder of annotated images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// PASCAL VOC, masks: `JPEGImages`, `SegmentationClass*`, and a list of images and classes.
    Voc,
    /// PASCAL VOC, boxes: `JPEGImages` and `Annotations`.
    VocBoxes,
    /// Photographs in `rgb` and grey masks of the same names in `figure_ground`.
    FigureGround,
    /// Masks of the values 0, 128 and 255, with the images in another folder.
    Trimaps,
    /// A table `val_boxes.tsv` of images and boxes.
    BoxTable,
}

/// The layouts with the names that the command line uses.
const NAMES: [(Layout, &str); 5] = [
    (Layout::Voc, "voc"),
    (Layout::VocBoxes, "voc-boxes"),
    (Layout::FigureGround, "figure-ground"),
    (Layout::Trimaps, "trimaps"),
    (Layout::BoxTable, "box-table"),
];

impl Display for Layout {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let name = NAMES.iter().find(|(layout, _)| layout == self);
        f.write_str(name.map_or("unnamed", |(_, name)| name))
    }
}

impl FromStr for Layout {
    type Err = DataError;

    fn from_str(text: &str) -> Result<Self, DataError> {
        let layout = NAMES.iter().find(|(_, name)| *name == text);
        layout
            .map(|(layout, _)| *layout)
            .ok_or_else(|| DataError::Option {
                argument: "layout of annotated images",
                expected: "voc, voc-boxes, figure-ground, trimaps or box-table",
                got: format!("{text:?}"),
            })
    }
}

/// The options of a folder of annotated images.
#[derive(Clone, Debug)]
pub struct AnnotatedOptions {
    pub(super) layout: Option<Layout>,
    pub(super) list: Option<PathBuf>,
    pub(super) images: Option<PathBuf>,
    pub(super) masks: Option<String>,
    pub(super) largest_box: f64,
}

impl Default for AnnotatedOptions {
    fn default() -> Self {
        Self {
            layout: None,
            list: None,
            images: None,
            masks: None,
            largest_box: LARGEST_BOX,
        }
    }
}

impl AnnotatedOptions {
    /// Sets the layout. By default it is recognised from the names in the folder.
    #[must_use]
    pub fn layout(self, layout: Layout) -> Self {
        Self {
            layout: Some(layout),
            ..self
        }
    }

    /// Sets the list of the images that are read, for a PASCAL VOC folder.
    ///
    /// For masks, a line is `NAME__CLASS`, with the class counted from 1, or `NAME` for the objects
    /// of all classes together. The default is `ImageSets/Segmentation/val.txt` in the folder. For
    /// boxes, a line is `NAME`. By default all files of `Annotations` are read.
    #[must_use]
    pub fn list(self, list: PathBuf) -> Self {
        Self {
            list: Some(list),
            ..self
        }
    }

    /// Sets the folder with the images of a folder of trimaps. They can lie at any depth.
    ///
    /// By default the folder is the first of these that exists: `images` in the folder of the
    /// masks, and `images` and `bsds500/images` beside it.
    #[must_use]
    pub fn images(self, images: PathBuf) -> Self {
        Self {
            images: Some(images),
            ..self
        }
    }

    /// Sets the name of the folder of masks in a PASCAL VOC folder. The default is
    /// `SegmentationClassAug` if it exists, and `SegmentationClass` otherwise.
    #[must_use]
    pub fn masks(self, masks: String) -> Self {
        Self {
            masks: Some(masks),
            ..self
        }
    }

    /// Sets the share of the image below which a box is read. The default is 0.2, and images with
    /// larger boxes are left out. With a value above 1 all boxes are read.
    #[must_use]
    pub fn largest_box(self, share: f64) -> Self {
        Self {
            largest_box: share,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layout_has_a_name_of_its_own() {
        for (layout, name) in NAMES {
            assert_eq!(layout.to_string(), name);
            assert_eq!(name.parse::<Layout>().expect("a name"), layout);
        }
        let error = "coco".parse::<Layout>().expect_err("no such layout");
        let words = error.to_string();
        assert!(
            words.contains("trimaps") && words.contains("\"coco\""),
            "{words}"
        );
    }
}
