//! The header of an SPZ file.

use crate::io::error::FileError;

/// The first four bytes of a header.
pub(super) const MAGIC: [u8; 4] = *b"NGSP";
/// The size of the fields that all versions have, bytes.
pub(super) const SIZE: usize = 16;
/// The flag of a scene that was trained with anti-aliasing.
const ANTIALIASED: u8 = 1;
/// The flag of a file with extensions.
const EXTENDED: u8 = 2;
/// Greatest degree of harmonics.
const MOST_DEGREE: u8 = 4;
/// The greatest number of fractional bits. A mean has 24 bits.
pub(super) const MOST_FRACTIONAL_BITS: u8 = 24;

/// How means are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Means {
    /// IEEE binary16, in version 1.
    Half,
    /// 24 bits, of which some are fractional.
    Fixed { fractional_bits: u8 },
}

impl Means {
    /// Returns the bytes of the means of `count` Gaussians.
    pub(super) fn bytes(self, count: usize) -> usize {
        match self {
            Self::Half => 6 * count,
            Self::Fixed { .. } => 9 * count,
        }
    }
}

/// How quaternions are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quaternions {
    /// x, y and z in a byte each, up to version 2. w is not negative.
    FirstThree,
    /// The place of the greatest component, and the three others in ten bits each.
    SmallestThree,
}

impl Quaternions {
    /// Returns the bytes of the quaternions of `count` Gaussians.
    pub(super) fn bytes(self, count: usize) -> usize {
        match self {
            Self::FirstThree => 3 * count,
            Self::SmallestThree => 4 * count,
        }
    }
}

/// The fields that all versions have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    pub(super) version: u32,
    /// The number of Gaussians.
    pub(super) count: usize,
    /// Degree of the harmonics.
    pub(super) degree: u32,
    fractional_bits: u8,
    pub(super) antialiased: bool,
    /// Whether extensions follow.
    pub(super) extended: bool,
    /// The last byte. It is the number of streams in version 4.
    pub(super) last: u8,
}

impl Header {
    /// Reads a header. `most` is the number of bytes that the Gaussians may have.
    pub(super) fn parse(bytes: &[u8; SIZE], most: usize) -> Result<Self, FileError> {
        let fail = |place: &str, expected: &str, got: u32| {
            Err(FileError::content(
                format!("header, {place}"),
                expected,
                got,
            ))
        };
        let word = |at: usize| u32::from_le_bytes(std::array::from_fn(|i| bytes[at + i]));
        if bytes[..4] != MAGIC {
            let got = format!("\"{}\"", bytes[..4].escape_ascii());
            let expected = "\"NGSP\" of an SPZ file";
            return Err(FileError::content("unpacked bytes", expected, got));
        }
        let (version, [degree, fractional_bits, flags, last]) =
            (word(4), [12, 13, 14, 15].map(|i| bytes[i]));
        if !(1..=4).contains(&version) {
            return fail("version", "1 to 4", version);
        }
        if degree > MOST_DEGREE {
            return fail("degree of harmonics", "0 to 4", degree.into());
        }
        if fractional_bits > MOST_FRACTIONAL_BITS {
            return fail("fractional bits", "0 to 24", fractional_bits.into());
        }
        let header = Self {
            version,
            count: word(8) as usize,
            degree: degree.into(),
            fractional_bits,
            antialiased: flags & ANTIALIASED != 0,
            extended: flags & EXTENDED != 0,
            last,
        };
        let needed = header.count.checked_mul(header.row());
        if needed.is_none_or(|needed| needed > most) {
            let expected = format!(
                "at most {} Gaussians in a file of this size",
                most / header.row()
            );
            return Err(FileError::content("header", expected, header.count));
        }
        Ok(header)
    }

    /// Returns the number of coefficients of a channel.
    pub(super) fn coefficients(&self) -> usize {
        (self.degree as usize + 1).pow(2)
    }

    pub(super) fn means(&self) -> Means {
        match self.version {
            1 => Means::Half,
            _ => Means::Fixed {
                fractional_bits: self.fractional_bits,
            },
        }
    }

    pub(super) fn quaternions(&self) -> Quaternions {
        match self.version {
            1 | 2 => Quaternions::FirstThree,
            _ => Quaternions::SmallestThree,
        }
    }

    /// Returns the bytes of a Gaussian.
    fn row(&self) -> usize {
        // Opacity, colour and standard deviations take seven bytes.
        self.means().bytes(1) + self.quaternions().bytes(1) + 7 + 3 * (self.coefficients() - 1)
    }
}
