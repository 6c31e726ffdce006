//! The CPU engine: vector instructions, column layout, threads and reused buffers. It does not
//! depend on any stage.

pub(crate) mod columns;
pub(crate) mod cut;
pub(crate) mod memory;
pub(crate) mod prefetch;
pub(crate) mod simd;
pub(crate) mod threads;
pub(crate) mod workspace;
