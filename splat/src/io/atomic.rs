//! Writes files completely or not at all.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

use super::error::FileError;

/// Writes a file under a temporary name in the same folder, then renames it to `path`. At any time
/// `path` is the old file or the complete new one.
pub(super) fn write(
    path: &Path,
    content: impl FnOnce(&mut BufWriter<&mut NamedTempFile>) -> Result<(), FileError>,
) -> Result<(), FileError> {
    let failed = FileError::Unwritable;
    let folder = path.parent().filter(|folder| folder != &Path::new(""));
    let folder = folder.unwrap_or(Path::new("."));
    let mut file = temporary(folder).map_err(failed)?;
    let mut buffer = BufWriter::with_capacity(1 << 18, &mut file);
    content(&mut buffer)?;
    buffer.flush().map_err(failed)?;
    drop(buffer);
    // Without this, the rename could reach the disk before the contents.
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    sync_folder(folder).map_err(failed)
}

/// Flushes the rename to disk.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    std::fs::File::open(folder)?.sync_all()
}

/// Does nothing, because only Unix can open a folder in order to flush it.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Creates a temporary file with the permissions of an ordinary new file. It is deleted unless it
/// is renamed.
fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    builder.prefix(".partial-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // The default of the builder is 0o600. The umask of the process applies to this value.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}
