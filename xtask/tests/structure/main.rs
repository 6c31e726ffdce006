//! The structure of the workspace: the allowed imports, import cycles, sizes, and the files that
//! may name `CubeCL`.
//!
//! The rules are the tables in `xtask/src/structure/tables.rs`. The other files of this test run
//! the checks on wrong trees of files, so that each rule is shown to fail.

mod circles;
mod cubecl;
mod harness;
mod imports;
mod sizes;
mod steps;
mod tree;

use std::path::Path;
use std::{fs, io};

use xtask::structure::sources::Sources;
use xtask::structure::tables::RULES;
use xtask::structure::{check, steps as walk};

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn assert_none<T: ToString>(faults: &[T]) {
    let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert!(
        lines.is_empty(),
        "{} faults:\n{}",
        lines.len(),
        lines.join("\n")
    );
}

#[test]
fn every_crate_is_read_and_every_file_reached() -> io::Result<()> {
    let sources = Sources::read(root())?;
    for file in [
        "splat/src/lib.rs",
        "splat/examples/verify/main.rs",
        "gmae-reference/src/main.rs",
        "fuzz/fuzz_targets/render.rs",
        "xtask/tests/structure/main.rs",
    ] {
        assert!(sources.has(file), "{file}");
    }
    let faults = check(&sources, &RULES);
    let lost = faults.iter().filter(|fault| {
        ["no crate root leads", "has no file", "not Rust"]
            .iter()
            .any(|part| fault.message.contains(part))
    });
    assert_none(&lost.collect::<Vec<_>>());
    Ok(())
}

#[test]
fn the_workspace_keeps_the_rules() -> io::Result<()> {
    assert_none(&check(&Sources::read(root())?, &RULES));
    Ok(())
}

#[test]
fn every_row_of_the_import_rules_has_files() -> io::Result<()> {
    assert_none(&RULES.unused_layers(&Sources::read(root())?));
    Ok(())
}

#[test]
fn follow_a_mean_names_what_is_there() -> io::Result<()> {
    let document = fs::read_to_string(root().join("docs/ARCHITECTURE.md"))?;
    let sources = Sources::read(root())?;
    assert_none(&walk::check(&sources, "docs/ARCHITECTURE.md", &document));
    Ok(())
}
