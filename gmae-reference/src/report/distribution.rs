//! Two plots of the paper: the density of the Gaussians against the detail of the picture, and the
//! size of the Gaussians against their depth.

use super::axis::{Axis, bounds, drawable};
use super::data::{DensityData, SizeDepthData};
use super::error::ReportError;
use super::html::{figure, heading, legend, section};
use super::picture::img;
use super::plot::{self, Mark, Shape, WIDE};
use super::series::{Middle, drawable_points, grouped, sample};
use super::words::count;
use crate::evaluation::distribution::spearman;

/// Largest number of discs in a plot.
const MAX_DISCS: usize = 2000;
/// Opacity of the disc of a cell.
const CELL_OPACITY: f64 = 0.35;
/// Opacity of the disc of a Gaussian of opacity 1, and of opacity 0.
const DISC_OPACITY: (f64, f64) = (0.7, 0.06);

/// Returns the section about the density in the picture, or nothing without data.
pub(super) fn density_section(data: &[DensityData]) -> Result<String, ReportError> {
    let mut body = String::new();
    for data in data {
        let opaque: Vec<_> = data
            .cells
            .iter()
            .map(|&cell| (cell, CELL_OPACITY))
            .collect();
        body.push_str(&cloud(&Cloud {
            name: &data.name,
            axes: ["detail of the cell", "density of Gaussians"],
            things: "cells",
            disc: "one cell",
            line: "mean of cells of similar detail",
            middle: Middle::Mean,
            points: &opaque,
        })?);
        for (i, picture) in (1..).zip(&data.pictures) {
            let figures = [
                (&picture.original, "the original"),
                (&picture.detail, "its detail"),
                (&picture.density, "density of its Gaussians"),
            ];
            body.push_str("<div class=\"panel grid three\">\n");
            for (image, caption) in figures {
                let name = format!("density picture {i}: {caption}");
                body.push_str(&figure(&img(image, &name)?, caption));
            }
            body.push_str("</div>\n");
        }
    }
    Ok(section(
        "Density of Gaussians against image detail",
        "The pictures are cut into square cells. The detail of a cell is the mean length of its luminance gradient. \
         The density is the number of Gaussians with their centre in the cell, each counted with its opacity. A \
         positive correlation means that the model puts more Gaussians where the picture has more detail. In the \
         maps, bright is the largest value of that picture and dark is zero.",
        &body,
    ))
}

/// Returns the section about the size of the Gaussians, or nothing without data.
pub(super) fn size_depth_section(data: &[SizeDepthData]) -> Result<String, ReportError> {
    let mut body = String::new();
    for data in data {
        let (opaque, clear) = DISC_OPACITY;
        let points: Vec<_> = data
            .points
            .iter()
            .filter(|point| point.opacity.is_finite())
            .map(|point| {
                let opacity = clear + (opaque - clear) * point.opacity.clamp(0.0, 1.0);
                ((point.depth, point.size), opacity)
            })
            .collect();
        body.push_str(&cloud(&Cloud {
            name: &data.name,
            axes: ["depth (distance from the camera)", "size in pixels"],
            things: "Gaussians",
            disc: "one Gaussian, as opaque as it is",
            line: "median of Gaussians of similar depth",
            middle: Middle::Median,
            points: &points,
        })?);
    }
    Ok(section(
        "Size of Gaussians against depth",
        "The size of a Gaussian is the geometric mean of the standard deviations along the two axes of its footprint \
         in the picture. A negative correlation means that near Gaussians are larger than far ones. Perspective \
         alone contributes to it: the same Gaussian has a larger footprint if it is nearer. The correlation counts \
         every Gaussian once, whatever its opacity.",
        &body,
    ))
}

/// A cloud of points with the line of their typical values.
struct Cloud<'a> {
    name: &'a str,
    /// Names of x and y.
    axes: [&'a str; 2],
    /// Name of several points.
    things: &'a str,
    /// Name of a disc in the legend.
    disc: &'a str,
    /// Name of the line in the legend.
    line: &'a str,
    middle: Middle,
    /// Points and the opacities of their discs.
    points: &'a [((f64, f64), f64)],
}

/// Returns the plot of a cloud and its rank correlation.
fn cloud(cloud: &Cloud) -> Result<String, ReportError> {
    let good = |p: &&((f64, f64), f64)| drawable(p.0.0) && drawable(p.0.1);
    let shown: Vec<_> = cloud.points.iter().filter(good).copied().collect();
    let points: Vec<_> = shown.iter().map(|point| point.0).collect();
    let heading = heading(cloud.name);
    let limits = |values: fn(&(f64, f64)) -> f64| bounds(points.iter().map(values));
    let (Some(x), Some(y)) = (limits(|p| p.0), limits(|p| p.1)) else {
        let things = cloud.things;
        return Ok(format!(
            "<div class=\"panel\">{heading}<p>No {things} were recorded.</p></div>\n"
        ));
    };
    let line = grouped(&drawable_points(&points), cloud.middle);
    let chosen = sample(shown.len(), MAX_DISCS);
    let discs = chosen.iter().map(|&i| shown[i]).collect();
    let marks = [
        Mark {
            class: "s0".to_owned(),
            shape: Shape::Dots(discs, 3),
        },
        Mark::line("s1", line.clone(), 3),
        Mark::dots("s1", &line, 4),
    ];
    let [x_label, y_label] = cloud.axes;
    let axes = (Axis::fitted(x_label, x), Axis::fitted(y_label, y));
    let svg = plot::svg(WIDE, axes.0, axes.1, &marks)?;
    Ok(format!(
        "<div class=\"panel curve\">\n{heading}{}{svg}<p class=\"below\">{}</p></div>\n",
        legend(&[("s0 disc", cloud.disc), ("s1", cloud.line)]),
        remark(cloud.things, &points, chosen.len()),
    ))
}

/// Returns the rank correlation of the points and the number of points that are drawn, in words.
fn remark(things: &str, points: &[(f64, f64)], drawn: usize) -> String {
    let correlation = match spearman(points) {
        Some(value) => format!("Spearman's rank correlation: <b>{value:.2}</b>"),
        None => "Spearman's rank correlation cannot be computed".to_owned(),
    };
    let total = count(points.len());
    let thinned = if drawn < points.len() {
        format!(" The plot shows {} of them.", count(drawn))
    } else {
        String::new()
    };
    format!("{correlation} ({total} {things}).{thinned}")
}
