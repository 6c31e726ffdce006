//! Markdown tables with aligned columns, and notes on standard error.

use std::io::{self, Write};

/// Titles and tables.
pub(crate) type Tables = Vec<(&'static str, String)>;

/// Formats `value` with `digits` decimals and commas between thousands. A value that is not finite
/// becomes `-`.
pub(crate) fn number(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return "-".to_owned();
    }
    let text = format!("{:.digits$}", value.abs());
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut out = String::new();
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    let sign = if value < 0.0 { "-" } else { "" };
    format!("{sign}{out}{rest}")
}

/// Formats a count with commas between thousands.
pub(crate) fn count(value: u64) -> String {
    number(value as f64, 0)
}

/// Formats a table. The first column is left-aligned, the other columns are right-aligned.
pub(crate) fn markdown(heads: &[&str], rows: &[Vec<String>]) -> String {
    let heads: Vec<String> = heads.iter().map(|&head| head.to_owned()).collect();
    let widths: Vec<usize> = (0..heads.len())
        .map(|k| {
            let cells = rows.iter().filter_map(|row| row.get(k));
            let width = cells.chain([&heads[k]]).map(|cell| cell.chars().count());
            width.max().unwrap_or(0)
        })
        .collect();
    let line = |cells: &[String]| {
        let mut out = String::from("|");
        for (k, (cell, &width)) in cells.iter().zip(&widths).enumerate() {
            let cell = if k == 0 {
                format!(" {cell:<width$} |")
            } else {
                format!(" {cell:>width$} |")
            };
            out.push_str(&cell);
        }
        out + "\n"
    };
    let rule = |(k, &width): (usize, &usize)| {
        let end = if k == 0 { "-" } else { ":" };
        ["-".repeat(width + 1).as_str(), end, "|"].concat()
    };
    let rule: String = widths.iter().enumerate().map(rule).collect();
    let body: String = rows.iter().map(|row| line(row)).collect();
    format!("{}|{rule}\n{body}", line(&heads))
}

/// Writes a line to standard error. A failed write is ignored, because there is no other stream to
/// report it on.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_thousands() {
        assert_eq!(number(1_234_567.891, 1), "1,234,567.9");
        assert_eq!(number(-12.0, 0), "-12");
        assert_eq!(number(f64::NAN, 2), "-");
        assert_eq!(count(1000), "1,000");
    }

    #[test]
    fn columns_are_aligned() {
        let table = markdown(&["a", "ms"], &[vec!["long".to_owned(), "1".to_owned()]]);
        assert_eq!(table, "| a    | ms |\n|------|---:|\n| long |  1 |\n");
    }
}
