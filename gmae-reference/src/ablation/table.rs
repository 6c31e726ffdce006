//! The TOML file of a table of ablations.
//!
//! ```toml
//! title = "Ablations"
//! config = "nano"                  # the preset
//! seeds = [0, 1]
//! images = 10000                   # optional: the number of training images
//! measures = ["masked_mse", "ridge"]
//! [settings]                       # of all rows; the names are those of config.json
//! epochs = 5
//! [finetuning]                     # optional: settings of the fine-tuning of all rows
//! epochs = 5
//! [[group]]
//! name = "Gaussians k"
//! paper = "the paper's finding"    # optional
//! measures = ["ridge"]             # optional: the columns of this group, some of those above
//! [[group.row]]
//! name = "64"
//! model = "trained"                # optional: see `Subject`
//! [group.row.settings]
//! gaussians = 64
//! [group.row.finetuning]           # optional
//! epochs = 10
//! [group.row.paper]                # the paper's numbers: column = number or text
//! linear = 61.9
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::AblationError;
use super::settings;
use crate::config::{Config, LossKind, Preset};
use crate::error::Error;
use crate::files;

/// A table of ablations, with the complete configuration of every row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Table {
    /// The file, for messages.
    pub(crate) path: PathBuf,
    /// The heading.
    pub(crate) title: String,
    /// The preset to which the settings of a row are applied.
    pub(crate) preset: Preset,
    /// The seeds with which every row runs.
    pub(crate) seeds: Vec<u64>,
    /// The number of training images, or `None` for all.
    pub(crate) images: Option<usize>,
    /// The names of the measures, in the order of the columns.
    pub(crate) measures: Vec<String>,
    /// The preset with the settings of all rows. The reconstructions of all rows are measured with
    /// its mask ratio.
    pub(crate) base: Config,
    /// The groups of rows, in the order of the file.
    pub(crate) groups: Vec<Group>,
}

/// Rows that are compared with each other.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Group {
    /// The name of the varied quantity.
    pub(crate) name: String,
    /// The finding of the paper, in words.
    pub(crate) paper: Option<String>,
    /// The names of the measures that are shown, some of those of the table.
    pub(crate) measures: Vec<String>,
    /// The rows, in the order of the file.
    pub(crate) rows: Vec<Row>,
}

/// One configuration, which runs with every seed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    /// The name of the row.
    pub(crate) name: String,
    /// What is measured.
    pub(crate) subject: Subject,
    /// The settings. The seed is that of the preset.
    pub(crate) config: Config,
    /// The settings of the training of a classifier. The seed is that of the preset.
    pub(crate) finetuning: Config,
    /// The numbers of the paper, by column.
    pub(crate) paper: BTreeMap<String, String>,
}

/// What is measured in a row.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Subject {
    /// A masked autoencoder after pre-training.
    #[default]
    Trained,
    /// A masked autoencoder with its initial weights.
    Random,
    /// A classifier that is trained from its initial weights.
    Supervised,
    /// The pixels of the images, as features.
    RawPixels,
    /// Reconstructions with the mean colour of the visible patches.
    MeanColour,
    /// Reconstructions that interpolate the visible patches.
    BilinearFill,
}

impl Subject {
    /// Returns whether the measures depend on the seed.
    pub(super) fn has_seed(self) -> bool {
        matches!(self, Self::Trained | Self::Random | Self::Supervised)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TableFile {
    title: String,
    config: Preset,
    seeds: Vec<u64>,
    images: Option<usize>,
    measures: Vec<String>,
    #[serde(default)]
    settings: toml::Table,
    #[serde(default)]
    finetuning: toml::Table,
    #[serde(default)]
    group: Vec<toml::Table>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupFile {
    name: String,
    paper: Option<String>,
    measures: Option<Vec<String>>,
    #[serde(default)]
    row: Vec<toml::Table>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RowFile {
    name: String,
    #[serde(default)]
    model: Subject,
    #[serde(default)]
    settings: toml::Table,
    #[serde(default)]
    finetuning: toml::Table,
    #[serde(default)]
    paper: toml::Table,
}

impl Table {
    /// Reads a table and checks the settings of every row.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if the file cannot be read. [`AblationError::Table`] if it is not a table;
    /// the message names the group, the row and the key.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let bytes = files::read(path).map_err(Error::file("reading the table", path))?;
        let table = String::from_utf8(bytes)
            .map_err(|_| "expected UTF-8 text".to_owned())
            .and_then(|text| Self::parse(path, &text));
        table.map_err(|reason| {
            Error::Ablation(AblationError::Table {
                path: path.to_owned(),
                reason,
            })
        })
    }

    /// Parses the text of the file `path`.
    ///
    /// # Errors
    ///
    /// The place and the fault, in words.
    pub(super) fn parse(path: &Path, text: &str) -> Result<Self, String> {
        let file: TableFile = toml::from_str(text).map_err(|error| located(&error, text))?;
        distinct("seeds", &file.seeds)?;
        distinct("measures", &file.measures)?;
        if file.images == Some(0) {
            return Err("images: expected at least 1, got 0".to_owned());
        }
        let base = settings::apply(&file.config.config(), &file.settings)?;
        let defaults = Defaults {
            measures: file.measures,
            finetuning: file.finetuning,
        };
        let groups = (1..).zip(file.group).map(|(number, group)| {
            let place = place("group", number, &group);
            Group::parse(group, &base, &defaults).map_err(|reason| format!("{place}{reason}"))
        });
        let groups: Vec<Group> = groups.collect::<Result<_, _>>()?;
        let names: Vec<&str> = groups.iter().map(|group| group.name.as_str()).collect();
        distinct("group", &names)?;
        Ok(Self {
            path: path.to_owned(),
            title: file.title,
            preset: file.config,
            seeds: file.seeds,
            images: file.images,
            measures: defaults.measures,
            base,
            groups,
        })
    }
}

/// What the groups inherit from the table.
struct Defaults {
    measures: Vec<String>,
    finetuning: toml::Table,
}

impl Group {
    fn parse(group: toml::Table, base: &Config, table: &Defaults) -> Result<Self, String> {
        let file: GroupFile = typed(group)?;
        let measures = file.measures.unwrap_or_else(|| table.measures.clone());
        distinct("measures", &measures).map_err(|reason| format!(": {reason}"))?;
        if let Some(name) = measures.iter().find(|name| !table.measures.contains(name)) {
            let known = table.measures.join(", ");
            return Err(format!(": measures: expected some of {known}, got {name}"));
        }
        let rows = (1..).zip(file.row).map(|(number, row)| {
            let place = place("row", number, &row);
            Row::parse(row, base, &table.finetuning).map_err(|reason| format!(", {place}{reason}"))
        });
        let rows: Vec<Row> = rows.collect::<Result<_, _>>()?;
        let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
        distinct("row", &names).map_err(|reason| format!(": {reason}"))?;
        Ok(Self {
            name: file.name,
            paper: file.paper,
            measures,
            rows,
        })
    }
}

impl Row {
    fn parse(row: toml::Table, base: &Config, finetuning: &toml::Table) -> Result<Self, String> {
        let file: RowFile = typed(row)?;
        let config = settings::apply(base, &file.settings);
        let config = config.map_err(|reason| format!(": {reason}"))?;
        let valid = config.validate();
        valid.map_err(|error| format!(": {error}"))?;
        let measured = Config {
            mask_ratio: base.mask_ratio,
            loss: LossKind::All,
            ..config
        };
        let valid = measured.validate();
        valid.map_err(|error| format!(": measured with the mask ratio of all rows: {error}"))?;
        let finetuning = settings::apply(&config.for_finetuning(), finetuning)
            .and_then(|base| settings::apply(&base, &file.finetuning))
            .and_then(|applied| {
                applied.validate().map_err(|error| error.to_string())?;
                applied.expect_shape_of(&config)?;
                if applied.mask_ratio != 0.0 {
                    return Err(format!(
                        "mask_ratio: expected 0, got {}",
                        applied.mask_ratio
                    ));
                }
                // The recipes of all classifiers of a table mix images in pairs.
                if !applied.micro_batch.is_multiple_of(2) {
                    let got = applied.micro_batch;
                    return Err(format!("micro_batch: expected an even number, got {got}"));
                }
                Ok(applied)
            });
        let finetuning = finetuning.map_err(|reason| format!(": finetuning: {reason}"))?;
        let numbers = file.paper.into_iter().map(|(column, value)| {
            let shown = match value {
                toml::Value::String(text) => text,
                toml::Value::Integer(number) => number.to_string(),
                // `{:?}` keeps the zero of 83.0.
                toml::Value::Float(number) => format!("{number:?}"),
                other => {
                    return Err(format!(
                        ": paper.{column}: expected a number or a text, got {other}"
                    ));
                }
            };
            Ok((column, shown))
        });
        Ok(Self {
            name: file.name,
            subject: file.model,
            config,
            finetuning,
            paper: numbers.collect::<Result<_, _>>()?,
        })
    }
}

/// The name of a group or row for messages: its name, or its number from 1 if it has none.
fn place(kind: &str, number: usize, table: &toml::Table) -> String {
    match table.get("name").and_then(toml::Value::as_str) {
        Some(name) => format!("{kind} {name:?}"),
        None => format!("{kind} {number}"),
    }
}

/// Converts a part of the file. A reason starts with a colon, to follow the name of the part.
fn typed<T: for<'de> Deserialize<'de>>(table: toml::Table) -> Result<T, String> {
    table.try_into().map_err(|error: toml::de::Error| {
        let text = error.to_string();
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        format!(": {}", lines.join(" "))
    })
}

/// An error of the parser in one line, with the number of the line of the file.
fn located(error: &toml::de::Error, text: &str) -> String {
    let message: Vec<&str> = error.message().lines().map(str::trim).collect();
    let message = message.join(", ");
    let before = error.span().and_then(|span| text.get(..span.start));
    match before {
        Some(before) => format!("line {}: {message}", 1 + before.matches('\n').count()),
        None => message,
    }
}

/// Checks that a list has at least one value and no value twice.
fn distinct<T: Ord + std::fmt::Debug>(key: &str, values: &[T]) -> Result<(), String> {
    if values.is_empty() {
        return Err(format!("{key}: expected at least one, got none"));
    }
    let mut seen = BTreeSet::new();
    match values.iter().find(|value| !seen.insert(*value)) {
        Some(value) => Err(format!("{key}: expected each once, got {value:?} twice")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
