//! The `.npy` format: a header with the type, the order and the shape, then the numbers.

use crate::io::error::FileError;
use crate::io::numbers::{ByteOrder, NumberType};

/// The number of bytes of a header that are read.
const LONGEST_HEADER: usize = 4096;
/// Greatest number of dimensions.
const MOST_DIMENSIONS: usize = 32;

/// The numbers of an array, as they are stored.
#[derive(Debug)]
pub(super) struct Array {
    pub(super) number: NumberType,
    pub(super) shape: Vec<usize>,
    order: ByteOrder,
    /// Whether the first index changes fastest.
    fortran: bool,
    file: Vec<u8>,
    /// The place in `file` of the first number.
    start: usize,
}

impl Array {
    /// Reads a file, whose shape must be `shape`. `place` names it in errors.
    pub(super) fn parse(
        place: &str,
        file: Vec<u8>,
        shape: &[Option<usize>],
    ) -> Result<Self, FileError> {
        let fail = |expected: &str, got: String| FileError::content(place, expected, got);
        let (header, body) = split(&file).ok_or_else(|| {
            let start = &file[..file.len().min(12)];
            let got = format!("\"{}\"", start.escape_ascii());
            fail("the header of a .npy file, version 1 to 3", got)
        })?;
        let text = String::from_utf8_lossy(&header[..header.len().min(LONGEST_HEADER)]);
        let header = Header::parse(&text).ok_or_else(|| {
            let expected = "a number type, an order and a shape";
            fail(expected, text.trim().to_owned())
        })?;
        let got = &header.shape;
        let fits = |(&got, want): (&usize, &Option<usize>)| want.is_none_or(|want| want == got);
        let one = shape.is_empty() && got[..] == [1];
        if !one && (got.len() != shape.len() || !got.iter().zip(shape).all(fits)) {
            let symbol =
                |side: &Option<usize>| side.map_or("any".to_owned(), |side| side.to_string());
            let sides: Vec<String> = shape.iter().map(symbol).collect();
            let expected = format!("shape [{}]", sides.join(", "));
            return Err(fail(&expected, format!("{got:?}")));
        }
        let count = got
            .iter()
            .try_fold(1, |n: usize, &side| n.checked_mul(side));
        let size = header.number.size();
        if count.and_then(|count| count.checked_mul(size)) != Some(body.len()) {
            let expected = format!("{size} bytes for each number of shape {got:?}");
            return Err(fail(&expected, format!("{} bytes", body.len())));
        }
        Ok(Self {
            number: header.number,
            order: header.order,
            fortran: header.fortran && header.shape.len() > 1,
            shape: header.shape,
            start: file.len() - body.len(),
            file,
        })
    }

    /// Returns the numbers in C order, in which the last index changes fastest.
    pub(super) fn numbers(&self) -> Vec<f64> {
        self.collect(|x| x)
    }

    /// Returns the numbers in C order, divided by `one`.
    pub(super) fn floats(&self, one: f64) -> Vec<f32> {
        self.collect(|x| (x / one) as f32)
    }

    fn collect<T>(&self, convert: impl Fn(f64) -> T) -> Vec<T> {
        let bytes = &self.file[self.start..];
        let size = self.number.size();
        let at = |i: usize| {
            let number = self.number.decode(&bytes[i * size..], self.order);
            // The length was checked.
            convert(number.unwrap_or_default())
        };
        let count = bytes.len() / size;
        let mut values = Vec::with_capacity(count);
        if self.fortran {
            for_each_in_c_order(&self.shape, count, |i| values.push(at(i)));
        } else {
            values.extend((0..count).map(at));
        }
        values
    }
}

/// Splits a file into the text of its header and the bytes of its numbers.
fn split(file: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = file.strip_prefix(b"\x93NUMPY")?;
    let ([major, _minor], rest) = rest.split_first_chunk::<2>()?;
    let (length, rest) = match major {
        1 => {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            (u16::from_le_bytes(*length) as usize, rest)
        }
        2 | 3 => {
            let (length, rest) = rest.split_first_chunk::<4>()?;
            (u32::from_le_bytes(*length) as usize, rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

/// The values of a header, which is a Python dictionary with three keys.
#[derive(Debug, PartialEq)]
struct Header {
    number: NumberType,
    order: ByteOrder,
    fortran: bool,
    shape: Vec<usize>,
}

impl Header {
    fn parse(text: &str) -> Option<Self> {
        let (order, number) = descriptor(after(text, "descr")?)?;
        let fortran = after(text, "fortran_order")?;
        let fortran = match (fortran.starts_with("True"), fortran.starts_with("False")) {
            (true, _) => true,
            (_, true) => false,
            _ => return None,
        };
        let shape = after(text, "shape")?.strip_prefix('(')?.split_once(')')?.0;
        let sides = shape
            .split(',')
            .map(str::trim)
            .filter(|side| !side.is_empty());
        // Python 2 wrote long integers as 12L.
        let side = |side: &str| side.trim_end_matches('L').parse().ok();
        let shape: Vec<usize> = sides.map(side).collect::<Option<_>>()?;
        (shape.len() <= MOST_DIMENSIONS).then_some(Self {
            number,
            order,
            fortran,
            shape,
        })
    }
}

/// Returns the text behind a key of the dictionary and its colon.
fn after<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = ['\'', '"']
        .iter()
        .find_map(|quote| text.split_once(&format!("{quote}{key}{quote}")))?;
    Some(rest.trim_start().strip_prefix(':')?.trim_start())
}

/// Reads a type such as `'<f4'`.
fn descriptor(text: &str) -> Option<(ByteOrder, NumberType)> {
    let mut letters = text.chars();
    let quote = letters.next().filter(|quote| ['\'', '"'].contains(quote))?;
    let (name, _) = letters.as_str().split_once(quote)?;
    let (order, kind) = name.split_at_checked(1)?;
    let order = match order {
        ">" => ByteOrder::Big,
        "=" if cfg!(target_endian = "big") => ByteOrder::Big,
        "<" | "|" | "=" => ByteOrder::Little,
        _ => return None,
    };
    let number = match kind {
        "i1" => NumberType::I8,
        "u1" => NumberType::U8,
        "i2" => NumberType::I16,
        "u2" => NumberType::U16,
        "i4" => NumberType::I32,
        "u4" => NumberType::U32,
        "i8" => NumberType::I64,
        "u8" => NumberType::U64,
        "f2" => NumberType::F16,
        "f4" => NumberType::F32,
        "f8" => NumberType::F64,
        _ => return None,
    };
    Some((order, number))
}

/// Calls `each` with the places of the numbers of an array in C order, if the first index changes
/// fastest in the file.
fn for_each_in_c_order(shape: &[usize], count: usize, mut each: impl FnMut(usize)) {
    let mut index = vec![0; shape.len()];
    for _ in 0..count {
        let place = shape.iter().zip(&index).rev();
        each(place.fold(0, |at, (side, index)| at * side + index));
        for (index, side) in index.iter_mut().zip(shape).rev() {
            *index += 1;
            if *index < *side {
                break;
            }
            *index = 0;
        }
    }
}
