//! The file formats, and how a file shows its format.

use std::path::Path;

use super::error::FileError;

/// The number of bytes by which a format is recognised.
pub(super) const MAGIC: usize = 4;

/// A file format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// PLY (.ply), as 3DGS writes it or compressed by `SuperSplat`.
    Ply,
    /// A `NumPy` archive (.npz).
    Npz,
    /// 32 bytes for each Gaussian, without a header (.splat).
    Splat,
    /// SPZ (.spz).
    Spz,
}

impl Format {
    /// Returns the format to which the extension of a file's name belongs: `ply`, `npz`, `splat` or
    /// `spz`, in capital or small letters.
    pub fn of_name(path: impl AsRef<Path>) -> Option<Self> {
        let extension = path.as_ref().extension()?.to_str()?;
        match extension.to_ascii_lowercase().as_str() {
            "ply" => Some(Self::Ply),
            "npz" => Some(Self::Npz),
            "splat" => Some(Self::Splat),
            "spz" => Some(Self::Spz),
            _ => None,
        }
    }

    /// Returns the format that the beginning of a file shows. A `.splat` file shows none.
    pub(super) fn of_beginning(bytes: &[u8]) -> Option<Self> {
        let begins = |magic: &[u8]| bytes.starts_with(magic);
        if begins(b"ply") {
            Some(Self::Ply)
        } else if begins(b"PK") {
            Some(Self::Npz)
        } else if begins(b"\x1f\x8b") || begins(b"NGSP") {
            Some(Self::Spz)
        } else {
            None
        }
    }

    /// Returns the format of a file whose name says `.splat`. The first bytes of such a file are the
    /// end of a number. They decide only where all four are those of another format.
    pub(super) fn of_beginning_of_splat(bytes: &[u8]) -> Self {
        match bytes {
            [b'p', b'l', b'y', b'\n' | b'\r', ..] => Self::Ply,
            [b'P', b'K', 3, 4, ..] => Self::Npz,
            // Of the flags of gzip, three bits are reserved.
            [0x1f, 0x8b, 8, 0..=0x1f, ..] | [b'N', b'G', b'S', b'P', ..] => Self::Spz,
            _ => Self::Splat,
        }
    }
}

/// Returns the error of a file whose beginning shows no format.
pub(super) fn unknown(bytes: &[u8]) -> FileError {
    let first = &bytes[..bytes.len().min(MAGIC)];
    let got = if first.is_empty() {
        "an empty file".to_owned()
    } else {
        format!("\"{}\"", first.escape_ascii())
    };
    FileError::content(
        "first bytes",
        "\"ply\" of a PLY file (.ply), \"PK\" of a NumPy archive (.npz), \"\\x1f\\x8b\" or \"NGSP\" \
         of an SPZ file (.spz), or a name that ends in .splat",
        got,
    )
}
