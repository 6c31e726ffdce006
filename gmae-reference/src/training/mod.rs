//! Training: the loop, what it steps with, and what it leaves on disk.

pub mod checkpoint;
pub mod gradient;
pub mod loss;
pub mod metrics;
pub mod optimizer;
pub mod sampling;
pub mod schedule;
pub mod train;
pub mod workers;
