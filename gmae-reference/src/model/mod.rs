//! The model: an encoder of the visible patches, a decoder that predicts Gaussians, and the
//! renderer that turns the Gaussians into an image.

mod batch;
mod block;
pub mod camera;
mod decoder;
mod encoder;
mod gmae;
pub mod head;
mod init;
mod masking;
mod patches;
mod position;
mod predict;
pub mod render;

pub use batch::Batch;
pub(crate) use batch::check_batch;
pub use gmae::Gmae;
pub use head::Gaussians;
pub use masking::Mask;
pub use patches::Visible;
pub(crate) use patches::patch_rows;
pub use predict::{Prediction, predict};
