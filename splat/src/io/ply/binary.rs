//! Binary rows.

use super::body::{Body, ends_early};
use super::header::{Element, Encoding, Kind};
use crate::io::error::FileError;
use crate::io::numbers::{ByteOrder, NumberType};

/// How the rows of an element are stored, if they have no lists and all have the same size.
pub(super) struct Rows {
    /// The size of a row, bytes.
    pub(super) stride: usize,
    order: ByteOrder,
    /// The places and the types of the wanted numbers.
    columns: Vec<(usize, NumberType)>,
    /// Whether all wanted numbers are `f32` in little-endian order.
    plain: bool,
}

impl Rows {
    /// Returns how the rows of an element are stored. `None`: as text, or with lists.
    pub(super) fn of(body: &Body, element: &Element, wanted: &[usize]) -> Option<Self> {
        let order = match body.encoding {
            Encoding::Text => return None,
            Encoding::Little => ByteOrder::Little,
            Encoding::Big => ByteOrder::Big,
        };
        let mut stride = 0;
        let mut places = Vec::with_capacity(element.properties.len());
        for property in &element.properties {
            let Kind::Number(number) = property.kind else {
                return None;
            };
            places.push((stride, number));
            stride += number.size();
        }
        let columns: Vec<_> = wanted.iter().map(|&property| places[property]).collect();
        let float = |&(_, number): &(usize, NumberType)| number == NumberType::F32;
        let plain = order == ByteOrder::Little && columns.iter().all(float);
        Some(Self {
            stride,
            order,
            columns,
            plain,
        })
    }

    /// Decodes the wanted numbers of a row.
    #[inline(always)]
    pub(super) fn decode(&self, bytes: &[u8], row: &mut [f64]) {
        if self.plain {
            for (value, &(place, _)) in row.iter_mut().zip(&self.columns) {
                let bytes = bytes[place..].first_chunk();
                *value = f64::from(f32::from_le_bytes(*bytes.unwrap_or(&[0; 4])));
            }
        } else {
            for (value, &(place, number)) in row.iter_mut().zip(&self.columns) {
                let decoded = number.decode(&bytes[place..], self.order);
                *value = decoded.unwrap_or_default();
            }
        }
    }

    /// Takes the rows of an element, some at a time.
    pub(super) fn take(
        &self,
        body: &mut Body,
        element: &Element,
        each: impl FnMut(&[u8]),
    ) -> Result<(), FileError> {
        let complete = body.left() / self.stride.max(1);
        if element.count > complete {
            return Err(ends_early(element, complete, None));
        }
        body.blocks(element.count, self.stride, each)
    }
}

/// Takes binary rows without lists. See [`rows`](super::rows::rows).
pub(super) fn equal_rows(
    body: &mut Body,
    element: &Element,
    layout: &Rows,
    mut each: impl FnMut(&[f64]),
) -> Result<(), FileError> {
    let mut row = vec![0.0; layout.columns.len()];
    layout.take(body, element, |block| {
        if row.is_empty() {
            return;
        }
        for bytes in block.chunks_exact(layout.stride) {
            layout.decode(bytes, &mut row);
            each(&row);
        }
    })
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
