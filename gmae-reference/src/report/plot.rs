//! Plots as inline SVG. Text and grid have the text colour of the page. The colours of the data are
//! classes of the style sheet, so that a plot is readable on light and dark pages.

use plotters::coord::Shift;
use plotters::prelude::*;

use super::axis::{Axis, drawable};
use super::error::ReportError;

/// The colours of series in files, in the order of [`series`]: those of the light page.
pub(super) const PALETTE: [RGBColor; 8] = [
    RGBColor(0x2f, 0x6f, 0xbd),
    RGBColor(0xd1, 0x48, 0x1f),
    RGBColor(0x1f, 0x8a, 0x5f),
    RGBColor(0x8a, 0x4f, 0xbd),
    RGBColor(0xa8, 0x78, 0x00),
    RGBColor(0x12, 0x8a, 0x9e),
    RGBColor(0xc2, 0x3f, 0x86),
    RGBColor(0x6b, 0x5d, 0x50),
];
/// Placeholder for the text colour of the page.
const INK: RGBColor = RGBColor(1, 2, 3);
const INK_HEX: &str = "#010203";
/// Red value of the placeholders of marks. Green and blue are the index of the mark.
const MARK: u8 = 3;

/// The size of a plot and of the areas for its labels, in SVG units. The page scales a plot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Format {
    pub(super) size: (u32, u32),
    /// Width of the labels on the left.
    left: u32,
    /// Largest number of labels along x and y, where the axis does not prescribe them.
    labels: (usize, usize),
}

/// A plot as wide as the page.
pub(super) const WIDE: Format = Format {
    size: (900, 380),
    left: 74,
    labels: (8, 12),
};
/// A plot half as wide as the page.
pub(super) const HALF: Format = Format {
    size: (440, 300),
    left: 70,
    labels: (5, 7),
};

/// A plot of two quantities of the same range.
pub(super) const SQUARE: Format = Format {
    size: (620, 560),
    left: 70,
    labels: (11, 11),
};

/// A series of points in a plot. Points that cannot be drawn are left out.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    /// Classes of the style sheet that give the colour and the dashes.
    pub class: String,
    pub shape: Shape,
}

/// The shape of a series.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// A line of a width through points.
    Line(Vec<(f64, f64)>, u32),
    /// Discs of a radius at points, each with its opacity in `[0, 1]`.
    Dots(Vec<((f64, f64), f64)>, i32),
    /// Vertical bars at x, from the second to the third number.
    Bars(Vec<(f64, f64, f64)>),
    /// Words that begin at points.
    Words(Vec<((f64, f64), String)>),
}

impl Mark {
    pub(super) fn line(class: impl Into<String>, points: Vec<(f64, f64)>, width: u32) -> Self {
        Self {
            class: class.into(),
            shape: Shape::Line(points, width),
        }
    }

    /// Opaque discs.
    pub(super) fn dots(class: impl Into<String>, points: &[(f64, f64)], radius: i32) -> Self {
        let opaque = points.iter().map(|&point| (point, 1.0)).collect();
        Self {
            class: class.into(),
            shape: Shape::Dots(opaque, radius),
        }
    }
}

/// Returns the classes of series number `index`: a colour of the style sheet, with dashes after
/// eight series and dots after sixteen.
pub(super) fn series(index: usize) -> String {
    let colour = index % 8;
    match index / 8 % 3 {
        0 => format!("s{colour}"),
        dash => format!("s{colour} d{dash}"),
    }
}

/// Draws a plot. The later marks are on top.
pub(super) fn svg(format: Format, x: Axis, y: Axis, marks: &[Mark]) -> Result<String, ReportError> {
    let mut text = String::new();
    let root = SVGBackend::with_string(&mut text, format.size).into_drawing_area();
    let colours: Vec<RGBColor> = (0..marks.len()).map(placeholder).collect();
    draw(&root, format, (x, y), marks, &colours).map_err(failed)?;
    drop(root);
    // SVG inside an HTML page needs neither a namespace nor a fixed size.
    let (width, height) = format.size;
    let mut inline = text
        .replace(r#" xmlns="http://www.w3.org/2000/svg""#, "")
        .replace(&format!(r#"width="{width}" height="{height}" "#), "")
        .replace(INK_HEX, "currentColor");
    for (i, mark) in marks.iter().enumerate() {
        let RGBColor(r, g, b) = placeholder(i);
        for attribute in ["fill", "stroke"] {
            let old = format!(r##"{attribute}="#{r:02X}{g:02X}{b:02X}""##);
            let new = format!(r#"{attribute}="currentColor" class="{}""#, mark.class);
            inline = inline.replace(&old, &new);
        }
    }
    Ok(inline)
}

/// The colour of mark `index` until the drawing is finished.
fn placeholder(index: usize) -> RGBColor {
    RGBColor(MARK, (index >> 8) as u8, index as u8)
}

/// The error of a drawing.
pub(super) fn failed(error: Box<dyn std::error::Error>) -> ReportError {
    ReportError::Plot(error.to_string())
}

type Chart<'a, B> = ChartContext<'a, B, Cartesian2d<Axis, Axis>>;
type Outcome = Result<(), Box<dyn std::error::Error>>;

/// Draws a plot with one colour for each mark.
pub(super) fn draw<B: DrawingBackend>(
    root: &DrawingArea<B, Shift>,
    format: Format,
    (x, y): (Axis, Axis),
    marks: &[Mark],
    colours: &[RGBColor],
) -> Outcome
where
    B::ErrorType: 'static,
{
    let names = (x.name.clone(), y.name.clone());
    let text = (x.formatter(format.labels.0), y.formatter(format.labels.1));
    let mut chart = ChartBuilder::on(root)
        .margin(14)
        .x_label_area_size(46)
        .y_label_area_size(format.left)
        .build_cartesian_2d(x, y)?;
    chart
        .configure_mesh()
        .x_desc(names.0)
        .y_desc(names.1)
        .axis_style(INK.mix(0.5))
        .bold_line_style(INK.mix(0.14))
        .light_line_style(TRANSPARENT)
        .label_style(("sans-serif", 15).into_font().color(&INK))
        .axis_desc_style(("sans-serif", 16).into_font().color(&INK))
        .x_labels(format.labels.0)
        .y_labels(format.labels.1)
        .x_label_formatter(&|value| text.0(*value))
        .y_label_formatter(&|value| text.1(*value))
        .draw()?;
    for (mark, colour) in marks.iter().zip(colours) {
        draw_mark(&mut chart, *colour, &mark.shape)?;
    }
    root.present()?;
    Ok(())
}

fn draw_mark<B: DrawingBackend>(
    chart: &mut Chart<'_, B>,
    colour: RGBColor,
    shape: &Shape,
) -> Outcome
where
    B::ErrorType: 'static,
{
    match shape {
        Shape::Line(points, width) => {
            let points = points.iter().copied().filter(can_draw);
            chart.draw_series(LineSeries::new(points, colour.stroke_width(*width)))?;
        }
        Shape::Dots(points, radius) => {
            let points = points.iter().filter(|(at, _)| can_draw(at));
            chart.draw_series(points.map(|&(at, opacity)| {
                let opacity = opacity.clamp(0.0, 1.0);
                // Three digits are enough.
                let style = colour.mix((opacity * 1e3).round() / 1e3).filled();
                Circle::new(at, *radius, style)
            }))?;
        }
        Shape::Bars(bars) => {
            let bars = bars
                .iter()
                .filter(|b| [b.0, b.1, b.2].into_iter().all(drawable));
            let style = colour.stroke_width(2);
            for &(x, low, high) in bars {
                let bar = PathElement::new([(x, low), (x, high)], style);
                chart.draw_series(std::iter::once(bar))?;
                let cap = |y| EmptyElement::at((x, y)) + PathElement::new([(-4, 0), (4, 0)], style);
                chart.draw_series([low, high].map(cap))?;
            }
        }
        Shape::Words(words) => {
            let style = ("sans-serif", 14).into_font().color(&colour);
            let words = words.iter().filter(|(at, _)| can_draw(at));
            let text = words.map(|(at, text)| Text::new(text.clone(), *at, style.clone()));
            chart.draw_series(text)?;
        }
    }
    Ok(())
}

fn can_draw(point: &(f64, f64)) -> bool {
    drawable(point.0) && drawable(point.1)
}
