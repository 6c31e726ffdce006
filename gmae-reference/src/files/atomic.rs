//! Writes one file atomically.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use crate::error::Error;

/// Prefix and suffix of the name of a temporary file.
const TEMPORARY: [&str; 2] = [".gmae-", ".tmp"];

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

/// Writes a file atomically by a function that writes to a path. The function receives the path of
/// a temporary file in the same folder.
///
/// # Errors
///
/// [`Error::File`] if the file cannot be written. The error of `write`.
pub(crate) fn write_at(
    path: &Path,
    write: impl FnOnce(&Path) -> Result<(), Error>,
) -> Result<(), Error> {
    let failed = || Error::file("writing", path);
    let folder = folder_of(path);
    let file = temporary(folder).map_err(failed())?;
    write(file.path())?;
    // The function can have replaced the file under this name.
    let written = std::fs::File::open(file.path()).map_err(failed())?;
    written.sync_all().map_err(failed())?;
    file.into_temp_path()
        .persist(path)
        .map_err(|error| failed()(error.error))?;
    sync_folder(folder).map_err(failed())
}

/// Implements [`write_atomically`]. `sync_folder` flushes the rename to disk.
fn write_then_sync(
    path: &Path,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    sync_folder: impl FnOnce(&Path) -> io::Result<()>,
) -> io::Result<()> {
    let folder = folder_of(path);
    let mut file = temporary(folder)?;
    let mut buffer = BufWriter::new(&mut file);
    content(&mut buffer)?;
    buffer.flush()?;
    drop(buffer);
    file.as_file().sync_all()?;
    file.persist(path)?;
    sync_folder(folder)
}

/// The folder of the file `path`.
pub(super) fn folder_of(path: &Path) -> &Path {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// Flushes the entries of a folder to disk.
#[cfg(unix)]
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    std::fs::File::open(folder)?.sync_all()
}

/// Does nothing, because only Unix can open a folder in order to flush it.
#[cfg(not(unix))]
pub(super) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Creates a temporary file with the permissions of any new file: read and write, minus the umask.
fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY[0]).suffix(TEMPORARY[1]);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

/// Removes the temporary files that killed processes have left in `folder`. The caller must hold
/// the lock of the folder, so that no other process is writing one.
pub(super) fn remove_temporary_files(folder: &Path) -> io::Result<()> {
    for entry in folder.read_dir()? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(TEMPORARY[0]) && name.ends_with(TEMPORARY[1]) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
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
