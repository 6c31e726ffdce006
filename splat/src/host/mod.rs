//! The CPU engine: vector instructions, columns of numbers, buffers that are used again. It knows
//! no stage.

pub(crate) mod columns;
pub(crate) mod cut;
pub(crate) mod prefetch;
pub(crate) mod simd;
pub(crate) mod threads;
pub(crate) mod workspace;
