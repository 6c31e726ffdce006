//! A measure against a number, as inline SVG. Text and grid have the text colour of the page, so
//! that the chart is readable on light and dark pages. The names of the axes are in the caption.

use std::ops::Range;

use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;

use super::error::AblationError;
use super::sheet::Chart;

/// Size of the drawing in SVG units. The page scales it.
const SIZE: (u32, u32) = (480, 300);
/// Placeholder for the text colour of the page.
const INK: RGBColor = RGBColor(1, 2, 3);
const INK_HEX: &str = "#010203";
const LINE: RGBColor = RGBColor(0x6F, 0x9B, 0xD1);
/// The horizontal axis is logarithmic if all numbers are positive and the largest is at least this
/// many times the smallest.
const LOG_FROM: f64 = 4.0;
/// Margin of an axis, as a fraction of its span.
const MARGIN: f64 = 0.08;

/// Draws means, connected by a line, with bars from mean - spread to mean + spread.
///
/// # Errors
///
/// [`AblationError::Chart`] if the chart cannot be drawn.
pub(super) fn svg(chart: &Chart) -> Result<String, AblationError> {
    let points = &chart.points;
    let numbers: Vec<f64> = points.iter().map(|point| point.0).collect();
    let (first, last) = bounds(numbers.iter().copied());
    let ends = points
        .iter()
        .flat_map(|&(_, mean, spread)| [mean - spread, mean + spread]);
    let (low, high) = bounds(ends);
    // Equal means have no span. The chart then spans two units of the last printed digit.
    let least = 10_f64.powi(-(chart.digits as i32));
    let margin = (MARGIN * (high - low)).max(least);
    let y = low - margin..high + margin;
    let mut text = String::new();
    if first > 0.0 && last >= LOG_FROM * first {
        let factor = (last / first).powf(MARGIN);
        let x = (first / factor..last * factor).log_scale();
        draw(&mut text, x.with_key_points(numbers), y, chart)
    } else {
        let margin = MARGIN * (last - first);
        draw(&mut text, first - margin..last + margin, y, chart)
    }
    .map_err(|error| AblationError::Chart(error.to_string()))?;
    // SVG inside an HTML page needs neither a namespace nor a fixed size.
    Ok(text
        .replace(r#" xmlns="http://www.w3.org/2000/svg""#, "")
        .replace(&format!(r#"width="{}" height="{}" "#, SIZE.0, SIZE.1), "")
        .replace(INK_HEX, "currentColor"))
}

fn draw<X>(
    text: &mut String,
    x: X,
    y: Range<f64>,
    chart: &Chart,
) -> Result<(), Box<dyn std::error::Error>>
where
    X: AsRangedCoord<Value = f64>,
    X::CoordDescType: ValueFormatter<f64>,
{
    let root = SVGBackend::with_string(text, SIZE).into_drawing_area();
    let mut area = ChartBuilder::on(&root)
        .margin(10)
        .x_label_area_size(28)
        .y_label_area_size(64)
        .build_cartesian_2d(x, y)?;
    area.configure_mesh()
        .axis_style(INK.mix(0.5))
        .bold_line_style(INK.mix(0.14))
        .light_line_style(TRANSPARENT)
        .label_style(("sans-serif", 14).into_font().color(&INK))
        .x_labels(8)
        .y_labels(6)
        .x_label_formatter(&|x| short(*x))
        .y_label_formatter(&|y| format!("{y:.0$}", chart.digits))
        .draw()?;
    let points = &chart.points;
    let means = points.iter().map(|&(x, mean, _)| (x, mean));
    area.draw_series(LineSeries::new(means.clone(), LINE.stroke_width(2)))?;
    let spread = points.iter().filter(|point| point.2 > 0.0);
    area.draw_series(spread.map(|&(x, mean, spread)| {
        let ends = [(x, mean - spread), (x, mean + spread)];
        PathElement::new(ends, LINE.stroke_width(4))
    }))?;
    area.draw_series(means.map(|at| Circle::new(at, 4, LINE.filled())))?;
    root.present()?;
    Ok(())
}

/// Returns the smallest and the largest value.
fn bounds(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    })
}

/// Formats a label of the horizontal axis with at most four decimals.
fn short(x: f64) -> String {
    let text = format!("{x:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(points: &[(f64, f64, f64)]) -> String {
        svg(&Chart {
            label: "ridge".to_owned(),
            digits: 1,
            points: points.to_vec(),
        })
        .expect("a chart")
    }

    #[test]
    fn a_wide_range_is_logarithmic_with_every_number_as_label() {
        let wide = chart(&[(16.0, 1.0, 0.2), (64.0, 2.0, 0.0), (512.0, 3.0, 0.1)]);
        for label in ["16", "64", "512"] {
            assert!(wide.contains(&format!("\n{label}\n")), "{label}: {wide}");
        }
        // On a logarithmic axis, 64 is two fifths of the way from 16 to 512.
        let x: Vec<f64> = wide
            .match_indices("<circle cx=\"")
            .map(|(at, found)| {
                let rest = &wide[at + found.len()..];
                let end = rest.find('"').expect("a quote");
                rest[..end].parse().expect("a number")
            })
            .collect();
        assert_eq!(x.len(), 3);
        assert!(((x[1] - x[0]) / (x[2] - x[0]) - 0.4).abs() < 0.01, "{x:?}");
    }

    #[test]
    fn only_rows_with_a_spread_have_a_bar() {
        let bars = |points: &[(f64, f64, f64)]| {
            let svg = chart(points);
            assert!(svg.contains("currentColor") && !svg.contains(INK_HEX));
            assert!(!svg.contains("http") && !svg.contains("<script"));
            svg.matches("stroke-width=\"4\"").count()
        };
        assert_eq!(bars(&[(0.7, 1.0, 0.2), (0.8, 2.0, 0.1)]), 2);
        assert_eq!(bars(&[(0.7, 1.0, 0.2), (0.8, 2.0, 0.0)]), 1);
        assert_eq!(bars(&[(-1.0, 2.0, 0.0), (0.0, 2.0, 0.0)]), 0);
    }

    #[test]
    fn labels_are_short() {
        let labels = [0.7, 512.0, 100.0, 0.0].map(short);
        assert_eq!(labels, ["0.7", "512", "100", "0"]);
    }
}
