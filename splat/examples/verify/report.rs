//! The report: one table per file, or one JSON document.

use serde_json::{Value, json};

use crate::compare::Row;
use crate::dims::Dims;
use crate::terminal;

/// The result for one file.
pub(crate) struct FileReport {
    /// The path of the file as given on the command line.
    pub(crate) file: String,
    /// The comparison, or the error of an invalid file.
    pub(crate) outcome: Result<Outcome, String>,
}

/// The comparison of a valid file.
pub(crate) struct Outcome {
    /// The sizes of the file's tensors.
    pub(crate) dims: Dims,
    /// The number of pixels in the boundary band, over all images.
    pub(crate) band_pixels: usize,
    /// One row per tensor and precision.
    pub(crate) rows: Vec<Row>,
}

impl Outcome {
    fn passed(&self) -> bool {
        self.rows.iter().all(|row| row.passed)
    }
}

impl FileReport {
    /// Whether the file is valid and all its tensors are within tolerance.
    pub(crate) fn passed(&self) -> bool {
        self.outcome.as_ref().is_ok_and(Outcome::passed)
    }

    /// Prints the table to standard output, or the error to standard error.
    pub(crate) fn print(&self) -> Result<(), String> {
        let outcome = match &self.outcome {
            Ok(outcome) => outcome,
            Err(error) => {
                terminal::note(format_args!("error: {}: {error}", self.file));
                return Ok(());
            }
        };
        let Dims {
            scenes,
            images,
            gaussians,
            channels,
            width,
            height,
        } = outcome.dims;
        let band = outcome.band_pixels;
        terminal::line(&self.file)?;
        terminal::line(format_args!(
            "scenes {scenes}, images {images}, gaussians {gaussians}, channels {channels}, {width} x {height} px, \
             {band} of {} px in the boundary band",
            images * width * height
        ))?;
        terminal::line(format_args!(
            "  {:<29} {:<4} {:>9} {:>9} {:>9} | {:>9} {:>9}",
            "tensor", "", "absolute", "relative", "per row", "limit", "row limit"
        ))?;
        for row in &outcome.rows {
            terminal::line(format_args!("  {}", line(row)))?;
        }
        terminal::line("")
    }

    fn json(&self) -> Value {
        match &self.outcome {
            Err(error) => json!({ "file": self.file, "passed": false, "error": error }),
            Ok(outcome) => {
                let dims = outcome.dims;
                json!({
                    "file": self.file,
                    "passed": outcome.passed(),
                    "scenes": dims.scenes,
                    "images": dims.images,
                    "gaussians": dims.gaussians,
                    "channels": dims.channels,
                    "width": dims.width,
                    "height": dims.height,
                    "boundary_band_pixels": outcome.band_pixels,
                    "tensors": outcome.rows.iter().map(row_json).collect::<Vec<Value>>(),
                })
            }
        }
    }
}

fn line(row: &Row) -> String {
    let number = |x: Option<f64>| x.map_or("-".to_owned(), |x| format!("{x:.1e}"));
    format!(
        "{:<29} {:<4} {:>9} {:>9} {:>9} | {:>9} {:>9}  {}",
        row.tensor,
        row.precision.name(),
        number(Some(row.absolute)),
        number(Some(row.relative)),
        number(row.per_gaussian),
        number(Some(row.limit.whole)),
        number(row.limit.row),
        if row.passed { "PASS" } else { "FAIL" }
    )
}

/// Returns a row as JSON. Differences that are not finite become `null`.
fn row_json(row: &Row) -> Value {
    json!({
        "tensor": row.tensor,
        "precision": row.precision.name(),
        "absolute": row.absolute,
        "relative": row.relative,
        "row": row.per_gaussian,
        "limit": row.limit.whole,
        "row_limit": row.limit.row,
        "passed": row.passed,
    })
}

/// Returns the summary line of the report.
pub(crate) fn summary(reports: &[FileReport]) -> String {
    let malformed = reports
        .iter()
        .filter(|report| report.outcome.is_err())
        .count();
    let passed = reports.iter().filter(|report| report.passed()).count();
    let failed = reports.len() - passed - malformed;
    format!(
        "{passed} of {} files passed, {failed} outside tolerance, {malformed} malformed",
        reports.len()
    )
}

/// Returns the whole report as one JSON document.
pub(crate) fn json(reports: &[FileReport]) -> String {
    let document = json!({
        "passed": reports.iter().all(FileReport::passed),
        "files": reports.iter().map(FileReport::json).collect::<Vec<Value>>(),
    });
    format!("{document:#}")
}
