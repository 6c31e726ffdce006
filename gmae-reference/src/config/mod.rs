//! Every hyper-parameter of a run: the list, the presets, and the checks.

mod finetuning;
mod presets;
mod settings;
mod validate;

pub use finetuning::Finetuning;
pub use presets::Preset;
pub use settings::{CameraKind, Config, LossKind, Method, Overrides};
