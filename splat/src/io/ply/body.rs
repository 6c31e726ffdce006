//! The part of a file after the header.

use super::header::{Element, Encoding, Header, Kind};
use crate::io::error::FileError;

/// The part of a file after the header. Elements are taken from its front.
pub(super) struct Body<'a> {
    /// What is left.
    pub(super) bytes: &'a [u8],
    pub(super) encoding: Encoding,
    /// The byte that ends a line.
    pub(super) line_end: u8,
    /// The number of lines before `bytes`.
    pub(super) lines: usize,
}

impl<'a> Body<'a> {
    pub(super) fn new(header: &Header<'a>) -> Self {
        Self {
            bytes: header.body,
            encoding: header.encoding,
            line_end: header.line_end,
            lines: header.lines,
        }
    }

    /// Returns the greatest number of rows that the bytes can hold. What is allocated for rows is so
    /// bounded by the size of the file.
    pub(super) fn most_rows(&self, element: &Element) -> usize {
        let least = |kind: Kind| match (self.encoding, kind) {
            // A digit, and a space or the end of the line.
            (Encoding::Text, _) => 2,
            (_, Kind::Number(number) | Kind::List { length: number, .. }) => number.size(),
        };
        let properties = element.properties.iter();
        let row: usize = properties.map(|property| least(property.kind)).sum();
        // The last line need not end.
        (self.bytes.len() + 1) / row.max(1)
    }

    /// Checks that only white space is left.
    pub(super) fn finish(self) -> Result<(), FileError> {
        let left = self.bytes.iter().all(u8::is_ascii_whitespace);
        if left {
            return Ok(());
        }
        let got = format!("{} bytes more", self.bytes.len());
        Err(FileError::content(
            "after the last element",
            "the end of the file",
            got,
        ))
    }
}

/// Returns the error of a file that ends within an element.
pub(super) fn ends_early(element: &Element, complete: usize, within: Option<&str>) -> FileError {
    let (name, count) = (&element.name, element.count);
    let place = within.map_or_else(
        || format!("element {name}"),
        |property| format!("{name} {complete}, {property}"),
    );
    let got = format!("a file that ends early, after at most {complete}");
    FileError::content(place, format!("{count} rows"), got)
}
