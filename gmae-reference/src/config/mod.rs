//! Every hyper-parameter of a run: the list, the presets, and the checks.

mod box_finetuning;
mod finetuning;
mod presets;
mod settings;
mod tuning;
mod validate;

pub use box_finetuning::{BoxFinetuning, Tokens};
pub use finetuning::Finetuning;
pub use presets::Preset;
pub use settings::{CameraKind, Config, LossKind, Method, Overrides};
pub use tuning::Tuning;
