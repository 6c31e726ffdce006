//! Finished results on disk: one JSON file for each job.
//!
//! A file contains the complete identity of its job and a checksum. A result can therefore be
//! copied between folders and machines, and a damaged or renamed file is refused.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::AblationError;

use super::job::{Identity, NAME_DIGITS, sha256};
use crate::error::Error;
use crate::files;

/// The folder of the results inside an output folder.
pub(super) const RESULTS: &str = "results";
/// The folder of the working folders inside an output folder.
const RUNS: &str = "runs";
/// The number of the format of a result file.
const FORMAT: u32 = 1;
/// The key of the checksum: SHA-256 of the canonical text of all other keys.
const CHECKSUM: &str = "sha256";

/// The result of a job.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Finished {
    /// The names of the measures that were asked for.
    pub(super) asked: Vec<String>,
    /// The values. NaN stands for every value that is not finite. A measure that was asked for and
    /// is missing does not apply to the configuration.
    pub(super) values: BTreeMap<String, f64>,
    /// The time of the training steps, in seconds, or that of the measures if nothing is trained.
    /// NaN for a row that diverges.
    pub(super) seconds: f64,
}

impl Finished {
    /// Returns whether all of `measures` were asked for.
    pub(super) fn covers(&self, measures: &[String]) -> bool {
        measures.iter().all(|name| self.asked.contains(name))
    }
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: u32,
    job: Value,
    asked: Vec<String>,
    measures: BTreeMap<String, Option<f64>>,
    seconds: Option<f64>,
    program: String,
}

/// Returns whether a folder has a file with the name of a result: 16 hexadecimal digits.
fn has_results(folder: &Path) -> bool {
    let is_result = |entry: std::io::Result<std::fs::DirEntry>| {
        let name = entry.map(|entry| entry.file_name().to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        name.strip_suffix(".json").is_some_and(|digits| {
            digits.len() == NAME_DIGITS && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        })
    };
    std::fs::read_dir(folder).is_ok_and(|mut entries| entries.any(is_result))
}

/// The folders of results.
#[derive(Clone, Debug)]
pub(super) struct Store {
    output: PathBuf,
    /// The own folder first, then the folders that are only read.
    folders: Vec<PathBuf>,
}

impl Store {
    /// Returns the store of an output folder that also reads the folders `others`. The output
    /// folder need not exist.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if one of `others` has no results.
    pub(super) fn new(output: &Path, others: &[PathBuf]) -> Result<Self, Error> {
        // The output folder of another sweep stands for the results in it.
        let inner = |other: &PathBuf| {
            let results = other.join(RESULTS);
            if results.is_dir() {
                results
            } else {
                other.clone()
            }
        };
        let others: Vec<PathBuf> = others.iter().map(inner).collect();
        if let Some(other) = others.iter().find(|other| !has_results(other)) {
            return Err(Error::Argument {
                argument: "--results",
                expected: "a folder with results of ablate".to_owned(),
                got: other.display().to_string(),
            });
        }
        let own = output.join(RESULTS);
        Ok(Self {
            output: output.to_owned(),
            folders: std::iter::once(own).chain(others).collect(),
        })
    }

    /// The folder in which the job runs.
    pub(super) fn work_folder(&self, job: &Identity) -> PathBuf {
        self.output.join(RUNS).join(job.name())
    }

    /// Returns the result of a job: the first that covers `measures`, or else the first, or `None`
    /// if no folder has one.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if a result cannot be read. [`AblationError::Result`] if it is damaged or
    /// belongs to another job.
    pub(super) fn find(
        &self,
        job: &Identity,
        measures: &[String],
    ) -> Result<Option<Finished>, Error> {
        let mut first = None;
        for folder in &self.folders {
            let Some(result) = read(&path_in(folder, job), job)? else {
                continue;
            };
            if result.covers(measures) {
                return Ok(Some(result));
            }
            first = first.or(Some(result));
        }
        Ok(first)
    }

    /// Writes the result of a job to the output folder.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if the file cannot be written.
    pub(super) fn save(&self, job: &Identity, result: &Finished) -> Result<(), Error> {
        let folder = self.output.join(RESULTS);
        files::create_folder(&folder)?;
        let path = path_in(&folder, job);
        let finite = |value: f64| value.is_finite().then_some(value);
        let values = result.values.iter();
        let file = File {
            format: FORMAT,
            job: job.value.clone(),
            asked: result.asked.clone(),
            measures: values
                .map(|(name, value)| (name.clone(), finite(*value)))
                .collect(),
            seconds: finite(result.seconds),
            program: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let written = files::write_atomically(&path, |output| {
            let mut value = serde_json::to_value(&file)?;
            let sum = sha256(&value);
            if let Value::Object(map) = &mut value {
                map.insert(CHECKSUM.to_owned(), Value::String(sum));
            }
            serde_json::to_writer_pretty(&mut *output, &value)?;
            output.write_all(b"\n")
        });
        written.map_err(Error::file("writing", path))
    }
}

fn path_in(folder: &Path, job: &Identity) -> PathBuf {
    folder.join(format!("{}.json", job.name()))
}

/// Reads a result file, if it exists.
fn read(path: &Path, job: &Identity) -> Result<Option<Finished>, Error> {
    let bytes = match files::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::file("reading", path)(error)),
    };
    parse(&bytes, job).map(Some).map_err(|reason| {
        Error::Ablation(AblationError::Result {
            path: path.to_owned(),
            reason,
        })
    })
}

/// Parses a result file and checks that it is the result of `job`.
fn parse(bytes: &[u8], job: &Identity) -> Result<Finished, String> {
    let damaged = |error: serde_json::Error| format!("damaged: {error}");
    let mut value: Value = serde_json::from_slice(bytes).map_err(damaged)?;
    let format = value.get("format").cloned().unwrap_or_default();
    if format != FORMAT {
        return Err(format!("format: expected {FORMAT}, got {format}"));
    }
    let sum = value.as_object_mut().and_then(|map| map.remove(CHECKSUM));
    if sum != Some(Value::String(sha256(&value))) {
        return Err(format!("damaged: does not match its checksum, {CHECKSUM}"));
    }
    let file: File = serde_json::from_value(value).map_err(damaged)?;
    if let Some((name, expected, found)) = job.first_difference(&file.job) {
        return Err(format!(
            "the result of another job: {name} is {found} there, expected {expected}"
        ));
    }
    let values = file.measures.into_iter();
    Ok(Finished {
        asked: file.asked,
        values: values
            .map(|(name, value)| (name, value.unwrap_or(f64::NAN)))
            .collect(),
        seconds: file.seconds.unwrap_or(f64::NAN),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ablation::{Job, Subject};
    use crate::config::Preset;

    fn identity(data: &str) -> Identity {
        let job = Job {
            row: String::new(),
            seed: 0,
            images: None,
            subject: Subject::Trained,
            config: Preset::Nano.config(),
            finetuning: Preset::Nano.config().for_finetuning(),
            mask_ratio: 0.75,
            measures: Vec::new(),
        };
        Identity::of(&job, data).expect("an identity")
    }

    fn finished(asked: &[&str], values: &[(&str, f64)]) -> Finished {
        Finished {
            asked: asked.iter().map(ToString::to_string).collect(),
            values: values
                .iter()
                .map(|(name, value)| (name.to_string(), *value))
                .collect(),
            seconds: 1.5,
        }
    }

    fn saved(result: &Finished) -> (tempfile::TempDir, Store, PathBuf) {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::new(dir.path(), &[]).expect("a store");
        store.save(&identity("data"), result).expect("saving");
        let path = path_in(&dir.path().join(RESULTS), &identity("data"));
        (dir, store, path)
    }

    #[test]
    fn a_result_is_read_with_the_same_bits() {
        let result = finished(
            &["a", "b", "c"],
            &[("a", 0.1 + 0.2), ("b", f64::NEG_INFINITY)],
        );
        let (_dir, store, path) = saved(&result);
        assert_eq!(path.file_stem().expect("a name").len(), 16);
        let read = store.find(&identity("data"), &[]).expect("reading");
        let read = read.expect("a result");
        assert_eq!(read.asked, result.asked);
        assert_eq!(read.values["a"].to_bits(), (0.1_f64 + 0.2).to_bits());
        assert!(read.values["b"].is_nan(), "not finite");
        assert_eq!((read.values.len(), read.seconds), (2, 1.5));
        let other = store.find(&identity("other data"), &[]);
        assert_eq!(other.expect("reading"), None);
    }

    #[test]
    fn damaged_and_foreign_results_are_refused_by_name() {
        let (_dir, store, path) = saved(&finished(&["a"], &[("a", 0.25)]));
        let text = std::fs::read_to_string(&path).expect("the file");
        for (changed, part) in [
            (text.replace("0.25", "0.26"), "checksum"),
            (text.replace("\"a\"", "\"b\""), "checksum"),
            (text.replace("sha256", "sha255"), "checksum"),
            (
                text.replace("\"format\": 1,\n  \"job", "\"job"),
                "format: expected 1, got null",
            ),
            (text[..text.len() / 2].to_owned(), "damaged: EOF"),
            ("[]".to_owned(), "format: expected 1, got null"),
        ] {
            assert_ne!(changed, text);
            std::fs::write(&path, changed).expect("writing");
            let error = store.find(&identity("data"), &[]).expect_err(part);
            let error = error.to_string();
            let name = path.file_name().expect("a name").to_string_lossy();
            assert!(error.contains(part) && error.contains(&*name), "{error}");
        }
        // A whole file under the name of another job.
        std::fs::write(&path, &text).expect("writing");
        let other = path_in(path.parent().expect("a folder"), &identity("x"));
        std::fs::copy(&path, other).expect("copying");
        let error = store.find(&identity("x"), &[]).expect_err("another job");
        assert!(
            error
                .to_string()
                .contains("data is \"data\" there, expected \"x\"")
        );
    }

    #[test]
    fn other_folders_are_read_after_the_own() {
        let (dir, own, _) = saved(&finished(&["a"], &[("a", 1.0)]));
        let (other_dir, _, _) = saved(&finished(&["a", "b"], &[("a", 2.0), ("b", 3.0)]));
        let others = [other_dir.path().join(RESULTS)];
        let both = Store::new(dir.path(), &others).expect("a store");
        let found = |store: &Store, measures: &[&str]| {
            let measures: Vec<String> = measures.iter().map(ToString::to_string).collect();
            let found = store.find(&identity("data"), &measures).expect("reading");
            found.expect("a result").values["a"]
        };
        assert_eq!(found(&both, &["a"]), 1.0);
        assert_eq!(found(&both, &["a", "b"]), 2.0, "the first that covers");
        assert_eq!(found(&both, &["c"]), 1.0, "none covers");
        assert_eq!(found(&own, &["b"]), 1.0);
        let error = Store::new(dir.path(), &[dir.path().join("nowhere")]).expect_err("no folder");
        assert!(error.to_string().contains("--results") && error.to_string().contains("nowhere"));
    }
}
