//! What the commands that compare several checkpoints have in common: names, the table, the report.

use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::error::Error;
use crate::files::{expect_free, expect_writable};
use crate::report;
use crate::report::comparison::{
    Better, Cell, ComparisonData, Quantity, Row, RowKind, RunData, markdown, title as title_line,
};
use crate::terminal;
use crate::training::{Checkpoint, FILES, METRICS, metrics};

/// Checks that no file of another command is replaced, and that the folder can be written.
///
/// # Errors
///
/// [`Error::Argument`] if the folder holds a report or a table. [`Error::File`] if no file can be
/// created in it.
pub(super) fn expect_no_report(output: &Path) -> Result<(), Error> {
    expect_free(output, &report::COMPARISON_FILES, "or another folder")?;
    expect_writable(output)
}

/// Checks that a report in the folder has this title, so that it belongs to the same command, and
/// that the folder can be written.
///
/// # Errors
///
/// [`Error::Argument`] if the report has another title. [`Error::File`] if no file can be created.
pub(super) fn expect_own_report(output: &Path, title: &str) -> Result<(), Error> {
    expect_writable(output)?;
    let path = output.join("table.md");
    let Ok(text) = std::fs::read_to_string(&path) else {
        return Ok(());
    };
    let heading = text.lines().next().unwrap_or_default();
    if heading == title_line(title) {
        return Ok(());
    }
    Err(Error::Argument {
        argument: "--output",
        expected: format!(
            "a folder without {}, or with that of {title:?}",
            path.display()
        ),
        got: format!("one that begins with {heading:?}"),
    })
}

/// Checks that runs can be trained in `folders`, which lie in `output`: no file of another command
/// is replaced, and no run is begun again without `resume`. `title` is that of the report.
///
/// # Errors
///
/// [`Error::Argument`] if the folder holds a report that does not belong to these runs, or a run
/// without `resume`. [`Error::File`] if no file can be created in it.
pub(super) fn expect_runs(
    output: &Path,
    title: &str,
    folders: &[PathBuf],
    resume: bool,
) -> Result<(), Error> {
    // A report is replaced only beside the runs that it belongs to.
    if resume && folders.iter().any(|folder| folder.is_dir()) {
        expect_own_report(output, title)?;
    } else {
        expect_no_report(output)?;
    }
    if resume {
        return Ok(());
    }
    let files = [&FILES[..], &[METRICS]].concat();
    let free =
        |folder: &PathBuf| expect_free(folder, &files, "or --resume to continue the runs in it");
    folders.iter().try_for_each(free)
}

/// The name of the folder of run number `number`, without characters that separate folders.
pub(super) fn run_folder(number: usize, name: &str) -> String {
    format!("{number}-{}", name.replace(['/', '\\', ' '], "-"))
}

/// The schedule and the optimiser of a run, in words.
pub(super) fn recipe(config: &Config) -> String {
    let Config {
        epochs,
        batch_size,
        learning_rate,
        weight_decay,
        clip_norm,
        ..
    } = config;
    format!(
        "epochs {epochs}, batch {batch_size}, rate {learning_rate} per 256 images, weight decay \
         {weight_decay}, clipping {clip_norm}"
    )
}

/// Reads the checkpoints in `folders`.
///
/// # Errors
///
/// All errors of [`Checkpoint::load`], for the first folder at fault.
pub(super) fn load(folders: &[PathBuf]) -> Result<Vec<Checkpoint>, Error> {
    folders
        .iter()
        .map(|folder| Checkpoint::load(folder))
        .collect()
}

/// Returns a name for each checkpoint: the last part of its path that tells it from all others.
pub(super) fn names(checkpoints: &[Checkpoint]) -> Vec<String> {
    let paths: Vec<&Path> = checkpoints.iter().map(Checkpoint::folder).collect();
    names_of_paths(&paths)
}

/// Returns a name for each path: the last part that tells it from all others.
pub(super) fn names_of_paths(paths: &[&Path]) -> Vec<String> {
    let last = |path: &Path, parts: usize| {
        let all: Vec<String> = path
            .iter()
            .map(|part| part.to_string_lossy().into_owned())
            .collect();
        all[all.len().saturating_sub(parts)..].join("/")
    };
    let longest = paths.iter().map(|path| path.iter().count()).max();
    let name = |i: usize| {
        let unique = |parts: &usize| {
            let mut same = paths
                .iter()
                .filter(|path| last(path, *parts) == last(paths[i], *parts));
            same.nth(1).is_none()
        };
        let parts = (1..=longest.unwrap_or(1)).find(unique);
        match parts {
            Some(parts) => last(paths[i], parts),
            None => format!("{} ({})", last(paths[i], 1), i + 1),
        }
    };
    (0..paths.len()).map(name).collect()
}

/// The settings and the training loss of each checkpoint.
///
/// # Errors
///
/// [`Error::File`] if metrics cannot be read.
pub(super) fn runs(checkpoints: &[Checkpoint], names: &[String]) -> Result<Vec<RunData>, Error> {
    let run = |(checkpoint, name): (&Checkpoint, &String)| {
        let path = checkpoint.folder().join(METRICS);
        let records = metrics::read(&path)?;
        Ok(RunData {
            name: name.clone(),
            method: method(&checkpoint.config),
            configuration: entries(&checkpoint.config),
            train: records
                .iter()
                .map(|record| (record.step as f64, record.loss))
                .collect(),
        })
    };
    checkpoints.iter().zip(names).map(run).collect()
}

/// The settings of a run. The method has a place of its own.
fn entries(config: &Config) -> Vec<(String, String)> {
    let mut entries = config.entries();
    entries.retain(|(name, _)| name != "method");
    entries
}

/// The method, and whether its patches are standardised.
pub(super) fn method(config: &Config) -> String {
    let name = config.method.name();
    if config.norm_pix {
        return format!("{name} with norm-pix");
    }
    name.to_owned()
}

/// The method with what a reader of errors of reconstructions must know.
pub(super) fn method_of_pictures(config: &Config) -> String {
    let told = if config.norm_pix {
        ", told mean and deviation of the true patches"
    } else {
        ""
    };
    method(config) + told
}

/// A column of the table.
pub(super) fn column(label: &str, unit: &str, better: Better, decimals: usize) -> Quantity {
    Quantity {
        label: label.to_owned(),
        unit: unit.to_owned(),
        better,
        decimals,
    }
}

/// Writes the tables and the report, prints the tables, and names the report.
///
/// # Errors
///
/// [`Error::Report`] if a file cannot be written.
pub(super) fn write(output: &Path, data: &ComparisonData) -> Result<(), Error> {
    let path = report::write_comparison_files(output, data)?;
    terminal::line(markdown(data).trim_end())?;
    terminal::line(format_args!("report {}", path.display()))
}

/// The command line of this process. Arguments with unusual characters are quoted, as a shell needs
/// them.
pub(super) fn command() -> String {
    let quoted = |argument: std::ffi::OsString| {
        let text = argument.to_string_lossy().into_owned();
        let plain = |c: char| c.is_alphanumeric() || "-_./=:,+@%".contains(c);
        if !text.is_empty() && text.chars().all(plain) {
            return text;
        }
        format!("'{}'", text.replace('\'', "'\\''"))
    };
    std::env::args_os()
        .map(quoted)
        .collect::<Vec<_>>()
        .join(" ")
}

/// A row of a compared run, or of a baseline.
pub(super) fn row(name: &str, kind: RowKind, cells: Vec<Cell>) -> Row {
    Row {
        name: name.to_owned(),
        kind,
        cells,
    }
}
