//! The page a training run leaves behind: one HTML file with every picture and number inside it.
//!
//! [`ReportData`] is plain data: pictures, series of numbers, ellipses. This folder depends on no
//! tensor, model or renderer, so that a report can be written and tested without them.

use std::path::{Path, PathBuf};

use crate::files::write_atomically;

mod curve;
mod data;
pub(crate) mod error;
mod page;
mod picture;
mod words;

pub(crate) use data::{
    DepthLayer, DepthPicture, Ellipse, GaussianPicture, LossCurve, Numbers, ReconstructionRow,
    ReportData,
};
pub use error::ReportError;

/// The name of the report inside an output folder.
pub(crate) const FILE: &str = "report.html";

/// Writes [`FILE`] into `dir` and returns its path.
///
/// `dir` and its parents are created if missing. The file appears whole or not at all.
///
/// # Errors
///
/// [`ReportError::Write`] names the folder when it cannot be written; [`ReportError::Picture`]
/// names a picture whose pixels do not match its size.
pub(crate) fn write(dir: &Path, data: &ReportData) -> Result<PathBuf, ReportError> {
    let html = page::page(data)?;
    let path = dir.join(FILE);
    let failed = |source| ReportError::Write {
        path: dir.to_owned(),
        source,
    };
    std::fs::create_dir_all(dir).map_err(failed)?;
    write_atomically(&path, |file| file.write_all(html.as_bytes())).map_err(failed)?;
    Ok(path)
}

#[cfg(test)]
mod tests;
