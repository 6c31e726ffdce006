//! Evaluation of a model: errors on masked patches, measures of reconstructions, and the pictures
//! of the report.

mod gallery;
mod losses;
mod pictures;
pub mod quality;

pub(crate) use gallery::gallery;
pub use losses::mean_colour_mse;
pub(crate) use losses::{held_out_loss, image_losses, mean_colour_loss};
pub(crate) use pictures::{masked, pasted};
pub use quality::masked_mse;
