//! A table of images and boxes, with tabs between the columns.

use std::collections::BTreeMap;
use std::path::Path;

use rayon::prelude::*;

use super::entry::{Entries, Entry, Label, fault};
use super::files::{size, text};
use super::options::AnnotatedOptions;
use crate::data::error::DataError;
use crate::data::rectangle::Rectangle;

/// Name of the table.
pub(super) const TABLE: &str = "val_boxes.tsv";
/// The columns. Those of the corners are pixels counted from 0. The last column and the last row
/// belong to the box.
const COLUMNS: [&str; 5] = ["path", "x0", "y0", "x1", "y1"];
/// The kind of file, for messages.
const WHAT: &str = "table of boxes";

/// Lists the images of a table with their boxes. The header of every image is read.
///
/// # Errors
///
/// [`DataError::Annotation`] if the table cannot be used, a box is outside its image, or an image
/// has two boxes. [`DataError::Unusable`] if an image cannot be read.
pub(super) fn boxes(root: &Path, options: &AnnotatedOptions) -> Result<Entries, DataError> {
    let table = root.join(TABLE);
    let rows = rows(&table)?;
    let found: Result<Vec<Entry>, DataError> = rows
        .par_iter()
        .map(|row| {
            let image = root.join(&row.path);
            let size = size(&image)?;
            let end = row.rectangle.end();
            if end[0] > size[0] || end[1] > size[1] {
                let (line, path) = (row.line, &row.path);
                let expected = format!(
                    "a box inside the {} x {} pixels of {path}",
                    size[0], size[1]
                );
                let got = format!("column {}, row {} in line {line}", end[0] - 1, end[1] - 1);
                return Err(fault(WHAT, &table, expected, got));
            }
            Ok(Entry {
                name: row.path.clone(),
                image,
                label: Label::Boxed {
                    source: table.clone(),
                    size,
                    rectangle: row.rectangle,
                },
            })
        })
        .collect();
    let mut entries = found?;
    let all = entries.len();
    entries.retain(|entry| match &entry.label {
        Label::Boxed {
            size, rectangle, ..
        } => rectangle.share(*size) < options.largest_box,
        _ => true,
    });
    let left = all - entries.len();
    let remark = || {
        format!(
            "left out {left} of {all} images, whose box is not below {} of the image",
            options.largest_box
        )
    };
    Ok(Entries {
        entries,
        remarks: (left > 0).then(remark).into_iter().collect(),
    })
}

/// One row of the table.
#[derive(Debug, PartialEq)]
struct Row {
    /// Number of the line, counted from 1.
    line: usize,
    path: String,
    rectangle: Rectangle,
}

fn rows(table: &Path) -> Result<Vec<Row>, DataError> {
    let text = text(WHAT, table)?;
    let mut lines = (1..).zip(text.lines());
    let header: Vec<&str> = lines.next().map_or(Vec::new(), |(_, line)| columns(line));
    let column = |name: &&str| header.iter().position(|found| found == name);
    let places: Option<Vec<usize>> = COLUMNS.iter().map(column).collect();
    let Some(places) = places else {
        let expected = format!("a first line with the columns {}", COLUMNS.join(", "));
        return Err(fault(WHAT, table, expected, format!("{header:?}")));
    };
    let mut rows: Vec<Row> = Vec::new();
    let mut seen = BTreeMap::new();
    for (line, content) in lines {
        if content.trim().is_empty() {
            continue;
        }
        let row = row(line, &columns(content), &places).ok_or_else(|| {
            let expected = "a path below the folder, and two corners of a box in order";
            fault(WHAT, table, expected, format!("{content:?} in line {line}"))
        })?;
        if let Some(first) = seen.insert(row.path.clone(), line) {
            let got = format!("lines {first} and {line} for {}", row.path);
            return Err(fault(WHAT, table, "one box for each image", got));
        }
        rows.push(row);
    }
    if rows.is_empty() {
        return Err(fault(WHAT, table, "at least one box", "an empty table"));
    }
    Ok(rows)
}

fn columns(line: &str) -> Vec<&str> {
    line.split('\t').map(str::trim).collect()
}

fn row(line: usize, fields: &[&str], places: &[usize]) -> Option<Row> {
    let field = |column: usize| fields.get(*places.get(column)?).copied();
    let path = field(0)?;
    let plain = |part: std::path::Component| matches!(part, std::path::Component::Normal(_));
    if path.is_empty() || !Path::new(path).components().all(plain) {
        return None;
    }
    // A corner in `u32` has a successor in `usize`.
    let corner = |column| Some(field(column)?.parse::<u32>().ok()? as usize);
    let [x0, y0, x1, y1] = [corner(1)?, corner(2)?, corner(3)?, corner(4)?];
    Some(Row {
        line,
        path: path.to_owned(),
        rectangle: Rectangle::new(x0, y0, x1.checked_add(1)?, y1.checked_add(1)?)?,
    })
}
