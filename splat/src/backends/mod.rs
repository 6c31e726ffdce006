//! The backends: the only place where the stages meet.

#[cfg(feature = "gpu")]
pub(crate) mod copies;
pub mod cpu;
pub(crate) mod stages;
