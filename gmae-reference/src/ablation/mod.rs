//! Tables of ablations: a TOML file lists rows of settings, every row runs with several seeds, and
//! the means stand beside the numbers of the paper.
//!
//! This module knows nothing of training. A [`Runner`] runs the jobs.
//!
//! | file | content |
//! |---|---|
//! | `table` | the TOML file |
//! | `settings` | settings of the TOML file, applied to a configuration |
//! | `job` | one configuration with one seed, and its identity |
//! | `store` | finished results on disk |
//! | `sweep` | runs the jobs without a result, and rewrites the tables after each |
//! | `measures` | label, unit, digits and direction of each measure |
//! | `summary` | mean and spread over the seeds |
//! | `sheet` | the content of the tables, independent of the format |
//! | `markdown`, `html`, `csv` | the three formats |
//! | `chart` | a measure against a number, as inline SVG |

mod chart;
mod csv;
pub(crate) mod error;
mod html;
mod job;
mod markdown;
mod measures;
mod settings;
mod sheet;
mod store;
mod summary;
mod sweep;
mod table;

pub use error::AblationError;
pub(crate) use job::Job;
pub(crate) use sweep::{Measures, Runner, Sweep};
pub(crate) use table::{Subject, Table};

#[cfg(test)]
mod tests;
