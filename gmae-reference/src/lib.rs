//! Gaussian Masked Autoencoders (arXiv 2501.03229): an open reference implementation.
//!
//! A masked autoencoder whose decoder predicts `k` Gaussians instead of patches. The crate is thin on purpose:
//! a Vision Transformer ([`model`]) makes Gaussians, the `splat` crate renders them, [`loss`] compares the render
//! with the hidden patches, and [`train`] does that in a loop. All hyper-parameters are in [`config`].

pub mod atomic;
pub mod backend;
pub mod camera;
pub mod checkpoint;
pub mod cli;
pub mod config;
pub mod data;
pub mod demo;
pub mod error;
pub mod evaluate;
pub mod gallery;
pub mod gradient;
pub mod interrupt;
pub mod loss;
pub mod metrics;
pub mod model;
pub mod optimizer;
pub mod picture;
pub mod pretrain;
pub mod progress;
pub mod reconstruct;
pub mod render;
pub mod report;
pub mod sampling;
pub mod schedule;
pub mod terminal;
pub mod train;
pub mod workers;

pub use config::{Config, Preset};
pub use error::Error;
