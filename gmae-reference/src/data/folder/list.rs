//! Finding image files by name; nothing is opened here.

use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use crate::data::error::DataError;

/// Extensions of the files that are read, in lower case; upper case is read too.
const EXTENSIONS: [&str; 3] = ["jpg", "jpeg", "png"];

/// The images in `root` and below it, sorted.
pub(super) fn list(root: &Path) -> Result<Vec<PathBuf>, DataError> {
    let path = root.to_owned();
    match std::fs::metadata(root) {
        Ok(found) if found.is_dir() => {}
        Ok(_) => return Err(DataError::NotAFolder { path }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(DataError::Missing { path });
        }
        Err(error) => {
            let reason = error.to_string();
            return Err(DataError::List { path, reason });
        }
    }
    let mut files_seen = 0;
    let mut images = Vec::new();
    let walk = WalkDir::new(root).follow_links(true).sort_by_file_name();
    for entry in walk
        .into_iter()
        .filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry))
    {
        let entry = entry.map_err(|error| DataError::List {
            path: error.path().unwrap_or(root).to_owned(),
            reason: error.to_string(),
        })?;
        if entry.file_type().is_file() {
            files_seen += 1;
            if is_image(entry.path()) {
                images.push(entry.into_path());
            }
        }
    }
    if images.is_empty() {
        return Err(DataError::NoImages {
            path,
            files_seen,
            extensions: EXTENSIONS.map(|e| format!(".{e}")).join(", "),
        });
    }
    Ok(images)
}

fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().starts_with(b".")
}

fn is_image(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        EXTENSIONS
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    })
}

/// The name of the folder directly in `root` in which `path` lies; `None` if it lies in `root` itself.
pub(super) fn class_of(root: &Path, path: &Path) -> Option<String> {
    let mut parts = path.strip_prefix(root).ok()?.components();
    let first = parts.next()?;
    parts.next()?;
    Some(first.as_os_str().to_string_lossy().into_owned())
}
