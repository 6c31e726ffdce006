//! The report of a training run, and the report of a comparison of several runs. Each is one HTML
//! file that contains every picture and number.
//!
//! [`ReportData`] and [`ComparisonData`] are plain data: pictures, series of numbers, ellipses.
//! This module depends on no tensor, model or renderer, so that a report can be written and tested
//! without them.
//!
//! | file | content |
//! |---|---|
//! | `data`, `comparison/data` | the content of a report |
//! | `page`, `comparison/page` | the sections of a page, in order |
//! | `comparison/text` | tables as Markdown and CSV |
//! | `layers` | the page of the layers of some images, with a slider |
//! | `distribution` | density against detail, size against depth: sections of both pages |
//! | `html`, `picture`, `heat`, `words` | parts of a page: tables, pictures, numbers |
//! | `plot`, `axis`, `series`, `curve` | plots as inline SVG |
//! | `precision_recall`, `raster` | a plot on a page, in an SVG file and in a PNG file |

use std::path::{Path, PathBuf};

use crate::files::write_atomically;

mod axis;
pub(crate) mod comparison;
mod curve;
mod data;
mod distribution;
pub(crate) mod error;
mod heat;
mod html;
mod layers;
mod page;
mod picture;
mod plot;
mod precision_recall;
mod raster;
mod series;
mod words;

use comparison::ComparisonData;
pub(crate) use data::{DensityData, DensityPicture, SizeDepth, SizeDepthData};
pub(crate) use data::{
    DepthLayer, DepthPicture, Ellipse, GaussianPicture, LossCurve, Numbers, ReconstructionRow,
    ReportData,
};
pub use error::ReportError;
pub(crate) use heat::{heat_map, label_map};
pub(crate) use layers::{LabelPicture, LayeredPicture, LayersData};
pub(crate) use precision_recall::PrecisionRecall;
pub use raster::Raster;

/// The name of the report inside an output folder.
pub(crate) const FILE: &str = "report.html";
/// The names of the tables of a comparison inside an output folder: Markdown and CSV.
const TABLES: [&str; 2] = ["table.md", "table.csv"];
/// The names of all files of a comparison inside an output folder.
pub(crate) const COMPARISON_FILES: [&str; 3] = [TABLES[0], TABLES[1], FILE];

/// The files of precision against recall inside an output folder.
pub(crate) const CURVES: [&str; 2] = ["curves.svg", "curves.png"];

/// Writes [`FILE`] into `dir` and returns its path.
///
/// `dir` and its parents are created if missing. The file is either complete or absent.
///
/// # Errors
///
/// [`ReportError::Write`] if the folder or the file cannot be written. [`ReportError::Picture`] if
/// the pixels of a picture do not match its size. [`ReportError::Plot`] if a plot cannot be drawn.
pub(crate) fn write(dir: &Path, data: &ReportData) -> Result<PathBuf, ReportError> {
    save(dir, FILE, &page::page(data)?)
}

/// Writes the report of a comparison into the file `file_name` of `dir` and returns its path.
///
/// `dir` and its parents are created if missing. The file is either complete or absent.
///
/// # Errors
///
/// All errors of [`write`]. [`ReportError::Entries`] if a row of a table has another number of
/// cells than the table has columns, or a picture another number of reconstructions than there are
/// runs.
pub(crate) fn write_comparison(
    dir: &Path,
    file_name: &str,
    data: &ComparisonData,
) -> Result<PathBuf, ReportError> {
    save(dir, file_name, &comparison::page(data)?)
}

/// Writes [`COMPARISON_FILES`] into `dir` and returns the path of the report.
///
/// # Errors
///
/// All errors of [`write_comparison`]. [`ReportError::Plot`] if the CSV text cannot be built.
pub(crate) fn write_comparison_files(
    dir: &Path,
    data: &ComparisonData,
) -> Result<PathBuf, ReportError> {
    let texts = [comparison::markdown(data), comparison::csv(&data.tables)?];
    // The largest file comes first: a full disk is most likely noticed before a table is written.
    let path = write_comparison(dir, FILE, data)?;
    for (name, text) in TABLES.into_iter().zip(&texts) {
        save(dir, name, text)?;
    }
    Ok(path)
}

/// Writes the report of the layers of some images into [`FILE`] of `dir` and returns its path.
///
/// # Errors
///
/// All errors of [`write`].
pub(crate) fn write_layers(dir: &Path, data: &LayersData) -> Result<PathBuf, ReportError> {
    save(dir, FILE, &layers::page(data)?)
}

/// Writes precision against recall into the files [`CURVES`] of `dir`.
///
/// # Errors
///
/// [`ReportError::Write`] if a file cannot be written. [`ReportError::Plot`] if the plot cannot be
/// drawn.
pub(crate) fn write_precision_recall(
    dir: &Path,
    curves: &[PrecisionRecall],
) -> Result<(), ReportError> {
    save(dir, CURVES[0], precision_recall::svg_file(curves)?)?;
    save(dir, CURVES[1], precision_recall::png_file(curves)?)?;
    Ok(())
}

/// Writes a CSV file into `dir`. Its first record is the head.
///
/// # Errors
///
/// [`ReportError::Write`] if the file cannot be written. [`ReportError::Plot`] if the text cannot
/// be built.
pub(crate) fn write_csv(
    dir: &Path,
    file_name: &str,
    records: &[Vec<String>],
) -> Result<(), ReportError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for record in records {
        let written = writer.write_record(record);
        written.map_err(|error| ReportError::Plot(error.to_string()))?;
    }
    let text = writer.into_inner();
    let text = text.map_err(|error| ReportError::Plot(error.to_string()))?;
    save(dir, file_name, text).map(|_| ())
}

fn save(dir: &Path, file_name: &str, text: impl AsRef<[u8]>) -> Result<PathBuf, ReportError> {
    let path = dir.join(file_name);
    let failed = |source| ReportError::Write {
        path: dir.to_owned(),
        source,
    };
    std::fs::create_dir_all(dir).map_err(failed)?;
    write_atomically(&path, |file| file.write_all(text.as_ref())).map_err(failed)?;
    Ok(path)
}

#[cfg(test)]
mod tests;
