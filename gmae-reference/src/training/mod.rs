//! Training: the method, the loop around it, the optimiser, and the files of a run.
//!
//! | file | content |
//! |---|---|
//! | `method` | the whole method, for one piece of a batch |
//! | `train` | the loop |
//! | `task`, `classification`, `mixing` | the training of an autoencoder and of a classifier |
//! | `localization`, `box_loss` | the training of a model of boxes |
//! | `drop_path` | branches that are dropped in training from an encoder |
//! | `trainer`, `gradient`, `loss`, `optimizer`, `schedule` | the parts of a step |
//! | `sampling`, `loader` | which images a step sees, and their decoding ahead of the step |
//! | `checkpoint`, `metrics`, `log` | the files of a run |
//! | `ranks` | several processes |

mod box_loss;
mod checkpoint;
mod classification;
mod drop_path;
mod gradient;
mod loader;
mod localization;
mod log;
mod loss;
mod method;
pub mod metrics;
mod mixing;
mod optimizer;
mod plan;
mod ranks;
mod sampling;
mod schedule;
mod task;
mod train;
mod trainer;

pub use checkpoint::{Checkpoint, DataId, Generator, Public, Snapshot, State};
pub(crate) use checkpoint::{FILES, export, export_classifier, read_legacy, settings};
pub use classification::Classification;
pub use gradient::Gradient;
pub use loader::LoaderOptions;
pub use localization::Localization;
pub use loss::Target;
pub use optimizer::Optimizer;
pub(crate) use plan::METRICS;
pub use plan::{Outcome, Plan};
pub use ranks::{AllReduce, Ranks};
pub use sampling::{Piece, Sampler, held_out};
pub(crate) use sampling::{Stream, stream};
pub use schedule::{Decay, Schedule};
pub use task::{Pretraining, Task};
pub use train::{Watch, train};
pub use trainer::Trainer;
