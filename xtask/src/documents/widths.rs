//! The check of the widths of lines.

use super::Documents;
use super::comments::lines;
use crate::structure::fault::Fault;

/// The most columns of a line of prose.
pub const COLUMNS: usize = 120;

/// Returns a fault for each line of prose that is too wide. Rows of tables and lines with a link
/// may be wider.
pub fn check(documents: &Documents) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (path, text) in documents.all() {
        for line in lines(path, text) {
            let columns = line.whole.chars().count();
            let excused = line.prose.trim_start().starts_with('|')
                || line.prose.contains("](")
                || line.prose.contains("://");
            if columns > COLUMNS && !excused {
                let message = format!("{columns} columns: expected at most {COLUMNS}");
                faults.push(Fault::new(path, Some(line.number), message));
            }
        }
    }
    faults
}
