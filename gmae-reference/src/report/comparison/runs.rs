//! The runs: their settings and their loss curves.

use std::fmt::Write as _;

use super::data::RunData;
use crate::report::curve;
use crate::report::error::ReportError;
use crate::report::html::{legend, section};
use crate::report::picture::escape;
use crate::report::plot::series;

/// Settings with this prefix are always shown: the shape of the decoder alone changes the result of
/// a linear probe by many points.
const ALWAYS: &str = "decoder";
/// The text for a setting that a run does not have.
const ABSENT: &str = "\u{2013}";

/// Returns the table of the settings that differ, one row per run.
pub(super) fn runs_section(runs: &[RunData]) -> String {
    if runs.is_empty() {
        return String::new();
    }
    let shown: Vec<&str> = settings(runs)
        .into_iter()
        .filter(|name| name.starts_with(ALWAYS) || differs(runs, name))
        .collect();
    let mut html = "<div class=\"panel scroll\"><table class=\"results\">\n<thead><tr><th>run</th><th>method</th>".to_owned();
    for name in &shown {
        // Writing to a String cannot fail.
        let _ = write!(html, "<th>{}</th>", breakable(name));
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for (i, run) in runs.iter().enumerate() {
        let _ = write!(
            html,
            "<tr><th scope=\"row\"><i class=\"{}\"></i>{}</th><td>{}</td>",
            series(i),
            escape(&run.name),
            escape(&run.method)
        );
        for name in &shown {
            let _ = write!(
                html,
                "<td>{}</td>",
                escape(value(run, name).unwrap_or(ABSENT))
            );
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody></table></div>\n");
    section(
        "The runs",
        "The table has the settings that differ between the runs, and always the shape of the decoder. The end of \
         the page has all settings.",
        &html,
    )
}

/// Returns the plot of all training losses.
pub(super) fn loss_section(runs: &[RunData]) -> Result<String, ReportError> {
    let Some(svg) = curve::runs_svg(runs.iter().map(|run| run.train.as_slice()))? else {
        return Ok(String::new());
    };
    let entries: Vec<(String, &str)> = runs
        .iter()
        .enumerate()
        .map(|(i, run)| (series(i), run.name.as_str()))
        .collect();
    let body = format!(
        "<div class=\"panel curve\">\n{}{svg}</div>\n",
        legend(&entries)
    );
    Ok(section(
        "Training loss",
        "Lower is better. Neighbouring steps are averaged. Losses of different definition, such as those with \
         normalised patches, cannot be compared with each other.",
        &body,
    ))
}

/// Returns a closed list of every setting of every run.
pub(super) fn all_settings(runs: &[RunData]) -> String {
    let names = settings(runs);
    if names.is_empty() {
        return String::new();
    }
    let mut html = "<details class=\"panel\"><summary>All settings of all runs</summary>\n<div class=\"scroll\">\
         <table class=\"results\">\n<thead><tr><th>setting</th>"
        .to_owned();
    for run in runs {
        let _ = write!(html, "<th>{}</th>", escape(&run.name));
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for name in names {
        let _ = write!(html, "<tr><th scope=\"row\">{}</th>", breakable(name));
        for run in runs {
            let _ = write!(
                html,
                "<td>{}</td>",
                escape(value(run, name).unwrap_or(ABSENT))
            );
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody></table></div></details>\n");
    html
}

/// The names of all settings, in the order of their first appearance.
fn settings(runs: &[RunData]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in runs.iter().flat_map(|run| &run.configuration) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    names
}

fn value<'a>(run: &'a RunData, name: &str) -> Option<&'a str> {
    let entry = run.configuration.iter().find(|entry| entry.0 == name);
    entry.map(|(_, value)| value.as_str())
}

fn differs(runs: &[RunData], name: &str) -> bool {
    runs.windows(2)
        .any(|pair| value(&pair[0], name) != value(&pair[1], name))
}

/// Returns the name of a setting that can break after an underscore, so that columns are narrow.
fn breakable(name: &str) -> String {
    escape(name).replace('_', "_<wbr>")
}
