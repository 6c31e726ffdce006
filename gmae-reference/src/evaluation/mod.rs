//! Evaluation of a model: errors on masked patches, the pictures of the report, and probes of
//! features.

mod gallery;
mod losses;
mod pictures;
pub mod probe;

pub(crate) use gallery::gallery;
pub(crate) use losses::{held_out_loss, image_losses, mean_colour_loss};
pub use losses::{masked_mse, mean_colour_mse};
pub(crate) use pictures::{masked, pasted};
