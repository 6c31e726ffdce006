//! Files of cameras, and errors with their names.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// Reads a file. A pipe or a device, which might never end, is an error.
pub(crate) fn contents(path: &Path) -> Result<Vec<u8>, String> {
    let unreadable = |error| named(path, &format!("cannot be read: {error}"));
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(named(path, "expected a file or a folder"));
    }
    fs::read(path).map_err(unreadable)
}

/// Parses the bytes of a JSON file.
pub(crate) fn json(bytes: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(bytes).map_err(|error| format!("expected a JSON file: {error}"))
}

/// Returns an error with the path of its file.
pub(crate) fn named(path: &Path, error: &str) -> String {
    format!("{}: {error}", path.display())
}
