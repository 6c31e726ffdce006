//! Tables of a comparison as Markdown and as CSV.

use super::cells::{AHEAD, Mark, Marks, arrow, legend, mark, marks, remarks, shown};
use super::data::{Cell, ComparisonData, Quantity, Row, RowKind, Table};
use crate::report::error::ReportError;

/// Lines of prose have at most this many columns.
const WIDTH: usize = 100;

/// Returns the first line of the Markdown of a comparison.
pub(crate) fn title(title: &str) -> String {
    format!("# {}", escape(title))
}

/// Returns title, notes and tables as Markdown.
pub(crate) fn markdown(data: &ComparisonData) -> String {
    let mut blocks = vec![title(&data.title)];
    blocks.extend(data.notes.iter().map(|note| paragraph(note)));
    if !data.tables.is_empty() {
        blocks.push(paragraph(&legend(&data.tables)));
    }
    for table in &data.tables {
        let marks = marks(table);
        blocks.push(format!("## {}", escape(&table.caption)));
        blocks.push(lines(table, &marks));
        let remarks = remarks(table, &marks);
        blocks.extend(remarks.iter().map(|text| paragraph(text)));
    }
    blocks.join("\n\n") + "\n"
}

/// The lines of a table.
fn lines(table: &Table, marks: &[Marks]) -> String {
    let headings = table.columns.iter().map(|column| escape(&heading(column)));
    let headings: Vec<String> = headings.collect();
    let rule = "---:|".repeat(headings.len());
    let mut lines = vec![
        format!("| | {} |", headings.join(" | ")),
        format!("|---|{rule}"),
    ];
    for row in &table.rows {
        let cells = row.cells.iter().zip(&table.columns).zip(marks);
        let cells: Vec<String> = cells
            .map(|((cell, column), marks)| {
                let shown = shown(cell, column);
                let text = [shown.text.as_str(), &shown.more].join(" ");
                let text = escape(text.trim_end());
                match mark(cell, column, row.kind, marks) {
                    Mark::Best => format!("**{text}**"),
                    Mark::Ahead => format!("{text}{AHEAD}"),
                    Mark::Plain => text,
                }
            })
            .collect();
        let name = escape(&format!("{}{}", kind(row), row.name));
        lines.push(format!("| {name} | {} |", cells.join(" | ")));
    }
    lines.join("\n")
}

/// Returns the escaped text in lines of at most [`WIDTH`] columns, if words allow.
///
/// A line starts with a letter, because other characters can start a list or a heading.
fn paragraph(text: &str) -> String {
    let mut lines = String::new();
    let mut columns = 0;
    for word in escape(text).split_whitespace() {
        let length = word.chars().count();
        let letter = word.starts_with(char::is_alphabetic);
        if lines.is_empty() {
            columns = length;
        } else if letter && columns + 1 + length > WIDTH {
            lines.push('\n');
            columns = length;
        } else {
            lines.push(' ');
            columns += 1 + length;
        }
        lines.push_str(word);
    }
    lines
}

/// Returns `text` in one line, with the special characters of Markdown escaped.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' => escaped.push(' '),
            '\\' | '`' | '*' | '_' | '<' | '>' | '[' | ']' | '|' | '~' | '&' => {
                escaped.push('\\');
                escaped.push(c);
            }
            c => escaped.push(c),
        }
    }
    escaped
}

/// Returns the tables as CSV, with all digits: one line for each setting and each cell of each row.
/// A missing value has no line. The column `n` is the number of runs.
///
/// # Errors
///
/// [`ReportError::Plot`] if the text cannot be built, for example because memory runs out.
pub(crate) fn csv(tables: &[Table]) -> Result<String, ReportError> {
    let failed = |error: csv::Error| ReportError::Plot(error.to_string());
    let mut writer = csv::Writer::from_writer(Vec::new());
    let head = ["table", "row", "column", "unit", "mean", "deviation", "n"];
    writer.write_record(head).map_err(failed)?;
    for table in tables {
        for row in &table.rows {
            let (table_name, row_name) = (table.caption.as_str(), row.name.as_str());
            for (name, value) in &table.settings {
                let record = [table_name, row_name, name, "", value, "", ""];
                writer.write_record(record).map_err(failed)?;
            }
            for (cell, column) in row.cells.iter().zip(&table.columns) {
                let [mean, deviation, n] = match cell {
                    Cell::Empty => continue,
                    Cell::Text(text) => [text.clone(), String::new(), String::new()],
                    Cell::Number {
                        mean,
                        spread,
                        count,
                        ..
                    } => [
                        mean.to_string(),
                        spread.map_or(String::new(), |spread| spread.to_string()),
                        count.to_string(),
                    ],
                };
                let (label, unit) = (column.label.as_str(), column.unit.as_str());
                let record = [table_name, row_name, label, unit, &mean, &deviation, &n];
                writer.write_record(record).map_err(failed)?;
            }
        }
    }
    let bytes = writer
        .into_inner()
        .map_err(|error| ReportError::Plot(error.to_string()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The heading of a column: label, unit, and an arrow in the better direction.
fn heading(column: &Quantity) -> String {
    let unit = match column.unit.as_str() {
        "" => String::new(),
        unit => format!("({unit})"),
    };
    let words = [column.label.as_str(), &unit, arrow(column)];
    let words = words.into_iter().filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
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
    use crate::report::comparison::Better;

    fn table() -> Table {
        let column = |label: &str, unit: &str, better, decimals| Quantity {
            label: label.to_owned(),
            unit: unit.to_owned(),
            better,
            decimals,
        };
        let number = |mean, spread, count| Cell::Number {
            mean,
            spread,
            count,
            planned: 2,
        };
        let row = |name: &str, kind, cells: [Cell; 3]| Row {
            name: name.to_owned(),
            kind,
            cells: cells.to_vec(),
        };
        let decoder = || Cell::Text("64 x 2 | *".to_owned());
        let ridge = [
            number(41.26, Some(0.31), 2),
            number(41.31, None, 1),
            number(f64::NAN, None, 2),
            Cell::single(35.0),
        ];
        let mse = [
            number(-0.04, Some(0.1), 2),
            number(0.5, None, 1),
            Cell::Empty,
            Cell::single(-1.0),
        ];
        let names = [
            ("a|b", RowKind::Run),
            ("c_d", RowKind::Run),
            ("e", RowKind::Run),
            ("raw, pixels", RowKind::Baseline),
        ];
        let cells = ridge.into_iter().zip(mse);
        Table {
            caption: "Probes <1>".to_owned(),
            columns: vec![
                column("ridge", "%", Better::Higher, 1),
                column("MSE", "", Better::Lower, 1),
                column("decoder", "", Better::Neither, 0),
            ],
            rows: names
                .into_iter()
                .zip(cells)
                .map(|((name, kind), (ridge, mse))| row(name, kind, [ridge, mse, decoder()]))
                .collect(),
            settings: [("epochs", "5"), ("images", "all")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
            note: "A note.".to_owned(),
        }
    }

    /// The two ridge numbers are equal in the shown digits. Negative zero is shown as zero.
    #[test]
    fn markdown_has_a_line_for_each_row_and_marks_the_best() {
        let data = ComparisonData {
            title: "Probes & co".to_owned(),
            notes: vec!["1 of 2 runs is done.".to_owned()],
            tables: vec![table()],
            ..ComparisonData::default()
        };
        let expected = r"# Probes \& co

1 of 2 runs is done.

↑: higher is better. ↓: lower is better. The number after ± is the sample standard deviation over
seeds. Where runs are missing, n is the number of runs.

## Probes \<1\>

| | ridge (%) ↑ | MSE ↓ | decoder |
|---|---:|---:|---:|
| a\|b | **41.3 ± 0.3** | **0.0 ± 0.1** | 64 x 2 \| \* |
| c\_d | **41.3 (n = 1)** | 0.5 (n = 1) | 64 x 2 \| \* |
| e | not finite | - | 64 x 2 \| \* |
| baseline: raw, pixels | 35.0 | -1.0† | 64 x 2 \| \* |

Bold: the best run of a column. †: a baseline better than every run. All rows: epochs 5, images all.

A note.
";
        assert_eq!(markdown(&data), expected);
    }

    #[test]
    fn tables_without_signs_have_a_short_legend() {
        let mut table = table();
        table.rows = vec![Row::default()];
        table.settings.clear();
        table.note.clear();
        let data = ComparisonData {
            tables: vec![table],
            ..ComparisonData::default()
        };
        let text = markdown(&data);
        assert!(
            text.contains("\n↑: higher is better. ↓: lower is better.\n\n##"),
            "{text}"
        );
        assert!(text.ends_with("|---|---:|---:|---:|\n|  |  |\n"), "{text}");
        assert_eq!(markdown(&ComparisonData::default()), "# \n");
    }

    #[test]
    fn csv_has_a_line_for_each_number() {
        let text = csv(&[table()]).expect("text");
        let lines: Vec<&str> = text.lines().collect();
        let expected = [
            "table,row,column,unit,mean,deviation,n",
            "Probes <1>,a|b,epochs,,5,,",
            "Probes <1>,a|b,images,,all,,",
            "Probes <1>,a|b,ridge,%,41.26,0.31,2",
            "Probes <1>,a|b,MSE,,-0.04,0.1,2",
            "Probes <1>,a|b,decoder,,64 x 2 | *,,",
        ];
        assert_eq!(lines[..6], expected);
        // The third row has no MSE.
        assert_eq!(lines.len(), 1 + 4 * 5 - 1);
        let last = "Probes <1>,\"raw, pixels\",MSE,,-1,,1";
        assert_eq!(lines[lines.len() - 2], last);
    }

    #[test]
    fn special_characters_are_escaped() {
        let text = "a|b *c* <d> [e](f) _g_ `h` ~~i~~ &amp; \\ k\nl";
        let escaped = r"a\|b \*c\* \<d\> \[e\](f) \_g\_ \`h\` \~\~i\~\~ \&amp; \\ k l";
        assert_eq!(escape(text), escaped);
    }

    #[test]
    fn long_paragraphs_are_wrapped_before_letters() {
        let words = ["word"; 40].join(" ");
        let lines = paragraph(&words);
        // 20 words of 4 letters and the spaces between them have 99 columns.
        let line = ["word"; 20].join(" ");
        assert_eq!(lines, format!("{line}\n{line}"));
        let dashes = paragraph(&["- 1. # +"; 40].join(" "));
        assert_eq!(dashes.lines().count(), 1, "{dashes}");
    }
}
