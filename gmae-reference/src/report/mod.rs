//! The report of a training run: one HTML file that contains every picture and number.
//!
//! [`ReportData`] is plain data: pictures, series of numbers, ellipses. This module depends on no
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
pub(crate) use picture::escape;

/// The name of the report inside an output folder.
pub(crate) const FILE: &str = "report.html";

/// Writes [`FILE`] into `dir` and returns its path.
///
/// `dir` and its parents are created if missing. The file is either complete or absent.
///
/// # Errors
///
/// [`ReportError::Write`] if the folder or the file cannot be written. [`ReportError::Picture`] if
/// the pixels of a picture do not match its size. [`ReportError::Plot`] if the loss curve cannot be
/// drawn.
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
