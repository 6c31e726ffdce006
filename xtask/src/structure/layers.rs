//! Which files of `splat` may import which.

use super::groups::{
    ALL, BASIS, BINNING, BINNING_CPU, BINNING_GPU, BOUNDS, CHECK, COMPILED, COMPOSITE,
    COMPOSITE_CPU, COMPOSITE_GPU, DEVICE, FACE, FEATURES, FORMULAS, GROUND, HARMONICS,
    HARMONICS_BASIS, HOST, INTEROP, IO, ORACLE, PACK, PACK_GPU, PROJECT, PROJECT_CPU, PROJECT_GPU,
    ROOT, SCALAR, SORT, SORT_CPU, SORT_GPU, STRUCTS, VALUES,
};
use super::rules::Layer;

/// The allowed imports in `splat/src`.
pub(super) const LAYERS: &[Layer] = &[
    Layer {
        files: ROOT,
        may_import: &[ALL],
        reason: "the root names everything that is public",
    },
    Layer {
        files: &["splat/src/guide/mod.rs"],
        may_import: &[],
        reason: "the guide holds documents only",
    },
    Layer {
        files: &["splat/src/number.rs", "splat/src/error.rs"],
        may_import: &[],
        reason: "number and error import nothing",
    },
    Layer {
        files: &["splat/src/math/*.rs"],
        may_import: &[
            COMPILED,
            &[
                "splat/src/number.rs",
                "splat/src/error.rs",
                "splat/src/math/*.rs",
            ],
        ],
        reason: "math imports number and error",
    },
    Layer {
        files: &["splat/src/config.rs"],
        may_import: &[GROUND],
        reason: "config imports number and error",
    },
    Layer {
        files: STRUCTS,
        may_import: &[GROUND, STRUCTS],
        reason: "the contract's structs import math, config, error, number and each other",
    },
    Layer {
        files: &["splat/src/binning/formula.rs"],
        may_import: &[
            COMPILED,
            FORMULAS,
            &["splat/src/math/*.rs", "splat/src/binning/mod.rs"],
        ],
        reason: "a formula imports formulas, math and the values of its stage",
    },
    Layer {
        files: &["splat/src/composite/formula.rs"],
        may_import: &[
            COMPILED,
            FORMULAS,
            &["splat/src/math/*.rs", "splat/src/composite/mod.rs"],
        ],
        reason: "a formula imports formulas, math and the values of its stage",
    },
    Layer {
        files: &["splat/src/project/formula.rs"],
        may_import: &[
            COMPILED,
            FORMULAS,
            &["splat/src/math/*.rs", "splat/src/project/mod.rs"],
        ],
        reason: "a formula imports formulas, math and the values of its stage",
    },
    Layer {
        files: &["splat/src/harmonics/formula.rs"],
        may_import: &[
            COMPILED,
            FORMULAS,
            &[
                "splat/src/math/*.rs",
                "splat/src/harmonics/mod.rs",
                "splat/src/project/mod.rs",
            ],
        ],
        reason: "a formula imports formulas, math and the values of its stage",
    },
    Layer {
        files: COMPILED,
        may_import: &[GROUND, FORMULAS, VALUES],
        reason: "the module of formulas compiles them, and shows their values",
    },
    Layer {
        files: SCALAR,
        may_import: &[GROUND, COMPILED, FORMULAS, VALUES, SCALAR],
        reason: "the table of formulas names formulas, the types of their values, and math",
    },
    Layer {
        files: HOST,
        may_import: &[GROUND, SCALAR, HOST],
        reason: "the engine of the host imports scalar and names no stage",
    },
    Layer {
        files: DEVICE,
        may_import: &[GROUND, STRUCTS, DEVICE],
        reason: "the engine of the device imports structs and error and names no stage",
    },
    Layer {
        files: FACE,
        may_import: &[GROUND, STRUCTS, FACE],
        reason: "the trait and the generic calls import structs only",
    },
    Layer {
        files: PROJECT_CPU,
        may_import: &[BASIS, HOST, PROJECT, PROJECT_CPU, BOUNDS, HARMONICS_BASIS],
        reason: "stage 1 on the host imports its engine and, of later stages, binning/bounds only",
    },
    Layer {
        files: PROJECT_GPU,
        may_import: &[
            BASIS,
            COMPILED,
            DEVICE,
            PROJECT,
            PROJECT_GPU,
            BOUNDS,
            &["splat/src/harmonics/formula.rs"],
        ],
        reason: "stage 1 on the device imports its engine and, of later stages, the bounds only",
    },
    Layer {
        files: PROJECT,
        may_import: &[BASIS, PROJECT],
        reason: "the values of stage 1 import no engine and no later stage",
    },
    Layer {
        files: BOUNDS,
        may_import: &[GROUND, STRUCTS, SCALAR, BINNING],
        reason: "stage 1 uses the bounds, so the bounds import no stage",
    },
    Layer {
        files: BINNING_CPU,
        may_import: &[BASIS, HOST, PROJECT, PROJECT_CPU, BINNING, BINNING_CPU],
        reason: "stage 2 on the host imports its engine and stage 1",
    },
    Layer {
        files: BINNING_GPU,
        may_import: &[
            BASIS,
            COMPILED,
            DEVICE,
            PROJECT,
            PROJECT_GPU,
            BINNING,
            BINNING_GPU,
        ],
        reason: "stage 2 on the device imports its engine and stage 1",
    },
    Layer {
        files: BINNING,
        may_import: &[BASIS, PROJECT, BINNING],
        reason: "the values of stage 2 import no engine and no later stage",
    },
    Layer {
        files: SORT_CPU,
        may_import: &[
            BASIS,
            HOST,
            PROJECT,
            PROJECT_CPU,
            BINNING,
            BINNING_CPU,
            SORT,
            SORT_CPU,
        ],
        reason: "stage 3 on the host imports its engine and stages 1 and 2",
    },
    Layer {
        files: SORT_GPU,
        may_import: &[
            BASIS,
            COMPILED,
            DEVICE,
            PROJECT,
            PROJECT_GPU,
            BINNING,
            BINNING_GPU,
            SORT,
            SORT_GPU,
        ],
        reason: "stage 3 on the device imports its engine and stages 1 and 2",
    },
    Layer {
        files: SORT,
        may_import: &[BASIS, PROJECT, BINNING, SORT],
        reason: "the values of stage 3 import no engine and no later stage",
    },
    Layer {
        files: COMPOSITE_CPU,
        may_import: &[
            BASIS,
            HOST,
            PROJECT,
            PROJECT_CPU,
            BINNING,
            BINNING_CPU,
            SORT,
            SORT_CPU,
            COMPOSITE,
            COMPOSITE_CPU,
        ],
        reason: "stage 4 on the host imports its engine and the stages before",
    },
    Layer {
        files: COMPOSITE_GPU,
        may_import: &[
            BASIS,
            COMPILED,
            DEVICE,
            PROJECT,
            PROJECT_GPU,
            BINNING,
            BINNING_GPU,
            SORT,
            SORT_GPU,
            COMPOSITE,
            COMPOSITE_GPU,
        ],
        reason: "stage 4 on the device imports its engine and the stages before",
    },
    Layer {
        files: COMPOSITE,
        may_import: &[BASIS, PROJECT, BINNING, SORT, COMPOSITE],
        reason: "the values of stage 4 import no engine",
    },
    Layer {
        files: HARMONICS,
        may_import: &[BASIS, HOST, HARMONICS, &["splat/src/project/mod.rs"]],
        reason: "harmonics import no stage but the camera of stage 1",
    },
    Layer {
        files: &[
            "splat/src/activation.rs",
            "splat/src/pose.rs",
            "splat/src/spatial.rs",
        ],
        may_import: &[BASIS],
        reason: "activations, poses and orders import no stage",
    },
    Layer {
        files: ORACLE,
        may_import: &[
            GROUND,
            STRUCTS,
            FACE,
            ORACLE,
            &["splat/src/harmonics/mod.rs"],
        ],
        reason: "the specification shares no formula and no engine with the stages",
    },
    Layer {
        files: CHECK,
        may_import: &[
            GROUND,
            STRUCTS,
            FACE,
            ORACLE,
            CHECK,
            &[
                "splat/src/harmonics/mod.rs",
                "splat/src/backends/cpu.rs",
                "splat/src/backends/stages.rs",
                "splat/src/device/mod.rs",
            ],
        ],
        reason: "the checks use the oracle and the face of the backends, no stage",
    },
    Layer {
        files: IO,
        may_import: &[GROUND, STRUCTS, FEATURES, IO],
        reason: "files become scenes: no stage and no backend",
    },
    Layer {
        files: PACK,
        may_import: &[GROUND, STRUCTS, PACK, PACK_GPU],
        reason: "images become pixels after the render, so no stage is needed",
    },
    Layer {
        files: PACK_GPU,
        may_import: &[GROUND, STRUCTS, DEVICE, PACK, PACK_GPU],
        reason: "the kernels of pixels import the engine of the device and no stage",
    },
    Layer {
        files: INTEROP,
        may_import: &[GROUND, STRUCTS, DEVICE, PACK, PACK_GPU, INTEROP],
        reason: "sharing a device concerns its engine and pixels, and no stage",
    },
    Layer {
        files: &["splat/src/backends/*.rs"],
        may_import: &[
            BASIS,
            HOST,
            DEVICE,
            FACE,
            PROJECT,
            PROJECT_CPU,
            PROJECT_GPU,
            BINNING,
            BINNING_CPU,
            BINNING_GPU,
            SORT,
            SORT_CPU,
            SORT_GPU,
            COMPOSITE,
            COMPOSITE_CPU,
            COMPOSITE_GPU,
            HARMONICS,
            &["splat/src/backends/*.rs"],
        ],
        reason: "only the backends import several stages",
    },
    Layer {
        files: &["splat/src/measure/*.rs"],
        may_import: &[ALL],
        reason: "measure exposes engines to the benches",
    },
];
