//! Gaussian Masked Autoencoders (arXiv 2501.03229): an open reference implementation.
//!
//! A masked autoencoder whose decoder predicts `k` Gaussians instead of patches. The crate is thin on purpose:
//! a Vision Transformer ([`model`]) makes Gaussians, the `splat` crate renders them, [`loss`] compares the render
//! with the hidden patches, and [`train`] does that in a loop. All hyper-parameters are in [`config`].

pub mod backend;
pub mod commands;
pub mod config;
pub mod data;
mod error;
pub mod evaluation;
mod files;
pub mod model;
mod numbers;
mod report;
mod terminal;
pub mod training;
mod workers;

pub use config::{Config, Preset};
pub use error::Error;
pub use report::ReportError;
pub use workers::Workers;
