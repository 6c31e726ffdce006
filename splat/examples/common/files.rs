//! Files that are written whole or not at all.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

/// Creates `folder` if need be and checks that files can be written there, before any other work.
pub(crate) fn writable_folder(folder: &Path) -> Result<(), String> {
    let fail = |error| {
        let folder = folder.display();
        format!("{folder}: expected a folder that can be written to: {error}")
    };
    fs::create_dir_all(folder).map_err(fail)?;
    temporary(folder).map(drop).map_err(fail)
}

/// Writes a file under a temporary name in the same folder, then renames it: at any time `path` is
/// the old file or the whole new one.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    replace(path, bytes).map_err(|error| format!("{}: cannot be written: {error}", path.display()))
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| folder != &Path::new(""));
    let mut file = temporary(folder.unwrap_or(Path::new(".")))?;
    file.write_all(bytes)?;
    // Otherwise the new name could reach the disk before the bytes.
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// A file that is deleted unless it is given a name, with the permissions of any new file.
fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    builder.prefix(".partial-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // The default is 0o600. The process's umask applies.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}
