//! The device functions that may be longer than the limit.

use super::rules::LongKernel;

/// The device functions above the limit, each with a reason. An unnecessary entry is a fault.
pub(super) const LONG_KERNELS: &[LongKernel] = &[
    LongKernel {
        file: "splat/src/composite/gpu/forward_kernel.rs",
        function: "composite_kernel",
        lines: 227,
        reason: "with its set-up or its loading in functions of their own, ptxas spills a variant",
    },
    LongKernel {
        file: "splat/src/composite/gpu/replay.rs",
        function: "replay_kernel",
        lines: 210,
        reason: "one walk over the hits, each step of which shares a dozen values with the next",
    },
    LongKernel {
        file: "splat/src/composite/gpu/replay_planes.rs",
        function: "replay_planes_kernel",
        lines: 200,
        reason: "one walk over the hits, each step of which shares a dozen values with the next",
    },
];
