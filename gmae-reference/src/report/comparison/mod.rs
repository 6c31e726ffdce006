//! The report of a comparison of several runs: one HTML file that contains every number, plot and
//! picture.

mod cells;
mod data;
mod page;
mod runs;
mod sweep;
mod table;
mod text;

pub(crate) use data::{
    Better, Case, CaseGroup, Cell, ComparedPicture, ComparisonData, Measure, Quantity,
    Reconstruction, Row, RowKind, RunData, Sweep, SweepPoint, Table,
};
pub(super) use page::page;
pub(crate) use text::{csv, markdown, title};

#[cfg(test)]
mod example;
#[cfg(test)]
mod tests;
