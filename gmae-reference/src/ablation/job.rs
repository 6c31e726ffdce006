//! A job, which is one configuration with one seed, and its identity.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::settings;
use super::table::Subject;
use crate::config::Config;
use crate::digest::hexadecimal;

/// The number of the format of an identity. Results of another format are not found.
const FORMAT: u32 = 1;
/// Number of hexadecimal digits of an identity in the name of a file.
pub(super) const NAME_DIGITS: usize = 16;

/// One run of one row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Job {
    /// The group and the row, for messages. If several rows share the job, the first of them.
    pub(crate) row: String,
    /// The seed, which `config` contains too.
    pub(crate) seed: u64,
    /// The number of training images, or `None` for all.
    pub(crate) images: Option<usize>,
    /// What is measured.
    pub(crate) subject: Subject,
    /// The configuration, with the seed.
    pub(crate) config: Config,
    /// The settings of the training of a classifier, with the seed.
    pub(crate) finetuning: Config,
    /// The mask ratio of reconstructions that are measured.
    pub(crate) mask_ratio: f64,
    /// The names of the measures to return.
    pub(crate) measures: Vec<String>,
}

/// The inputs that determine the result of a job: what is measured, configuration with seed,
/// settings of fine-tuning, number of images, mask ratio of the evaluation, and a text that
/// describes the data and the protocol of the measures. Two rows with the same identity share one
/// run.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Identity {
    /// The inputs.
    pub(super) value: Value,
    /// SHA-256 of the canonical text of the inputs, as 64 hexadecimal digits.
    pub(super) hash: String,
}

impl Identity {
    /// Returns the identity of a job. `data` describes the data and the protocol of the measures.
    ///
    /// # Errors
    ///
    /// The reason, in words, if a setting has no JSON form.
    pub(super) fn of(job: &Job, data: &str) -> Result<Self, String> {
        let mut map = Map::new();
        map.insert("format".to_owned(), FORMAT.into());
        let config = settings::object(&job.config)?;
        map.insert("config".to_owned(), Value::Object(config));
        let finetuning = settings::object(&job.finetuning)?;
        map.insert("finetuning".to_owned(), Value::Object(finetuning));
        let subject = serde_json::to_value(job.subject).map_err(|error| error.to_string())?;
        map.insert("model".to_owned(), subject);
        map.insert("mask_ratio".to_owned(), job.mask_ratio.into());
        map.insert("images".to_owned(), job.images.into());
        map.insert("data".to_owned(), data.into());
        let value = Value::Object(map);
        let hash = sha256(&value);
        Ok(Self { value, hash })
    }

    /// The name of the files of the job: the first 16 digits of the hash.
    pub(super) fn name(&self) -> &str {
        &self.hash[..NAME_DIGITS]
    }

    /// Returns the first input in which `self` and `other` differ: the name, the value in `self`
    /// and the value in `other`.
    pub(super) fn first_difference(&self, other: &Value) -> Option<(String, String, String)> {
        let (mine, theirs) = (leaves(&self.value), leaves(other));
        let of = |leaves: &BTreeMap<String, String>, name| {
            let missing = || "missing".to_owned();
            leaves.get(name).cloned().unwrap_or_else(missing)
        };
        let names = mine.keys().chain(theirs.keys());
        let mut pairs = names.map(|name| (name.clone(), of(&mine, name), of(&theirs, name)));
        pairs.find(|(_, mine, theirs)| mine != theirs)
    }
}

/// Returns the values inside nested objects, under names such as `config.epochs`.
fn leaves(value: &Value) -> BTreeMap<String, String> {
    let Value::Object(map) = value else {
        return BTreeMap::from([(String::new(), canonical(value))]);
    };
    let named = map.iter().flat_map(|(key, value)| {
        leaves(value).into_iter().map(move |(name, text)| {
            let dot = if name.is_empty() { "" } else { "." };
            (format!("{key}{dot}{name}"), text)
        })
    });
    named.collect()
}

/// Returns SHA-256 of the canonical text of `value`, as 64 hexadecimal digits.
pub(super) fn sha256(value: &Value) -> String {
    hexadecimal(&Sha256::digest(canonical(value)))
}

/// Returns JSON without spaces, with the keys of every object in the order of their bytes.
pub(super) fn canonical(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<(&String, &Value)> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            let entries = entries
                .into_iter()
                .map(|(key, value)| format!("{}:{}", Value::String(key.clone()), canonical(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
        }
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(canonical).collect();
            format!("[{}]", values.join(","))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Preset;

    fn job() -> Job {
        Job {
            row: "a row".to_owned(),
            seed: 0,
            images: Some(10),
            subject: Subject::Trained,
            config: Preset::Nano.config(),
            finetuning: Preset::Nano.config().for_finetuning(),
            mask_ratio: 0.75,
            measures: vec!["ridge".to_owned()],
        }
    }

    fn hash(job: &Job, data: &str) -> String {
        Identity::of(job, data).expect("an identity").hash
    }

    #[test]
    fn the_text_is_canonical() {
        let value: Value =
            serde_json::from_str(r#"{"b": [1, 2.0, null], "a": {"d": "x\"", "c": true}}"#)
                .expect("JSON");
        let text = r#"{"a":{"c":true,"d":"x\""},"b":[1,2.0,null]}"#;
        assert_eq!(canonical(&value), text);
        // printf '%s' '{"a":{"c":true,"d":"x\""},"b":[1,2.0,null]}' | sha256sum
        assert_eq!(
            sha256(&value),
            "ecdaa79b75221a953e7549d0b984f7187677a08cceb2b08ee0d006d755fdc995"
        );
    }

    #[test]
    fn every_input_and_no_name_changes_the_identity() {
        let first = hash(&job(), "data");
        assert_eq!(first.len(), 64);
        let other_names = Job {
            row: "another".to_owned(),
            measures: vec![],
            ..job()
        };
        assert_eq!(hash(&other_names, "data"), first);
        let mut seeded = job();
        seeded.config.seed = 1;
        let mut masked = job();
        masked.config.mask_ratio = 0.8;
        let fewer = Job {
            images: None,
            ..job()
        };
        let random = Job {
            subject: Subject::Random,
            ..job()
        };
        let mut tuned = job();
        tuned.finetuning.epochs += 1;
        let measured = Job {
            mask_ratio: 0.5,
            ..job()
        };
        let others = [
            hash(&measured, "data"),
            hash(&random, "data"),
            hash(&tuned, "data"),
            hash(&seeded, "data"),
            hash(&masked, "data"),
            hash(&fewer, "data"),
            hash(&job(), "other data"),
        ];
        for other in others {
            assert_ne!(other, first);
        }
    }

    #[test]
    fn the_first_difference_has_a_name() {
        let mine = Identity::of(&job(), "data").expect("an identity");
        assert_eq!(mine.first_difference(&mine.value), None);
        let difference = |change: fn(&mut Value)| {
            let mut theirs = mine.value.clone();
            change(&mut theirs);
            mine.first_difference(&theirs)
        };
        let named = |name: &str, mine: &str, theirs: &str| {
            Some((name.to_owned(), mine.to_owned(), theirs.to_owned()))
        };
        let other = difference(|value| value["config"]["gaussians"] = 65.into());
        assert_eq!(other, named("config.gaussians", "64", "65"));
        let other = difference(|value| value["config"]["other"] = 1.into());
        assert_eq!(other, named("config.other", "missing", "1"));
        let other = difference(|value| value["data"] = "x".into());
        assert_eq!(other, named("data", "\"data\"", "\"x\""));
        let other = difference(|value| *value = Value::Null);
        assert!(other.is_some());
    }
}
