//! Foreground segmentation and single-object detection, scored on host arrays without a model.
//!
//! | file | content |
//! |---|---|
//! | `overlap.rs` | intersection over union |
//! | `score_map.rs` | the prediction for an image |
//! | `components.rs` | connected components, and the box of the largest |
//! | `protocol.rs` | sizes, thresholds and means, as in Bar et al. (arXiv 2209.00647) |
//! | `baselines.rs` | rows without a model: everything, a shape in the centre, other masks |
//! | `threshold.rs` | the threshold of a map of layers, chosen on some of the images |
//! | `layers.rs` | boundaries and depth order of a map of layers |

mod baselines;
mod components;
mod layers;
mod overlap;
mod protocol;
mod score_map;
mod threshold;

#[cfg(test)]
mod examples;

pub use baselines::{Baseline, BaselineRow, baseline_rows};
pub use components::{Components, components, largest_box};
pub use layers::{LabelMap, depth_order, label_boundaries};
pub use overlap::iou;
pub use protocol::{PreparedTruth, Protocol, Task, Undecided, cycled_mean, score};
pub use score_map::ScoreMap;
pub use threshold::{Choice, Halves, Tuned, overlaps, tuned};
