//! Binary rows.

use super::body::{Body, ends_early};
use super::header::{Element, Kind};
use crate::io::error::FileError;
use crate::io::numbers::{ByteOrder, NumberType};

/// Takes binary rows without lists, which all have the same size.
pub(super) fn equal_rows(
    body: &mut Body,
    element: &Element,
    sizes: &[usize],
    wanted: &[usize],
    order: ByteOrder,
    mut each: impl FnMut(&[f64]),
) -> Result<(), FileError> {
    let stride: usize = sizes.iter().sum();
    let all = element.count.checked_mul(stride);
    let Some((rows, rest)) = all.and_then(|all| body.bytes.split_at_checked(all)) else {
        return Err(ends_early(element, body.bytes.len() / stride, None));
    };
    body.bytes = rest;
    let column = |&property: &usize| -> Option<(usize, NumberType)> {
        let Kind::Number(number) = element.properties[property].kind else {
            return None;
        };
        Some((sizes[..property].iter().sum(), number))
    };
    let columns: Vec<(usize, NumberType)> = wanted.iter().filter_map(column).collect();
    let mut row = vec![0.0; columns.len()];
    if columns.is_empty() {
        return Ok(());
    }
    for bytes in rows.chunks_exact(stride) {
        for (value, &(offset, number)) in row.iter_mut().zip(&columns) {
            *value = number.decode(&bytes[offset..], order).unwrap_or_default();
        }
        each(&row);
    }
    Ok(())
}

/// Takes binary rows with lists.
pub(super) fn rows_with_lists(
    body: &mut Body,
    element: &Element,
    wanted: &[usize],
    order: ByteOrder,
    mut each: impl FnMut(&[f64]),
) -> Result<(), FileError> {
    let mut values = vec![0.0; element.properties.len()];
    let mut row = vec![0.0; wanted.len()];
    for i in 0..element.count {
        for (property, value) in element.properties.iter().zip(&mut values) {
            let number = match property.kind {
                Kind::Number(number) | Kind::List { length: number, .. } => number,
            };
            let early = || ends_early(element, i, Some(&property.name));
            *value = number.decode(body.bytes, order).ok_or_else(early)?;
            body.bytes = &body.bytes[number.size()..];
            if let Kind::List { item, .. } = property.kind {
                if *value < 0.0 {
                    let place = format!("{} {i}, {}", element.name, property.name);
                    return Err(FileError::content(place, "a length of a list", *value));
                }
                // A length that `usize` cannot hold becomes the greatest, which is too long.
                let length = (*value as usize).checked_mul(item.size());
                let rest = length.and_then(|length| body.bytes.get(length..));
                body.bytes = rest.ok_or_else(early)?;
            }
        }
        for (value, &property) in row.iter_mut().zip(wanted) {
            *value = values[property];
        }
        each(&row);
    }
    Ok(())
}
