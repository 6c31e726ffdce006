//! Difference quotients.

use crate::config::RenderConfig;

/// Returns the derivative of `f` with respect to `x[i]`, to fourth order in the step. It is zero if
/// `x` has no element `i`.
pub fn difference(x: &[f64], i: usize, step: f64, f: impl Fn(&[f64]) -> f64) -> f64 {
    let at = |k: f64| {
        let mut moved = x.to_vec();
        if let Some(x) = moved.get_mut(i) {
            *x += k * step;
        }
        f(&moved)
    };
    quotient(at, step)
}

/// Returns the derivative of `f` at `x` along `direction`, to fourth order in the step. If
/// `direction` is shorter than `x`, the rest of `x` does not move.
pub fn directional(x: &[f64], direction: &[f64], step: f64, f: impl Fn(&[f64]) -> f64) -> f64 {
    let at = |k: f64| {
        let mut moved = x.to_vec();
        for (x, along) in moved.iter_mut().zip(direction) {
            *x += k * step * along;
        }
        f(&moved)
    };
    quotient(at, step)
}

fn quotient(at: impl Fn(f64) -> f64, step: f64) -> f64 {
    (8.0 * (at(1.0) - at(-1.0)) - (at(2.0) - at(-2.0))) / (12.0 * step)
}

/// Returns settings for `f64` under which a render has no jump at `alpha_min` and at the end of a
/// pixel. The thresholds are so low that crossing one changes the image by less than a difference
/// quotient can resolve.
///
/// The render still has kinks where two splats change their order, at `near` and `far`, at the clamp
/// of the tangents, at the floor of the compensation, and at opacities above `1 - 1e-9`.
#[must_use]
pub fn smooth(config: RenderConfig) -> RenderConfig {
    config
        .with_alpha_min(1e-15)
        .with_alpha_max(1.0 - 1e-9)
        .with_transmittance_min(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_exact_for_polynomials_of_degree_four() {
        let f = |x: &[f64]| x[0].powi(4) - 2.0 * x[0] * x[1].powi(3);
        let (x, step) = ([1.5, -0.5], 0.25);
        let expected = [4.0 * 3.375 - 2.0 * -0.125, -6.0 * 1.5 * 0.25];
        for (i, expected) in expected.into_iter().enumerate() {
            assert!((difference(&x, i, step, f) - expected).abs() < 1e-12);
        }
        assert_eq!(difference(&x, 2, step, f), 0.0);
        let along = directional(&x, &[2.0, -1.0], step, f);
        assert!(
            (along - (2.0 * expected[0] - expected[1])).abs() < 1e-12,
            "{along}"
        );
        let first = directional(&x, &[1.0], step, f);
        assert!((first - expected[0]).abs() < 1e-12);
    }
}
