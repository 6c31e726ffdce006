//! The tables of results.

use std::fmt::Write as _;

use super::cells::{AHEAD, Mark, Marks, arrow, legend, mark, marks, remarks, shown};
use super::data::{Cell, Quantity, Row, RowKind, Table};
use crate::report::error::ReportError;
use crate::report::html::{heading, section};
use crate::report::picture::escape;

/// Returns all tables, or nothing if there is none.
pub(super) fn tables_section(tables: &[Table]) -> Result<String, ReportError> {
    let panels: Result<String, _> = tables.iter().map(panel).collect();
    Ok(section("Results", &legend(tables), &panels?))
}

fn panel(table: &Table) -> Result<String, ReportError> {
    for row in &table.rows {
        if row.cells.len() != table.columns.len() {
            return Err(ReportError::Entries {
                part: format!("table {:?}, row {:?}", table.caption, row.name),
                expected: table.columns.len(),
                got: row.cells.len(),
            });
        }
    }
    let marks = marks(table);
    let mut html = format!(
        "<div class=\"panel\">\n{}<div class=\"scroll\"><table class=\"results numbers\">\n<thead><tr><th></th>",
        heading(&table.caption)
    );
    for column in &table.columns {
        // Writing to a String cannot fail.
        let _ = write!(html, "<th>{}</th>", head(column));
    }
    html.push_str("</tr></thead>\n");
    for (kind, title) in [
        (RowKind::Run, ""),
        (RowKind::Baseline, "Baselines, measured on the same data"),
        (RowKind::Published, "Published numbers, not measured here"),
    ] {
        html.push_str(&group(table, kind, title, &marks));
    }
    html.push_str("</table></div>\n");
    for text in remarks(table, &marks) {
        let _ = writeln!(html, "<p class=\"below\">{}</p>", escape(&text));
    }
    html.push_str("</div>\n");
    Ok(html)
}

/// Returns the head of a column: name, unit and direction.
fn head(column: &Quantity) -> String {
    let arrow = match arrow(column) {
        "" => String::new(),
        arrow => format!("\u{a0}{arrow}"),
    };
    let unit = if column.unit.is_empty() {
        String::new()
    } else {
        format!(" <small>{}</small>", escape(&column.unit))
    };
    // A browser would break the line after a hyphen, as in "top-1".
    let label = column.label.replace('-', "\u{2011}");
    format!("{}{arrow}{unit}", escape(&label))
}

/// Returns the rows of one kind, below their title.
fn group(table: &Table, kind: RowKind, title: &str, marks: &[Marks]) -> String {
    let rows: Vec<&Row> = table.rows.iter().filter(|row| row.kind == kind).collect();
    if rows.is_empty() {
        return String::new();
    }
    let mut html = if title.is_empty() {
        "<tbody>\n".to_owned()
    } else {
        format!(
            "<tbody class=\"reference\">\n<tr><th class=\"group\" colspan=\"{}\"><span>{title}</span></th></tr>\n",
            table.columns.len() + 1
        )
    };
    for row in rows {
        let _ = write!(html, "<tr><th scope=\"row\">{}</th>", escape(&row.name));
        for ((cell, column), marks) in row.cells.iter().zip(&table.columns).zip(marks) {
            let text = html_of(cell, column);
            let _ = match mark(cell, column, kind, marks) {
                Mark::Best => write!(html, "<td><b>{text}</b></td>"),
                Mark::Ahead => write!(html, "<td>{text}{AHEAD}</td>"),
                Mark::Plain => write!(html, "<td>{text}</td>"),
            };
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody>\n");
    html
}

/// Returns a cell as HTML.
fn html_of(cell: &Cell, column: &Quantity) -> String {
    let shown = shown(cell, column);
    let text = escape(&shown.text);
    if shown.more.is_empty() {
        return text;
    }
    format!("{text} <small>{}</small>", escape(&shown.more))
}
