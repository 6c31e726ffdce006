//! The entries of a set: which files make an item, before any of them is decoded.

use std::path::{Path, PathBuf};

use crate::data::error::DataError;
use crate::data::rectangle::Rectangle;

/// The files of one item.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) image: PathBuf,
    pub(super) label: Label,
}

/// The annotation of one item.
#[derive(Clone, Debug)]
pub(super) enum Label {
    /// A PNG file of class indices. The object is the class, or everything except the background.
    Classes { mask: PathBuf, class: Option<u8> },
    /// A grey image file.
    Grey(PathBuf),
    /// An image file of the values 0, 128 and 255.
    Trimap(PathBuf),
    /// A box in an image of this size, by the file `source`.
    Boxed {
        source: PathBuf,
        size: [usize; 2],
        rectangle: Rectangle,
    },
}

/// The entries of a folder.
#[derive(Debug, Default)]
pub(super) struct Entries {
    pub(super) entries: Vec<Entry>,
    /// Remarks for the user on files that no entry uses.
    pub(super) remarks: Vec<String>,
}

/// Returns the error of a file with annotations.
pub(super) fn fault(
    what: &'static str,
    path: &Path,
    expected: impl Into<String>,
    got: impl Into<String>,
) -> DataError {
    DataError::Annotation {
        what,
        path: path.to_owned(),
        expected: expected.into(),
        got: got.into(),
    }
}
