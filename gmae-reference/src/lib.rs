//! Gaussian Masked Autoencoders (arXiv 2501.03229): an open reference implementation.
//!
//! A masked autoencoder hides most patches of an image, encodes the visible patches, and decodes
//! the whole image. Here the decoder predicts `k` Gaussians instead of patches. The `splat` crate
//! renders the Gaussians, and the loss compares the render with the hidden patches.
//!
//! The file `training/method.rs` contains the whole method in one function. The training loop is
//! [`training::train()`]. The model is [`model::Autoencoder`]. [`Config`] contains every
//! hyper-parameter.
//!
//! | module | content |
//! |---|---|
//! | [`config`] | hyper-parameters, presets, checks |
//! | [`data`] | procedural pictures, and folders of pictures |
//! | [`ops`] | fast operations of the transformer and the optimiser on the CPU |
//! | [`model`] | patches, masks, encoder, decoder, head, camera, render |
//! | [`training`] | method, loop, optimiser, schedule, loading, checkpoints, metrics, processes |
//! | [`evaluation`] | measures of reconstructions and of features, distribution of Gaussians |
//! | [`bsds`] | the boundary benchmark of BSDS500 |
//! | [`commands`] | the command-line program |

#![warn(unreachable_pub)]

mod ablation;
pub mod backend;
pub mod bsds;
pub mod commands;
pub mod config;
pub mod data;
mod digest;
mod error;
pub mod evaluation;
mod experiment;
mod files;
pub mod model;
#[cfg(feature = "mpi")]
mod mpi;
mod numbers;
pub mod ops;
mod panics;
mod readings;
mod report;
mod terminal;
pub mod training;
mod workers;

pub use ablation::AblationError;
pub use bsds::BsdsError;
pub use config::{Config, Preset};
pub use error::Error;
pub use report::{Raster, ReportError};
pub use workers::Workers;
