//! Foreground segmentation and single-object detection, scored on host arrays without a model.
//!
//! | file | content |
//! |---|---|
//! | `overlap.rs` | intersection over union, of masks and of boxes |
//! | `score_map.rs` | the prediction for an image |
//! | `components.rs` | connected components, and the box of the largest |
//! | `protocol.rs` | sizes, thresholds and means, as in Bar et al. (arXiv 2209.00647) |
//! | `baselines.rs` | rows without a model: everything, a shape in the centre, other masks |
//! | `constant_boxes.rs` | boxes that are the same in every image |
//! | `threshold.rs` | the threshold of a map of layers, chosen on some of the images |
//! | `layers.rs` | boundaries and depth order of a map of layers |

mod baselines;
mod components;
mod constant_boxes;
mod layers;
mod overlap;
mod protocol;
mod score_map;
mod threshold;

#[cfg(test)]
mod examples;

pub(crate) use baselines::box_mask;
pub use baselines::{Baseline, BaselineRow, baseline_rows};
pub use components::{Components, components, largest_box};
pub use constant_boxes::constant_boxes;
pub use layers::{LabelMap, depth_order, label_boundaries};
pub use overlap::{Corners, box_iou, iou};
pub use protocol::{PreparedTruth, Protocol, Task, Undecided, cycled_mean, score};
pub use score_map::ScoreMap;
pub use threshold::{Choice, Halves, Tuned, overlaps, tuned};
