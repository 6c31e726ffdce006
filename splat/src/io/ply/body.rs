//! The part of a file after the header.

use std::fs::File;
use std::io::Read;

use super::header::{Element, Encoding, Header, Kind};
use crate::io::error::FileError;

/// The number of bytes that are read from a file at a time.
const BLOCK: usize = 4 << 20;

/// The part of a file after the header. Elements are taken from its front.
pub(super) struct Body<'a> {
    /// What is left in memory.
    pub(super) bytes: &'a [u8],
    /// What is left in a file. `bytes` is then empty.
    file: Option<Rest>,
    pub(super) encoding: Encoding,
    /// The byte that ends a line.
    pub(super) line_end: u8,
    /// The number of lines before `bytes`.
    pub(super) lines: usize,
}

/// The bytes of a file that have not been read.
struct Rest {
    file: File,
    length: usize,
}

impl<'a> Body<'a> {
    pub(super) fn new(header: &Header<'a>) -> Self {
        Self {
            bytes: header.body,
            file: None,
            encoding: header.encoding,
            line_end: header.line_end,
            lines: header.lines,
        }
    }

    /// Makes a body of a file's next `length` bytes. Only [`blocks`](Self::blocks) can take them.
    pub(super) fn in_file(header: &Header<'a>, file: File, length: usize) -> Self {
        Self {
            bytes: &[],
            file: Some(Rest { file, length }),
            ..Self::new(header)
        }
    }

    /// Returns the number of bytes that are left.
    pub(super) fn left(&self) -> usize {
        self.file
            .as_ref()
            .map_or(self.bytes.len(), |rest| rest.length)
    }

    /// Returns the greatest number of rows that the bytes can hold. What is allocated for rows is so
    /// bounded by the size of the file.
    pub(super) fn most_rows(&self, element: &Element) -> usize {
        // The last line need not end.
        (self.left() + 1) / self.least_row(element).max(1)
    }

    /// Returns the smallest number of bytes that a row can have.
    pub(super) fn least_row(&self, element: &Element) -> usize {
        let least = |kind: Kind| match (self.encoding, kind) {
            // A digit, and a space or the end of the line.
            (Encoding::Text, _) => 2,
            (_, Kind::Number(number) | Kind::List { length: number, .. }) => number.size(),
        };
        let properties = element.properties.iter();
        properties.map(|property| least(property.kind)).sum()
    }

    /// Takes `rows` rows of `stride` bytes. Calls `each` with some of them at a time. The caller has
    /// checked that they are there.
    pub(super) fn blocks(
        &mut self,
        rows: usize,
        stride: usize,
        mut each: impl FnMut(&[u8]),
    ) -> Result<(), FileError> {
        let total = rows * stride;
        let Some(rest) = &mut self.file else {
            let (taken, left) = self.bytes.split_at(total);
            self.bytes = left;
            each(taken);
            return Ok(());
        };
        let most = (BLOCK / stride).max(1) * stride;
        let mut block = vec![0; most.min(total)];
        let mut left = total;
        while left > 0 {
            let part = &mut block[..most.min(left)];
            rest.file.read_exact(part).map_err(FileError::Unreadable)?;
            left -= part.len();
            each(part);
        }
        rest.length -= total;
        Ok(())
    }

    /// Checks that only white space is left.
    pub(super) fn finish(mut self) -> Result<(), FileError> {
        let left = self.left();
        let mut blank = self.bytes.iter().all(u8::is_ascii_whitespace);
        if self.file.is_some() {
            self.blocks(left, 1, |block| {
                blank &= block.iter().all(u8::is_ascii_whitespace);
            })?;
        }
        if blank {
            return Ok(());
        }
        let got = format!("{left} bytes more");
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
