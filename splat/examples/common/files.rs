//! Atomic file writes: a file is written completely or not at all.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

/// Creates `folder` if it does not exist, and checks that it is writable. Called before the work of
/// an example, so that a wrong folder is reported early.
pub(crate) fn writable_folder(folder: &Path) -> Result<(), String> {
    let fail = |error| {
        let folder = folder.display();
        format!("{folder}: expected a folder that can be written to: {error}")
    };
    fs::create_dir_all(folder).map_err(fail)?;
    temporary(folder).map(drop).map_err(fail)
}

/// Writes a file under a temporary name in the same folder, then renames it. At any time `path` is
/// the old file or the complete new file.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    replace(path, bytes).map_err(|error| format!("{}: cannot be written: {error}", path.display()))
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| folder != &Path::new(""));
    let mut file = temporary(folder.unwrap_or(Path::new(".")))?;
    file.write_all(bytes)?;
    // Without this, the rename could reach the disk before the contents.
    file.as_file().sync_all()?;
    file.persist(path)?;
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
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}
