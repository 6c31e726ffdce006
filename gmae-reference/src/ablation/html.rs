//! The tables as one HTML page, without scripts and without files beside it.

use super::chart;
use super::error::AblationError;
use super::sheet::{Cell, Chart, Section, Sheet};
use crate::report::escape;

const STYLE: &str = include_str!("style.css");

/// Returns the page.
///
/// # Errors
///
/// [`AblationError::Chart`] if a chart cannot be drawn.
pub(super) fn page(sheet: &Sheet) -> Result<String, AblationError> {
    let title = escape(&sheet.title);
    let lead = sheet.lead.iter();
    let lead: Vec<String> = lead
        .map(|text| format!("<p class=\"lead\">{}</p>\n", escape(text)))
        .collect();
    let sections = sheet.sections.iter().map(section);
    let sections: Vec<String> = sections.collect::<Result<_, _>>()?;
    Ok(format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <h1>{title}</h1>\n{}{}</main>\n</body>\n</html>\n",
        lead.concat(),
        sections.concat()
    ))
}

fn section(section: &Section) -> Result<String, AblationError> {
    let paper = section.paper.as_ref();
    let paper = paper.map_or_else(String::new, |text| {
        format!("<p>Paper: {}</p>\n", escape(text))
    });
    let headings = section.headings.iter();
    let headings: Vec<String> = headings
        .map(|text| format!("<th>{}</th>", escape(text)))
        .collect();
    let rows: Vec<String> = section.rows.iter().map(|cells| row(cells)).collect();
    let charts = section.charts.iter();
    let charts = charts.map(|chart| figure(chart, &section.name));
    let charts: Vec<String> = charts.collect::<Result<_, _>>()?;
    let charts = if charts.is_empty() {
        String::new()
    } else {
        format!("<div class=\"charts\">\n{}</div>\n", charts.concat())
    };
    Ok(format!(
        "<h2>{}</h2>\n{paper}<p class=\"caption\">{}</p>\n<div class=\"panel\"><table>\n\
         <tr>{}</tr>\n{}</table></div>\n{charts}",
        escape(&section.name),
        escape(&section.caption),
        headings.concat(),
        rows.concat()
    ))
}

fn row(cells: &[Cell]) -> String {
    let cell = |cell: &Cell| {
        let text = escape(&cell.text);
        if cell.best {
            format!("<td><b>{text}</b></td>")
        } else {
            format!("<td>{text}</td>")
        }
    };
    let cells: Vec<String> = cells.iter().map(cell).collect();
    format!("<tr>{}</tr>\n", cells.concat())
}

fn figure(chart: &Chart, against: &str) -> Result<String, AblationError> {
    let svg = chart::svg(chart)?;
    let (label, against) = (escape(&chart.label), escape(against));
    Ok(format!(
        "<figure class=\"panel\">\n{svg}<figcaption>{label} against {against}</figcaption>\n</figure>\n"
    ))
}
