//! The arrays of a `NumPy` archive, which is a ZIP file of `.npy` files.

use std::io::{Cursor, Read};

use zip::ZipArchive;

use super::array::Array;
use crate::io::error::FileError;

/// The bytes that all arrays together may have beyond four times the size of the archive: a few
/// kilobytes can unpack to gigabytes.
const MOST_BYTES: usize = 2 << 20;

pub(super) struct Archive<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    /// The bytes that the next arrays may have.
    left: usize,
}

impl<'a> Archive<'a> {
    pub(super) fn open(file: &'a [u8]) -> Result<Self, FileError> {
        let zip = ZipArchive::new(Cursor::new(file))
            .map_err(|error| FileError::content("archive", "a ZIP file", error))?;
        Ok(Self {
            zip,
            left: file.len().saturating_mul(4).saturating_add(MOST_BYTES),
        })
    }

    /// Unpacks an array and verifies its checksum and its shape. In `shape`, `None` is any length.
    /// An array of one number may have the shape `[1]` instead of `[]`.
    pub(super) fn array(
        &mut self,
        name: &str,
        shape: &[Option<usize>],
    ) -> Result<Array, FileError> {
        let place = format!("array {name}");
        let damaged =
            |error: &dyn std::fmt::Display| FileError::content(&place, "an undamaged array", error);
        let mut entry = self.zip.by_name(&format!("{name}.npy")).map_err(|error| {
            if matches!(error, zip::result::ZipError::FileNotFound) {
                FileError::content("archive", format!("an array {name}"), "none")
            } else {
                damaged(&error)
            }
        })?;
        let mut bytes = Vec::new();
        // One byte more than allowed, so that a longer array is noticed. Reading to the end of the
        // entry verifies the checksum.
        let limit = (self.left as u64).saturating_add(1);
        let read = entry.by_ref().take(limit).read_to_end(&mut bytes);
        read.map_err(|error| damaged(&error))?;
        if bytes.len() > self.left {
            let expected = format!("at most {} unpacked bytes", self.left);
            return Err(FileError::content(&place, expected, "more"));
        }
        self.left -= bytes.len();
        Array::parse(&place, bytes, shape)
    }
}
