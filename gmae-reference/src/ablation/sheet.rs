//! The content of the tables, independent of the format.

use std::collections::BTreeSet;

use clap::ValueEnum as _;

use super::measures::{Better, Measure, SECONDS};
use super::settings;
use super::store::Finished;
use super::summary::Summary;
use super::table::{Group, Row, Subject, Table};
use crate::config::Config;

/// The text of an empty cell.
const MISSING: &str = "-";

/// The results of each group, row and seed.
pub(super) type Results<'a> = Vec<Vec<Vec<Option<&'a Finished>>>>;

/// The tables of all groups.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sheet {
    pub(super) title: String,
    /// Paragraphs below the title.
    pub(super) lead: Vec<String>,
    pub(super) sections: Vec<Section>,
}

/// The table of one group.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Section {
    pub(super) name: String,
    /// The finding of the paper.
    pub(super) paper: Option<String>,
    /// The settings that all rows share.
    pub(super) caption: String,
    /// The headings of the columns.
    pub(super) headings: Vec<String>,
    /// One cell for each heading.
    pub(super) rows: Vec<Vec<Cell>>,
    /// The measures against the numbers in the first column, if all rows have numbers as names.
    pub(super) charts: Vec<Chart>,
}

/// A cell of a table.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cell {
    pub(super) text: String,
    /// Whether this is the best mean of the column.
    pub(super) best: bool,
}

/// A measure against a number.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Chart {
    /// The label of the measure.
    pub(super) label: String,
    /// Number of decimals of the measure.
    pub(super) digits: usize,
    /// Number, mean and spread of at least two rows, by ascending number. All are finite.
    pub(super) points: Vec<(f64, f64, f64)>,
}

impl Sheet {
    /// Returns the tables of `table`. `progress` is the number of jobs with a result and the number
    /// of all jobs.
    pub(super) fn new(table: &Table, results: &Results, progress: [usize; 2]) -> Self {
        let seeds: Vec<String> = table.seeds.iter().map(ToString::to_string).collect();
        let preset = table.preset.to_possible_value();
        let preset = preset.map(|value| value.get_name().to_owned());
        let (plural, spread) = if seeds.len() == 1 {
            ("", "")
        } else {
            ("s", " ± is the sample standard deviation over the seeds.")
        };
        let mut lead = vec![format!(
            "Preset {}, seed{plural} {}.{spread} Bold marks the best mean of a column. An arrow \
             points to better values.",
            preset.unwrap_or_default(),
            seeds.join(", ")
        )];
        let [done, total] = progress;
        if done < total {
            lead.push(format!("{done} of {total} runs are done."));
        }
        let groups = table.groups.iter().zip(results);
        Self {
            title: table.title.clone(),
            lead,
            sections: groups
                .map(|(group, results)| section(table, group, results))
                .collect(),
        }
    }
}

/// Returns mean and spread of a measure over the seeds that have it.
pub(super) fn summary(name: &str, results: &[Option<&Finished>]) -> Option<Summary> {
    let value = |result: &&Finished| match result.values.get(name) {
        None if name == SECONDS => Some(result.seconds),
        value => value.copied(),
    };
    let values = results.iter().flatten();
    Summary::of(&values.filter_map(value).collect::<Vec<f64>>())
}

/// The method of a configuration. A configuration without the setting is of GMAE.
pub(super) fn method(config: &Config) -> String {
    settings::value(config, "method").unwrap_or_else(|| "gmae".to_owned())
}

fn section(table: &Table, group: &Group, results: &[Vec<Option<&Finished>>]) -> Section {
    let rows = &group.rows;
    let mut columns = vec![column(&group.name, rows, |row| row.name.clone())];
    let mut charts = Vec::new();
    for name in &table.measures {
        let summaries: Vec<_> = results.iter().map(|row| summary(name, row)).collect();
        let measure = Measure::named(name);
        charts.extend(chart(&measure, rows, &summaries));
        let cells = measured(&measure, &summaries, table.seeds.len());
        columns.push((measure.heading(), cells));
    }
    let methods = column("method", rows, |row| match row.subject {
        Subject::Trained => method(&row.config).to_uppercase(),
        _ => MISSING.to_owned(),
    });
    let epochs = column("epochs", rows, |row| row.config.epochs.to_string());
    let images = match table.images {
        Some(images) => format!("{images} images"),
        None => "all images".to_owned(),
    };
    let mut caption = Vec::new();
    if let Some(method) = shared(&methods.1) {
        caption.push(format!("method {method}"));
    } else {
        columns.push(methods);
    }
    if let Some(epochs) = shared(&epochs.1) {
        caption.push(format!("{images} x {epochs} epochs"));
    } else {
        caption.push(images);
        columns.push(epochs);
    }
    columns.push(column("decoder", rows, |row| match row.subject {
        Subject::Trained => decoder(&row.config),
        _ => MISSING.to_owned(),
    }));
    let paper: BTreeSet<&String> = rows.iter().flat_map(|row| row.paper.keys()).collect();
    for name in paper {
        let text = |row: &Row| row.paper.get(name).cloned().unwrap_or(MISSING.to_owned());
        columns.push(column(&format!("paper: {name}"), rows, text));
    }
    let row = |i: usize| columns.iter().map(|(_, cells)| cells[i].clone()).collect();
    Section {
        name: group.name.clone(),
        paper: group.paper.clone(),
        caption: sentence(&caption.join(", ")),
        rows: (0..rows.len()).map(row).collect(),
        headings: columns.into_iter().map(|(heading, _)| heading).collect(),
        charts,
    }
}

/// A heading and the cells below it.
type Column = (String, Vec<Cell>);

fn column(heading: &str, rows: &[Row], text: impl Fn(&Row) -> String) -> Column {
    let cell = |row| Cell {
        text: text(row),
        best: false,
    };
    (heading.to_owned(), rows.iter().map(cell).collect())
}

/// Width, depth and heads of the decoder, which alone can change a linear probe by many points.
fn decoder(config: &Config) -> String {
    let (width, depth) = (config.decoder_width, config.decoder_depth);
    format!("{width} x {depth}, {} heads", config.decoder_heads)
}

/// The text that all cells have, if they have the same.
fn shared(cells: &[Cell]) -> Option<&str> {
    let first = &cells.first()?.text;
    let same = cells.iter().all(|cell| cell.text == *first);
    same.then_some(first)
}

/// `text` with a capital letter at the start and a full stop.
fn sentence(text: &str) -> String {
    let mut rest = text.chars();
    let first = rest.next().map(char::to_uppercase);
    let first = first.into_iter().flatten();
    first.chain(rest).chain(['.']).collect()
}

/// The cells of a measure. The best mean is marked if the printed means differ.
fn measured(measure: &Measure, summaries: &[Option<Summary>], planned: usize) -> Vec<Cell> {
    let finite = summaries.iter().flatten().map(|summary| summary.mean);
    let finite = finite.filter(|mean| mean.is_finite());
    let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), mean| {
        (low.min(mean), high.max(mean))
    });
    let shown = |mean: f64| format!("{mean:.0$}", measure.digits);
    let best = match measure.better {
        Better::Lower => Some(shown(low)),
        Better::Higher => Some(shown(high)),
        Better::Neither => None,
    };
    let best = best.filter(|_| shown(low) != shown(high));
    let cell = |summary: &Option<Summary>| match summary {
        None => Cell {
            text: MISSING.to_owned(),
            best: false,
        },
        Some(summary) => Cell {
            text: summary.text(measure.digits, planned),
            best: best == Some(summary.mean_text(measure.digits)),
        },
    };
    summaries.iter().map(cell).collect()
}

/// Returns the chart of a measure if the names of all rows are different numbers, and at least two
/// rows have a finite mean.
fn chart(measure: &Measure, rows: &[Row], summaries: &[Option<Summary>]) -> Option<Chart> {
    let number = |row: &Row| row.name.parse::<f64>().ok().filter(|x| x.is_finite());
    let numbers: Vec<f64> = rows.iter().map(number).collect::<Option<_>>()?;
    let point = |(x, summary): (&f64, &Option<Summary>)| {
        let summary = summary.filter(|summary| summary.mean.is_finite())?;
        Some((*x, summary.mean, summary.spread.unwrap_or(0.0)))
    };
    let pairs = numbers.iter().zip(summaries);
    let mut points: Vec<_> = pairs.filter_map(point).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let rising = points.windows(2).all(|pair| pair[0].0 < pair[1].0);
    (points.len() > 1 && rising).then(|| Chart {
        label: measure.heading(),
        digits: measure.digits,
        points,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Preset;

    fn summaries(means: &[f64]) -> Vec<Option<Summary>> {
        means.iter().map(|mean| Summary::of(&[*mean])).collect()
    }

    #[test]
    fn the_best_printed_mean_is_marked_in_its_direction() {
        let best = |name: &str, means: &[f64]| -> Vec<bool> {
            let cells = measured(&Measure::named(name), &summaries(means), 1);
            cells.iter().map(|cell| cell.best).collect()
        };
        assert_eq!(best("masked_mse", &[0.3, 0.1, 0.2]), [false, true, false]);
        assert_eq!(best("ridge", &[30.0, 10.0, 20.0]), [true, false, false]);
        assert_eq!(best("ridge", &[30.001, 30.002, 20.0]), [true, true, false]);
        assert_eq!(best("seconds", &[30.0, 10.0]), [false, false]);
        assert_eq!(best("ridge", &[f64::NAN, 10.0, 20.0]), [false, false, true]);
        for same in [&[30.0][..], &[30.001, 30.002], &[f64::NAN, f64::NAN], &[]] {
            assert!(best("ridge", same).iter().all(|best| !best), "{same:?}");
        }
        let cells = measured(&Measure::named("ridge"), &[None], 1);
        assert_eq!((cells[0].text.as_str(), cells[0].best), ("-", false));
    }

    #[test]
    fn charts_need_different_numbers() {
        let points = |names: &[&str], means: &[f64]| {
            let row = |name: &&str| Row {
                subject: Subject::Trained,
                finetuning: Preset::Nano.config().for_finetuning(),
                name: (*name).to_owned(),
                config: crate::Preset::Nano.config(),
                paper: std::collections::BTreeMap::new(),
            };
            let rows: Vec<Row> = names.iter().map(row).collect();
            let chart = chart(&Measure::named("ridge"), &rows, &summaries(means));
            chart.map(|chart| chart.points)
        };
        let two = Some(vec![(16.0, 2.0, 0.0), (64.0, 1.0, 0.0)]);
        assert_eq!(points(&["64", "16"], &[1.0, 2.0]), two);
        assert_eq!(points(&["64", "16", "8"], &[1.0, 2.0, f64::NAN]), two);
        assert_eq!(points(&["64", "k 16"], &[1.0, 2.0]), None);
        assert_eq!(points(&["64", "inf"], &[1.0, 2.0]), None);
        assert_eq!(points(&["64", "64.0"], &[1.0, 2.0]), None);
        assert_eq!(points(&["64"], &[1.0]), None);
        assert_eq!(points(&[], &[]), None);
    }

    #[test]
    fn sentences_start_with_a_capital() {
        assert_eq!(sentence("method GMAE"), "Method GMAE.");
    }
}
