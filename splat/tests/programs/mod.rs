//! Builds the examples for tests that run them as programs.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;

/// Returns the path of the example `name`, after building it. Cargo builds the examples for
/// `cargo test`, but not for a single test.
pub(crate) fn example(name: &str) -> PathBuf {
    static BUILT: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());
    let mut built = BUILT.lock().expect("no build failed before");
    built
        .entry(name.to_owned())
        .or_insert_with(|| build(name))
        .clone()
}

/// Builds an example and returns its path.
fn build(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    // target / profile / deps / test
    let folder = test
        .ancestors()
        .nth(2)
        .expect("a test lies in a profile's deps");
    let target = folder
        .parent()
        .expect("a profile lies in the target folder");
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(other) => other,
    };
    let status = Command::new(env!("CARGO"))
        .args([
            "build",
            "--quiet",
            // `--package` could give the dependencies other features and compile them again.
            "--workspace",
            "--example",
            name,
            "--profile",
            profile,
        ])
        .arg("--target-dir")
        .arg(target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .expect("cargo starts");
    assert!(status.success(), "the example {name} does not build");
    folder
        .join("examples")
        .join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}
