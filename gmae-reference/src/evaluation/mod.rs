//! Evaluation of a model: errors on masked patches, the pictures of the report, and the
//! distribution of Gaussians over an image.

mod distribution;
mod gallery;
mod losses;
mod pictures;

pub use distribution::{Grid, density_map, detail_map, spearman};
pub(crate) use gallery::gallery;
pub(crate) use losses::{held_out_loss, image_losses, mean_colour_loss};
pub use losses::{masked_mse, mean_colour_mse};
pub(crate) use pictures::{masked, pasted};
