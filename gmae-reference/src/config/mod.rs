//! Every hyper-parameter of a run: the list, the presets, and which values can work.

mod presets;
mod settings;
mod validate;

pub use presets::Preset;
pub use settings::{CameraKind, Config, LossKind, Overrides};
