//! Tables and plots of the results, as data of the report of a comparison.

use std::collections::BTreeSet;

use clap::ValueEnum as _;

use super::measures::{FINE_TUNE, SECONDS, quantity};
use super::store::Finished;
use super::summary::Summary;
use super::table::{Group, Row, Subject, Table};
use crate::config::Config;
use crate::report::comparison::{
    self, Cell, ComparisonData, Measure, Quantity, RowKind, Sweep, SweepPoint,
};

/// The results of each group, row and seed.
pub(super) type Results<'a> = Vec<Vec<Vec<Option<&'a Finished>>>>;

/// Returns one table for each group of `table`, and the plots of groups whose rows are numbers.
/// `progress` is the number of jobs with a result and the number of all jobs. `command` is the
/// command line that repeats the sweep.
pub(super) fn comparison(
    table: &Table,
    results: &Results,
    progress: [usize; 2],
    command: &str,
) -> ComparisonData {
    let preset = table.preset.to_possible_value();
    let preset = preset.map(|value| value.get_name().to_owned());
    let seeds: Vec<String> = table.seeds.iter().map(ToString::to_string).collect();
    let plural = if seeds.len() == 1 { "" } else { "s" };
    let mut notes = vec![format!(
        "Preset {}, seed{plural} {}.",
        preset.unwrap_or_default(),
        seeds.join(", ")
    )];
    let preset = table.preset.config().entries().into_iter();
    let differing: Vec<String> = preset
        .zip(table.base.entries())
        .filter(|(preset, base)| preset != base)
        .map(|(_, (name, value))| format!("{name} {value}"))
        .collect();
    if !differing.is_empty() {
        notes.push(format!("Settings of all rows: {}.", differing.join(", ")));
    }
    let ratio = table.base.mask_ratio;
    let mut rows = table.groups.iter().flat_map(|group| &group.rows);
    if rows.any(|row| row.config.mask_ratio != ratio) {
        notes.push(format!(
            "Reconstructions of all rows are measured with the mask ratio {ratio}."
        ));
    }
    let [done, total] = progress;
    if done < total {
        notes.push(format!("{done} of {total} runs are done."));
    }
    let groups = || table.groups.iter().zip(results);
    ComparisonData {
        title: table.title.clone(),
        command: command.to_owned(),
        notes,
        tables: groups()
            .map(|(group, results)| group_table(table, group, results))
            .collect(),
        sweeps: groups()
            .filter_map(|(group, results)| sweep(group, results))
            .collect(),
        ..ComparisonData::default()
    }
}

/// A column and its cells.
type Column = (Quantity, Vec<Cell>);

fn group_table(
    table: &Table,
    group: &Group,
    results: &[Vec<Option<&Finished>>],
) -> comparison::Table {
    let rows = &group.rows;
    let mut columns: Vec<Column> = group
        .measures
        .iter()
        .map(|name| {
            let cells = rows.iter().zip(results);
            let cells = cells.map(|(row, results)| cell(name, row, results));
            (quantity(name), cells.collect())
        })
        .collect();
    let images = table
        .images
        .map_or_else(|| "all".to_owned(), |count| count.to_string());
    let mut settings = Vec::new();
    let methods = trained(rows, |row| row.config.method.name().to_owned());
    add("method", methods, &mut settings, &mut columns);
    settings.push(("images".to_owned(), images));
    let epochs = trained(rows, |row| row.config.epochs.to_string());
    add("epochs", epochs, &mut settings, &mut columns);
    if group.measures.iter().any(|name| name == FINE_TUNE) {
        let recipe = |row: &Row| {
            let applies = matches!(row.subject, Subject::Trained | Subject::Supervised);
            let Config {
                epochs,
                batch_size,
                learning_rate,
                ..
            } = row.finetuning;
            let words =
                format!("epochs {epochs}, batch {batch_size}, rate {learning_rate} per 256 images");
            applies.then_some(words)
        };
        let recipes: Vec<Option<String>> = rows.iter().map(recipe).collect();
        // Rows without a classifier do not count as different.
        let given: BTreeSet<&String> = recipes.iter().flatten().collect();
        match given.first() {
            Some(only) if given.len() == 1 => {
                settings.push(("classifiers".to_owned(), (*only).clone()));
            }
            None => {}
            Some(_) => columns.push(column("classifiers", recipes)),
        }
    }
    let decoders = trained(rows, |row| row.config.decoder());
    columns.push(column("decoder", decoders));
    let paper: BTreeSet<&String> = rows.iter().flat_map(|row| row.paper.keys()).collect();
    for name in paper {
        let numbers = rows.iter().map(|row| row.paper.get(name).cloned());
        columns.push(column(&format!("paper: {name}"), numbers.collect()));
    }
    let of_table = rows.iter().enumerate().map(|(i, row)| comparison::Row {
        name: row.name.clone(),
        kind: kind(row.subject),
        cells: columns.iter().map(|(_, cells)| cells[i].clone()).collect(),
    });
    comparison::Table {
        caption: group.name.clone(),
        rows: of_table.collect(),
        columns: columns.iter().map(|column| column.0.clone()).collect(),
        settings,
        note: notes(group),
    }
}

/// Remarks on a group: the paper's result, and what the errors of its rows mean.
fn notes(group: &Group) -> String {
    let rows = &group.rows;
    let mut notes: Vec<String> = Vec::new();
    notes.extend(group.paper.as_ref().map(|text| format!("Paper: {text}")));
    if rows.iter().any(|row| row.config.norm_pix) {
        notes.push(
            "Reconstructions with norm_pix know mean and deviation of the true patches.".to_owned(),
        );
    }
    let standardised = |row: &&Row| row.config.renders_standardised();
    notes.extend(rows.iter().filter(standardised).map(|row| {
        format!(
            "{} predicts standardised patches, so that its errors are not those of colours.",
            row.name
        )
    }));
    notes.join(" ")
}

/// Models that are trained are compared with each other; the other rows are references.
fn kind(subject: Subject) -> RowKind {
    match subject {
        Subject::Trained | Subject::Supervised => RowKind::Run,
        Subject::Random | Subject::RawPixels | Subject::MeanColour | Subject::BilinearFill => {
            RowKind::Baseline
        }
    }
}

/// The results of the jobs of a row. All seeds of a row without random numbers share one job.
fn jobs<'a, 'b>(row: &Row, results: &'b [Option<&'a Finished>]) -> &'b [Option<&'a Finished>] {
    if row.subject.has_seed() {
        return results;
    }
    results.get(..1).unwrap_or(results)
}

/// Returns mean and spread of a measure over the jobs that have it.
fn summary(name: &str, row: &Row, results: &[Option<&Finished>]) -> Option<Summary> {
    let value = |result: &&Finished| match result.values.get(name) {
        None if name == SECONDS => Some(result.seconds),
        value => value.copied(),
    };
    let values = jobs(row, results).iter().flatten();
    Summary::of(&values.filter_map(value).collect::<Vec<f64>>())
}

fn cell(name: &str, row: &Row, results: &[Option<&Finished>]) -> Cell {
    let Some(summary) = summary(name, row, results) else {
        return Cell::Empty;
    };
    Cell::Number {
        mean: summary.mean,
        spread: summary.spread,
        count: summary.count,
        planned: jobs(row, results).len(),
    }
}

/// A setting of the pre-training, which only trained models have.
fn trained(rows: &[Row], text: impl Fn(&Row) -> String) -> Vec<Option<String>> {
    let value = |row: &Row| (row.subject == Subject::Trained).then(|| text(row));
    rows.iter().map(value).collect()
}

/// Adds a setting to the settings of the table if all rows have the same value, and as a column if
/// not.
fn add(
    label: &str,
    values: Vec<Option<String>>,
    settings: &mut Vec<(String, String)>,
    columns: &mut Vec<Column>,
) {
    let first = values.first().cloned().flatten();
    if values.iter().any(|value| *value != first) {
        columns.push(column(label, values));
    } else if let Some(value) = first {
        settings.push((label.to_owned(), value));
    }
}

/// A column of words.
fn column(label: &str, words: Vec<Option<String>>) -> Column {
    let quantity = Quantity {
        label: label.to_owned(),
        ..Quantity::default()
    };
    let cells = words.into_iter();
    let cells = cells.map(|text| text.map_or(Cell::Empty, Cell::Text));
    (quantity, cells.collect())
}

/// Returns the plots of a group if the names of all its runs are different numbers. A measure needs
/// two runs with a finite mean.
fn sweep(group: &Group, results: &[Vec<Option<&Finished>>]) -> Option<Sweep> {
    let runs = || {
        let rows = group.rows.iter().zip(results);
        rows.filter(|(row, _)| kind(row.subject) == RowKind::Run)
    };
    let number = |row: &Row| row.name.parse::<f64>().ok().filter(|x| x.is_finite());
    let numbers: Vec<f64> = runs().map(|(row, _)| number(row)).collect::<Option<_>>()?;
    let mut sorted = numbers.clone();
    sorted.sort_by(f64::total_cmp);
    if !sorted.windows(2).all(|pair| pair[0] < pair[1]) {
        return None;
    }
    let measures = group.measures.iter().filter_map(|name| {
        let points = runs().zip(&numbers).filter_map(|((row, results), &x)| {
            let summary = summary(name, row, results)?;
            summary.mean.is_finite().then_some(SweepPoint {
                x,
                mean: summary.mean,
                spread: summary.spread,
            })
        });
        let points: Vec<SweepPoint> = points.collect();
        (points.len() > 1).then(|| Measure {
            quantity: quantity(name),
            points,
        })
    });
    let measures: Vec<Measure> = measures.collect();
    (!measures.is_empty()).then(|| Sweep {
        name: group.name.clone(),
        x_label: group.name.clone(),
        measures,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::*;

    /// A table with one group. Each row has a name and a subject.
    fn table(seeds: &str, rows: &[(&str, &str)]) -> Table {
        let mut text = format!(
            "title = \"T\"\nconfig = \"nano\"\nseeds = {seeds}\nmeasures = [\"ridge\", \"seconds\"]\n\
             [settings]\nepochs = 3\n[[group]]\nname = \"k\"\n"
        );
        for (name, model) in rows {
            let row = format!("[[group.row]]\nname = \"{name}\"\nmodel = \"{model}\"\n");
            text.push_str(&row);
        }
        Table::parse(Path::new("t.toml"), &text).expect("a table")
    }

    fn finished(ridge: f64) -> Finished {
        Finished {
            asked: vec!["ridge".to_owned()],
            values: BTreeMap::from([("ridge".to_owned(), ridge)]),
            seconds: 2.0,
        }
    }

    #[test]
    fn references_are_baselines_with_one_run_and_without_settings_of_training() {
        let rows = [
            ("ours", "trained"),
            ("from scratch", "supervised"),
            ("initial", "random"),
            ("pixels", "raw-pixels"),
            ("mean", "mean-colour"),
            ("fill", "bilinear-fill"),
        ];
        let table = table("[0, 1]", &rows);
        let (one, two) = (finished(1.0), finished(3.0));
        let both = vec![Some(&one), Some(&two)];
        let same = vec![Some(&one), Some(&one)];
        let none = vec![None, None];
        let half = vec![None, Some(&two)];
        let results = vec![vec![both, none.clone(), half, same, none.clone(), none]];
        let data = comparison(&table, &results, [3, 9], "gmae ablate");
        assert_eq!(
            (data.title.as_str(), data.command.as_str()),
            ("T", "gmae ablate")
        );
        assert_eq!(
            data.notes,
            [
                "Preset nano, seeds 0, 1.",
                "Settings of all rows: epochs 3.",
                "3 of 9 runs are done."
            ]
        );
        assert!(data.sweeps.is_empty());
        let [table] = &data.tables[..] else {
            panic!("{:?}", data.tables);
        };
        let kinds: Vec<RowKind> = table.rows.iter().map(|row| row.kind).collect();
        let (run, baseline) = (RowKind::Run, RowKind::Baseline);
        assert_eq!(kinds, [run, run, baseline, baseline, baseline, baseline]);
        let number = |mean, spread, count, planned| Cell::Number {
            mean,
            spread,
            count,
            planned,
        };
        let ridge: Vec<&Cell> = table.rows.iter().map(|row| &row.cells[0]).collect();
        let expected = [
            // The deviation of 1 and 3 is sqrt(((1 - 2)^2 + (3 - 2)^2) / (2 - 1)).
            number(2.0, Some(std::f64::consts::SQRT_2), 2, 2),
            Cell::Empty,
            number(3.0, None, 1, 2),
            number(1.0, None, 1, 1),
            Cell::Empty,
            Cell::Empty,
        ];
        assert_eq!(ridge, expected.iter().collect::<Vec<_>>());
        let labels: Vec<&str> = table.columns.iter().map(|c| c.label.as_str()).collect();
        let words = ["ridge probe", "time", "method", "epochs", "decoder"];
        assert_eq!(labels, words);
        let words = ["GMAE", "3", "64 x 2, 2 heads"].map(|word| Cell::Text(word.to_owned()));
        assert_eq!(table.rows[0].cells[2..], words);
        assert_eq!(
            table.rows[3].cells[2..],
            [Cell::Empty, Cell::Empty, Cell::Empty]
        );
        assert_eq!(table.settings, [("images".to_owned(), "all".to_owned())]);
    }

    #[test]
    fn plots_need_different_numbers() {
        let plotted = |names: &[&str], means: &[f64]| {
            let mut rows: Vec<(&str, &str)> = names.iter().map(|name| (*name, "trained")).collect();
            rows.push(("raw pixels", "raw-pixels"));
            let all: Vec<Finished> = means.iter().map(|mean| finished(*mean)).collect();
            let mut results: Vec<_> = all.iter().map(|result| vec![Some(result)]).collect();
            results.push(vec![all.first()]);
            let mut data = comparison(&table("[7]", &rows), &vec![results], [1, 1], "");
            assert_eq!(
                data.notes,
                ["Preset nano, seed 7.", "Settings of all rows: epochs 3."]
            );
            let sweep = data.sweeps.pop()?;
            assert_eq!((sweep.name.as_str(), sweep.x_label.as_str()), ("k", "k"));
            let points = sweep.measures[0].points.iter();
            Some(points.map(|p| (p.x, p.mean, p.spread)).collect::<Vec<_>>())
        };
        let two = Some(vec![(64.0, 1.0, None), (16.0, 2.0, None)]);
        assert_eq!(plotted(&["64", "16"], &[1.0, 2.0]), two);
        assert_eq!(plotted(&["64", "16", "8"], &[1.0, 2.0, f64::NAN]), two);
        assert_eq!(plotted(&["64", "k 16"], &[1.0, 2.0]), None);
        assert_eq!(plotted(&["64", "inf"], &[1.0, 2.0]), None);
        assert_eq!(plotted(&["64", "64.0"], &[1.0, 2.0]), None);
        assert_eq!(plotted(&["64"], &[1.0]), None);
        assert_eq!(plotted(&[], &[]), None);
    }
}
