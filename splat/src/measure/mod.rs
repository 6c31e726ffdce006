//! Measurements for benchmarks and tests. Not part of the public interface.

pub mod cpu;
#[cfg(feature = "gpu")]
pub mod gpu;
#[cfg(feature = "gpu")]
mod gpu_roofline;
