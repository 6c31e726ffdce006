//! Readings of the Gaussians of a trained model without further training: layers, figure and
//! ground, objects, edges. The paper shows them in its sections on zero-shot transfer
//! (arXiv 2501.03229). It does not publish the thresholds. Each of them is an argument here.
//!
//! | file | content |
//! |---|---|
//! | `scene` | the Gaussians of whole images, and the size of a render |
//! | `layers` | prefix renders of one scene in one pass |
//! | `labels` | the layer of every pixel |
//! | `figure` | figure and ground, and single objects |
//! | `truth` | scores on procedural scenes |
//! | `edges` | a soft map of boundaries from label maps of several numbers of layers |
//!
//! Gaussians have no resolution. A reading renders them at the size that it needs.

pub(crate) mod edges;
pub(crate) mod figure;
pub(crate) mod labels;
pub(crate) mod layers;
pub(crate) mod scene;
pub(crate) mod truth;
