//! Checks of the elements after the vertices of a PLY file. Their values are not used. But if the
//! file ends early or is corrupted there, the vertices can be corrupted too. The parser is not used
//! for the check, because it allocates memory for the element counts of the header.

use ply_rs_bw::ply::{ElementDef, Encoding, PropertyType, ScalarType};

/// Checks that `bytes`, the data after the vertices, contain all `elements`.
pub(crate) fn check<'a>(
    mut bytes: &[u8],
    encoding: Encoding,
    elements: impl Iterator<Item = &'a ElementDef>,
) -> Result<(), String> {
    for element in elements.filter(|element| !element.properties.is_empty()) {
        skip(&mut bytes, encoding, element).ok_or_else(|| {
            let (name, count) = (&element.name, element.count);
            format!("{name}: expected {count} of them, got a file that ends early or is garbled")
        })?;
    }
    Ok(())
}

/// Removes the element from the front of `bytes`. Returns `None` if it is incomplete.
fn skip(bytes: &mut &[u8], encoding: Encoding, element: &ElementDef) -> Option<()> {
    // Every row has at least one byte, so a greater count cannot be valid.
    if element.count > bytes.len() {
        return None;
    }
    for _ in 0..element.count {
        if encoding == Encoding::Ascii {
            let line = bytes.split_inclusive(|&byte| byte == b'\n').next()?;
            take(bytes, line.len())?;
            continue;
        }
        for property in element.properties.values() {
            let length = match &property.data_type {
                PropertyType::Scalar(kind) => size(kind),
                PropertyType::List(index, kind) => {
                    let length = take(bytes, size(index))?;
                    size(kind).checked_mul(integer(length, index, encoding)?)?
                }
            };
            take(bytes, length)?;
        }
    }
    Some(())
}

/// Removes `count` bytes from the front of `bytes` and returns them. Returns `None` if there are
/// fewer.
fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (front, rest) = bytes.split_at_checked(count)?;
    *bytes = rest;
    Some(front)
}

/// The size of a number in bytes.
fn size(kind: &ScalarType) -> usize {
    match kind {
        ScalarType::Char | ScalarType::UChar => 1,
        ScalarType::Short | ScalarType::UShort => 2,
        ScalarType::Int | ScalarType::UInt | ScalarType::Float => 4,
        ScalarType::Double => 8,
    }
}

/// Decodes the length of a list. Returns `None` if it is negative or not an integer.
fn integer(bytes: &[u8], kind: &ScalarType, encoding: Encoding) -> Option<usize> {
    let mut digits = bytes.to_vec();
    if encoding == Encoding::BinaryBigEndian {
        digits.reverse();
    }
    let signed = matches!(kind, ScalarType::Char | ScalarType::Short | ScalarType::Int);
    if matches!(kind, ScalarType::Float | ScalarType::Double)
        || signed && digits.last()? & 0x80 != 0
    {
        return None;
    }
    let digits = digits.iter().rev();
    Some(digits.fold(0, |sum, &digit| sum << 8 | usize::from(digit)))
}
