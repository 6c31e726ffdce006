//! The mutants of the vjp formulas of `splat`: at least one per formula. [`loops`] holds the
//! mutants of the loops that sum gradients, [`gpu`] the mutants of the GPU kernels.

pub mod gpu;
pub mod loops;

/// A source file and its mutants.
pub struct Source {
    /// Path of the file, relative to `splat/src`.
    pub file: &'static str,
    /// Mutants of the file, in the order of its functions.
    pub mutants: &'static [Mutant],
}

/// A mutant: one change of the source that makes one gradient wrong.
pub struct Mutant {
    /// Name of the broken vjp or loop. The name is unique.
    pub name: &'static str,
    /// Text at which the function or the `impl` begins. The function ends at the next line that
    /// begins with a closing brace.
    pub within: &'static str,
    /// Text to be replaced. It occurs exactly once in the function.
    pub from: &'static str,
    /// The replacement of `from`.
    pub to: &'static str,
}

/// Creates a mutant.
pub const fn mutant(
    name: &'static str,
    within: &'static str,
    from: &'static str,
    to: &'static str,
) -> Mutant {
    Mutant {
        name,
        within,
        from,
        to,
    }
}

/// The mutants, in the order of the pipeline.
pub const FORMULAS: &[Source] = &[
    Source {
        file: "math/quat.rs",
        mutants: &[
            mutant(
                "quat::normalise_vjp",
                "pub fn normalise_vjp",
                "v_unit.x - along",
                "v_unit.x + along",
            ),
            mutant(
                "quat::rotation_vjp (w)",
                "pub fn rotation_vjp",
                "q.x * anti_x +",
                "q.x * anti_x -",
            ),
            mutant(
                "quat::rotation_vjp (y)",
                "pub fn rotation_vjp",
                "q.z * sym_x -",
                "q.z * sym_x +",
            ),
        ],
    },
    Source {
        file: "math/vec3.rs",
        mutants: &[mutant(
            "vec3::unit_vjp",
            "pub fn unit_vjp",
            "-inverse * dot",
            "inverse * dot",
        )],
    },
    Source {
        file: "math/sym2.rs",
        mutants: &[mutant(
            "sym2::inverse_vjp",
            "pub fn inverse_vjp",
            "trace * k.xx",
            "(-trace) * k.xx",
        )],
    },
    Source {
        file: "project/formula.rs",
        mutants: &[
            mutant(
                "project::clamped_vjp",
                "fn clamped_vjp",
                "v_x = 0.0",
                "v_x = v_y",
            ),
            mutant(
                "project::image_point_vjp",
                "pub fn image_point_vjp",
                "v_z = -(along_x",
                "v_z = (along_x",
            ),
            mutant(
                "project::intrinsics_vjp",
                "pub fn intrinsics_vjp",
                "v_gains.x - v_x",
                "v_gains.x + v_x",
            ),
            mutant(
                "project::activation_vjp (scales)",
                "pub fn activation_vjp",
                "vec3::times(v.scale, g.scale)",
                "v.scale",
            ),
            mutant(
                "project::activation_vjp (opacity)",
                "pub fn activation_vjp",
                "1.0 - g.opacity",
                "1.0 + g.opacity",
            ),
            mutant(
                "project::rows_vjp (covariance)",
                "pub fn rows_vjp",
                "2.0 * v_yy",
                "-2.0 * v_yy",
            ),
            mutant(
                "project::rows_vjp (compensation)",
                "pub fn rows_vjp",
                "v_trace = -v_ratio",
                "v_trace = v_ratio",
            ),
            mutant(
                "project::rows_vjp (determinant)",
                "pub fn rows_vjp",
                "cross(f.m1, f.normal)",
                "cross(f.normal, f.m1)",
            ),
            mutant(
                "project::splat_vjp (tangent)",
                "pub fn splat_vjp",
                "v_u = -vec3::dot",
                "v_u = vec3::dot",
            ),
            mutant(
                "project::splat_vjp (z)",
                "pub fn splat_vjp",
                "v_z -= (v_tan_x",
                "v_z += (v_tan_x",
            ),
            mutant(
                "project::splat_vjp (depth)",
                "pub fn splat_vjp",
                "point.z + v_splat.depth",
                "point.z - v_splat.depth",
            ),
            mutant(
                "project::splat_vjp (pose row)",
                "pub fn splat_vjp",
                "combine(-f.tangent.x",
                "combine(f.tangent.x",
            ),
        ],
    },
    Source {
        file: "composite/formula.rs",
        mutants: &[
            mutant(
                "composite::sigma_vjp (mean)",
                "pub fn sigma_vjp",
                "conic.xy * v_sigma.x + conic.yy",
                "conic.xy * v_sigma.x - conic.yy",
            ),
            mutant(
                "composite::sigma_vjp (conic)",
                "pub fn sigma_vjp",
                "xy: v_sigma",
                "xy: -v_sigma",
            ),
            mutant(
                "composite::mean_vjp",
                "pub fn mean_vjp",
                "conic.xy * along + conic.yy",
                "conic.xy * along - conic.yy",
            ),
            mutant(
                "composite::add_row (xy)",
                "pub fn add_row",
                "fused(row.x, dy",
                "fused(-row.x, dy",
            ),
            mutant(
                "composite::add_in_row (xx)",
                "pub fn add_in_row",
                "fused(along, dx",
                "fused(-along, dx",
            ),
            mutant(
                "composite::opacity_vjp",
                "pub fn opacity_vjp",
                "-v_sigma / opacity",
                "v_sigma / opacity",
            ),
            mutant(
                "composite::alpha_vjp (sigma)",
                "pub fn alpha_vjp",
                "-v_raw * raw",
                "v_raw * raw",
            ),
            mutant(
                "composite::alpha_vjp (clamp)",
                "pub fn alpha_vjp",
                "v_raw = 0.0",
                "v_raw = v_alpha",
            ),
            mutant(
                "composite::weight_vjp",
                "pub fn weight_vjp",
                "- v_rest",
                "+ v_rest",
            ),
            mutant(
                "composite::rest",
                "pub fn rest",
                "fused(alpha, v_weight",
                "fused(-alpha, v_weight",
            ),
        ],
    },
    Source {
        file: "harmonics/formula.rs",
        mutants: &[
            mutant(
                "sh::sh_term_vjp (degree 1)",
                "pub fn sh_term_vjp",
                "z = C1",
                "z = -C1",
            ),
            mutant(
                "sh::sh_term_vjp (degree 3)",
                "pub fn sh_term_vjp",
                "y = 6.0 * C3_SECTORAL",
                "y = -6.0 * C3_SECTORAL",
            ),
            mutant(
                "sh::quartic_gradient (degree 4)",
                "fn quartic_gradient",
                "x = 4.0 * C4_PLANAR",
                "x = -4.0 * C4_PLANAR",
            ),
        ],
    },
    Source {
        file: "harmonics/formula.rs",
        mutants: &[mutant(
            "sh::view_offset_vjp (pose)",
            "pub fn view_offset_vjp",
            "vec3::scaled(t.y, v_offset)",
            "vec3::scaled(-t.y, v_offset)",
        )],
    },
    Source {
        file: "loss/mod.rs",
        mutants: &[
            mutant(
                "loss (luminance)",
                "impl<T: Number> Similarity<T>",
                "- a * value",
                "+ a * value",
            ),
            mutant(
                "loss (product)",
                "impl<T: Number> Similarity<T>",
                "two * luminance[0] * scale",
                "luminance[0] * scale",
            ),
            mutant(
                "loss (square)",
                "pub fn l1_ssim_vjp",
                "(a + a) * by_square[i]",
                "a * by_square[i]",
            ),
        ],
    },
    Source {
        file: "density/growth.rs",
        mutants: &[mutant(
            "density (split)",
            "fn sample<",
            "1.0 / divisor",
            "divisor",
        )],
    },
    Source {
        file: "density/relocation.rs",
        mutants: &[mutant(
            "density (relocation)",
            "fn share(",
            "(n - j + 1.0) / j",
            "(n - j) / j",
        )],
    },
    Source {
        file: "density/noise.rs",
        mutants: &[mutant(
            "density (noise)",
            "pub fn perturb<",
            "vec3::times(vec3::times(scale, scale), along)",
            "vec3::times(scale, along)",
        )],
    },
    Source {
        file: "activation.rs",
        mutants: &[
            mutant(
                "activation (scales)",
                "pub fn scales_from_logs_vjp",
                "v * s",
                "-v * s",
            ),
            mutant(
                "activation (opacities)",
                "pub fn opacities_from_logits_vjp",
                "T::ONE - o",
                "T::ONE + o",
            ),
        ],
    },
];
