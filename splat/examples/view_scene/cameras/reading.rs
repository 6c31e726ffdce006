//! Files of cameras as bytes, and errors with their names.

use std::fs;
use std::path::Path;

/// Reads a file. A pipe or a device, which might never end, is an error.
pub(super) fn contents(path: &Path) -> Result<Vec<u8>, String> {
    let unreadable = |error| named(path, &format!("cannot be read: {error}"));
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(named(path, "expected a file or a folder"));
    }
    fs::read(path).map_err(unreadable)
}

pub(super) fn named(path: &Path, error: &str) -> String {
    format!("{}: {error}", path.display())
}
