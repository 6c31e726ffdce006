//! Gaussian Masked Autoencoders (arXiv 2501.03229): an open reference implementation.
//!
//! A masked autoencoder hides most patches of an image, encodes the rest, and decodes the whole.
//! Here the decoder predicts `k` Gaussians instead of patches. The `splat` crate renders them, and
//! the loss compares the render with the hidden patches.
//!
//! The whole method is one function, `training/method.rs`; the loop around it is
//! [`training::train()`]. The model is [`model::Gmae`]. Every hyper-parameter is in [`Config`].
//!
//! | module | content |
//! |---|---|
//! | [`config`] | hyper-parameters, presets, checks |
//! | [`data`] | procedural pictures, and folders of pictures |
//! | [`model`] | patches, masks, encoder, decoder, head, camera, render |
//! | [`training`] | method, loop, optimiser, schedule, sampling, checkpoints, metrics |
//! | [`evaluation`] | errors on masked patches, pictures for the report |
//! | [`commands`] | the program |

#![warn(unreachable_pub)]

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
