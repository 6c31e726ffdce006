//! Writes the files and folders of a run. A file is either complete or absent.
//!
//! [`write_atomically`] writes every file of the crate. Only metrics are appended to an existing
//! file, which [`write_atomically`] created.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use crate::error::Error;

/// Writes a file atomically. The content goes to a temporary file in the same folder, which is
/// flushed to disk and then renamed to `path`.
///
/// At any time `path` holds either its old content or all of the new content. On Unix, the new
/// content survives a loss of power once this function has returned without an error.
pub(crate) fn write_atomically(
    path: &Path,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    write_then_sync(path, content, sync_folder)
}

/// Implements [`write_atomically`]. `sync_folder` flushes the rename to disk.
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

/// Flushes the entries of a folder to disk.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    std::fs::File::open(folder)?.sync_all()
}

/// Does nothing, because only Unix can open a folder in order to flush it.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Creates a temporary file with the permissions of any new file: read and write, minus the umask.
#[cfg(unix)]
fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    tempfile::Builder::new()
        .permissions(permissions)
        .tempfile_in(folder)
}

/// Creates a temporary file.
#[cfg(not(unix))]
fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    NamedTempFile::new_in(folder)
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

/// Creates an output folder and its parents.
///
/// # Errors
///
/// [`Error::File`] if the folder cannot be created.
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
