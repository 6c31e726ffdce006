//! Checkpoints: the state of a run in a folder of files that other programs can read.
//!
//! | file | content |
//! |---|---|
//! | `config.json` | the settings |
//! | `model.safetensors` | the weights, with the names of the public ViT and MAE checkpoints |
//! | `state.safetensors` | the moments of the optimiser; schedule, random generator and position |
//! | `SHA256SUMS` | the checksums of the three files, for `sha256sum -c` |
//!
//! The four files of a folder are replaced together. A folder without `state.safetensors` is a
//! model without a run, such as an imported one.

mod checksums;
mod format;
mod import;
mod legacy;
mod load;
mod names;
mod snapshot;
mod state;
mod tensors;
mod writer;
mod writing;

pub(crate) use format::FILES;
pub use import::Public;
pub(crate) use legacy::read_legacy;
pub use load::Checkpoint;
pub(crate) use load::settings;
pub(super) use snapshot::SavedMoments;
pub use snapshot::Snapshot;
pub(crate) use snapshot::{export, export_classifier};
pub use state::{DataId, Generator, State};
pub(super) use writer::Writer;
