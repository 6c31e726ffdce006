//! One line of JSON per training step.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::files::write_atomically;

/// The metrics of a step.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct Record {
    /// Steps taken so far, this one included.
    pub step: usize,
    /// The epoch it belongs to, counted from 0.
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
    /// Opens `path` to go on after step `step`: lines of later steps are dropped, as is a torn last
    /// line. The file is replaced as a whole, so an interruption cannot lose what it held.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if the file cannot be read or written.
    pub fn resume(path: &Path, step: usize) -> Result<Self, Error> {
        let kept = lines(path)?
            .into_iter()
            .filter(|(record, _)| record.step <= step);
        // As they were: a number parsed and printed again may differ in its last digit.
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
    /// [`Error::File`] if it cannot be written, as on a full disk.
    pub fn append(&mut self, record: &Record) -> Result<(), Error> {
        write_line(&mut self.file, record).map_err(Error::file("writing", &self.path))
    }
}

/// All whole lines of a metrics file; none if there is no file.
///
/// # Errors
///
/// [`Error::File`] if the file is there but cannot be read.
pub fn read(path: &Path) -> Result<Vec<Record>, Error> {
    Ok(lines(path)?.into_iter().map(|(record, _)| record).collect())
}

/// The whole lines of a file, and what they say.
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

/// One write per line, so that a line is there or not.
fn write_line(file: &mut dyn Write, record: &Record) -> std::io::Result<()> {
    let mut line = serde_json::to_string(record)?;
    line.push('\n');
    file.write_all(line.as_bytes())
}
