//! The tables as one CSV file, with all digits.

use std::collections::BTreeSet;
use std::io::{self, Write};

use csv::Writer;

use super::sheet::{Results, method, summary};
use super::table::Table;

/// Writes one line for each row of each group. An empty field is a missing value.
///
/// # Errors
///
/// The error of `file`.
pub(super) fn write(file: &mut dyn Write, table: &Table, results: &Results) -> io::Result<()> {
    let mut writer = Writer::from_writer(file);
    let rows = table.groups.iter().flat_map(|group| &group.rows);
    let paper: BTreeSet<&String> = rows.flat_map(|row| row.paper.keys()).collect();
    writer.write_record(header(table, &paper))?;
    for (group, results) in table.groups.iter().zip(results) {
        for (row, results) in group.rows.iter().zip(results) {
            let config = &row.config;
            let mut fields = vec![
                group.name.clone(),
                row.name.clone(),
                method(config),
                config.decoder_width.to_string(),
                config.decoder_depth.to_string(),
                config.decoder_heads.to_string(),
                optional(table.images),
                config.epochs.to_string(),
            ];
            for name in &table.measures {
                let summary = summary(name, results);
                fields.push(optional(summary.map(|summary| summary.mean)));
                fields.push(optional(summary.and_then(|summary| summary.spread)));
                fields.push(summary.map_or(0, |summary| summary.count).to_string());
            }
            let number = |name: &&String| row.paper.get(*name).cloned().unwrap_or_default();
            fields.extend(paper.iter().map(number));
            writer.write_record(fields)?;
        }
    }
    writer.flush()
}

fn header(table: &Table, paper: &BTreeSet<&String>) -> Vec<String> {
    let settings = [
        "group",
        "row",
        "method",
        "decoder_width",
        "decoder_depth",
        "decoder_heads",
        "images",
        "epochs",
    ];
    let settings = settings.map(str::to_owned).into_iter();
    let measures = table.measures.iter();
    let measures =
        measures.flat_map(|name| ["mean", "spread", "n"].map(|part| format!("{name} {part}")));
    let paper = paper.iter().map(|name| format!("paper: {name}"));
    settings.chain(measures).chain(paper).collect()
}

fn optional<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}
