//! The available reference files, as trials.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use libtest_mimic::{Failed, Trial};

fn folder() -> PathBuf {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    std::env::var_os("SPLAT_SHARED")
        .map_or_else(default, PathBuf::from)
        .join("fixtures/dev")
}

/// Returns one trial per file. Without files, returns one ignored trial, so that the test is not
/// reported as passed.
pub(crate) fn trials(
    prefix: &str,
    ignored: bool,
    check: impl Fn(&Path) -> Result<(), Failed> + Send + Sync + 'static,
) -> Vec<Trial> {
    let folder = folder();
    let is_reference = |path: &PathBuf| path.extension().is_some_and(|kind| kind == "safetensors");
    let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(is_reference)
        .collect();
    files.sort();
    if files.is_empty() {
        let name = format!("{prefix}no reference files in {}", folder.display());
        let missing = || Err("no reference files".into());
        return vec![Trial::test(name, missing).with_ignored_flag(true)];
    }
    let check = Arc::new(check);
    let trial = |file: PathBuf| {
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        let name = format!("{prefix}{name}");
        let check = Arc::clone(&check);
        Trial::test(name, move || check(&file)).with_ignored_flag(ignored)
    };
    files.into_iter().map(trial).collect()
}
