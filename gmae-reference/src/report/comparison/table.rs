//! The tables of results.

use std::fmt::Write as _;

use super::data::{Better, Cell, Quantity, Row, RowKind, Table};
use crate::report::error::ReportError;
use crate::report::html::{heading, section};
use crate::report::picture::escape;

/// The text of a cell that is empty.
const EMPTY: &str = "\u{2013}";
/// The mark of a baseline that is better than every run.
const AHEAD: &str = "\u{2020}";
/// Largest number of decimals that are shown.
const MAX_DECIMALS: usize = 12;

/// Returns all tables, or nothing if there is none.
pub(super) fn tables_section(tables: &[Table]) -> Result<String, ReportError> {
    let tables: Result<String, _> = tables.iter().map(panel).collect();
    Ok(section(
        "Results",
        "\u{2191}: higher is better. \u{2193}: lower is better. The number after \u{b1} is the standard deviation \
         over seeds.",
        &tables?,
    ))
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
    let marks: Vec<Marks> = (0..table.columns.len()).map(|i| marks(table, i)).collect();
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
    html.push_str(&remarks(table, &marks));
    html.push_str("</div>\n");
    Ok(html)
}

/// Returns the head of a column: name, unit and direction.
fn head(column: &Quantity) -> String {
    let arrow = match column.better {
        Better::Higher => "\u{a0}\u{2191}",
        Better::Lower => "\u{a0}\u{2193}",
        Better::Neither => "",
    };
    let unit = if column.unit.is_empty() {
        String::new()
    } else {
        format!(" <small>{}</small>", escape(&column.unit))
    };
    format!("{}{arrow}{unit}", escape(&column.label))
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
            let text = shown(cell, column);
            let _ = match rank(cell, column) {
                Some(value) if kind == RowKind::Run && marks.best == Some(value) => {
                    write!(html, "<td><b>{text}</b></td>")
                }
                Some(value) if kind == RowKind::Baseline && marks.is_ahead(value) => {
                    write!(html, "<td>{text}{AHEAD}</td>")
                }
                _ => write!(html, "<td>{text}</td>"),
            };
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody>\n");
    html
}

/// Returns the meaning of the marks in a table, and its note.
fn remarks(table: &Table, marks: &[Marks]) -> String {
    let mut words = Vec::new();
    if marks.iter().any(|marks| marks.best.is_some()) {
        words.push("Bold: the best run of a column.".to_owned());
    }
    let ahead = |row: &Row| {
        let mut cells = row.cells.iter().zip(&table.columns).zip(marks);
        row.kind == RowKind::Baseline
            && cells.any(|((cell, column), marks)| {
                rank(cell, column).is_some_and(|value| marks.is_ahead(value))
            })
    };
    if table.rows.iter().any(ahead) {
        words.push(format!("{AHEAD}: a baseline better than every run."));
    }
    if !table.note.is_empty() {
        words.push(escape(&table.note));
    }
    if words.is_empty() {
        return String::new();
    }
    format!("<p class=\"below\">{}</p>\n", words.join(" "))
}

/// The marks of a column, as values of [`rank`].
struct Marks {
    /// The best run, if several runs have a number.
    best: Option<f64>,
    /// The best run, also if it is the only one.
    leader: Option<f64>,
}

impl Marks {
    /// Returns whether a baseline is better than every run.
    fn is_ahead(&self, value: f64) -> bool {
        self.leader.is_some_and(|leader| value > leader)
    }
}

fn marks(table: &Table, index: usize) -> Marks {
    let column = &table.columns[index];
    let runs = table.rows.iter().filter(|row| row.kind == RowKind::Run);
    let values: Vec<f64> = runs
        .filter_map(|row| rank(&row.cells[index], column))
        .collect();
    let leader = values.iter().copied().reduce(f64::max);
    Marks {
        best: leader.filter(|_| values.len() > 1),
        leader,
    }
}

/// Returns a number that is larger for better cells. It is `None` for cells without a finite number
/// and for columns without a direction. Cells with the same shown number have the same rank.
fn rank(cell: &Cell, column: &Quantity) -> Option<f64> {
    let Cell::Number { mean, .. } = cell else {
        return None;
    };
    // Adding zero makes -0 equal to 0.
    let shown: f64 = number(*mean, column).parse().ok()?;
    let rank = match column.better {
        Better::Higher => shown,
        Better::Lower => 0.0 - shown,
        Better::Neither => return None,
    };
    rank.is_finite().then_some(rank)
}

/// Returns a cell as HTML.
fn shown(cell: &Cell, column: &Quantity) -> String {
    match cell {
        Cell::Empty => EMPTY.to_owned(),
        Cell::Text(text) => escape(text),
        Cell::Number { mean, .. } if !mean.is_finite() => "not finite".to_owned(),
        Cell::Number { mean, spread } => {
            let mean = number(*mean, column);
            match spread.filter(|spread| spread.is_finite()) {
                Some(spread) => format!("{mean} <small>\u{b1} {}</small>", number(spread, column)),
                None => mean,
            }
        }
    }
}

/// Formats a number with the decimals of its column. The result is not negative zero.
fn number(value: f64, column: &Quantity) -> String {
    let decimals = column.decimals.min(MAX_DECIMALS);
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(digits) if !digits.contains(|c: char| ('1'..='9').contains(&c)) => digits.to_owned(),
        _ => text,
    }
}
