//! Every row of the import rules is shown to fail, and imports are found in every notation.

use std::collections::BTreeSet;

use glob::Pattern;
use xtask::structure::rules::fits;
use xtask::structure::tables::RULES;

use super::tree::Tree;

/// A file, a forbidden import, and the file that the import refers to.
const WRONG: [(&str, &str, &str); 36] = [
    ("number.rs", "crate::error::Here", "error.rs"),
    ("error.rs", "crate::config::Here", "config.rs"),
    ("math/vec3.rs", "crate::scalar::Here", "scalar/mod.rs"),
    ("config.rs", "crate::camera::Here", "camera.rs"),
    ("image.rs", "crate::scalar::Here", "scalar/mod.rs"),
    ("splats.rs", "crate::project::Here", "project/mod.rs"),
    (
        "binning/formula.rs",
        "crate::project::Here",
        "project/mod.rs",
    ),
    (
        "composite/formula.rs",
        "crate::scalar::Here",
        "scalar/mod.rs",
    ),
    ("project/formula.rs", "crate::splats::Here", "splats.rs"),
    ("harmonics/formula.rs", "crate::sort::Here", "sort/mod.rs"),
    ("formulas/mod.rs", "crate::scalar::Here", "scalar/mod.rs"),
    ("scalar/mod.rs", "crate::sort::cpu::Here", "sort/cpu/mod.rs"),
    ("host/simd.rs", "crate::sort::Here", "sort/mod.rs"),
    ("host/simd.rs", "crate::device::Here", "device/mod.rs"),
    (
        "device/launch.rs",
        "crate::binning::gpu::Here",
        "binning/gpu/mod.rs",
    ),
    ("backend.rs", "crate::project::Here", "project/mod.rs"),
    ("render.rs", "crate::backends::cpu::Here", "backends/cpu.rs"),
    (
        "project/cpu/forward.rs",
        "crate::binning::grid::Here",
        "binning/grid.rs",
    ),
    (
        "project/gpu/mod.rs",
        "crate::project::cpu::forward::Here",
        "project/cpu/forward.rs",
    ),
    (
        "project/views_of_tasks.rs",
        "crate::host::simd::Here",
        "host/simd.rs",
    ),
    (
        "binning/bounds.rs",
        "crate::project::Here",
        "project/mod.rs",
    ),
    (
        "binning/cpu/mod.rs",
        "crate::device::launch::Here",
        "device/launch.rs",
    ),
    (
        "binning/gpu/mod.rs",
        "crate::host::simd::Here",
        "host/simd.rs",
    ),
    ("binning/grid.rs", "crate::sort::Here", "sort/mod.rs"),
    (
        "sort/cpu/mod.rs",
        "crate::composite::cpu::Here",
        "composite/cpu/mod.rs",
    ),
    (
        "sort/gpu/mod.rs",
        "crate::sort::cpu::Here",
        "sort/cpu/mod.rs",
    ),
    (
        "composite/cpu/mod.rs",
        "crate::composite::gpu::Here",
        "composite/gpu/mod.rs",
    ),
    (
        "composite/gpu/mod.rs",
        "crate::backends::cpu::Here",
        "backends/cpu.rs",
    ),
    (
        "harmonics/mod.rs",
        "crate::project::cpu::Here",
        "project/cpu/mod.rs",
    ),
    ("activation.rs", "crate::project::Here", "project/mod.rs"),
    (
        "oracle/mod.rs",
        "crate::composite::cpu::Here",
        "composite/cpu/mod.rs",
    ),
    (
        "check/mod.rs",
        "crate::composite::cpu::Here",
        "composite/cpu/mod.rs",
    ),
    ("io/mod.rs", "crate::render::Here", "render.rs"),
    ("density/mod.rs", "crate::render::Here", "render.rs"),
    ("loss/mod.rs", "crate::render::Here", "render.rs"),
    ("guide/mod.rs", "crate::render::Here", "render.rs"),
];

/// Further forbidden imports, whose file or import occurs in [`WRONG`] as well.
const WRONG_TOO: [(&str, &str, &str); 8] = [
    (
        "oracle/mod.rs",
        "crate::formulas::double::project::Here",
        "project/formula.rs",
    ),
    (
        "project/cpu/forward.rs",
        "crate::formulas::single::composite::Here",
        "composite/formula.rs",
    ),
    ("sort/mod.rs", "crate::sort::cpu::Here", "sort/cpu/mod.rs"),
    (
        "composite/mod.rs",
        "crate::host::simd::Here",
        "host/simd.rs",
    ),
    ("backends/cpu.rs", "crate::measure::Here", "measure/mod.rs"),
    (
        "pack/pixel.rs",
        "crate::device::launch::Here",
        "device/launch.rs",
    ),
    (
        "pack/gpu/mod.rs",
        "crate::composite::gpu::Here",
        "composite/gpu/mod.rs",
    ),
    ("wgpu_interop/mod.rs", "crate::render::Here", "render.rs"),
];

#[test]
fn a_wrong_import_is_found_in_every_kind_of_file() {
    for (file, path, to) in WRONG.into_iter().chain(WRONG_TOO) {
        let file = format!("splat/src/{file}");
        let tree = Tree::right().with(&file, &format!("use {path} as Wrong;"));
        let found = format!("`{path}` is an import of splat/src/{to}: ");
        let faults = tree.faults();
        assert!(
            faults
                .iter()
                .any(|fault| fault.starts_with(&file) && fault.contains(&found)),
            "{file} with {path}: {faults:#?}"
        );
    }
}

/// The rows that allow everything cannot fail.
#[test]
fn every_row_that_can_fail_is_seen_failing() {
    let seen: BTreeSet<&str> = WRONG
        .into_iter()
        .chain(WRONG_TOO)
        .filter_map(|(file, ..)| {
            let file = format!("splat/src/{file}");
            let row = RULES.layers.iter().find(|row| fits(row.files, &file));
            row.map(|row| row.files[0])
        })
        .collect();
    let open = ["splat/src/lib.rs", "splat/src/measure/*.rs"];
    for row in RULES.layers {
        let file = row.files[0];
        assert!(
            seen.contains(file) || open.contains(&file),
            "no wrong import for {file}"
        );
    }
}

#[test]
fn every_pattern_of_the_rules_is_valid() {
    let rows = RULES.layers.iter();
    let lists = rows.flat_map(|row| row.may_import.iter().copied().chain([row.files]));
    let cube = [RULES.cube.within, RULES.cube.open, RULES.cube.gated];
    for pattern in lists.chain(cube).flatten() {
        assert!(Pattern::new(pattern).is_ok(), "{pattern}");
    }
}

#[test]
fn a_fault_names_file_line_import_and_rule() {
    Tree::right()
        .with("splat/src/number.rs", "\nuse crate::config::Here as Config;")
        .with("splat/src/config.rs", "")
        .faults()
        .iter()
        .find(|fault| {
            *fault
                == "splat/src/number.rs:4: `crate::config::Here` is an import of splat/src/config.rs: \
                    number and error import nothing"
        })
        .expect("the fault");
}

/// Notations of the forbidden import of `backends/cpu.rs` in `activation.rs`.
const WAYS: [&str; 22] = [
    "use crate::backends::cpu::Here as Wrong;",
    "use crate::{error, backends::{self, cpu::{Here as Wrong}}};",
    "use crate::backends::cpu as wrong; type Wrong = wrong::Here;",
    "use crate::backends::cpu::*;",
    "use crate::backends::{cpu::*};",
    "use super::backends::cpu::Here as Wrong;",
    "pub use crate::backends::cpu::Here as Wrong;",
    "fn wrong() -> crate::backends::cpu::Here { loop {} }",
    "fn wrong() { let _ = crate::backends::cpu::made_by_a_macro(); }",
    "fn wrong() { use crate::backends::cpu::Here; }",
    "fn wrong() { use crate::backends; backends::cpu::Here::new(); }",
    "fn wrong(it: &dyn super::backends::cpu::Here) {}",
    "impl From<crate::backends::cpu::Here> for Here {}",
    "const WRONG: [u8; crate::backends::cpu::Here::LEN] = [];",
    "fn wrong() { assert_eq!(crate::backends::cpu::Here::new(), 1); }",
    "macro_rules! wrong { () => { $crate::backends::cpu::Here::new() }; }",
    "macro_rules! wrong { () => { use crate::backends::{cpu::Here}; }; }",
    "wrong! { [super::backends::cpu::Here] }",
    "use crate::Cpu as Wrong;",
    "use crate::*; type Wrong = Cpu;",
    "mod inner { pub use super::super::backends::cpu::Here as Wrong; }",
    "mod inner { pub use crate::backends::cpu::Here as Wrong; } type Wrong = inner::Wrong;",
];

#[test]
fn an_import_is_found_however_it_is_written() {
    for way in WAYS {
        let faults = Tree::right().with("splat/src/activation.rs", way).faults();
        let found = |fault: &String| {
            fault.starts_with("splat/src/activation.rs:3: ")
                && fault.contains("import of splat/src/backends/cpu.rs")
        };
        assert!(faults.iter().any(found), "{way}: {faults:#?}");
    }
}

/// The root has `pub use project::cpu`, and that module `pub use forward::Here as Forward`.
#[test]
fn a_facade_hides_nothing() {
    for way in [
        "use crate::cpu::Forward;",
        "use crate::project::cpu::Forward;",
        "use crate::cpu; type Wrong = cpu::Forward;",
    ] {
        Tree::right()
            .with("splat/src/activation.rs", way)
            .assert_fault(&["is an import of splat/src/project/cpu/forward.rs"]);
    }
}

#[test]
fn an_alias_by_path_leads_to_the_file() {
    Tree::right()
        .with(
            "splat/src/number.rs",
            "use crate::formulas::single::project::Here as Wrong;",
        )
        .faults()
        .iter()
        .find(|fault| {
            fault.contains(
                "`crate::formulas::single::project::Here` is an import of splat/src/project/formula.rs",
            )
        })
        .expect("the fault");
}

/// Code that looks like an import of `backends/cpu.rs`, but is not an import.
const HARMLESS: [&str; 9] = [
    "/// Calls [`crate::backends::cpu::Here`].\nfn right() {}",
    "// use crate::backends::cpu::Here;",
    "const RIGHT: &str = \"use crate::backends::cpu::Here;\";",
    "#[cfg(test)] mod tests { use crate::backends::cpu::Here; }",
    "#[cfg(all(test, feature = \"gpu\"))] mod tests { use crate::backends::cpu::Here; }",
    "#[cfg(test)] use crate::backends::cpu::Here as Right;",
    "#[test] fn right() { crate::backends::cpu::Here::new(); }",
    "fn right(backends: Deep) { backends.cpu.here(); }",
    "use ::backends::cpu::Here as Right;",
];

#[test]
fn what_is_no_import_is_no_fault() {
    for text in HARMLESS {
        let faults = Tree::right().with("splat/src/activation.rs", text).faults();
        assert!(faults.is_empty(), "{text}: {faults:#?}");
    }
}

/// Code under `not(test)` is compiled for users, so the rules apply.
#[test]
fn code_outside_of_tests_is_not_exempt() {
    Tree::right()
        .with(
            "splat/src/activation.rs",
            "#[cfg(not(test))] mod inner { use crate::backends::cpu::Here; }",
        )
        .assert_fault(&["import of splat/src/backends/cpu.rs"]);
}
