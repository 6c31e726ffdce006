//! The rows of an element.

use super::binary::{Rows, equal_rows, rows_with_lists};
use super::body::{Body, ends_early};
use super::header::{Element, Encoding};
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
    if let Some(layout) = Rows::of(body, element, wanted) {
        return equal_rows(body, element, &layout, each);
    }
    match body.encoding {
        Encoding::Text => text::rows(body, element, wanted, each),
        Encoding::Little => rows_with_lists(body, element, wanted, ByteOrder::Little, each),
        Encoding::Big => rows_with_lists(body, element, wanted, ByteOrder::Big, each),
    }
}
