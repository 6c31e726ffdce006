//! The compressed bytes of an SPZ file.

use std::io::{self, ErrorKind, Read};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

use super::header::{Header, SIZE};
use crate::io::error::FileError;

/// The size of the header of version 4, bytes.
const WIDE_HEADER: usize = 32;
/// The size of an entry of the table of version 4: the packed and the unpacked size of a stream.
const ENTRY: usize = 16;
/// The window, bytes, that a decoder of Zstandard must at least support (RFC 8878, section 3.1.1.1.2).
const LEAST_WINDOW: u64 = 8 << 20;
/// The greatest size of all extensions, bytes.
const MOST_EXTENSIONS: usize = 1 << 20;

/// The attributes of the Gaussians, in the order of the file.
pub(super) enum Streams<'a> {
    /// One gzip file, which may have several members, with a checksum for each. Versions 1 to 3.
    Gzip {
        decoder: Box<MultiGzDecoder<&'a [u8]>>,
        extended: bool,
    },
    /// A Zstandard frame for each attribute. Version 4.
    Zstd {
        /// What is left of the table.
        table: &'a [u8],
        /// What is left of the frames.
        frames: &'a [u8],
        extensions: &'a [u8],
    },
}

impl<'a> Streams<'a> {
    /// Reads the header. `most` is the number of bytes that the file may unpack to.
    pub(super) fn open(file: &'a [u8], most: usize) -> Result<(Header, Self), FileError> {
        if let Some(header) = file
            .first_chunk()
            .filter(|_| !file.starts_with(b"\x1f\x8b"))
        {
            let header = Header::parse(header, most)?;
            if header.version < 4 {
                let expected = "gzip data, as versions 1 to 3 have";
                return Err(FileError::content("first bytes", expected, "no gzip data"));
            }
            let streams = Self::open_frames(file, &header)?;
            return Ok((header, streams));
        }
        let mut decoder = Box::new(MultiGzDecoder::new(file));
        let mut bytes = [0; SIZE];
        read_exact(&mut decoder, &mut bytes, "header")?;
        let header = Header::parse(&bytes, most)?;
        if header.version > 3 {
            let got = format!("{} in gzip data", header.version);
            return Err(FileError::content("header, version", "1 to 3", got));
        }
        let extended = header.extended;
        Ok((header, Self::Gzip { decoder, extended }))
    }

    fn open_frames(file: &'a [u8], header: &Header) -> Result<Self, FileError> {
        let cut = |what: &str| {
            let got = format!("a file of {} bytes", file.len());
            FileError::content("header", format!("the place of {what}"), got)
        };
        let wide = file
            .get(SIZE..WIDE_HEADER)
            .ok_or_else(|| cut("the table"))?;
        let table = u32::from_le_bytes(std::array::from_fn(|i| wide[i])) as usize;
        let between = file.get(WIDE_HEADER..table);
        let extensions = between.ok_or_else(|| cut("the table behind the header"))?;
        let length = ENTRY * usize::from(header.last);
        let rest = file.get(table..).unwrap_or_default();
        let (table, frames) = rest
            .split_at_checked(length)
            .ok_or_else(|| cut("a table of all streams"))?;
        Ok(Self::Zstd {
            table,
            frames,
            extensions: if header.extended { extensions } else { &[] },
        })
    }

    /// Unpacks the next attribute, which has this many bytes.
    pub(super) fn take(&mut self, name: &str, length: usize) -> Result<Vec<u8>, FileError> {
        let mut bytes = Vec::new();
        // Version 4 leaves an empty attribute out.
        if length == 0 {
            return Ok(bytes);
        }
        match self {
            Self::Gzip { decoder, .. } => {
                bytes.resize(length, 0);
                read_exact(decoder, &mut bytes, name)?;
            }
            Self::Zstd { table, frames, .. } => {
                let missing = || FileError::content(name, "a stream", "the end of the table");
                let (entry, rest) = table.split_first_chunk::<ENTRY>().ok_or_else(missing)?;
                *table = rest;
                let [packed, unpacked] =
                    [0, 8].map(|at| u64::from_le_bytes(std::array::from_fn(|i| entry[at + i])));
                if unpacked != length as u64 {
                    let expected = format!("{length} unpacked bytes");
                    return Err(FileError::content(name, expected, unpacked));
                }
                let packed = usize::try_from(packed).ok();
                let Some((frame, rest)) = packed.and_then(|n| frames.split_at_checked(n)) else {
                    let got = format!("{} bytes of the file", frames.len());
                    return Err(FileError::content(name, "a whole stream", got));
                };
                *frames = rest;
                bytes.resize(length, 0);
                unpack_frame(frame, &mut bytes, name)?;
            }
        }
        Ok(bytes)
    }

    /// Reads to the end, which verifies the checksums of gzip data. Returns the extensions.
    pub(super) fn finish(self) -> Result<Vec<u8>, FileError> {
        match self {
            Self::Gzip {
                mut decoder,
                extended,
            } => {
                let most = if extended { MOST_EXTENSIONS } else { 0 };
                let mut bytes = Vec::new();
                let read = decoder
                    .by_ref()
                    .take(most as u64 + 1)
                    .read_to_end(&mut bytes);
                read.map_err(|error| damaged("end", &error))?;
                if bytes.len() > most {
                    let expected = format!("at most {most} bytes of extensions");
                    return Err(FileError::content("after the attributes", expected, "more"));
                }
                Ok(bytes)
            }
            Self::Zstd {
                table,
                frames,
                extensions,
            } => {
                if !table.is_empty() || !frames.is_empty() {
                    let got = format!("{} bytes more", table.len() + frames.len());
                    let expected = "the end of the file";
                    return Err(FileError::content("after the attributes", expected, got));
                }
                Ok(extensions.to_vec())
            }
        }
    }
}

/// Unpacks a Zstandard frame that must have exactly the length of `bytes`.
fn unpack_frame(frame: &[u8], bytes: &mut [u8], name: &str) -> Result<(), FileError> {
    let mut rest = frame;
    let mut frames = FrameDecoder::new();
    // A decoder keeps as many bytes as the window of the frame has.
    frames.set_max_window_size(LEAST_WINDOW.max(bytes.len() as u64));
    let mut decoder = StreamingDecoder::new_with_decoder(&mut rest, frames)
        .map_err(|error| FileError::content(name, "a Zstandard frame", error))?;
    read_exact(&mut decoder, bytes, name)?;
    let more = decoder
        .read(&mut [0])
        .map_err(|error| damaged(name, &error))?;
    let stored = decoder.decoder.get_checksum_from_data();
    let computed = decoder.decoder.get_calculated_checksum();
    drop(decoder);
    if more != 0 || !rest.is_empty() {
        let expected = format!("a stream of {} bytes", bytes.len());
        return Err(FileError::content(name, expected, "more"));
    }
    match stored {
        Some(stored) if Some(stored) != computed => {
            let expected = format!("the checksum {stored:08x}");
            Err(FileError::content(name, expected, "another one"))
        }
        _ => Ok(()),
    }
}

fn read_exact(reader: &mut impl Read, bytes: &mut [u8], name: &str) -> Result<(), FileError> {
    reader
        .read_exact(bytes)
        .map_err(|error| damaged(name, &error))
}

fn damaged(name: &str, error: &io::Error) -> FileError {
    let got = match error.kind() {
        ErrorKind::UnexpectedEof => "data that end early".to_owned(),
        _ => error.to_string(),
    };
    FileError::content(name, "undamaged data", got)
}
