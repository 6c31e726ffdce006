//! The files and folders that a run leaves behind. A file is there whole or not at all.
//!
//! Every file of the crate is written by [`write_atomically`]; metrics are appended to one that it
//! made.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use crate::error::Error;

/// Writes a file: into a temporary one in the same folder, flushed to disk, then renamed.
///
/// Whatever happens, `path` holds its old content or all of the new. When this returns, the new
/// content survives a loss of power.
pub(crate) fn write_atomically(
    path: &Path,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    write_then_sync(path, content, sync_folder)
}

/// [`write_atomically`], with `sync_folder` for what makes the rename itself survive.
fn write_then_sync(
    path: &Path,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    sync_folder: impl FnOnce(&Path) -> io::Result<()>,
) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let mut file = temporary(folder)?;
    let mut buffer = BufWriter::new(&mut file);
    content(&mut buffer)?;
    buffer.flush()?;
    drop(buffer);
    file.as_file().sync_all()?;
    file.persist(path)?;
    sync_folder(folder)
}

/// Flushes the names in a folder to disk.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    std::fs::File::open(folder)?.sync_all()
}

/// Only Unix lets a program open a folder for that.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// A temporary file with the permissions of any new file: everything the umask grants.
#[cfg(unix)]
fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    tempfile::Builder::new()
        .permissions(permissions)
        .tempfile_in(folder)
}

/// A temporary file.
#[cfg(not(unix))]
fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    NamedTempFile::new_in(folder)
}

/// Checks that a command overwrites nothing of others: `folder` holds nothing under any of `names`.
///
/// # Errors
///
/// [`Error::Argument`] names what is there; `remedy` says what to do.
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

/// Creates an output folder, with its parents.
///
/// # Errors
///
/// [`Error::File`] if that is not possible.
pub(crate) fn create_folder(path: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(path).map_err(Error::file("creating output folder", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_synced_after_the_rename() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("file");
        let mut synced = None;
        write_then_sync(
            &path,
            |file| file.write_all(b"content"),
            |folder| {
                assert_eq!(std::fs::read(&path)?, b"content", "renamed by now");
                synced = Some(folder.to_owned());
                Ok(())
            },
        )
        .expect("writing");
        assert_eq!(synced.as_deref(), Some(dir.path()));
    }

    #[test]
    fn a_folder_that_cannot_be_synced_is_an_error() {
        let dir = tempfile::tempdir().expect("a folder");
        let failed = write_then_sync(
            &dir.path().join("file"),
            |_| Ok(()),
            |_| Err(io::Error::other("no power")),
        );
        assert!(failed.is_err());
        if cfg!(unix) {
            assert!(sync_folder(&dir.path().join("nowhere")).is_err());
        }
    }

    #[test]
    fn content_that_fails_leaves_the_old_file_and_nothing_else() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("file");
        std::fs::write(&path, "old").expect("writing");
        let failed = write_atomically(&path, |file| {
            file.write_all(b"half")?;
            Err(io::Error::other("the disk is full"))
        });
        assert!(failed.is_err());
        assert_eq!(std::fs::read(&path).expect("the file"), b"old");
        assert_eq!(dir.path().read_dir().expect("the folder").count(), 1);
    }
}
