//! Replaces a set of files that belong together: all of them, or none.
//!
//! 1. The new files are written to the folder `.next` beside the old ones, and flushed to disk.
//! 2. `.next` is renamed to `.commit`. From this moment the new set is valid.
//! 3. The files are moved from `.commit` over the old ones, and `.commit` is removed.
//!
//! If the process is killed in step 1, the old set remains. If it is killed in step 3, readers find
//! the new files through [`current`], and the next writer completes the step with [`finish`].

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::atomic::sync_folder;

const NEXT: &str = ".next";
const COMMIT: &str = ".commit";

/// New files of a folder that are not valid yet.
#[derive(Debug)]
pub(crate) struct Staged {
    folder: PathBuf,
    next: PathBuf,
}

impl Staged {
    /// Begins a new set of files for `folder`, which must exist.
    pub(crate) fn begin(folder: &Path) -> io::Result<Self> {
        finish(folder)?;
        let next = folder.join(NEXT);
        fs::create_dir(&next)?;
        let folder = folder.to_owned();
        Ok(Self { folder, next })
    }

    /// The path at which the new file `name` is written.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.next.join(name)
    }

    /// Writes the new file `name`.
    pub(crate) fn write(&self, name: &str, content: &[u8]) -> io::Result<()> {
        fs::write(self.path(name), content)
    }

    /// Replaces the old files by the new ones.
    pub(crate) fn commit(self) -> io::Result<()> {
        for entry in self.next.read_dir()? {
            File::open(entry?.path())?.sync_all()?;
        }
        sync_folder(&self.next)?;
        fs::rename(&self.next, self.folder.join(COMMIT))?;
        sync_folder(&self.folder)?;
        finish(&self.folder)
    }
}

/// Removes the new files if they have not become valid.
impl Drop for Staged {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.next);
    }
}

/// The path of the valid file `name` of `folder`, for readers.
pub(crate) fn current(folder: &Path, name: &str) -> PathBuf {
    let committed = folder.join(COMMIT).join(name);
    if committed.exists() {
        return committed;
    }
    folder.join(name)
}

/// Completes the replacement of a set, and removes a set that was not complete.
pub(super) fn finish(folder: &Path) -> io::Result<()> {
    let (next, commit) = (folder.join(NEXT), folder.join(COMMIT));
    if commit.is_dir() {
        for entry in commit.read_dir()? {
            let entry = entry?;
            fs::rename(entry.path(), folder.join(entry.file_name()))?;
        }
        sync_folder(folder)?;
        fs::remove_dir(&commit)?;
    }
    if next.is_dir() {
        fs::remove_dir_all(&next)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(staged: &Staged, text: &str) {
        for name in ["a", "b"] {
            fs::write(staged.path(name), text).expect("writing");
        }
    }

    fn read(folder: &Path) -> [String; 2] {
        ["a", "b"].map(|name| fs::read_to_string(current(folder, name)).unwrap_or_default())
    }

    #[test]
    fn a_set_is_replaced_as_a_whole() {
        let dir = tempfile::tempdir().expect("a folder");
        for text in ["first", "second"] {
            let staged = Staged::begin(dir.path()).expect("a set");
            write(&staged, text);
            staged.commit().expect("committing");
            assert_eq!(read(dir.path()), [text; 2]);
            assert_eq!(dir.path().read_dir().expect("the folder").count(), 2);
        }
        let staged = Staged::begin(dir.path()).expect("a set");
        write(&staged, "third");
        assert_eq!(read(dir.path()), ["second"; 2]);
        drop(staged);
        assert_eq!(dir.path().read_dir().expect("the folder").count(), 2);
    }

    /// The process is killed before, between and after the moves of the last step.
    #[test]
    fn a_set_is_completed_after_a_kill() {
        for moved in 0..3 {
            let dir = tempfile::tempdir().expect("a folder");
            for name in ["a", "b"] {
                fs::write(dir.path().join(name), "old").expect("writing");
            }
            fs::create_dir(dir.path().join(COMMIT)).expect("a folder");
            for (i, name) in ["a", "b"].into_iter().enumerate() {
                let to = if i < moved {
                    dir.path().join(name)
                } else {
                    dir.path().join(COMMIT).join(name)
                };
                fs::write(to, "new").expect("writing");
            }
            assert_eq!(read(dir.path()), ["new"; 2], "read before it is completed");
            finish(dir.path()).expect("completing");
            assert_eq!(read(dir.path()), ["new"; 2]);
            assert_eq!(dir.path().read_dir().expect("the folder").count(), 2);
        }
    }
}
