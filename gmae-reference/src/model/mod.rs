//! The model: an encoder of the visible patches, and a decoder. The decoder of GMAE predicts
//! Gaussians, which the renderer turns into an image. The decoder of MAE predicts patches.

mod autoencoder;
mod batch;
mod block;
pub mod camera;
mod classifier;
mod culled;
mod decoded;
mod decoder;
mod encoder;
pub mod head;
mod init;
mod localizer;
mod masking;
mod patches;
pub mod pixels;
mod position;
mod predict;
pub mod render;
mod stored;

pub use autoencoder::Autoencoder;
pub use batch::Batch;
pub(crate) use batch::check_batch;
pub use block::Drops;
pub use classifier::Classifier;
pub use decoded::{Decoded, Patches};
pub use head::Gaussians;
pub use localizer::Localizer;
pub use masking::Mask;
pub use patches::Visible;
pub(crate) use patches::{patch_rows, patch_statistics, standardisation};
pub use predict::{Prediction, predict};
pub use stored::Stored;
