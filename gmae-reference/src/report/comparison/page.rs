//! The page: one function per section, in the order of the page.

use super::data::{CaseGroup, ComparedPicture, ComparisonData, RunData};
use super::runs::{all_settings, loss_section, runs_section};
use super::sweep::sweeps_section;
use super::table::tables_section;
use crate::report::distribution::{density_section, size_depth_section};
use crate::report::error::ReportError;
use crate::report::html::{command, document, figure, heading, notes, section};
use crate::report::picture::{escape, img};
use crate::report::precision_recall::precision_recall_section;
use crate::report::words::{count, loss};

/// Returns the whole page as HTML.
pub(in crate::report) fn page(data: &ComparisonData) -> Result<String, ReportError> {
    let sections = [
        header(data),
        runs_section(&data.runs),
        tables_section(&data.tables)?,
        precision_recall_section(&data.curves)?,
        loss_section(&data.runs)?,
        sweeps_section(&data.sweeps)?,
        reconstructions_section(&data.runs, &data.reconstructions)?,
        cases_section(&data.cases)?,
        density_section(&data.density)?,
        size_depth_section(&data.size_depth)?,
        repeat_section(data),
    ];
    Ok(document(&data.title, &sections.concat()))
}

fn header(data: &ComparisonData) -> String {
    let runs = match data.runs.len() {
        0 if !data.tables.is_empty() => String::new(),
        0 => "No runs. ".to_owned(),
        1 => "One run. ".to_owned(),
        n => format!("{} runs, side by side. ", count(n)),
    };
    format!(
        "<h1>{}</h1>\n<p class=\"lead\">{runs}This file contains every number and picture and needs no network.</p>\n{}",
        escape(&data.title),
        notes(&data.notes),
    )
}

fn reconstructions_section(
    runs: &[RunData],
    pictures: &[ComparedPicture],
) -> Result<String, ReportError> {
    let mut body = String::new();
    for (i, picture) in (1..).zip(pictures) {
        let name = format!("picture {i}");
        if picture.reconstructions.len() != runs.len() {
            return Err(ReportError::Entries {
                part: format!("{name}, reconstructions"),
                expected: runs.len(),
                got: picture.reconstructions.len(),
            });
        }
        body.push_str("<div class=\"panel strip\">\n");
        for (image, caption) in [
            (&picture.original, "the original"),
            (&picture.masked, "input of the models"),
        ] {
            body.push_str(&figure(
                &img(image, &format!("{name}: {caption}"))?,
                caption,
            ));
        }
        for (run, reconstruction) in runs.iter().zip(&picture.reconstructions) {
            let Some(reconstruction) = reconstruction else {
                let caption = format!("{}: none", run.name);
                body.push_str(&figure("<div class=\"missing\"></div>", &caption));
                continue;
            };
            let image = img(&reconstruction.image, &format!("{name}: {}", run.name))?;
            let caption = match reconstruction.loss {
                Some(value) => format!("{}, error {}", run.name, loss(value)),
                None => run.name.clone(),
            };
            body.push_str(&figure(&image, &caption));
        }
        body.push_str("</div>\n");
    }
    Ok(section(
        "Reconstructions",
        "The grey patches are hidden from the models. All runs received the same visible patches. \
         The error is the mean squared error on the hidden patches, with colours between 0 and 1.",
        &body,
    ))
}

fn cases_section(groups: &[CaseGroup]) -> Result<String, ReportError> {
    let mut body = String::new();
    for group in groups {
        body.push_str("<div class=\"panel\">\n");
        body.push_str(&heading(&group.title));
        for case in &group.cases {
            body.push_str("<h4>");
            body.push_str(&escape(&case.caption));
            body.push_str("</h4>\n<div class=\"strip\">\n");
            for (caption, picture) in &case.pictures {
                let name = format!("{}, {}: {caption}", group.title, case.caption);
                body.push_str(&figure(&img(picture, &name)?, caption));
            }
            body.push_str("</div>\n");
        }
        body.push_str("</div>\n");
    }
    Ok(section(
        "Best, median and worst",
        "The images with the highest, the middle and the lowest score of each run.",
        &body,
    ))
}

fn repeat_section(data: &ComparisonData) -> String {
    format!(
        "<h2>Repeat the comparison</h2>\n<p>This command repeats the comparison.</p>\n{}{}",
        command(&data.command),
        all_settings(&data.runs),
    )
}
