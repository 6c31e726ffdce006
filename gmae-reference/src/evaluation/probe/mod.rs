//! Probes: how well the features of images tell classes apart.
//!
//! A probe fits a simple classifier to the features of training images and counts correct answers
//! on test images. This module depends on no model, backend or command: a caller passes features
//! and labels.
//!
//! | file | content |
//! |---|---|
//! | `features` | features and labels, checked |
//! | `split` | the validation part of the training images, on which settings are chosen |
//! | `ridge` | ridge regression in closed form |
//! | `linear` | batch normalisation and a linear layer, trained by `AdamW` |
//! | `recipe` | the settings of `linear` |
//! | `head` | the linear layer of `linear`, its gradient and its step |
//! | `knn` | votes of the nearest neighbours |
//! | `scaling` | means and variances of columns, and normalisation by them |
//! | `accuracy` | top-1 accuracy with a 95 % interval |
//! | `watch` | progress and interruption |
//!
//! # Progress and interruption
//!
//! Every probe takes a callback `progress(done, total)`, which it calls after each part of the
//! work. If the callback returns `false`, the probe stops and returns `Ok(None)`.
//!
//! Results are the same bits for any number of threads.

mod accuracy;
mod features;
mod head;
mod knn;
mod linear;
mod recipe;
mod ridge;
mod scaling;
mod split;
mod watch;

pub use accuracy::{Accuracy, accuracy};
pub use features::{Features, Labelled, MAX_CLASSES};
pub use knn::{NeighbourRecipe, nearest_neighbours};
pub use linear::{LinearProbe, linear_probe};
pub use recipe::LinearRecipe;
pub use ridge::{LAMBDAS, MAX_RIDGE_COLUMNS, RidgeProbe, ridge_probe};
pub use split::{Split, hold_out};

#[cfg(test)]
mod tests;
