//! The mutants: at least one for every vjp of `splat`.

/// One change that breaks one gradient.
pub struct Mutant {
    /// The vjp it breaks.
    pub name: &'static str,
    /// File, from `splat/src`.
    pub file: &'static str,
    /// Where the function begins.
    pub within: &'static str,
    /// What stands there once in the function.
    pub from: &'static str,
    /// What it becomes.
    pub to: &'static str,
}

const fn mutant(
    name: &'static str,
    file: &'static str,
    within: &'static str,
    from: &'static str,
    to: &'static str,
) -> Mutant {
    Mutant {
        name,
        file,
        within,
        from,
        to,
    }
}

/// Every mutant, by the order of the pipeline.
pub const MUTANTS: &[Mutant] = &[
    mutant(
        "quat::normalise_vjp",
        "math/quat.rs",
        "pub fn normalise_vjp",
        "v_unit.x - along",
        "v_unit.x + along",
    ),
    mutant(
        "quat::rotation_vjp (w)",
        "math/quat.rs",
        "pub fn rotation_vjp",
        "q.x * anti_x +",
        "q.x * anti_x -",
    ),
    mutant(
        "quat::rotation_vjp (y)",
        "math/quat.rs",
        "pub fn rotation_vjp",
        "q.z * sym_x -",
        "q.z * sym_x +",
    ),
    mutant(
        "vec3::unit_vjp",
        "math/vec3.rs",
        "pub fn unit_vjp",
        "-inverse * dot",
        "inverse * dot",
    ),
    mutant(
        "sym2::inverse_vjp",
        "math/sym2.rs",
        "pub fn inverse_vjp",
        "trace * k.xx",
        "(-trace) * k.xx",
    ),
    mutant(
        "project::clamped_vjp",
        "project/formula.rs",
        "fn clamped_vjp",
        "v_x = 0.0",
        "v_x = v_y",
    ),
    mutant(
        "project::image_point_vjp",
        "project/formula.rs",
        "pub fn image_point_vjp",
        "v_z = -(along_x",
        "v_z = (along_x",
    ),
    mutant(
        "project::rows_vjp (covariance)",
        "project/formula.rs",
        "pub fn rows_vjp",
        "2.0 * v_yy",
        "-2.0 * v_yy",
    ),
    mutant(
        "project::rows_vjp (compensation)",
        "project/formula.rs",
        "pub fn rows_vjp",
        "v_trace = -v_ratio",
        "v_trace = v_ratio",
    ),
    mutant(
        "project::rows_vjp (determinant)",
        "project/formula.rs",
        "pub fn rows_vjp",
        "cross(f.m1, f.normal)",
        "cross(f.normal, f.m1)",
    ),
    mutant(
        "project::splat_vjp (tangent)",
        "project/formula.rs",
        "pub fn splat_vjp",
        "v_u = -vec3::dot",
        "v_u = vec3::dot",
    ),
    mutant(
        "project::splat_vjp (z)",
        "project/formula.rs",
        "pub fn splat_vjp",
        "v_z -= (v_tan_x",
        "v_z += (v_tan_x",
    ),
    mutant(
        "project::splat_vjp (depth)",
        "project/formula.rs",
        "pub fn splat_vjp",
        "point.z + v_splat.depth",
        "point.z - v_splat.depth",
    ),
    mutant(
        "project::splat_vjp (pose row)",
        "project/formula.rs",
        "pub fn splat_vjp",
        "combine(-f.tangent.x",
        "combine(f.tangent.x",
    ),
    mutant(
        "composite::sigma_vjp (mean)",
        "composite/formula.rs",
        "pub fn sigma_vjp",
        "conic.xy * v_sigma.x + conic.yy",
        "conic.xy * v_sigma.x - conic.yy",
    ),
    mutant(
        "composite::sigma_vjp (conic)",
        "composite/formula.rs",
        "pub fn sigma_vjp",
        "xy: v_sigma",
        "xy: -v_sigma",
    ),
    mutant(
        "composite::add_row (xy)",
        "composite/formula.rs",
        "pub fn add_row",
        "fused(row.x, dy",
        "fused(-row.x, dy",
    ),
    mutant(
        "composite::add_in_row (xx)",
        "composite/formula.rs",
        "pub fn add_in_row",
        "fused(along, dx",
        "fused(-along, dx",
    ),
    mutant(
        "composite::opacity_vjp",
        "composite/formula.rs",
        "pub fn opacity_vjp",
        "-v_sigma / opacity",
        "v_sigma / opacity",
    ),
    mutant(
        "composite::alpha_vjp (sigma)",
        "composite/formula.rs",
        "pub fn alpha_vjp",
        "-v_raw * raw",
        "v_raw * raw",
    ),
    mutant(
        "composite::alpha_vjp (clamp)",
        "composite/formula.rs",
        "pub fn alpha_vjp",
        "v_raw = 0.0",
        "v_raw = v_alpha",
    ),
    mutant(
        "composite::weight_vjp",
        "composite/formula.rs",
        "pub fn weight_vjp",
        "- v_rest",
        "+ v_rest",
    ),
    mutant(
        "composite::rest",
        "composite/formula.rs",
        "pub fn rest",
        "fused(alpha, v_weight",
        "fused(-alpha, v_weight",
    ),
    mutant(
        "composite loop (depth)",
        "composite/cpu_sums.rs",
        "fn sum_hits_of",
        "depth += *part",
        "depth = -*part",
    ),
    mutant(
        "composite loop (background)",
        "composite/cpu_vjp.rs",
        "for Read<",
        "*sum += v * t",
        "*sum += -v * t",
    ),
    mutant(
        "composite loop (transmittance)",
        "composite/cpu_vjp.rs",
        "for Read<",
        "Some(v) => v_rest[to].copy_from_slice(&v[from.clone()])",
        "Some(v) => v_rest[to].fill(T::ZERO * v[from.start])",
    ),
    mutant(
        "sh::sh_term_vjp (degree 1)",
        "sh/formula.rs",
        "pub fn sh_term_vjp",
        "z = C1",
        "z = -C1",
    ),
    mutant(
        "sh::sh_term_vjp (degree 3)",
        "sh/formula.rs",
        "pub fn sh_term_vjp",
        "y = 6.0 * C3_SECTORAL",
        "y = -6.0 * C3_SECTORAL",
    ),
    mutant(
        "sh::features_vjp (pose)",
        "sh/mod.rs",
        "pub fn features_vjp",
        "t * sum.y",
        "-t * sum.y",
    ),
    mutant(
        "activation (scales)",
        "activation.rs",
        "pub fn scales_from_logs_vjp",
        "v * s",
        "-v * s",
    ),
    mutant(
        "activation (opacities)",
        "activation.rs",
        "pub fn opacities_from_logits_vjp",
        "T::ONE - o",
        "T::ONE + o",
    ),
];
