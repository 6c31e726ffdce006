//! The backends. Only these files combine the stages.

#[cfg(feature = "gpu")]
pub(crate) mod copies;
pub(crate) mod cpu;
mod frames;
#[cfg(feature = "gpu")]
pub(crate) mod gpu;
pub(crate) mod harmonics;
mod recycle;
pub(crate) mod stages;
