//! Tables of a comparison as Markdown and as CSV.

use super::data::{Better, Cell, Quantity, Row, RowKind, Table};
use crate::report::error::ReportError;

/// Returns the tables as Markdown.
pub(crate) fn markdown(tables: &[Table]) -> String {
    let mut text = String::new();
    for table in tables {
        text += &format!("## {}\n\n", table.caption);
        let headings: Vec<String> = table.columns.iter().map(heading).collect();
        text += &format!("| | {} |\n", headings.join(" | "));
        text += &format!("|---|{}\n", "---:|".repeat(headings.len()));
        for row in &table.rows {
            let cells = row.cells.iter().zip(&table.columns);
            let cells: Vec<String> = cells.map(|(cell, column)| shown(cell, column)).collect();
            let name = format!("{}{}", kind(row), row.name).replace('|', "\\|");
            text += &format!("| {name} | {} |\n", cells.join(" | "));
        }
        if !table.note.is_empty() {
            text += &format!("\n{}\n", table.note);
        }
        text.push('\n');
    }
    text
}

/// Returns the tables as CSV: one line for each number, with its table, row and column.
///
/// # Errors
///
/// [`ReportError::Plot`] if the text cannot be built, for example because memory runs out.
pub(crate) fn csv(tables: &[Table]) -> Result<String, ReportError> {
    let failed = |error: csv::Error| ReportError::Plot(error.to_string());
    let mut writer = csv::Writer::from_writer(Vec::new());
    let head = ["table", "row", "column", "unit", "mean", "deviation"];
    writer.write_record(head).map_err(failed)?;
    for table in tables {
        for row in &table.rows {
            for (cell, column) in row.cells.iter().zip(&table.columns) {
                let [mean, deviation] = match cell {
                    Cell::Empty => continue,
                    Cell::Text(text) => [text.clone(), String::new()],
                    Cell::Number { mean, spread } => [
                        mean.to_string(),
                        spread.map_or(String::new(), |spread| spread.to_string()),
                    ],
                };
                let record = [
                    &table.caption,
                    &row.name,
                    &column.label,
                    &column.unit,
                    &mean,
                    &deviation,
                ];
                writer.write_record(record).map_err(failed)?;
            }
        }
    }
    let bytes = writer
        .into_inner()
        .map_err(|error| ReportError::Plot(error.to_string()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn heading(column: &Quantity) -> String {
    let unit = if column.unit.is_empty() {
        String::new()
    } else {
        format!(" ({})", column.unit)
    };
    let arrow = match column.better {
        Better::Higher => " ↑",
        Better::Lower => " ↓",
        Better::Neither => "",
    };
    format!("{}{unit}{arrow}", column.label)
}

fn shown(cell: &Cell, column: &Quantity) -> String {
    let digits = column.decimals;
    match cell {
        Cell::Empty => "-".to_owned(),
        Cell::Text(text) => text.replace('|', "\\|"),
        Cell::Number { mean, spread: None } => format!("{mean:.digits$}"),
        Cell::Number {
            mean,
            spread: Some(spread),
        } => format!("{mean:.digits$} ± {spread:.digits$}"),
    }
}

/// The mark of a row that is not one of the compared runs.
fn kind(row: &Row) -> &'static str {
    match row.kind {
        RowKind::Run => "",
        RowKind::Baseline => "baseline: ",
        RowKind::Published => "published: ",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let column = |label: &str, unit: &str, better, decimals| Quantity {
            label: label.to_owned(),
            unit: unit.to_owned(),
            better,
            decimals,
        };
        let number = |mean, spread| Cell::Number { mean, spread };
        Table {
            caption: "Probes".to_owned(),
            columns: vec![
                column("ridge", "%", Better::Higher, 1),
                column("decoder", "", Better::Neither, 0),
            ],
            rows: vec![
                Row {
                    name: "a|b".to_owned(),
                    kind: RowKind::Run,
                    cells: vec![number(41.26, Some(0.31)), Cell::Text("64 x 2".to_owned())],
                },
                Row {
                    name: "raw, pixels".to_owned(),
                    kind: RowKind::Baseline,
                    cells: vec![number(35.0, None), Cell::Empty],
                },
            ],
            note: "A note.".to_owned(),
        }
    }

    #[test]
    fn markdown_has_a_line_for_each_row() {
        let expected = "## Probes\n\n| | ridge (%) ↑ | decoder |\n|---|---:|---:|\n\
                        | a\\|b | 41.3 ± 0.3 | 64 x 2 |\n| baseline: raw, pixels | 35.0 | - |\n\n\
                        A note.\n\n";
        assert_eq!(markdown(&[table()]), expected);
    }

    #[test]
    fn csv_has_a_line_for_each_number() {
        let expected = "table,row,column,unit,mean,deviation\nProbes,a|b,ridge,%,41.26,0.31\n\
                        Probes,a|b,decoder,,64 x 2,\nProbes,\"raw, pixels\",ridge,%,35,\n";
        assert_eq!(csv(&[table()]).expect("text"), expected);
    }
}
