//! Writes the files and folders of a run. A file is either complete or absent.
//!
//! | file | content |
//! |---|---|
//! | `atomic` | writes one file |
//! | `staged` | replaces a set of files that belong together |
//! | `lock` | lets one process at a time write to a folder |
//!
//! Only the metrics file is appended to.

mod atomic;
mod lock;
mod staged;

use std::io;
use std::path::Path;

use crate::error::Error;

pub(crate) use atomic::{write_at, write_atomically};
pub(crate) use lock::Lock;
pub(crate) use staged::{Staged, current};

/// Reads a regular file. Other kinds are refused: reading a pipe or a device may never end.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other(
            "expected a regular file, got another kind",
        ));
    }
    std::fs::read(path)
}

/// Checks that a command overwrites no file of another run: `folder` must not contain any of
/// `names`.
///
/// # Errors
///
/// [`Error::Argument`] if `folder` contains some of `names`. The message lists them and ends its
/// expectation with `remedy`.
pub(crate) fn expect_free(folder: &Path, names: &[&str], remedy: &str) -> Result<(), Error> {
    let taken = |name: &&&str| folder.join(name).symlink_metadata().is_ok();
    let taken: Vec<&str> = names.iter().filter(taken).copied().collect();
    if taken.is_empty() {
        return Ok(());
    }
    Err(Error::Argument {
        argument: "--output",
        expected: format!("a folder without {}, {remedy}", names.join(" and ")),
        got: format!("{} with {}", folder.display(), taken.join(" and ")),
    })
}

/// Checks that a command overwrites no file: there must be nothing at `path`.
///
/// # Errors
///
/// [`Error::Argument`] if there is.
pub(crate) fn expect_absent(path: &Path) -> Result<(), Error> {
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    Err(Error::Argument {
        argument: "--output",
        expected: "a file that does not exist".to_owned(),
        got: path.display().to_string(),
    })
}

/// Checks before a long computation that its results can be written to `folder`: a file can be
/// created in it, or in the nearest part of its path that exists. No file is left.
///
/// # Errors
///
/// [`Error::File`] if no file can be created.
pub(crate) fn expect_writable(folder: &Path) -> Result<(), Error> {
    let existing = folder
        .ancestors()
        .find(|path| path.symlink_metadata().is_ok());
    // A relative path without an existing part lies in the working folder.
    let existing = existing.unwrap_or(Path::new("."));
    tempfile::tempfile_in(existing)
        .map(drop)
        .map_err(Error::file("creating a file in", existing))
}

/// Creates an output folder and its parents.
///
/// # Errors
///
/// [`Error::File`] if the folder cannot be created.
pub(crate) fn create_folder(path: &Path) -> Result<(), Error> {
    let failed = || Error::file("creating output folder", path);
    if path.is_dir() {
        return Ok(());
    }
    std::fs::create_dir_all(path).map_err(failed())?;
    atomic::sync_folder(atomic::folder_of(path)).map_err(failed())
}

/// Removes a file if it exists.
///
/// # Errors
///
/// [`Error::File`] if the file exists and cannot be removed.
pub(crate) fn remove(path: &Path) -> Result<(), Error> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::file("removing", path)(error))
        }
        _ => Ok(()),
    }
}
