//! Rules about the source that no compiler checks.

use std::path::{Path, PathBuf};

/// Every source file of the library but test modules, with its text up to its unit tests.
fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = walkdir::WalkDir::new(&root).into_iter();
    let files = files.map(|entry| entry.expect("an entry").into_path());
    let rust = files.filter(|path| path.extension().is_some_and(|e| e == "rs"));
    let code = rust.filter(|path| !path.ends_with("tests.rs"));
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).expect("a source file");
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        let name = path.strip_prefix(&root).expect("below src").to_owned();
        (name, text.to_owned())
    };
    code.map(read).collect()
}

/// A file written elsewhere would be there in part after a crash, or gone after a loss of power.
#[test]
fn only_one_file_writes_files() {
    let sources = sources();
    assert!(sources.len() > 30, "{} source files", sources.len());
    for (name, text) in sources {
        if name == Path::new("files.rs") {
            continue;
        }
        for call in [
            "fs::write",
            "File::create",
            "fs::rename",
            "fs::copy",
            "tempfile",
            ".persist(",
        ] {
            assert!(!text.contains(call), "{} calls {call}", name.display());
        }
        // Metrics grow by one line per step; the file itself is made by `files.rs`.
        if name != Path::new("training/metrics.rs") {
            assert!(!text.contains("OpenOptions"), "{}", name.display());
        }
    }
}
