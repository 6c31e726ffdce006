//! The rules of this workspace, as tables.
//!
//! Paths are relative to the root of the workspace. In a pattern `*` stands for any part of a
//! file's name, and `**` for any folders.

use super::groups::ALL;
use super::layers::LAYERS;
use super::long_kernels::LONG_KERNELS;
use super::rules::{CubeHomes, Harness, Rules};

/// The rules of this workspace.
pub const RULES: Rules = Rules {
    layers: LAYERS,
    layered: ALL,
    file_lines: 400,
    host_lines: 80,
    kernel_lines: 120,
    long_kernels: LONG_KERNELS,
    cube: CubeHomes {
        within: ALL,
        open: &[
            "splat/src/*/gpu/**/*.rs",
            "splat/src/device/*.rs",
            "splat/src/backends/gpu.rs",
            "splat/src/backends/copies.rs",
            "splat/src/measure/gpu*.rs",
            "splat/src/wgpu_interop/*.rs",
        ],
        gated: &[
            "splat/src/check/transfer.rs",
            "splat/src/lib.rs",
            "splat/src/number.rs",
            "splat/src/math/*.rs",
            "splat/src/*/formula.rs",
            "splat/src/project/mod.rs",
            "splat/src/composite/mod.rs",
            "splat/src/gaussians.rs",
            "splat/src/splats.rs",
            "splat/src/image.rs",
            "splat/src/camera.rs",
            "splat/src/gradients.rs",
        ],
        features: &["gpu", "wgpu", "cuda"],
        reason: "CubeCL is named by the engine of the device and, behind a feature, by formulas and values",
    },
    harness: Harness {
        within: &[
            "splat/tests/**/*.rs",
            "splat-autodiff/tests/**/*.rs",
            "splat-device-tests/tests/**/*.rs",
            "splat-wasm-tests/tests/**/*.rs",
        ],
        // Integers to be sorted, and damage of files.
        may_draw: &[
            "splat-device-tests/tests/gpu_sort.rs",
            "splat/tests/damaged_files.rs",
        ],
        names: &[
            "boundary_band",
            "check_gradients",
            "check_backend",
            "check_loss",
            "check_scene",
            "check_vjp",
            "compare",
            "cotangent",
            "crowd",
            "difference",
            "directional",
            "flips",
            "gradient_row",
            "linear_loss",
            "max_difference",
            "named_scenes",
            "scale",
            "scenes",
            "smooth",
            "weight",
            "with_channels",
        ],
        reason: "scenes, differences and comparisons of the tests are those of `splat::check`",
    },
};
