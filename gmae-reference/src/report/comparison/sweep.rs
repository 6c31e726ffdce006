//! Results against one setting: a small plot with error bars for every quantity.

use super::data::{Better, Measure, Quantity, Sweep, SweepPoint};
use crate::report::axis::{Axis, bounds, drawable};
use crate::report::error::ReportError;
use crate::report::html::{heading, section};
use crate::report::picture::escape;
use crate::report::plot::{self, HALF, Mark, Shape};
use crate::report::words::short;

/// Returns the plots of all sweeps, or nothing if there is none.
pub(super) fn sweeps_section(sweeps: &[Sweep]) -> Result<String, ReportError> {
    let panels: Result<String, _> = sweeps.iter().map(panel).collect();
    Ok(section(
        "Results against one setting",
        "Dots are means over seeds. Bars reach one standard deviation up and down; a dot without a bar is one run.",
        &panels?,
    ))
}

fn panel(sweep: &Sweep) -> Result<String, ReportError> {
    let plots: Result<String, _> = sweep
        .measures
        .iter()
        .map(|measure| figure(sweep, measure))
        .collect();
    Ok(format!(
        "<div class=\"panel\">\n{}<div class=\"grid halves\">\n{}</div></div>\n",
        heading(&sweep.name),
        plots?
    ))
}

fn figure(sweep: &Sweep, measure: &Measure) -> Result<String, ReportError> {
    let title = title(&measure.quantity);
    let Some(svg) = svg(sweep, measure)? else {
        return Ok(format!("<div><h4>{title}</h4><p>No results.</p></div>\n"));
    };
    Ok(format!(
        "<div class=\"curve\"><h4>{title}</h4>{svg}</div>\n"
    ))
}

/// Returns the name, the unit and the direction of a quantity as HTML.
fn title(quantity: &Quantity) -> String {
    let direction = match quantity.better {
        Better::Higher => " <small>higher is better</small>",
        Better::Lower => " <small>lower is better</small>",
        Better::Neither => "",
    };
    format!("{}{direction}", escape(&named(quantity)))
}

fn named(quantity: &Quantity) -> String {
    match quantity.unit.as_str() {
        "" => quantity.label.clone(),
        unit => format!("{}, {unit}", quantity.label),
    }
}

/// Returns the plot of a quantity, or `None` if no point can be drawn.
fn svg(sweep: &Sweep, measure: &Measure) -> Result<Option<String>, ReportError> {
    let good = |point: &&SweepPoint| drawable(point.x) && drawable(point.mean);
    let mut points: Vec<SweepPoint> = measure.points.iter().filter(good).copied().collect();
    points.sort_by(|a, b| a.x.total_cmp(&b.x));
    let bars: Vec<(f64, f64, f64)> = points
        .iter()
        .filter_map(|point| {
            let spread = point.spread.filter(|&spread| drawable(spread))?.abs();
            Some((point.x, point.mean - spread, point.mean + spread))
        })
        .collect();
    let means: Vec<(f64, f64)> = points.iter().map(|point| (point.x, point.mean)).collect();
    let ends = bars.iter().flat_map(|bar| [bar.1, bar.2]);
    let heights = bounds(means.iter().map(|point| point.1).chain(ends));
    let (Some(x), Some(y)) = (bounds(means.iter().map(|point| point.0)), heights) else {
        return Ok(None);
    };
    let mut x = Axis::fitted(&sweep.x_label, x).with_labels_at(means.iter().map(|point| point.0));
    x.format = Some(setting);
    let marks = [
        Mark::line("s0", means.clone(), 2),
        Mark {
            class: "s0".to_owned(),
            shape: Shape::Bars(bars),
        },
        Mark::dots("s0", &means, 4),
    ];
    let y = Axis::fitted(&named(&measure.quantity), y);
    plot::svg(HALF, x, y, &marks).map(Some)
}

/// Formats the value of a setting: a whole number has all its digits.
fn setting(value: f64) -> String {
    if value == value.round() && value.abs() < 1e9 {
        return format!("{value:.0}");
    }
    short(value)
}
