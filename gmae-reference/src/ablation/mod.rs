//! Tables of ablations: a TOML file lists rows of settings, every row runs with several seeds, and
//! the means stand beside the numbers of the paper. `report` formats the tables.
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
//! | `comparison` | tables and plots, as data of a report |

mod comparison;
pub(crate) mod error;
mod job;
mod measures;
mod settings;
mod store;
mod summary;
mod sweep;
mod table;

pub use error::AblationError;
pub(crate) use job::Job;
pub(crate) use measures::{FINE_TUNE, SECONDS};
pub(crate) use sweep::{Measures, Runner, Sweep};
pub(crate) use table::{Subject, Table};

#[cfg(test)]
mod tests;
