//! The reference files, as trials.
//!
//! A few small files are in this repository. `SPLAT_SHARED` names a folder with all of them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use libtest_mimic::{Failed, Trial};

/// The files of the repository.
fn own_files() -> Vec<PathBuf> {
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../splat/tests/reference"))
}

/// The folder of all files.
fn shared_folder() -> PathBuf {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    std::env::var_os("SPLAT_SHARED")
        .map_or_else(default, PathBuf::from)
        .join("fixtures/dev")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let is_reference = |path: &PathBuf| path.extension().is_some_and(|kind| kind == "safetensors");
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(is_reference)
        .collect();
    files.sort();
    files
}

/// Returns one trial per file. If only the files of the repository are available, one more trial is
/// ignored, so that the missing files show.
pub(crate) fn trials(
    prefix: &str,
    ignored: bool,
    check: impl Fn(&Path) -> Result<(), Failed> + Send + Sync + 'static,
) -> Vec<Trial> {
    let check = Arc::new(check);
    let trial = |file: PathBuf| {
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        let name = format!("{prefix}{name}");
        let check = Arc::clone(&check);
        Trial::test(name, move || check(&file)).with_ignored_flag(ignored)
    };
    let (own, shared) = (own_files(), files(&shared_folder()));
    let (no_own, no_shared) = (own.is_empty(), shared.is_empty());
    let mut trials: Vec<Trial> = own.into_iter().chain(shared).map(trial).collect();
    if no_own {
        let lost = || Err("splat/tests/reference has no file".into());
        trials.push(Trial::test(
            format!("{prefix}files of the repository"),
            lost,
        ));
    }
    if no_shared {
        let folder = shared_folder();
        let name = format!(
            "{prefix}all reference files: none in {} (set SPLAT_SHARED)",
            folder.display()
        );
        let missing = || Err("no reference files".into());
        // A folder that was asked for must be there.
        let unset = std::env::var_os("SPLAT_SHARED").is_none();
        trials.push(Trial::test(name, missing).with_ignored_flag(ignored || unset));
    }
    trials
}
