//! Checks of gradients, losses and backends, for the tests of this crate and of others. Feature
//! `check`, with [`proptest`] as the only dependency.
//!
//! | question | function |
//! |---|---|
//! | Is this the vjp of my function? | [`check_vjp`] |
//! | Is this the gradient of my loss? | [`check_loss`], [`check_loss_at`] |
//! | Are these the gradients of a render? | [`check_gradients`], [`OwnedScene::oracle_gradients`] |
//! | Is my backend right? | [`check_backend`] |
//!
//! [`check_scene`] runs the checks of a backend with a scene of the caller. The parts of these
//! checks are public too:
//!
//! - Scenes: random ones for property tests ([`scenes`], [`SceneOptions`]), ones from a seed
//!   ([`crowd`]), and a table with names ([`named_scenes`]).
//! - Difference quotients: [`difference`], [`directional`], and settings without thresholds
//!   ([`smooth`]).
//! - Comparison: [`compare`] with a [`Tolerance`], and the pixels near a threshold, in which two
//!   precisions can correctly differ ([`boundary_band`], [`flips`]).
//!
#![doc = include_str!("../guide/checks.md")]

mod backend;
mod band;
mod compare;
mod difference;
mod ellipses;
mod expected;
mod gradient;
mod harmonics;
mod hostile;
mod image;
mod loss;
mod named;
mod random;
mod report;
mod run;
mod scene;
mod statistics;
mod strategy;
mod transfer;
mod wrong;

pub use backend::{check_backend, check_scene};
pub use band::{BAND, BAND_SHARE, Flips, boundary_band, flips};
pub use compare::{Tolerance, compare, max_difference, max_magnitude};
pub use difference::{difference, directional, smooth};
pub use gradient::{Compared, Quotients, check_gradients, check_vjp};
pub use image::{cotangent, linear_loss};
pub use loss::{check_loss, check_loss_at};
pub use named::{NamedScene, PROJECTIONS, crowd, front_camera, named_scenes, with_channels};
pub use proptest;
pub use random::{Random, weight};
pub use report::{Failure, Finding, Mismatch, Report};
pub use run::{Outcome, run_backend};
pub use scene::{OwnedScene, Parameter, Rendered, Rounded, gradient_row};
pub use strategy::{Kind, SceneOptions, scenes, settings};
pub use transfer::{HarmonicsOutcome, Transfer};
