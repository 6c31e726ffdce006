//! Ground truth: the boundaries that people have drawn in an image.

use std::path::Path;

use super::bitmap::Bitmap;
use super::error::{BsdsError, Fault};
use super::map::{check_size, read_file};
use super::mat::{self, Array};

/// The variable of a file of ground truth: a cell array with one struct for each annotator.
const VARIABLE: &str = "groundTruth";
/// The field of the struct that holds the boundaries: 1 on a boundary, 0 elsewhere.
const FIELD: &str = "Boundaries";

/// The boundaries of one image, one picture for each annotator. All have the same size.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Annotations {
    boundaries: Vec<Bitmap>,
}

impl Annotations {
    /// Creates annotations from at least one picture. All must have the same size.
    ///
    /// The result is `None` without a picture, or with pictures of several sizes.
    pub fn new(boundaries: Vec<Bitmap>) -> Option<Self> {
        let size = |picture: &Bitmap| (picture.width(), picture.height());
        let first = size(boundaries.first()?);
        let same = boundaries.iter().all(|picture| size(picture) == first);
        same.then_some(Self { boundaries })
    }

    /// Reads a `.mat` file of BSDS500.
    ///
    /// # Errors
    ///
    /// [`BsdsError::GroundTruth`] if the file cannot be read, is damaged, or holds no ground truth.
    pub fn read(path: &Path) -> Result<Self, BsdsError> {
        let annotations = read_file(path).and_then(|bytes| Self::from_bytes(&bytes));
        annotations.map_err(|fault| fault.of_truth(path))
    }

    /// Reads the content of a `.mat` file.
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, Fault> {
        let unpacked = mat::unpack(bytes)?;
        let cells = mat::find(&unpacked, VARIABLE)?.cells()?;
        let boundaries: Result<Vec<Bitmap>, Fault> = cells.iter().map(boundaries).collect();
        let boundaries = boundaries?;
        let sizes = boundaries
            .iter()
            .map(|b| format!("{} x {}", b.width(), b.height()));
        let sizes: Vec<String> = sizes.collect();
        Self::new(boundaries).ok_or_else(|| {
            let expected = "at least one annotator, all with pictures of the same size";
            Fault::new(expected, format!("pictures of {sizes:?} pixels"))
        })
    }

    /// Width of the image in pixels.
    pub fn width(&self) -> usize {
        self.boundaries[0].width()
    }

    /// Height of the image in pixels.
    pub fn height(&self) -> usize {
        self.boundaries[0].height()
    }

    /// The boundaries, one picture for each annotator.
    pub fn boundaries(&self) -> &[Bitmap] {
        &self.boundaries
    }
}

/// Reads the boundaries of one annotator. MATLAB stores pictures column by column.
fn boundaries(annotator: &Array<'_>) -> Result<Bitmap, Fault> {
    let array = annotator.field(FIELD)?;
    let (height, width) = array.size();
    check_size(width, height)?;
    let mut picture = Bitmap::new(width, height);
    let (mut at, mut odd) = (0, None);
    array.numbers(|number| {
        if number == 1.0 {
            picture.set(at / height, at % height);
        } else if number != 0.0 {
            odd = Some(number);
        }
        at += 1;
    })?;
    match odd {
        None => Ok(picture),
        Some(number) => Err(Fault::new(format!("0 or 1 in {FIELD}"), number.to_string())),
    }
}

#[cfg(test)]
mod tests;
