//! `bsds-eval`: evaluates edge maps on the boundary benchmark of BSDS500.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::arguments::BsdsEval;
use super::comparison::{column, command, expect_own_report, names_of_paths, row, write};
use super::published;
use crate::bsds::{
    Baseline, BsdsError, Cache, Evaluated, Method, Point, Prepared, Protocol, Split, Thresholds,
};
use crate::error::Error;
use crate::files::{Lock, create_folder};
use crate::report::comparison::{Better, Cell, ComparisonData, Quantity, Row, RowKind, Table};
use crate::report::{FILE, PrecisionRecall, write_csv, write_precision_recall};
use crate::terminal::{self, Bar, interrupt};
use crate::training::Outcome;

/// The folder of the counts of each image, inside the output folder.
const COUNTS: &str = "counts";
/// The best point of each image, and the points of all images together.
const TABLES: [&str; 2] = ["images.csv", "thresholds.csv"];

/// A method whose files have been checked, with its name and the kind of its row.
type Checked = (String, RowKind, Prepared);

/// The result of a method, with its name and the kind of its row.
pub(super) struct Judged {
    name: String,
    kind: RowKind,
    result: Evaluated,
}

/// Evaluates every folder of maps and every baseline. The files of all methods are checked before
/// the first is evaluated.
///
/// # Errors
///
/// An error that names the argument or the file at fault. With `--keep-going`,
/// [`BsdsError::Incomplete`] after the report has been written, if files were left out.
pub(super) fn evaluate(arguments: &BsdsEval) -> Result<Outcome, Error> {
    let thresholds = thresholds(arguments.thresholds)?;
    check_baselines(&arguments.baseline)?;
    let output = &arguments.output;
    let title = format!(
        "Boundaries of BSDS500: {}, {} thresholds",
        arguments.split, arguments.thresholds
    );
    expect_own_report(output, &title)?;
    let split = Split::open(&arguments.data, &arguments.split)?;
    create_folder(output)?;
    let _lock = Lock::take(output)?;
    let protocol = Protocol {
        split: &split,
        thresholds,
        cache: &Cache::open(&output.join(COUNTS))?,
        keep_going: arguments.keep_going,
    };
    let Some(methods) = prepare(arguments, &protocol)? else {
        return Ok(Outcome::Interrupted);
    };
    let mut judged = Vec::new();
    for (name, kind, method) in methods {
        let Some(result) = protocol.evaluate(method, &watch(name.clone()))? else {
            return Ok(Outcome::Interrupted);
        };
        judged.push(Judged { name, kind, result });
    }
    let problems = problems(&split, &judged);
    report(output, title, &judged, &problems)?;
    for problem in &problems {
        terminal::note(problem);
    }
    if problems.is_empty() {
        return Ok(Outcome::Finished);
    }
    let incomplete = BsdsError::Incomplete {
        problems: problems.len(),
        path: output.join(FILE),
    };
    Err(incomplete.into())
}

/// Evaluates methods that cannot be at fault: maps that were just drawn, and baselines. The result
/// is `None` after an interruption.
///
/// # Errors
///
/// An error that names the file at fault.
pub(super) fn judged(
    protocol: &Protocol<'_>,
    methods: Vec<(String, RowKind, Method)>,
) -> Result<Option<Vec<Judged>>, Error> {
    let mut judged = Vec::new();
    for (name, kind, method) in methods {
        let Some(prepared) = protocol.prepare(&method, &|| !interrupt::requested())? else {
            return Ok(None);
        };
        let Some(result) = protocol.evaluate(prepared, &watch(name.clone()))? else {
            return Ok(None);
        };
        judged.push(Judged { name, kind, result });
    }
    Ok(Some(judged))
}

/// Displays the progress of work that several threads do. The function returns false if the program
/// was interrupted.
fn watch(name: String) -> impl Fn(usize, usize) -> bool + Sync {
    let bar = Mutex::new(Bar::new(name));
    move |done, total| {
        let mut bar = bar.lock().unwrap_or_else(PoisonError::into_inner);
        bar.show(done, total)
    }
}

fn thresholds(count: usize) -> Result<Thresholds, Error> {
    Thresholds::new(count).ok_or_else(|| Error::Argument {
        argument: "--thresholds",
        expected: format!("1 to {}", Thresholds::MOST),
        got: count.to_string(),
    })
}

/// Checks that no baseline is asked for twice.
fn check_baselines(baselines: &[Baseline]) -> Result<(), Error> {
    let repeated = |(i, baseline): (usize, &Baseline)| baselines[..i].contains(baseline);
    if !baselines.iter().enumerate().any(repeated) {
        return Ok(());
    }
    let names: Vec<&str> = baselines.iter().map(|baseline| baseline.label()).collect();
    Err(Error::Argument {
        argument: "--baseline",
        expected: "each baseline once".to_owned(),
        got: names.join(", "),
    })
}

/// Checks the files of every method. The result is `None` after an interruption.
fn prepare(arguments: &BsdsEval, protocol: &Protocol<'_>) -> Result<Option<Vec<Checked>>, Error> {
    let split = protocol.split;
    if let (Some(first), false) = (split.problems.first(), protocol.keep_going) {
        return Err(first.clone().into());
    }
    let folders: Vec<&Path> = arguments.maps.iter().map(AsRef::as_ref).collect();
    let names = names_of_paths(&folders).into_iter().zip(&arguments.maps);
    let maps = names.map(|(name, folder)| (name, RowKind::Run, Method::Maps(folder.clone())));
    let baselines = arguments.baseline.iter().map(|baseline| {
        let name = baseline.label().to_owned();
        (name, RowKind::Baseline, Method::Baseline(*baseline))
    });
    let mut prepared = Vec::new();
    for (name, kind, method) in maps.chain(baselines) {
        let watch = watch(format!("checking {name}"));
        let done = AtomicUsize::new(0);
        let go_on = || watch(done.fetch_add(1, Ordering::Relaxed), split.images.len());
        match protocol.prepare(&method, &go_on)? {
            Some(method) => prepared.push((name, kind, method)),
            None => return Ok(None),
        }
    }
    Ok(Some(prepared))
}

/// The files that were left out, in words.
fn problems(split: &Split, judged: &[Judged]) -> Vec<String> {
    let common = split
        .problems
        .iter()
        .map(|problem| format!("left out: {problem}"));
    let own = judged.iter().flat_map(|judged| {
        let problems = judged.result.problems.iter();
        problems.map(move |problem| format!("left out of {}: {problem}", judged.name))
    });
    common.chain(own).collect()
}

/// Writes tables, curves and report, and prints the table.
fn report(
    output: &Path,
    title: String,
    judged: &[Judged],
    problems: &[String],
) -> Result<(), Error> {
    let curve = |judged: &Judged| {
        let place = |point: &Point| (point.recall, point.precision);
        PrecisionRecall {
            name: judged.name.clone(),
            points: judged.result.scores.curve.iter().map(place).collect(),
            best: place(&judged.result.scores.ods),
        }
    };
    let curves: Vec<PrecisionRecall> = judged.iter().map(curve).collect();
    write_csv(output, TABLES[0], &image_records(judged))?;
    write_csv(output, TABLES[1], &threshold_records(judged))?;
    write_precision_recall(output, &curves)?;
    let data = ComparisonData {
        title,
        command: command(),
        notes: problems.to_vec(),
        tables: vec![table(judged)],
        curves,
        ..ComparisonData::default()
    };
    write(output, &data)
}

pub(super) fn table(judged: &[Judged]) -> Table {
    let score = |label: &str| column(label, "", Better::Higher, 3);
    let other = |label: &str, decimals| column(label, "", Better::Neither, decimals);
    let columns: Vec<Quantity> = vec![
        score("ODS"),
        score("OIS"),
        score("AP"),
        other("recall", 3),
        other("precision", 3),
        other("threshold", 3),
        other("images", 0),
    ];
    let method = |judged: &Judged| {
        let scores = &judged.result.scores;
        let ods = scores.ods;
        let numbers = [
            ods.f(),
            scores.ois.f(),
            scores.ap,
            ods.recall,
            ods.precision,
            ods.threshold,
            judged.result.names.len() as f64,
        ];
        let cells = numbers.into_iter().map(Cell::single).collect();
        row(&judged.name, judged.kind, cells)
    };
    let mut rows: Vec<Row> = judged.iter().map(method).collect();
    rows.extend(published::boundaries(columns.len()));
    Table {
        caption: "Boundary F-measure and average precision".to_owned(),
        columns,
        rows,
        settings: Vec::new(),
        note:
            "ODS: the F-measure with one threshold for all images. OIS: with the best threshold of \
               each image. AP: the mean precision over recall. Recall, precision and threshold are \
               those of ODS. The published numbers are for the 200 test images (arXiv 2501.03229)."
                .to_owned(),
    }
}

/// The best point of each image, with a head.
fn image_records(judged: &[Judged]) -> Vec<Vec<String>> {
    let mut records = vec![head(&["method", "image"])];
    for Judged { name, result, .. } in judged {
        for (image, point) in result.names.iter().zip(&result.scores.images) {
            records.push(record(&[name, image], point));
        }
    }
    records
}

/// The points of all images together, with a head.
fn threshold_records(judged: &[Judged]) -> Vec<Vec<String>> {
    let mut records = vec![head(&["method"])];
    for Judged { name, result, .. } in judged {
        let points = result.scores.curve.iter();
        records.extend(points.map(|point| record(&[name], point)));
    }
    records
}

fn head(names: &[&str]) -> Vec<String> {
    let numbers = ["threshold", "recall", "precision", "f"];
    names
        .iter()
        .copied()
        .chain(numbers)
        .map(str::to_owned)
        .collect()
}

fn record(names: &[&str], point: &Point) -> Vec<String> {
    let numbers = [point.threshold, point.recall, point.precision, point.f()];
    let names = names.iter().map(|name| (*name).to_owned());
    names
        .chain(numbers.map(|number| format!("{number:.6}")))
        .collect()
}
