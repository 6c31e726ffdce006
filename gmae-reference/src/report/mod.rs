//! The page a training run leaves behind: one HTML file with every picture and number inside it.
//!
//! [`ReportData`] is plain data: pictures, series of numbers, ellipses. Nothing here knows about tensors, models
//! or renderers, so a report can be written, and tested, without any of them.

use std::io::Write as _;
use std::path::{Path, PathBuf};

mod curve;
mod data;
pub(crate) mod error;
mod page;
mod picture;
mod words;

pub use data::{
    DepthLayer, DepthPicture, Ellipse, GaussianPicture, LossCurve, Numbers, ReconstructionRow,
    ReportData,
};
pub use error::ReportError;

/// Writes `report.html` into `dir` and returns its path.
///
/// `dir` and its parents are created if missing. The file appears whole or not at all: it is written beside its
/// place, flushed to disk, and renamed.
///
/// # Errors
///
/// [`ReportError::Write`] names the folder when it cannot be written; [`ReportError::Picture`] names a picture
/// whose pixels do not match its size.
pub fn write(dir: &Path, data: &ReportData) -> Result<PathBuf, ReportError> {
    let html = page::page(data)?;
    let path = dir.join("report.html");
    let failed = |source| ReportError::Write {
        path: dir.to_owned(),
        source,
    };
    std::fs::create_dir_all(dir).map_err(failed)?;
    let mut file = new_file(dir).map_err(failed)?;
    file.write_all(html.as_bytes()).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(&path).map_err(|error| failed(error.error))?;
    Ok(path)
}

/// A new file in `dir` that disappears unless it is renamed, readable like any other file.
fn new_file(dir: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".report-").suffix(".html");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // Temporary files are private by default; the process's umask still applies.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(dir)
}

#[cfg(test)]
mod tests;
