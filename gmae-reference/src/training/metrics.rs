//! The metrics file: one line of JSON per training step.
//!
//! Each line ends with a checksum of its numbers and of the name of the run. A damaged line, or a
//! line of another run, is therefore noticed.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::files::{self, write_atomically};

/// Start of the last entry of a line.
const CHECK: &str = ",\"check\":\"";
/// Every line is shorter than this, in bytes.
const LONGEST_LINE: usize = 1000;

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
    /// Fraction of the step's time in which it waited for images.
    #[serde(default)]
    pub waiting: f64,
}

/// A metrics file open for appending.
#[derive(Debug)]
pub struct Metrics {
    path: PathBuf,
    file: File,
    run: String,
    repairs: Vec<String>,
    /// Size of the file in bytes.
    len: u64,
}

impl Metrics {
    /// Opens `path` in order to continue the run named `run` after step `step`. The file is
    /// replaced atomically, so that an interruption does not lose the lines of earlier steps.
    ///
    /// Lines of later steps and an incomplete last line are dropped. They are normal after an
    /// interruption. Other damaged lines are also dropped, after a copy of the file has been made.
    /// [`Metrics::repairs`] names the damaged or incomplete lines and the copy.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if the file cannot be read or written.
    pub fn resume(path: &Path, run: &str, step: usize) -> Result<Self, Error> {
        let old = content(path)?;
        let Checked {
            kept,
            mut repairs,
            damaged,
        } = check(&old, run, step, &path.display().to_string());
        if damaged {
            let copy = free_name(path);
            write_atomically(&copy, |file| file.write_all(&old))
                .map_err(Error::file("writing", &copy))?;
            repairs.insert(0, format!("the damaged file is kept as {}", copy.display()));
        }
        write_atomically(path, |file| file.write_all(kept.as_bytes()))
            .map_err(Error::file("writing metrics", path))?;
        let file = OpenOptions::new()
            .append(true)
            .open(path)
            .map_err(Error::file("opening", path))?;
        Ok(Self {
            path: path.to_owned(),
            file,
            run: run.to_owned(),
            repairs,
            len: kept.len() as u64,
        })
    }

    /// The faults that were found and repaired when the file was opened, one line each.
    pub fn repairs(&self) -> &[String] {
        &self.repairs
    }

    /// Flushes the lines to disk.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if they cannot be written.
    pub(super) fn sync(&self) -> Result<(), Error> {
        self.file
            .sync_data()
            .map_err(Error::file("writing", &self.path))
    }

    /// Appends one line.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if the line cannot be written, for example because the disk is full, or if
    /// another program has removed or changed the file.
    pub fn append(&mut self, record: &Record) -> Result<(), Error> {
        self.append_line(record)
            .map_err(Error::file("writing", &self.path))
    }

    fn append_line(&mut self, record: &Record) -> std::io::Result<()> {
        let line = line(record, &self.run)?;
        self.file.write_all(line.as_bytes())?;
        self.len += line.len() as u64;
        // Lines appended to a removed file would be lost.
        if std::fs::metadata(&self.path)?.len() == self.len {
            return Ok(());
        }
        let changed = "another program has replaced or changed the file during the run";
        Err(std::io::Error::other(changed))
    }
}

/// Reads the metrics of a file, without the lines that cannot be parsed. If the file does not
/// exist, there are none.
///
/// # Errors
///
/// [`Error::File`] if the file exists but cannot be read.
pub fn read(path: &Path) -> Result<Vec<Record>, Error> {
    let content = content(path)?;
    let lines = content.split(|&byte| byte == b'\n');
    Ok(lines
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect())
}

/// Writes `records` as the metrics of the run named `run`.
///
/// # Errors
///
/// [`Error::File`] if the file cannot be written.
pub(crate) fn write(path: &Path, run: &str, records: &[Record]) -> Result<(), Error> {
    let lines: std::io::Result<String> = records.iter().map(|record| line(record, run)).collect();
    lines
        .and_then(|lines| write_atomically(path, |file| file.write_all(lines.as_bytes())))
        .map_err(Error::file("writing metrics", path))
}

fn content(path: &Path) -> Result<Vec<u8>, Error> {
    match files::read(path) {
        Ok(content) => Ok(content),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(Error::file("reading", path)(error)),
    }
}

/// The result of checking a file.
struct Checked {
    /// The sound lines, as text. A parsed and printed number can differ in its last digit.
    kept: String,
    /// The faults, one line each.
    repairs: Vec<String>,
    /// Whether there are faults that an interruption does not explain.
    damaged: bool,
}

fn check(content: &[u8], run: &str, last_step: usize, name: &str) -> Checked {
    let mut checked = Checked {
        kept: String::new(),
        repairs: Vec::new(),
        damaged: false,
    };
    let mut next = 1;
    let missing = |from: usize, to: usize, checked: &mut Checked| {
        if from < to {
            let repair = format!("{name}: no sound line for steps {from} to {}", to - 1);
            checked.repairs.push(repair);
        }
    };
    for (i, line) in content.split_inclusive(|&byte| byte == b'\n').enumerate() {
        let sound = std::str::from_utf8(line).ok();
        let sound = sound.and_then(|line| Some((line, parse(line, run)?)));
        match sound {
            Some((_, record)) if record.step > last_step => {}
            Some((line, record)) if record.step >= next => {
                missing(next, record.step, &mut checked);
                checked.kept += line;
                next = record.step.saturating_add(1);
            }
            Some((_, record)) => {
                let fault = format!("{name} line {}: step {} again", i + 1, record.step);
                checked
                    .repairs
                    .push(format!("{fault}; the line is dropped"));
                checked.damaged = true;
            }
            None if !line.ends_with(b"\n") && line.len() < LONGEST_LINE => {
                let fault = format!("{name} line {}: incomplete", i + 1);
                checked
                    .repairs
                    .push(format!("{fault}; the line is dropped"));
            }
            None => {
                let fault = format!("{name} line {}: damaged, or of another run", i + 1);
                checked
                    .repairs
                    .push(format!("{fault}; the line is dropped"));
                checked.damaged = true;
            }
        }
    }
    missing(next, last_step.saturating_add(1), &mut checked);
    checked
}

/// Returns the line of a record, with its checksum and the end of the line.
fn line(record: &Record, run: &str) -> std::io::Result<String> {
    let json = serde_json::to_string(record)?;
    let body = json.strip_suffix('}').unwrap_or(&json);
    Ok(format!("{body}{CHECK}{:08x}\"}}\n", checksum(body, run)))
}

/// Returns the record of a line, if the checksum of the line is that of the run.
fn parse(line: &str, run: &str) -> Option<Record> {
    let (body, check) = line.strip_suffix("\"}\n")?.rsplit_once(CHECK)?;
    if check != format!("{:08x}", checksum(body, run)) {
        return None;
    }
    serde_json::from_str(line).ok()
}

fn checksum(body: &str, run: &str) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(run.as_bytes());
    hasher.update(body.as_bytes());
    hasher.finalize()
}

/// Returns a name for a copy beside `path` that no file has.
fn free_name(path: &Path) -> PathBuf {
    let name = |i: usize| path.with_extension(format!("damaged-{i}.jsonl"));
    let mut i = 1;
    while name(i).exists() {
        i += 1;
    }
    name(i)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(step: usize) -> Record {
        Record {
            step,
            epoch: 0,
            loss: 0.1,
            learning_rate: 1e-3,
            gradient_norm: 1.0 / 3.0,
            images_per_second: 100.0,
            waiting: 0.0,
        }
    }

    fn file(steps: &[usize], run: &str) -> String {
        let lines = steps
            .iter()
            .map(|&step| line(&record(step), run).expect("JSON"));
        lines.collect()
    }

    #[test]
    fn sound_lines_up_to_the_checkpoint_are_kept() {
        let all = file(&[1, 2, 3, 4], "run");
        let checked = check(all.as_bytes(), "run", 3, "m");
        assert_eq!(checked.kept, file(&[1, 2, 3], "run"));
        assert!(checked.repairs.is_empty() && !checked.damaged);
        let torn = &all[..all.len() - 5];
        let checked = check(torn.as_bytes(), "run", 3, "m");
        assert_eq!(checked.kept, file(&[1, 2, 3], "run"));
        assert!(checked.repairs[0].contains("line 4: incomplete") && !checked.damaged);
    }

    #[test]
    fn a_file_without_line_ends_is_damaged() {
        let all = file(&(1..20).collect::<Vec<_>>(), "run").replace('\n', "");
        let checked = check(all.as_bytes(), "run", 19, "m");
        assert!(
            checked.kept.is_empty() && checked.damaged,
            "{:?}",
            checked.repairs
        );
    }

    /// Every bit of a line is covered.
    #[test]
    fn every_flipped_bit_is_noticed_and_named() {
        let good = file(&[1, 2, 3], "run");
        let begin = file(&[1], "run").len();
        let end = file(&[1, 2], "run").len();
        for byte in begin..end {
            for bit in 0..8 {
                let mut bad = good.clone().into_bytes();
                bad[byte] ^= 1 << bit;
                let checked = check(&bad, "run", 3, "m");
                assert!(checked.damaged, "byte {byte}, bit {bit}");
                assert!(
                    checked.repairs.iter().any(|r| r.contains("line 2")),
                    "{byte}"
                );
                assert!(!checked.kept.contains("\"step\":2"));
            }
        }
    }

    #[test]
    fn lines_of_other_runs_repeated_and_missing_steps_are_named() {
        let other = file(&[1, 2], "other");
        let checked = check(other.as_bytes(), "run", 2, "m");
        assert!(checked.kept.is_empty() && checked.damaged);
        assert!(
            checked.repairs[2].contains("steps 1 to 2"),
            "{:?}",
            checked.repairs
        );
        let twice = file(&[1, 1, 3], "run");
        let checked = check(twice.as_bytes(), "run", 4, "m");
        assert_eq!(checked.kept, file(&[1, 3], "run"));
        for (repair, words) in checked.repairs.iter().zip(["line 2", "2 to 2", "4 to 4"]) {
            assert!(repair.contains(words), "{repair}");
        }
    }
}
