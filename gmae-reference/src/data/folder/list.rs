//! Finds image files by name, without opening them.

use std::ffi::{OsStr, OsString};
use std::fs::{self, FileType};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::kinds::{Kind, Kinds, kind_of};
use super::skipped::{Skipped, Tally};
use crate::data::error::DataError;

/// A file below the root.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The folder of the file, relative to the root. The files of a folder share it.
    folder: Arc<Path>,
    name: Box<OsStr>,
    /// Size of the file in bytes.
    pub(super) size: u64,
}

impl Entry {
    /// Returns the path relative to the root.
    pub(super) fn path(&self) -> PathBuf {
        self.folder.join(&*self.name)
    }

    /// Returns the name of the folder directly in the root that contains the file. The result is
    /// `None` for a file directly in the root.
    pub(super) fn class(&self) -> Option<&OsStr> {
        Some(self.folder.components().next()?.as_os_str())
    }
}

/// The files of a folder, at any depth, in the order of their paths.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) images: Vec<Entry>,
    /// Files with the extension `.tar`.
    pub(super) archives: Vec<Entry>,
    /// Files with another extension or none.
    pub(super) others: Kinds,
    /// Links with a missing target or in a loop, and folders that cannot be listed.
    pub(super) unreachable: Tally,
}

/// Lists `root` and everything below it. Links are followed. Names that begin with a dot are
/// ignored. The sizes are read in parallel, because on a network drive each one is a round trip.
pub(super) fn list(root: &Path) -> Result<Listing, DataError> {
    let path = root.to_owned();
    match fs::metadata(root) {
        Ok(found) if found.is_dir() => {}
        Ok(_) => return Err(DataError::NotAFolder { path }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(DataError::Missing { path });
        }
        Err(error) => return Err(unlistable(root, &error)),
    }
    // Folders below `root` that cannot be read are skipped, but `root` itself must be readable.
    let real = fs::read_dir(root).and_then(|_| fs::canonicalize(root));
    let above = Above {
        real: real.map_err(|error| unlistable(root, &error))?,
        path: root,
        next: None,
    };
    Ok(sorted_out(visit(root, Path::new(""), &above)))
}

fn unlistable(root: &Path, error: &io::Error) -> DataError {
    DataError::List {
        path: root.to_owned(),
        reason: error.to_string(),
    }
}

/// The result of the walk for one name.
#[derive(Debug)]
enum Found {
    File(Entry),
    Folder(Vec<Self>),
    Unreachable(Skipped),
    /// A device, a socket or a pipe.
    Special,
}

/// A folder that the walk has entered, and the folders above it.
struct Above<'a> {
    /// The path without links, by which a loop is found.
    real: PathBuf,
    path: &'a Path,
    next: Option<&'a Self>,
}

impl Above<'_> {
    /// Returns the entered folder whose path without links is `real`.
    fn find(&self, real: &Path) -> Option<&Path> {
        if self.real == real {
            return Some(self.path);
        }
        self.next?.find(real)
    }
}

/// Lists a folder, given relative to `root`.
fn visit(root: &Path, folder: &Path, above: &Above) -> Vec<Found> {
    let path = root.join(folder);
    let unreachable = |error: io::Error| {
        Found::Unreachable(Skipped {
            path: path.clone(),
            reason: error.to_string(),
        })
    };
    let entries = match fs::read_dir(&path) {
        Ok(entries) => entries,
        Err(error) => return vec![unreachable(error)],
    };
    let mut names: Vec<(OsString, Option<FileType>)> = Vec::new();
    let mut found = Vec::new();
    for entry in entries {
        match entry {
            Ok(entry) if is_hidden(&entry.file_name()) => {}
            Ok(entry) => names.push((entry.file_name(), entry.file_type().ok())),
            Err(error) => found.push(unreachable(error)),
        }
    }
    names.sort_by(|a, b| a.0.cmp(&b.0));
    let shared: Arc<Path> = folder.into();
    let each = names
        .into_par_iter()
        .map(|(name, kind)| look(root, &shared, &name, kind, above));
    found.extend(each.collect::<Vec<_>>());
    found
}

/// Looks at one name in a folder. A file costs one request to the file system, a folder none.
fn look(
    root: &Path,
    folder: &Arc<Path>,
    name: &OsStr,
    kind: Option<FileType>,
    above: &Above,
) -> Found {
    let below = folder.join(name);
    let path = root.join(&below);
    let enter = |real: PathBuf| match above.find(&real) {
        Some(parent) => Found::Unreachable(Skipped {
            reason: format!("a link to its own parent folder {}", parent.display()),
            path: path.clone(),
        }),
        None => Found::Folder(visit(
            root,
            &below,
            &Above {
                real,
                path: &path,
                next: Some(above),
            },
        )),
    };
    if kind.is_some_and(|kind| kind.is_dir()) {
        return enter(above.real.join(name));
    }
    let looked = fs::metadata(&path).and_then(|found| {
        Ok(if found.is_dir() {
            enter(fs::canonicalize(&path)?)
        } else if found.is_file() {
            Found::File(Entry {
                folder: folder.clone(),
                name: name.into(),
                size: found.len(),
            })
        } else {
            Found::Special
        })
    });
    looked.unwrap_or_else(|error| {
        Found::Unreachable(Skipped {
            path: path.clone(),
            reason: error.to_string(),
        })
    })
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

/// Sorts the results of a walk into images, archives, other files and unreachable paths.
fn sorted_out(found: Vec<Found>) -> Listing {
    let mut listing = Listing::default();
    listing.add(found);
    listing.images.shrink_to_fit();
    listing
}

impl Listing {
    fn add(&mut self, found: Vec<Found>) {
        for item in found {
            match item {
                Found::File(entry) => match kind_of(&entry.name.to_string_lossy()) {
                    Kind::Image => self.images.push(entry),
                    Kind::Archive => self.archives.push(entry),
                    Kind::Other => self.others.add(&slashed(&entry.path())),
                },
                Found::Folder(found) => self.add(found),
                Found::Unreachable(skipped) => self.unreachable.add(skipped),
                Found::Special => {}
            }
        }
    }
}

/// Formats a relative path with `/` between its parts on every platform.
pub(super) fn slashed(path: &Path) -> String {
    let parts = path.iter().map(|part| part.to_string_lossy());
    parts.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str) -> Found {
        Found::File(Entry {
            folder: Path::new("").into(),
            name: OsStr::new(name).into(),
            size: 1,
        })
    }

    /// A list replaces the walk. A test cannot create unreadable folders when it runs as root,
    /// because root can read everything.
    #[test]
    fn folders_that_cannot_be_read_are_skipped_and_named() {
        let skipped = Skipped {
            path: "data/lost+found".into(),
            reason: "Permission denied (os error 13)".to_owned(),
        };
        let found = vec![
            file("a.png"),
            Found::Folder(vec![Found::Unreachable(skipped)]),
            file("z.jpg"),
        ];
        let listing = sorted_out(found);
        assert_eq!(listing.images.len(), 2);
        assert_eq!(listing.unreachable.count(), 1);
        let words = listing.unreachable.to_string();
        assert!(words.contains("lost+found (Permission denied"), "{words}");
    }
}
