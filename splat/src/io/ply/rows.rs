//! The rows of an element.

use super::binary::{equal_rows, rows_with_lists};
use super::body::{Body, ends_early};
use super::header::{Element, Encoding, Kind};
use super::text;
use crate::io::error::FileError;
use crate::io::numbers::ByteOrder;

/// Takes the rows of an element. Calls `each` with the values of the properties `wanted`, which
/// are numbers and not lists, for every row in turn.
pub(super) fn rows(
    body: &mut Body,
    element: &Element,
    wanted: &[usize],
    each: impl FnMut(&[f64]),
) -> Result<(), FileError> {
    if element.properties.is_empty() {
        return Ok(());
    }
    let most = body.most_rows(element);
    if element.count > most {
        return Err(ends_early(element, most, None));
    }
    let order = match body.encoding {
        Encoding::Text => return text::rows(body, element, wanted, each),
        Encoding::Little => ByteOrder::Little,
        Encoding::Big => ByteOrder::Big,
    };
    let sizes: Option<Vec<usize>> = element
        .properties
        .iter()
        .map(|property| match property.kind {
            Kind::Number(number) => Some(number.size()),
            Kind::List { .. } => None,
        })
        .collect();
    match sizes {
        Some(sizes) => equal_rows(body, element, &sizes, wanted, order, each),
        None => rows_with_lists(body, element, wanted, order, each),
    }
}
