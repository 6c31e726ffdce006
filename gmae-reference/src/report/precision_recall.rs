//! Precision against recall, with lines of equal F-measure.

use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};
use plotters::prelude::{IntoDrawingArea, RGBColor, SVGBackend, WHITE};

use super::axis::Axis;
use super::error::ReportError;
use super::html::{legend, section};
use super::plot::{self, Mark, PALETTE, SQUARE, Shape, draw, failed, series};
use super::raster::Raster;

/// Class of the lines of equal F-measure.
const CONTOUR: &str = "contour";
/// Colour of the lines of equal F-measure in files.
const CONTOUR_COLOUR: RGBColor = RGBColor(0xb4, 0xba, 0xc2);
/// Number of points of a line of equal F-measure.
const CONTOUR_POINTS: usize = 100;

/// The curve of a method. Every number is between 0 and 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct PrecisionRecall {
    /// Unique name.
    pub name: String,
    /// Recall and precision at every threshold.
    pub points: Vec<(f64, f64)>,
    /// Recall and precision at the largest F-measure.
    pub best: (f64, f64),
}

/// Returns the section with the plot, or nothing without a curve.
pub(super) fn precision_recall_section(curves: &[PrecisionRecall]) -> Result<String, ReportError> {
    if curves.is_empty() {
        return Ok(String::new());
    }
    let svg = plot::svg(SQUARE, axis("recall"), axis("precision"), &marks(curves))?;
    let entries: Vec<(String, &str)> = curves
        .iter()
        .enumerate()
        .map(|(i, curve)| (series(i), curve.name.as_str()))
        .collect();
    Ok(section(
        "Precision and recall",
        "One point for each threshold. The disc is the best F-measure, the harmonic mean of precision and recall. On \
         each grey line the F-measure is the same.",
        &format!(
            "<div class=\"panel curve\">\n{}{svg}</div>\n",
            legend(&entries)
        ),
    ))
}

/// Returns the plot as an SVG file with colours of its own.
///
/// # Errors
///
/// [`ReportError::Plot`] if it cannot be drawn.
pub(crate) fn svg_file(curves: &[PrecisionRecall]) -> Result<String, ReportError> {
    let mut text = String::new();
    let root = SVGBackend::with_string(&mut text, SQUARE.size).into_drawing_area();
    root.fill(&WHITE).map_err(|error| failed(error.into()))?;
    let (marks, colours) = with_names(curves);
    draw(
        &root,
        SQUARE,
        (axis("recall"), axis("precision")),
        &marks,
        &colours,
    )
    .map_err(failed)?;
    drop(root);
    Ok(text)
}

/// Returns the plot as a PNG file.
///
/// # Errors
///
/// [`ReportError::Plot`] if it cannot be drawn.
pub(crate) fn png_file(curves: &[PrecisionRecall]) -> Result<Vec<u8>, ReportError> {
    let (width, height) = SQUARE.size;
    let mut image = RgbImage::from_pixel(width, height, Rgb([255; 3]));
    let root = Raster::new(&mut image).into_drawing_area();
    let (marks, colours) = with_names(curves);
    draw(
        &root,
        SQUARE,
        (axis("recall"), axis("precision")),
        &marks,
        &colours,
    )
    .map_err(failed)?;
    drop(root);
    let mut png = Cursor::new(Vec::new());
    let written = image.write_to(&mut png, ImageFormat::Png);
    written.map_err(|error| failed(error.into()))?;
    Ok(png.into_inner())
}

fn axis(name: &str) -> Axis {
    Axis::exact(name, (0.0, 1.0))
}

/// The lines of equal F-measure, then line and disc of each curve.
fn marks(curves: &[PrecisionRecall]) -> Vec<Mark> {
    let mut marks: Vec<Mark> = (1..10).map(contour).collect();
    let labels = (1..10).map(|tenths| {
        let f = f64::from(tenths) / 10.0;
        // The line ends at the right side of the plot.
        let end = (0.955, f * 0.955 / (2.0 * 0.955 - f) + 0.035);
        (end, format!("{f:.1}"))
    });
    marks.push(Mark {
        class: CONTOUR.to_owned(),
        shape: Shape::Words(labels.collect()),
    });
    for (i, curve) in curves.iter().enumerate() {
        marks.push(Mark::line(series(i), curve.points.clone(), 2));
        marks.push(Mark::dots(series(i), &[curve.best], 5));
    }
    marks
}

/// The points with an F-measure of some tenths: `precision = f recall / (2 recall - f)`.
fn contour(tenths: u32) -> Mark {
    let f = f64::from(tenths) / 10.0;
    // At precision 1 the recall is smallest.
    let first = f / (2.0 - f);
    let points = (0..=CONTOUR_POINTS).map(|step| {
        // The line is steep at low recalls, where the points are closer.
        let recall = first.powf(1.0 - step as f64 / CONTOUR_POINTS as f64);
        (recall, (f * recall / (2.0 * recall - f)).min(1.0))
    });
    Mark::line(CONTOUR, points.collect(), 1)
}

/// The marks, the names of the curves in their colours, and the colour of each mark.
fn with_names(curves: &[PrecisionRecall]) -> (Vec<Mark>, Vec<RGBColor>) {
    let mut marks = marks(curves);
    let colour = |i: usize| PALETTE[i % PALETTE.len()];
    let contours = marks.len() - 2 * curves.len();
    let mut colours = vec![CONTOUR_COLOUR; contours];
    colours.extend((0..curves.len()).flat_map(|i| [colour(i); 2]));
    for (i, curve) in curves.iter().enumerate() {
        // The corner of low recall and precision is empty.
        let at = (0.02, 0.04 * (curves.len() - i) as f64);
        marks.push(Mark {
            class: series(i),
            shape: Shape::Words(vec![(at, curve.name.clone())]),
        });
        colours.push(colour(i));
    }
    (marks, colours)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curves(names: &[&str]) -> Vec<PrecisionRecall> {
        let curve = |(index, name): (usize, &&str)| {
            let lower = 0.1 * index as f64;
            let point = |i: u32| {
                let part = f64::from(i) / 99.0;
                (1.0 - part, 0.5 + 0.5 * part - lower)
            };
            PrecisionRecall {
                name: (*name).to_owned(),
                points: (0..99).map(point).collect(),
                best: (0.7, 0.65 - lower),
            }
        };
        names.iter().enumerate().map(curve).collect()
    }

    #[test]
    fn contours_have_their_f_measure() {
        for tenths in 1..10 {
            let Shape::Line(points, _) = contour(tenths).shape else {
                panic!("a line");
            };
            for (recall, precision) in points {
                assert!((0.0..=1.0).contains(&recall) && (0.0..=1.0).contains(&precision));
                let f = 2.0 * recall * precision / (recall + precision);
                assert!((f - f64::from(tenths) / 10.0).abs() < 1e-12, "{recall}");
            }
        }
    }

    #[test]
    fn every_method_has_a_line_a_disc_and_a_name() {
        let html = precision_recall_section(&curves(&["a", "<b>"])).expect("a section");
        assert_eq!(html.matches("<circle").count(), 2);
        assert!(html.contains("</i>&lt;b&gt;</span>") && !html.contains("<b>"));
        assert_eq!(precision_recall_section(&[]).expect("nothing"), "");
    }

    #[test]
    fn files_have_the_colours_of_the_methods() {
        let curves = curves(&["one", "<two>", "drei \u{4e09}"]);
        let svg = svg_file(&curves).expect("a file");
        assert!(svg.starts_with("<svg") && svg.contains("xmlns") && !svg.contains("<two>"));
        let png = image::load_from_memory(&png_file(&curves).expect("a file")).expect("a PNG");
        let png = png.into_rgb8();
        assert_eq!(png.dimensions(), SQUARE.size);
        for RGBColor(red, green, blue) in &PALETTE[..3] {
            assert!(svg.contains(&format!("#{red:02X}{green:02X}{blue:02X}")));
            assert!(png.pixels().any(|pixel| pixel.0 == [*red, *green, *blue]));
        }
        // The fourth colour belongs to no method.
        let RGBColor(red, green, blue) = PALETTE[3];
        assert!(png.pixels().all(|pixel| pixel.0 != [red, green, blue]));
        // The names of the axes and the labels are written.
        let dark = png.pixels().filter(|pixel| pixel.0.iter().all(|v| *v < 80));
        assert!(dark.count() > 500);
    }

    #[test]
    fn the_palette_is_that_of_the_page() {
        let style = include_str!("style.css");
        for (i, RGBColor(red, green, blue)) in PALETTE.iter().enumerate() {
            let entry = format!("--s{i}: #{red:02x}{green:02x}{blue:02x};");
            assert!(style.contains(&entry), "{entry}");
        }
    }
}
