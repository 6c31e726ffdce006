//! The mutants of the GPU kernels. The test `backends` runs on a device for each mutant, which
//! takes minutes. Therefore these mutants run only with `--gpu`.

use super::{Source, mutant};

/// The mutants, in the order of the pipeline.
pub const KERNELS: &[Source] = &[
    Source {
        file: "project/gpu/kernels.rs",
        mutants: &[
            mutant(
                "gpu project (features over views)",
                "fn features_kernel(",
                "sum += v_features",
                "sum = v_features",
            ),
            mutant(
                "gpu project (pose over grains)",
                "fn sum_grains_kernel(",
                "sum += parts",
                "sum = parts",
            ),
        ],
    },
    Source {
        file: "project/gpu/gaussian_rows.rs",
        mutants: &[mutant(
            "gpu project (geometry over views)",
            "fn add_shape(",
            "sums[2] += v.mean.z",
            "sums[2] = v.mean.z",
        )],
    },
    Source {
        file: "project/gpu/camera_row.rs",
        mutants: &[mutant(
            "gpu project (camera row)",
            "fn share_camera(",
            "r.r1, t.y",
            "r.r1, -t.y",
        )],
    },
    Source {
        file: "composite/gpu/pixel.rs",
        mutants: &[
            mutant(
                "gpu composite (weight)",
                "fn replay_hit(",
                "weight_vjp(before, v_weight, v_rest)",
                "weight_vjp(before, v_weight, -v_rest)",
            ),
            mutant(
                "gpu composite (splats behind a hit)",
                "fn replay_hit(",
                "v_rest: rest",
                "v_rest: v_rest",
            ),
        ],
    },
    Source {
        file: "composite/gpu/replay.rs",
        mutants: &[mutant(
            "gpu composite (moments of a run)",
            "fn sum_run(",
            "m_xy = sum.xy",
            "m_xy = -sum.xy",
        )],
    },
    Source {
        file: "composite/gpu/partial_row.rs",
        mutants: &[
            mutant(
                "gpu composite (opacity)",
                "fn put_geometry(",
                "at + OPACITY, by_opacity",
                "at + OPACITY, -by_opacity",
            ),
            mutant(
                "gpu composite (geometry over parts)",
                "fn put(",
                "+= x",
                "= x",
            ),
        ],
    },
    Source {
        file: "composite/gpu/sums.rs",
        mutants: &[
            mutant(
                "gpu composite (splats behind all hits)",
                "fn state_kernel(",
                "add_weighted(v_rest, v, background)",
                "add_weighted(v_rest, -v, background)",
            ),
            mutant(
                "gpu composite (background)",
                "fn background_kernel(",
                "transmittance[pixel as usize], v)",
                "transmittance[pixel as usize], -v)",
            ),
            mutant(
                "gpu composite (small: over tiles)",
                "fn gather_small_kernel(",
                "sum += partial;",
                "sum = partial;",
            ),
            mutant(
                "gpu composite (large: over hits)",
                "fn gather_large_kernel(",
                "sum += partial;",
                "sum = partial;",
            ),
            mutant(
                "gpu composite (large: over chunks)",
                "fn gather_large_kernel(",
                "sum = out[to as usize]",
                "sum = 0.0",
            ),
        ],
    },
];
