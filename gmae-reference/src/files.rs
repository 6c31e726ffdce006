//! Files that are there whole or not at all.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use crate::error::Error;

/// Writes a file: into a temporary one in the same folder, flushed to disk, then renamed. Whatever happens, `path`
/// holds what it held before or all of the new.
///
/// # Errors
///
/// [`Error::File`], with `action` for its verb, if the folder is not writable or the disk is full.
pub fn write_atomically(
    action: &'static str,
    path: &Path,
    content: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<(), Error> {
    let attempt = || {
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
        // The rename itself is on disk once the folder is.
        if cfg!(unix) {
            File::open(folder)?.sync_all()
        } else {
            Ok(())
        }
    };
    attempt().map_err(Error::file(action, path))
}

/// A temporary file with the permissions of any new file: everything the umask grants.
#[cfg(unix)]
fn temporary(folder: &Path) -> std::io::Result<NamedTempFile> {
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    tempfile::Builder::new()
        .permissions(permissions)
        .tempfile_in(folder)
}

/// A temporary file.
#[cfg(not(unix))]
fn temporary(folder: &Path) -> std::io::Result<NamedTempFile> {
    NamedTempFile::new_in(folder)
}

/// Creates an output folder, with its parents.
///
/// # Errors
///
/// [`Error::File`] if that is not possible.
pub fn create_folder(path: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(path).map_err(Error::file("creating output folder", path))
}
