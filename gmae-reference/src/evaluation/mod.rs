//! Evaluation of a model: measures of reconstructions, probes of features, accuracies of
//! classifiers, boxes, segmentation and detection of objects, the distribution of Gaussians over an
//! image, and the pictures of the report.

pub(crate) mod arrangement;
mod bootstrap;
pub(crate) mod classify;
pub(crate) mod distribution;
pub(crate) mod encoding;
pub(crate) mod gallery;
pub(crate) mod judge;
pub(crate) mod localize;
mod losses;
mod pictures;
pub mod probe;
pub mod quality;
pub(crate) mod reconstruction;
pub mod segmentation;

pub use bootstrap::{Bootstrap, Cases, Interval};
pub use distribution::{Grid, density_map, detail_map, spearman};
pub use losses::mean_colour_mse;
pub(crate) use losses::{held_out_loss, image_losses, mean_colour_loss};
pub(crate) use pictures::{masked, pasted};
pub use quality::masked_mse;

#[cfg(test)]
mod examples;
