//! The mutants of the CPU loops that sum gradients over pixels, hits, views, poses and terms.

use super::{Source, mutant};

/// The mutants, in the order of the pipeline.
pub const LOOPS: &[Source] = &[
    Source {
        file: "project/cpu/backward.rs",
        mutants: &[
            mutant(
                "project loop (geometry of a view)",
                "fn geometry(",
                "run.first_gaussian - first,",
                "0 * first,",
            ),
            mutant(
                "project loop (geometry over blocks)",
                "for GeometryVjp<",
                "add_to(out, to + start, count)",
                "add_to(out, to, count)",
            ),
            mutant(
                "project loop (culled geometry)",
                "for GeometryVjp<",
                "block.is_visible(k)",
                "true",
            ),
            mutant(
                "project loop (features of a view)",
                "fn features(",
                "(run.first_gaussian - first) * channels",
                "0 * first",
            ),
            mutant(
                "project loop (sums over views and runs)",
                "fn accumulate<",
                "*s += p",
                "*s = p",
            ),
            mutant(
                "project loop (pose over runs)",
                "fn cameras(",
                "accumulate(&mut poses[POSE * view..], &part[..POSE])",
                "poses[POSE * view..][..POSE].copy_from_slice(&part[..POSE])",
            ),
            mutant(
                "project loop (intrinsics over runs)",
                "fn cameras(",
                "accumulate(&mut intrinsics[width * view..], &part[POSE..])",
                "intrinsics[width * view..][..width].copy_from_slice(&part[POSE..])",
            ),
            mutant(
                "project loop (pose over blocks)",
                "for CameraVjp<",
                "*sum += columns::total(column, count)",
                "*sum = columns::total(column, count)",
            ),
            mutant(
                "project loop (culled poses)",
                "for CameraVjp<",
                "block.is_visible(k)",
                "true",
            ),
            mutant(
                "project loop (pose by directions)",
                "for CameraVjp<",
                "accumulate(&mut sums, &v)",
                "let _ = v",
            ),
            mutant(
                "project loop (pose by directions, over blocks)",
                "fn view_offset<",
                "*sum += columns::total(column, count)",
                "*sum = columns::total(column, count)",
            ),
            mutant(
                "project loop (pose row)",
                "fn camera_row<",
                "t.y, r2.x",
                "-t.y, r2.x",
            ),
        ],
    },
    Source {
        file: "project/cpu/directions.rs",
        mutants: &[mutant(
            "project loop (means by directions)",
            "Kernel for HarmonicsVjp<",
            "columns::add(means, &gradient.v_offsets)",
            "let _ = means",
        )],
    },
    Source {
        file: "project/cpu/complete.rs",
        mutants: &[mutant(
            "project::ellipses_vjp",
            "fn ellipses_vjp<",
            "[v.xx, v.xy, v.yy]",
            "[v.xx, -v.xy, v.yy]",
        )],
    },
    Source {
        file: "host/columns.rs",
        mutants: &[mutant(
            "project loop (geometry over views)",
            "fn add<",
            "+=",
            "=",
        )],
    },
    Source {
        file: "composite/cpu/blend.rs",
        mutants: &[mutant(
            "composite loop (blocks of a hit)",
            "fn add<\n        A: Arithmetic<T>,",
            "BlockSet::from(any) << block",
            "BlockSet::from(any & (block > 0)) << block",
        )],
    },
    Source {
        file: "composite/cpu/replay.rs",
        mutants: &[
            mutant(
                "composite loop (weights over planes)",
                "fn v_weights<",
                "A::add_weighted(v_weight[lane], v[lane], value)",
                "A::add_weighted(T::ZERO, v[lane], value)",
            ),
            mutant(
                "composite loop (planes over rows)",
                "fn add_planes<",
                "lanes[lane] += of_row[lane]",
                "lanes[lane] = of_row[lane]",
            ),
            mutant(
                "composite loop (splats behind a hit)",
                "fn in_front<",
                "select_unpredictable(counts, rest, v_rest)",
                "v_rest",
            ),
            mutant(
                "composite loop (pairs that do not count)",
                "fn in_front<",
                "select_unpredictable(counts, v, T::ZERO)",
                "v",
            ),
        ],
    },
    Source {
        file: "composite/cpu/sums.rs",
        mutants: &[
            mutant(
                "composite loop (depth)",
                "fn sum_hits_of",
                "depth += *part",
                "depth = -*part",
            ),
            mutant(
                "composite loop (geometry over hits)",
                "fn sum_hits_of",
                "zip(by_geometry) {\n                    *sum += part",
                "zip(by_geometry) {\n                    *sum = part",
            ),
            mutant(
                "composite loop (opacity)",
                "fn sum_hits_of",
                "zip(by_geometry)",
                "zip(by_geometry).take(GEOMETRY - 1)",
            ),
            mutant(
                "composite loop (features)",
                "fn sum_hits_of",
                "zip(by_features)",
                "zip(by_features).skip(1)",
            ),
        ],
    },
    Source {
        file: "composite/cpu/read.rs",
        mutants: &[
            mutant(
                "composite loop (background)",
                "for Read<",
                "*sum += v * t",
                "*sum += -v * t",
            ),
            mutant(
                "composite loop (transmittance)",
                "for Read<",
                "Some(v) => v_rest[to].copy_from_slice(&v[from.clone()])",
                "Some(v) => v_rest[to].fill(T::ZERO * v[from.start])",
            ),
            mutant(
                "composite loop (background behind)",
                "for Read<",
                "*rest += v * background",
                "*rest += -v * background",
            ),
        ],
    },
    Source {
        file: "composite/cpu/backward.rs",
        mutants: &[mutant(
            "composite loop (background over tiles)",
            "fn composite_vjp<",
            "*sum += part",
            "*sum = part",
        )],
    },
    Source {
        file: "composite/cpu/weigh.rs",
        mutants: &[
            mutant(
                "statistics (absolute gradients)",
                "Partial<T> for Weights {",
                "v_mean.y.abs()",
                "v_mean.y",
            ),
            mutant(
                "statistics (weights over hits)",
                "pub(crate) fn splat_statistics<",
                "sums[2] += weight",
                "sums[2] = weight",
            ),
        ],
    },
    Source {
        file: "project/cpu/statistics.rs",
        mutants: &[mutant(
            "statistics (gradients over views)",
            "fn add_splat<",
            "*gradients += T::length",
            "*gradients = T::length",
        )],
    },
    Source {
        file: "harmonics/cpu/basis.rs",
        mutants: &[
            mutant(
                "sh loop (clamp)",
                "fn sum_vjp<",
                "if *value >= T::ZERO { v } else { T::ZERO }",
                "v",
            ),
            mutant(
                "sh loop (coefficients)",
                "fn sum_vjp<",
                "+= y * values[channel]",
                "-= y * values[channel]",
            ),
            mutant(
                "sh loop (terms over channels)",
                "fn sum_vjp<",
                "add_weighted(v_term, coefficients[channel], values[channel])",
                "add_weighted(T::ZERO, coefficients[channel], values[channel])",
            ),
            mutant(
                "sh loop (coefficients beside a NaN)",
                "fn sum_vjp<",
                "+= self.basis.terms[term][k] * v[channel]",
                "-= self.basis.terms[term][k] * v[channel]",
            ),
            mutant(
                "sh loop (terms beside a NaN)",
                "fn sum_vjp<",
                "add_weighted(*v_term, coefficients[channel], v[channel])",
                "add_weighted(*v_term, -coefficients[channel], v[channel])",
            ),
            mutant(
                "sh loop (directions over terms)",
                "Kernel for DirectionsVjp<",
                "T::add3(columns::vec3(v_offsets, k), v)",
                "v",
            ),
            mutant(
                "sh loop (directions to offsets)",
                "Kernel for DirectionsVjp<",
                "T::unit_vjp(offset, columns::vec3(v_offsets, k))",
                "columns::vec3(v_offsets, k)",
            ),
        ],
    },
    Source {
        file: "harmonics/cpu/mod.rs",
        mutants: &[
            mutant(
                "sh loop (pose over blocks)",
                "impl<T: Scalar> FeaturesVjp<",
                "sum,\n                Vec3 {",
                "Vec3::default(),\n                Vec3 {",
            ),
            mutant(
                "sh loop (pose column)",
                "impl<T: Scalar> FeaturesVjp<",
                "columns::total(z, count)",
                "-columns::total(z, count)",
            ),
        ],
    },
    Source {
        file: "harmonics/cpu/mod.rs",
        mutants: &[mutant(
            "sh::features_vjp (sum over tasks)",
            "fn features_vjp<",
            "|sum, part| T::add3(sum, part)",
            "|_, part| part",
        )],
    },
];
