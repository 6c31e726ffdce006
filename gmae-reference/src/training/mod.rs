//! Training: the method, the loop around it, the optimiser, and the files of a run.

mod checkpoint;
mod gradient;
mod loss;
mod method;
pub mod metrics;
mod optimizer;
mod plan;
mod sampling;
mod schedule;
mod train;
mod trainer;

pub use checkpoint::{Checkpoint, Header};
pub use gradient::Gradient;
pub use loss::Target;
pub use optimizer::Optimizer;
pub(crate) use plan::{CHECKPOINT, METRICS};
pub use plan::{Outcome, Plan, plan};
pub use sampling::{Sampler, held_out};
pub(crate) use sampling::{Stream, stream};
pub use schedule::Schedule;
pub use train::train;
pub use trainer::Trainer;
