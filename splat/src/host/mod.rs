//! The CPU engine: vector instructions, columns of numbers, buffers that are used again. It knows no stage.

pub(crate) mod columns;
pub(crate) mod kernels;
pub(crate) mod simd;
pub(crate) mod workspace;
