//! The report of a comparison of several runs: one HTML file that contains every number, plot and
//! picture.

mod data;
mod page;
mod runs;
mod sweep;
mod table;

pub(crate) use data::{
    Better, Cell, ComparedPicture, ComparisonData, Measure, Quantity, Reconstruction, Row, RowKind,
    RunData, Sweep, SweepPoint, Table,
};
pub(super) use page::page;

#[cfg(test)]
mod example;
#[cfg(test)]
mod tests;
