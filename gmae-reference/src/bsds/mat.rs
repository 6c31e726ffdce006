//! Reads MATLAB 5 files: only what files of ground truth contain, from a slice, without copies.
//!
//! Source: "MAT-File Format", a manual of MATLAB. Every length is checked against the bytes that
//! are there. Big-endian files and files of version 7.3 (HDF5) are refused. The crate `matfile`
//! reads neither cell arrays nor structs.

use std::io::Read as _;

use flate2::read::ZlibDecoder;

use super::error::Fault;

/// Length of the header of a file in bytes.
const HEADER: usize = 128;
/// Largest length of an unpacked array in bytes.
pub(super) const MAX_UNPACKED: usize = 1 << 28;
/// Largest number of dimensions, of elements of a cell or struct array, and of fields.
const MAX_PARTS: usize = 1000;

/// The kinds of data elements that are read.
const INT8: u32 = 1;
const INT32: u32 = 5;
const UINT32: u32 = 6;
const MATRIX: u32 = 14;
const COMPRESSED: u32 = 15;

/// The classes of arrays that are not numeric.
const CELL: u8 = 1;
const STRUCT: u8 = 2;
/// The numeric classes: double, single, and integers of 8, 16, 32 and 64 bits.
const NUMERIC: std::ops::RangeInclusive<u8> = 6..=15;
/// The bit of an array's flags that announces an imaginary part.
const COMPLEX: u8 = 8;

/// A data element: its kind and its bytes.
#[derive(Clone, Copy)]
struct Element<'a> {
    kind: u32,
    bytes: &'a [u8],
}

/// An array: its class, its dimensions, its name, and its elements that have not been read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Array<'a> {
    class: u8,
    complex: bool,
    rows: usize,
    columns: usize,
    name: &'a [u8],
    rest: &'a [u8],
}

/// Returns the unpacked elements of all arrays of a file.
pub(super) fn unpack(file: &[u8]) -> Result<Vec<u8>, Fault> {
    let header = file.get(..HEADER).ok_or_else(not_matlab)?;
    match (&header[126..128], header[125]) {
        (b"IM", 1) => {}
        (b"IM" | b"MI", 2) => {
            return Err(Fault::new("a MATLAB 5 file", "one of version 7.3 (HDF5)"));
        }
        (b"MI", _) => {
            return Err(Fault::new(
                "a little-endian MATLAB file",
                "a big-endian one",
            ));
        }
        _ => return Err(not_matlab()),
    }
    let mut unpacked = Vec::new();
    let mut rest = &file[HEADER..];
    while !rest.is_empty() {
        let whole = rest;
        let element = next(&mut rest)?;
        if element.kind == COMPRESSED {
            let space = (MAX_UNPACKED - unpacked.len()) as u64;
            let mut stream = ZlibDecoder::new(element.bytes).take(space + 1);
            stream
                .read_to_end(&mut unpacked)
                .map_err(|error| Fault::new("zlib data", format!("damaged data: {error}")))?;
        } else {
            unpacked.extend_from_slice(&whole[..whole.len() - rest.len()]);
        }
        if unpacked.len() > MAX_UNPACKED {
            let most = format!("at most {MAX_UNPACKED} bytes of arrays");
            return Err(Fault::new(most, "more"));
        }
    }
    Ok(unpacked)
}

fn not_matlab() -> Fault {
    Fault::new("a MATLAB 5 file", "a file without its header")
}

/// Returns the array `name` among unpacked arrays.
pub(super) fn find<'a>(unpacked: &'a [u8], name: &str) -> Result<Array<'a>, Fault> {
    let mut rest = unpacked;
    while !rest.is_empty() {
        let element = next(&mut rest)?;
        if element.kind != MATRIX {
            continue;
        }
        let array = Array::read(element)?;
        if array.name == name.as_bytes() {
            return Ok(array);
        }
    }
    Err(Fault::new(
        format!("a variable {name}"),
        "none of that name",
    ))
}

/// Cuts the next element off `rest`. An element of at most four bytes can be packed into its tag.
fn next<'a>(rest: &mut &'a [u8]) -> Result<Element<'a>, Fault> {
    let truncated = || Fault::new("complete data", "truncated data");
    let tag = rest.get(..8).ok_or_else(truncated)?;
    let first = word(tag);
    let (kind, packed) = (first & 0xFFFF, (first >> 16) as usize);
    if packed > 0 {
        let bytes = tag[4..].get(..packed).ok_or_else(truncated)?;
        *rest = &rest[8..];
        return Ok(Element { kind, bytes });
    }
    let length = word(&tag[4..]) as usize;
    let bytes = rest[8..].get(..length).ok_or_else(truncated)?;
    // Elements end at multiples of eight bytes, except compressed ones and the last.
    let padded = match kind {
        COMPRESSED => length,
        _ => length.next_multiple_of(8),
    };
    *rest = rest[8..].get(padded..).unwrap_or_default();
    Ok(Element { kind, bytes })
}

/// The first four bytes as a number.
fn word(bytes: &[u8]) -> u32 {
    bytes
        .first_chunk()
        .map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

/// Cuts an element of a kind off `rest`.
fn expect<'a>(rest: &mut &'a [u8], kind: u32, name: &str) -> Result<&'a [u8], Fault> {
    let element = next(rest)?;
    if element.kind == kind {
        return Ok(element.bytes);
    }
    let got = format!("an element of type {}", element.kind);
    Err(Fault::new(format!("{name} (type {kind})"), got))
}

impl<'a> Array<'a> {
    /// Reads the head of an array.
    fn read(element: Element<'a>) -> Result<Self, Fault> {
        if element.kind != MATRIX {
            let got = format!("an element of type {}", element.kind);
            return Err(Fault::new("an array (type 14)", got));
        }
        let mut rest = element.bytes;
        let flags = expect(&mut rest, UINT32, "the flags of an array")?;
        let sizes = expect(&mut rest, INT32, "the dimensions of an array")?;
        let name = expect(&mut rest, INT8, "the name of an array")?;
        let sizes: Vec<usize> = sizes.chunks_exact(4).map(|n| word(n) as usize).collect();
        let [rows, columns] = sizes[..] else {
            let got = format!("{} dimensions", sizes.len());
            return Err(Fault::new("an array of two dimensions", got));
        };
        Ok(Self {
            class: flags.first().copied().unwrap_or_default(),
            complex: flags.get(1).is_some_and(|flags| flags & COMPLEX != 0),
            rows,
            columns,
            name,
            rest,
        })
    }

    /// Numbers of rows and columns.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.rows, self.columns)
    }

    /// Returns the elements of a cell array, column by column.
    pub(super) fn cells(&self) -> Result<Vec<Array<'a>>, Fault> {
        if self.class != CELL {
            return Err(self.other("a cell array"));
        }
        let count = self.elements()?;
        let mut rest = self.rest;
        (0..count).map(|_| Array::read(next(&mut rest)?)).collect()
    }

    /// Returns the field `name` of a struct of one element.
    pub(super) fn field(&self, name: &str) -> Result<Array<'a>, Fault> {
        if self.class != STRUCT || self.elements()? != 1 {
            return Err(self.other("a struct of one element"));
        }
        let mut rest = self.rest;
        let length = word(expect(&mut rest, INT32, "the length of field names")?) as usize;
        let names = expect(&mut rest, INT8, "field names")?;
        if length == 0 || names.len() / length > MAX_PARTS {
            let got = format!("{} bytes in names of {length}", names.len());
            return Err(Fault::new("names of fields", got));
        }
        for field in names.chunks_exact(length) {
            let array = Array::read(next(&mut rest)?)?;
            let end = field.iter().position(|&byte| byte == 0);
            if &field[..end.unwrap_or(length)] == name.as_bytes() {
                return Ok(array);
            }
        }
        Err(Fault::new(format!("a field {name}"), "none of that name"))
    }

    /// Passes the elements of a numeric array to `take`, column by column. The numbers can be
    /// stored with fewer bytes than the class of the array needs.
    pub(super) fn numbers(&self, mut take: impl FnMut(f64)) -> Result<(), Fault> {
        if !NUMERIC.contains(&self.class) || self.complex {
            return Err(self.other("an array of real numbers"));
        }
        let mut rest = self.rest;
        let Element { kind, bytes } = next(&mut rest)?;
        let width = match kind {
            1 | 2 => 1,
            3 | 4 => 2,
            5..=7 => 4,
            9 | 12 | 13 => 8,
            _ => return Err(Fault::new("numbers", format!("an element of type {kind}"))),
        };
        let expected = self.rows.saturating_mul(self.columns);
        if bytes.len() / width != expected || bytes.len() % width != 0 {
            let expected = format!("{} x {} numbers", self.rows, self.columns);
            let got = format!("{} bytes of type {kind}", bytes.len());
            return Err(Fault::new(expected, got));
        }
        for number in bytes.chunks_exact(width) {
            take(value(kind, number));
        }
        Ok(())
    }

    /// Number of elements of a cell array or struct array.
    fn elements(&self) -> Result<usize, Fault> {
        let count = self.rows.saturating_mul(self.columns);
        if count <= MAX_PARTS {
            return Ok(count);
        }
        Err(Fault::new(
            format!("at most {MAX_PARTS} elements"),
            count.to_string(),
        ))
    }

    /// The fault of an array of another class.
    fn other(&self, expected: &str) -> Fault {
        let class = match self.class {
            CELL => "a cell array",
            STRUCT => "a struct array",
            3 => "an object",
            4 => "text",
            5 => "a sparse array",
            _ if self.complex => "an array of complex numbers",
            class if NUMERIC.contains(&class) => "an array of numbers",
            _ => "an unknown array",
        };
        Fault::new(
            expected,
            format!("{class}, {} x {}", self.rows, self.columns),
        )
    }
}

/// Reads a stored number.
fn value(kind: u32, bytes: &[u8]) -> f64 {
    // The caller passes as many bytes as the kind has.
    let mut wide = [0; 8];
    wide[..bytes.len()].copy_from_slice(bytes);
    let bits = u64::from_le_bytes(wide);
    match kind {
        1 => f64::from(bits as i8),
        3 => f64::from(bits as i16),
        5 => f64::from(bits as i32),
        7 => f64::from(f32::from_bits(bits as u32)),
        9 => f64::from_bits(bits),
        12 => bits as i64 as f64,
        _ => bits as f64,
    }
}
