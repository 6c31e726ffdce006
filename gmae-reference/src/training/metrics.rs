//! The metrics file: one line of JSON per training step.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::files::write_atomically;

/// The metrics of a step.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct Record {
    /// Number of steps taken so far, including this step.
    pub step: usize,
    /// The epoch of the step, counted from 0.
    pub epoch: usize,
    /// The loss of the batch, before the step.
    pub loss: f64,
    /// The learning rate of the step.
    pub learning_rate: f64,
    /// The norm of the gradient, before clipping.
    pub gradient_norm: f64,
    /// Images per second of the step.
    pub images_per_second: f64,
}

/// A metrics file open for appending.
#[derive(Debug)]
pub struct Metrics {
    path: PathBuf,
    file: File,
}

impl Metrics {
    /// Opens `path` in order to continue after step `step`. Lines of later steps and lines that
    /// cannot be parsed, such as an incomplete last line, are dropped. The file is replaced
    /// atomically, so that an interruption does not lose the lines of earlier steps.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if the file cannot be read or written.
    pub fn resume(path: &Path, step: usize) -> Result<Self, Error> {
        let kept = lines(path)?
            .into_iter()
            .filter(|(record, _)| record.step <= step);
        // The lines are copied as text. A parsed and printed number can differ in its last digit.
        write_atomically(path, |file| {
            kept.into_iter()
                .try_for_each(|(_, line)| writeln!(file, "{line}"))
        })
        .map_err(Error::file("writing metrics", path))?;
        let file = OpenOptions::new()
            .append(true)
            .open(path)
            .map_err(Error::file("opening", path))?;
        Ok(Self {
            path: path.to_owned(),
            file,
        })
    }

    /// Appends one line.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if the line cannot be written, for example because the disk is full.
    pub fn append(&mut self, record: &Record) -> Result<(), Error> {
        write_line(&mut self.file, record).map_err(Error::file("writing", &self.path))
    }
}

/// Reads all complete lines of a metrics file. If the file does not exist, there are none.
///
/// # Errors
///
/// [`Error::File`] if the file exists but cannot be read.
pub fn read(path: &Path) -> Result<Vec<Record>, Error> {
    Ok(lines(path)?.into_iter().map(|(record, _)| record).collect())
}

/// Returns the complete lines of a file with their records.
fn lines(path: &Path) -> Result<Vec<(Record, String)>, Error> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::file("reading", path)(error)),
    };
    let mut lines = Vec::new();
    for line in BufReader::new(file).lines() {
        let line = line.map_err(Error::file("reading", path))?;
        if let Ok(record) = serde_json::from_str::<Record>(&line) {
            lines.push((record, line));
        }
    }
    Ok(lines)
}

/// Writes the line in one call, so that an interruption leaves no incomplete line.
fn write_line(file: &mut dyn Write, record: &Record) -> std::io::Result<()> {
    let mut line = serde_json::to_string(record)?;
    line.push('\n');
    file.write_all(line.as_bytes())
}
