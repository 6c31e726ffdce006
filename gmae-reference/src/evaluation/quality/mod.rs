//! Measures of reconstructions on host arrays.
//!
//! | file | content |
//! |---|---|
//! | `errors.rs` | mean squared error and peak signal-to-noise ratio |
//! | `ssim.rs` | structural similarity |
//! | `fills.rs` | baselines that use only the visible patches: mean colour, bilinear |
//! | `measure.rs` | all measures of every image of a batch |
//! | `summary.rs` | mean and standard deviation of the measures over images |
//! | `frechet.rs` | Fréchet distance between two sets of features |

mod errors;
mod fills;
mod frechet;
mod measure;
mod ssim;
mod summary;

#[cfg(test)]
mod examples;

pub use errors::{masked_mse, mse, psnr};
pub use fills::{Fill, bilinear_fill, fill_batch, mean_colour_fill};
pub use frechet::{FeatureStatistics, frechet_distance};
pub use measure::{Composition, Measures, measure};
pub use ssim::{Ssim, ssim};
pub use summary::{Quality, Spread};
