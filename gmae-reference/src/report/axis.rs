//! One axis of a plot: its range, its scale and its labels.

use std::ops::Range;

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};
use plotters::coord::types::RangedCoordf64;

use super::words::short;

/// An axis is logarithmic if its largest value exceeds its smallest by more than this factor.
const LOG_FROM: f64 = 8.0;
/// Largest absolute value that is drawn. Differences of such values are finite.
const LARGEST: f64 = 1e150;
/// The smallest relative length of a linear axis. The positions of the labels of a shorter one
/// would not differ in `f64`.
const SHORTEST: f64 = 1e-9;
/// Largest number of powers of ten that have labels on a logarithmic axis.
const MOST_POWERS: usize = 12;
/// With more powers of ten than this, a logarithmic axis has labels only at powers of ten.
const DENSE_POWERS: usize = 4;
/// Largest number of decimals of a label.
const MOST_DECIMALS: usize = 9;
/// The smallest distance of two labels at given values, as a part of the length of the axis.
const LABEL_DISTANCE: f64 = 0.08;

/// One axis of a plot. Every value on it is finite.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    pub name: String,
    /// Formats a label. `None` stands for [`short`] with as many digits as the labels need.
    pub format: Option<fn(f64) -> String>,
    low: f64,
    high: f64,
    logarithmic: bool,
    ticks: Option<Vec<f64>>,
}

impl Axis {
    /// Creates a linear axis from `low` to `high` without margins. It is longer if `low` equals
    /// `high`.
    pub(super) fn exact(name: &str, (low, high): (f64, f64)) -> Self {
        let longer = high - low > SHORTEST * low.abs().max(high.abs());
        Self {
            name: name.to_owned(),
            format: None,
            low,
            high: if longer {
                high
            } else {
                low + low.abs().max(1.0)
            },
            logarithmic: false,
            ticks: None,
        }
    }

    /// Creates an axis with a margin on both sides of `low..high`. It is logarithmic if all values
    /// are positive and the largest is more than 8 times the smallest.
    pub(super) fn fitted(name: &str, (low, high): (f64, f64)) -> Self {
        if low > 0.0 && high > LOG_FROM * low {
            let (low, high) = (low * 0.85, high * 1.18);
            return Self {
                name: format!("{name} (logarithmic)"),
                ticks: Some(round(low, high)),
                logarithmic: true,
                ..Self::exact(name, (low, high))
            };
        }
        let margin = if high - low > SHORTEST * high.abs().max(low.abs()) {
            0.06 * (high - low)
        } else {
            0.5 * high.abs().max(1e-3)
        };
        Self::exact(name, (low - margin, high + margin))
    }

    /// Puts the labels at `values`, without those that would touch another label.
    pub(super) fn with_labels_at(mut self, values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.filter(|v| drawable(*v)).collect();
        values.sort_by(f64::total_cmp);
        let mut kept: Vec<f64> = Vec::new();
        for value in values {
            let last = kept.last().map(|&last| self.part(last));
            if last.is_none_or(|last| self.part(value) - last >= LABEL_DISTANCE) {
                kept.push(value);
            }
        }
        self.ticks = Some(kept);
        self
    }

    /// Returns the values at both ends.
    pub(super) fn ends(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    /// Returns the function that formats the labels of an axis with at most `most` labels.
    pub(super) fn formatter(&self, most: usize) -> Box<dyn Fn(f64) -> String> {
        if let Some(format) = self.format {
            return Box::new(format);
        }
        if self.logarithmic {
            return Box::new(|value| match value {
                whole if whole >= 1.0 => format!("{whole:.0}"),
                part => short(part),
            });
        }
        let tiny = SHORTEST * (self.high - self.low);
        let labels = self.key_points(most);
        let largest = labels.iter().fold(0.0, |size: f64, v| size.max(v.abs()));
        let fits = |decimals: &usize| {
            let scale = 10_f64.powi(*decimals as i32);
            let exact = |v: &f64| ((v * scale).round() / scale - v).abs() <= tiny;
            labels.iter().all(exact)
        };
        match (0..=MOST_DECIMALS).find(fits) {
            Some(decimals) if (1e-3..1e9).contains(&largest) => Box::new(move |value| {
                // Adding zero makes -0 equal to 0.
                let value = if value.abs() <= tiny { 0.0 } else { value };
                format!("{value:.decimals$}")
            }),
            _ => Box::new(short),
        }
    }

    /// Returns the position of a value between the ends of the axis, which are 0 and 1.
    fn part(&self, value: f64) -> f64 {
        let at = |v: f64| if self.logarithmic { v.ln() } else { v };
        (at(value) - at(self.low)) / (at(self.high) - at(self.low))
    }
}

impl Ranged for Axis {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        if self.logarithmic {
            return RangedCoordf64::from(self.low.ln()..self.high.ln()).map(&value.ln(), limit);
        }
        RangedCoordf64::from(self.low..self.high).map(value, limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        match &self.ticks {
            Some(ticks) => ticks.clone(),
            None => RangedCoordf64::from(self.low..self.high).key_points(hint),
        }
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

/// Returns whether a value can be drawn: it is finite and not huge.
pub(super) fn drawable(value: f64) -> bool {
    value.abs() <= LARGEST
}

/// Returns the smallest and the largest drawable value, or `None` if there is none.
pub(super) fn bounds(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.filter(|&v| drawable(v)).fold(None, |range, v| {
        let (low, high) = range.unwrap_or((v, v));
        Some((low.min(v), high.max(v)))
    })
}

/// The values from `low` to `high` that are 1, 2 or 5 times a power of ten: the labels of a
/// logarithmic axis. A long axis has fewer labels.
fn round(low: f64, high: f64) -> Vec<f64> {
    let powers = low.log10().floor() as i32..=high.log10().floor() as i32;
    let count = powers.clone().count();
    let leads: &[f64] = if count > DENSE_POWERS {
        &[1.0]
    } else {
        &[1.0, 2.0, 5.0]
    };
    let values = powers
        .step_by(count.div_ceil(MOST_POWERS).max(1))
        .flat_map(|power| leads.iter().map(move |lead| lead * 10_f64.powi(power)));
    values.filter(|v| (low..=high).contains(v)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_a_logarithmic_axis_are_round() {
        assert!(round(0.3, 0.4).is_empty());
        assert_eq!(round(0.9, 25.0), [1.0, 2.0, 5.0, 10.0, 20.0]);
        assert_eq!(round(0.5, 2e5), [1.0, 10.0, 100.0, 1e3, 1e4, 1e5]);
        assert!(round(1e-120, 1e120).len() <= MOST_POWERS);
    }

    #[test]
    fn the_scale_follows_the_span() {
        let logarithmic = |low, high| Axis::fitted("x", (low, high)).logarithmic;
        assert!(logarithmic(1.0, 8.1) && logarithmic(64.0, 1024.0));
        for (low, high) in [(1.0, 8.0), (0.0, 9.0), (-1.0, 9.0), (3.0, 3.0)] {
            assert!(!logarithmic(low, high), "{low} {high}");
        }
    }

    #[test]
    fn an_axis_has_a_length() {
        let ends = [
            -1e150,
            -3.0,
            0.0,
            1e-300,
            0.5,
            1.0,
            1.0 + 1e-15,
            1e16,
            1e150,
        ];
        for (i, &low) in ends.iter().enumerate() {
            for &high in &ends[i..] {
                for axis in [
                    Axis::fitted("x", (low, high)),
                    Axis::exact("x", (low, high)),
                ] {
                    assert!(axis.low < axis.high, "{axis:?}");
                    let labels = axis.key_points(12_usize);
                    assert!(labels.len() < 40, "{axis:?}: {labels:?}");
                }
            }
        }
    }

    /// A label read as a number is the value at its place.
    #[test]
    fn labels_have_the_digits_that_they_need() {
        for (low, high) in [
            (83.0, 83.4),
            (0.51234, 0.51244),
            (1000.0, 1002.0),
            (-1.0, 1.0),
            (0.0, 5e-4),
            (-3e6, 7e6),
        ] {
            let axis = Axis::exact("x", (low, high));
            let labels = axis.key_points(6_usize);
            assert!(labels.len() > 2, "{labels:?}");
            let text = axis.formatter(6);
            for value in labels {
                let read: f64 = text(value).parse().unwrap();
                let error = (read - value).abs();
                assert!(error < 1e-6 * (high - low), "{value} {read}");
            }
        }
        let whole = Axis::exact("x", (-10.0, 10.0)).formatter(6);
        assert_eq!([-5.0, -3e-17, 10.0].map(whole), ["-5", "0", "10"]);
        let logarithmic = Axis::fitted("x", (0.01, 100.0)).formatter(6);
        assert_eq!([0.02, 1.0, 50.0].map(logarithmic), ["0.02", "1", "50"]);
    }

    #[test]
    fn labels_do_not_touch() {
        let axis = |values: &[f64]| {
            let axis = Axis::fitted("x", (1.0, 1024.0));
            let values = values.iter().copied();
            axis.with_labels_at(values).ticks.expect("labels")
        };
        assert_eq!(axis(&[64.0, 8.0, 512.0]), [8.0, 64.0, 512.0]);
        assert_eq!(axis(&[64.0, 66.0, 64.0, f64::NAN]), [64.0]);
    }
}
