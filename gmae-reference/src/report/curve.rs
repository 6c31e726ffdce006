//! The loss curves: of one run, or of several runs in one plot.

use super::axis::{Axis, bounds, drawable};
use super::data::LossCurve;
use super::error::ReportError;
use super::plot::{self, Mark, WIDE, series};
use super::series::{drawable_points, thinned};

/// Largest number of points on the training curve of one run. A longer curve is averaged in groups,
/// which keeps the page small and the line readable.
const MAX_POINTS: usize = 1000;
/// The same, if several runs share the plot. The jitter of one run must not hide the others.
const MAX_SHARED_POINTS: usize = 250;

/// Draws the curves of one run. The result is `None` if no finite point was recorded.
pub(super) fn svg(loss: &LossCurve, baseline: Option<f64>) -> Result<Option<String>, ReportError> {
    let baseline = baseline.filter(|&loss| drawable(loss));
    let train = thinned(&drawable_points(&loss.train), MAX_POINTS);
    let held_out = drawable_points(&loss.held_out);
    let Some((x, y)) = axes(&[&train, &held_out], baseline) else {
        return Ok(None);
    };
    let mut marks = vec![Mark::line("train", train, 1)];
    if let Some(loss) = baseline {
        let (first, last) = x.ends();
        let ends = vec![(first, loss), (last, loss)];
        marks.push(Mark::line("baseline", ends, 2));
    }
    marks.push(Mark::line("held-out", held_out.clone(), 3));
    marks.push(Mark::dots("held-out", &held_out, 4));
    plot::svg(WIDE, x, y, &marks).map(Some)
}

/// Draws the training curves of several runs, points `(step, loss)`, in the colours of [`series`].
/// The result is `None` if no finite point was recorded.
pub(super) fn runs_svg<'a>(
    curves: impl Iterator<Item = &'a [(f64, f64)]>,
) -> Result<Option<String>, ReportError> {
    let curves: Vec<_> = curves
        .map(|curve| thinned(&drawable_points(curve), MAX_SHARED_POINTS))
        .collect();
    let slices: Vec<&[(f64, f64)]> = curves.iter().map(Vec::as_slice).collect();
    let Some((x, y)) = axes(&slices, None) else {
        return Ok(None);
    };
    let mut marks = Vec::new();
    for (i, curve) in curves.into_iter().enumerate() {
        // A line through one point is invisible.
        if curve.len() == 1 {
            marks.push(Mark::dots(series(i), &curve, 4));
        }
        marks.push(Mark::line(series(i), curve, 2));
    }
    plot::svg(WIDE, x, y, &marks).map(Some)
}

/// Returns the axes for all points of `curves` and the loss `also`, or `None` without a point.
fn axes(curves: &[&[(f64, f64)]], also: Option<f64>) -> Option<(Axis, Axis)> {
    let points = || curves.iter().copied().flatten();
    let steps = bounds(points().map(|p| p.0))?;
    let losses = bounds(points().map(|p| p.1).chain(also))?;
    let mut x = Axis::exact("training step", steps);
    x.format = Some(|step| format!("{step:.0}"));
    Some((x, Axis::fitted("loss", losses)))
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
            assert!(!text.contains("http") && !text.contains("=\"#"), "{text}");
            assert_eq!(text.matches(r#"class="train""#).count(), 1);
            assert_eq!(text.matches(r#"class="baseline""#).count(), 1);
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
    }

    #[test]
    fn odd_curves_are_drawn_or_left_out() {
        assert_eq!(svg(&LossCurve::default(), Some(0.1)).unwrap(), None);
        assert_eq!(svg(&curve(&[(1.0, f64::NAN)]), Some(0.1)).unwrap(), None);
        for points in [
            vec![(5.0, 0.3)],
            vec![(0.0, 0.0), (1.0, 0.0)],
            vec![(0.0, -1.0), (1.0, f64::INFINITY)],
            vec![(0.0, 0.7), (1.0, 1e300), (2.0, 0.7 + 1e-16)],
            vec![(0.0, 1e-140), (1e16, 1e140)],
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
    fn every_run_has_a_line_of_its_own() {
        let curves: Vec<Vec<(f64, f64)>> = (0..12)
            .map(|run| (0..9).map(|i| (f64::from(i), f64::from(run + i))).collect())
            .collect();
        let svg = runs_svg(curves.iter().map(Vec::as_slice)).unwrap().unwrap();
        assert_eq!(svg.matches(r#"class="s"#).count(), 12);
        for class in ["s0", "s7", "s0 d1", "s3 d1"] {
            let text = format!(r#"class="{class}""#);
            assert_eq!(svg.matches(&text).count(), 1, "{class}");
        }
        // A run of one point is a disc, and a run without points is left out.
        let few: [&[(f64, f64)]; 3] = [&[(1.0, 2.0)], &[], &[(f64::NAN, 1.0)]];
        let svg = runs_svg(few.into_iter()).unwrap().unwrap();
        assert_eq!(svg.matches("<circle").count(), 1);
        assert_eq!(runs_svg(std::iter::empty()).unwrap(), None);
    }
}
