//! Finds image files by name, without opening them.

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::skipped::{Skipped, Tally, counted};
use crate::data::error::DataError;

/// Extensions of the files that are read, in lower case. Upper case is also accepted.
const EXTENSIONS: [&str; 3] = ["jpg", "jpeg", "png"];

/// The files of a folder, at any depth.
#[derive(Debug)]
pub(super) struct Listing {
    /// The images, in the order of their paths.
    pub(super) images: Vec<PathBuf>,
    /// Files with another extension or none.
    pub(super) others: Tally,
    /// Links with a missing target or in a loop, and folders that cannot be listed.
    pub(super) unreachable: Tally,
}

/// Lists `root` and everything below it. Links are followed. Names that begin with a dot are
/// ignored.
pub(super) fn list(root: &Path) -> Result<Listing, DataError> {
    let path = root.to_owned();
    match std::fs::metadata(root) {
        Ok(found) if found.is_dir() => {}
        Ok(_) => return Err(DataError::NotAFolder { path }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(DataError::Missing { path });
        }
        Err(error) => return Err(unlistable(root, &error)),
    }
    // Folders below `root` that cannot be read are skipped, but `root` itself must be readable.
    std::fs::read_dir(root).map_err(|error| unlistable(root, &error))?;
    sorted_out(root, files(root))
}

fn unlistable(root: &Path, error: &std::io::Error) -> DataError {
    DataError::List {
        path: root.to_owned(),
        reason: error.to_string(),
    }
}

/// Iterates over every file in `root` and below it in the order of the paths. Paths that cannot be
/// entered appear as errors among them.
fn files(root: &Path) -> impl Iterator<Item = Result<PathBuf, Skipped>> {
    let walk = WalkDir::new(root).follow_links(true).sort_by_file_name();
    walk.into_iter()
        .filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry.path()))
        .filter_map(|entry| match entry {
            Ok(entry) => entry.file_type().is_file().then(|| Ok(entry.into_path())),
            Err(error) => {
                let skipped = unreachable(root, &error);
                (!is_hidden(&skipped.path)).then_some(Err(skipped))
            }
        })
}

/// Returns the path at which the walk failed, with the reason.
fn unreachable(root: &Path, error: &walkdir::Error) -> Skipped {
    let reason = match (error.loop_ancestor(), error.io_error()) {
        (Some(above), _) => format!("a link to its own parent folder {}", above.display()),
        (None, Some(error)) => error.to_string(),
        (None, None) => error.to_string(),
    };
    Skipped {
        path: error.path().unwrap_or(root).to_owned(),
        reason,
    }
}

/// Sorts the results of a walk through `root` into images, other files and unreachable paths.
fn sorted_out(
    root: &Path,
    found: impl Iterator<Item = Result<PathBuf, Skipped>>,
) -> Result<Listing, DataError> {
    let mut listing = Listing {
        images: Vec::new(),
        others: Tally::default(),
        unreachable: Tally::default(),
    };
    for item in found {
        match item {
            Ok(path) if is_image(&path) => listing.images.push(path),
            Ok(path) => listing.others.add(path.display()),
            Err(skipped) => listing.unreachable.add(skipped),
        }
    }
    if listing.images.is_empty() {
        let unreachable = match listing.unreachable.count() {
            0 => String::new(),
            count => format!(
                "; {} in it could not be entered: {}",
                counted(count, "path"),
                listing.unreachable
            ),
        };
        return Err(DataError::NoImages {
            path: root.to_owned(),
            files_seen: listing.others.count(),
            extensions: extensions(),
            unreachable,
        });
    }
    Ok(listing)
}

/// Returns the extensions that are read, for messages.
pub(super) fn extensions() -> String {
    EXTENSIONS.map(|e| format!(".{e}")).join(", ")
}

fn is_hidden(path: &Path) -> bool {
    let name = path.file_name();
    name.is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

fn is_image(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        EXTENSIONS
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    })
}

/// Returns the name of the folder directly in `root` that contains `path`. The result is `None` if
/// `path` lies in `root` itself.
pub(super) fn class_of(root: &Path, path: &Path) -> Option<String> {
    let mut parts = path.strip_prefix(root).ok()?.components();
    let first = parts.next()?;
    parts.next()?;
    Some(first.as_os_str().to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skipped(path: &str) -> Result<PathBuf, Skipped> {
        let reason = "Permission denied (os error 13)".to_owned();
        let path = PathBuf::from(path);
        Err(Skipped { path, reason })
    }

    /// A list replaces the walk. A test cannot create unreadable folders when it runs as root,
    /// because root can read everything.
    #[test]
    fn folders_that_cannot_be_read_are_skipped_and_named() {
        let found = [
            Ok("data/a.png".into()),
            skipped("data/lost+found"),
            Ok("data/z.jpg".into()),
        ];
        let listing = sorted_out(Path::new("data"), found.into_iter()).expect("two images");
        assert_eq!(listing.images.len(), 2);
        assert_eq!(listing.unreachable.count(), 1);
        let words = listing.unreachable.to_string();
        assert!(words.contains("lost+found (Permission denied"), "{words}");
    }

    #[test]
    fn nothing_but_folders_that_cannot_be_read_is_an_error_that_names_them() {
        let found = (0..5).map(|i| skipped(&format!("data/{i}")));
        let error = sorted_out(Path::new("data"), found).expect_err("no image");
        let words = error.to_string();
        for part in ["5 paths", "data/0 (Permission", "and 2 more", "0 files"] {
            assert!(words.contains(part), "{part}: {words}");
        }
    }
}
