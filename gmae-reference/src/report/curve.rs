//! The loss curve as inline SVG. Text and grid have the text colour of the page, so that the curve
//! is readable on light and dark pages.

use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;

use super::data::LossCurve;
use super::error::ReportError;
use super::words::short;

/// Size of the drawing in SVG units. The page scales it.
const SIZE: (u32, u32) = (900, 380);
/// Placeholder for the text colour of the page.
const INK: RGBColor = RGBColor(1, 2, 3);
const INK_HEX: &str = "#010203";
const TRAIN: RGBColor = RGBColor(0x6F, 0x9B, 0xD1);
const HELD_OUT: RGBColor = RGBColor(0xE4, 0x57, 0x2E);
const BASELINE: RGBColor = RGBColor(0x2F, 0xA0, 0x78);
/// The axis is logarithmic if the largest loss exceeds the smallest by more than this factor.
const LOG_FROM: f64 = 8.0;
/// Label of the logarithmic axis.
const Y_LOG: &str = "loss (logarithmic)";
/// Largest number of points on the training curve. A longer curve is averaged in groups, which
/// keeps the page small and the line readable.
const MAX_POINTS: usize = 1000;

/// Draws the curve. The result is `None` if no finite point was recorded.
pub(super) fn svg(loss: &LossCurve, baseline: Option<f64>) -> Result<Option<String>, ReportError> {
    let baseline = baseline.filter(|loss| loss.is_finite());
    let (train, held_out) = (thinned(&finite(&loss.train)), finite(&loss.held_out));
    let points = || train.iter().chain(&held_out);
    let Some((low, high)) = bounds(points().map(|p| p.1).chain(baseline)) else {
        return Ok(None);
    };
    let Some((first, last)) = bounds(points().map(|p| p.0)) else {
        return Ok(None);
    };
    let last = if last > first { last } else { first + 1.0 };
    let lines = Lines {
        train: &train,
        held_out: &held_out,
        baseline: baseline.map(|loss| [(first, loss), (last, loss)]),
    };
    let mut text = String::new();
    if low > 0.0 && high > LOG_FROM * low {
        let (low, high) = (low * 0.85, high * 1.18);
        let y = (low..high).log_scale().with_key_points(round(low, high));
        draw(&mut text, first..last, y, Y_LOG, &lines)
    } else {
        let margin = if high > low {
            0.06 * (high - low)
        } else {
            0.5 * high.abs().max(1e-3)
        };
        draw(
            &mut text,
            first..last,
            low - margin..high + margin,
            "loss",
            &lines,
        )
    }
    .map_err(|error| ReportError::Plot(error.to_string()))?;
    // SVG inside an HTML page needs neither a namespace nor a fixed size.
    let inline = text
        .replace(r#" xmlns="http://www.w3.org/2000/svg""#, "")
        .replace(&format!(r#"width="{}" height="{}" "#, SIZE.0, SIZE.1), "")
        .replace(INK_HEX, "currentColor");
    Ok(Some(inline))
}

struct Lines<'a> {
    train: &'a [(f64, f64)],
    held_out: &'a [(f64, f64)],
    baseline: Option<[(f64, f64); 2]>,
}

fn draw<Y>(
    text: &mut String,
    x: std::ops::Range<f64>,
    y: Y,
    y_label: &str,
    lines: &Lines,
) -> Result<(), Box<dyn std::error::Error>>
where
    Y: AsRangedCoord<Value = f64>,
    Y::CoordDescType: ValueFormatter<f64>,
{
    let root = SVGBackend::with_string(text, SIZE).into_drawing_area();
    let mut chart = ChartBuilder::on(&root)
        .margin(14)
        .x_label_area_size(46)
        .y_label_area_size(74)
        .build_cartesian_2d(x, y)?;
    chart
        .configure_mesh()
        .x_desc("training step")
        .y_desc(y_label)
        .axis_style(INK.mix(0.5))
        .bold_line_style(INK.mix(0.14))
        .light_line_style(TRANSPARENT)
        .label_style(("sans-serif", 15).into_font().color(&INK))
        .axis_desc_style(("sans-serif", 16).into_font().color(&INK))
        .x_labels(8)
        .y_labels(12)
        .x_label_formatter(&|step| format!("{step:.0}"))
        .y_label_formatter(&|loss| short(*loss))
        .draw()?;
    chart.draw_series(LineSeries::new(
        lines.train.iter().copied(),
        TRAIN.stroke_width(1),
    ))?;
    if let Some(ends) = lines.baseline {
        chart.draw_series(DashedLineSeries::new(ends, 9, 6, BASELINE.stroke_width(2)))?;
    }
    chart.draw_series(LineSeries::new(
        lines.held_out.iter().copied(),
        HELD_OUT.stroke_width(3),
    ))?;
    let dots = lines
        .held_out
        .iter()
        .map(|&at| Circle::new(at, 4, HELD_OUT.filled()));
    chart.draw_series(dots)?;
    root.present()?;
    Ok(())
}

fn finite(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let good = |p: &&(f64, f64)| p.0.is_finite() && p.1.is_finite();
    points.iter().filter(good).copied().collect()
}

/// Reduces a curve to at most [`MAX_POINTS`] points, the means of neighbouring points.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let group = points.len().div_ceil(MAX_POINTS).max(1);
    let mean = |part: &[(f64, f64)]| {
        let sum = part
            .iter()
            .fold((0.0, 0.0), |sum, p| (sum.0 + p.0, sum.1 + p.1));
        (sum.0 / part.len() as f64, sum.1 / part.len() as f64)
    };
    points.chunks(group).map(mean).collect()
}

/// Returns the smallest and the largest finite value, or `None` if there is none.
fn bounds(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.filter(|v| v.is_finite()).fold(None, |range, v| {
        let (low, high) = range.unwrap_or((v, v));
        Some((low.min(v), high.max(v)))
    })
}

/// The values from `low` to `high` that are 1, 2 or 5 times a power of ten: the labels of a
/// logarithmic axis.
fn round(low: f64, high: f64) -> Vec<f64> {
    let powers = low.log10().floor() as i32..=high.log10().floor() as i32;
    let values = powers.flat_map(|power| [1.0, 2.0, 5.0].map(|lead| lead * 10_f64.powi(power)));
    values.filter(|v| (low..=high).contains(v)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(points: &[(f64, f64)]) -> LossCurve {
        LossCurve {
            train: points.to_vec(),
            held_out: Vec::new(),
        }
    }

    #[test]
    fn a_wide_span_is_logarithmic() {
        let wide = svg(&curve(&[(0.0, 1.0), (10.0, 0.01)]), Some(0.5))
            .unwrap()
            .unwrap();
        let narrow = svg(&curve(&[(0.0, 1.0), (10.0, 0.8)]), Some(0.5))
            .unwrap()
            .unwrap();
        assert!(wide.contains("logarithmic") && !narrow.contains("logarithmic"));
        for text in [wide, narrow] {
            assert!(text.contains("training step") && text.contains("currentColor"));
            assert!(!text.contains("http") && !text.contains(INK_HEX));
            assert_eq!(text.to_uppercase().matches("#6F9BD1").count(), 1);
        }
    }

    /// Every decade of a logarithmic axis has labels.
    #[test]
    fn a_logarithmic_axis_has_round_labels() {
        let svg = svg(&curve(&[(0.0, 0.17), (10.0, 0.014)]), None).unwrap();
        let svg = svg.unwrap();
        for label in ["0.02", "0.05", "0.1"] {
            let text = format!("\n{label}\n");
            assert_eq!(svg.matches(&text).count(), 1, "{label}: {svg}");
        }
        assert!(round(0.3, 0.4).is_empty());
    }

    #[test]
    fn odd_curves_are_drawn_or_left_out() {
        assert_eq!(svg(&LossCurve::default(), Some(0.1)).unwrap(), None);
        assert_eq!(svg(&curve(&[(1.0, f64::NAN)]), Some(0.1)).unwrap(), None);
        for points in [
            vec![(5.0, 0.3)],
            vec![(0.0, 0.0), (1.0, 0.0)],
            vec![(0.0, -1.0), (1.0, f64::INFINITY)],
        ] {
            for baseline in [None, Some(f64::NAN), Some(0.0), Some(0.2)] {
                assert!(
                    svg(&curve(&points), baseline).unwrap().is_some(),
                    "{points:?} {baseline:?}"
                );
            }
        }
    }

    #[test]
    fn long_curves_are_averaged() {
        let points: Vec<_> = (0..2500)
            .map(|i| (f64::from(i), f64::from(i % 3)))
            .collect();
        let thin = thinned(&points);
        assert_eq!(thin.len(), 834);
        assert_eq!(thin[0], (1.0, 1.0));
        assert_eq!(thin[833], (2499.0, 0.0));
        assert_eq!(thinned(&points[..900]), points[..900]);
        assert_eq!(thinned(&[]), []);
    }
}
