//! Lets one process at a time write to a folder.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::Path;

use super::atomic::remove_temporary_files;
use super::staged::finish;
use crate::error::Error;
use crate::terminal::note;

/// The name of the locked file.
const NAME: &str = ".lock";

/// The right to write to a folder. The operating system releases it when the process ends, however
/// it ends. The file `.lock` remains. It has no effect after the lock is released.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of `folder`, which must exist, and repairs the folder after a killed process:
    /// an unfinished replacement of a set of files is completed, and temporary files are removed.
    /// If the file system has no locks, a warning is printed and nothing is locked.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if another process holds the lock. [`Error::File`] if the folder cannot
    /// be written.
    pub(crate) fn take(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(NAME);
        let open = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path);
        let file = open.map_err(Error::file("opening", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::Argument {
                    argument: "--output",
                    expected: "a folder to which no other process writes".to_owned(),
                    got: format!("{}, in which another run is in progress", folder.display()),
                });
            }
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {
                note(format_args!(
                    "warning: {}: the file system has no locks; do not start a second run in this folder",
                    folder.display()
                ));
            }
            Err(TryLockError::Error(error)) => return Err(Error::file("locking", &path)(error)),
        }
        finish(folder).map_err(Error::file("completing the files of", folder))?;
        remove_temporary_files(folder)
            .map_err(Error::file("removing temporary files from", folder))?;
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_writer() {
        let dir = tempfile::tempdir().expect("a folder");
        let lock = Lock::take(dir.path()).expect("the first writer");
        let words = Lock::take(dir.path()).expect_err("the second").to_string();
        assert!(words.contains("another run"), "{words}");
        drop(lock);
        Lock::take(dir.path()).expect("a later writer");
    }

    #[test]
    fn temporary_files_are_removed_and_no_others() {
        let dir = tempfile::tempdir().expect("a folder");
        for name in [".gmae-abc.tmp", "other.tmp", ".gmae-abc", "notes.txt"] {
            std::fs::write(dir.path().join(name), "text").expect("writing");
        }
        Lock::take(dir.path()).expect("a lock");
        let mut left: Vec<_> = dir
            .path()
            .read_dir()
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        left.sort();
        assert_eq!(left, [".gmae-abc", ".lock", "notes.txt", "other.tmp"]);
    }
}
