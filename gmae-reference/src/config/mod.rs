//! Every hyper-parameter of a run: the list, the presets, and the checks.

mod presets;
mod settings;
mod validate;

pub use presets::Preset;
pub use settings::{CameraKind, Config, LossKind, Method, Overrides};
