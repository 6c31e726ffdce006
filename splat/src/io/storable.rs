//! What the writers require of a scene.

use super::error::FileError;
use super::scene::{CHANNELS, Colours, StoredScene};
use crate::error::RenderError;

/// Value of the basis function of degree 0 everywhere: `1 / sqrt(4 pi)`.
pub(super) const SH_C0: f64 = 0.282_094_791_773_878_14;
/// Greatest degree of harmonics.
const MOST_DEGREE: u32 = 4;

/// The features of a scene as harmonics. A constant colour c is the coefficient
/// `(c - 1/2) / SH_C0` of degree 0.
pub(super) struct Harmonics<'a> {
    colours: &'a Colours,
    /// Degree, 0 to 4.
    pub(super) degree: u32,
    /// The number of coefficients of a channel.
    pub(super) count: usize,
}

impl<'a> Harmonics<'a> {
    /// Checks that the buffers of a scene belong together and have values that a file can hold.
    pub(super) fn of(scene: &'a StoredScene) -> Result<Self, FileError> {
        let unequal = |error| match error {
            RenderError::Shape {
                argument,
                expected,
                got,
            } => FileError::scene(argument, expected, got),
            other => FileError::scene("scene", "buffers of one scene", other),
        };
        scene.check_lengths().map_err(unequal)?;
        let degree = match &scene.colours {
            Colours::Constant(_) => 0,
            Colours::Harmonics { degree, .. } => *degree,
        };
        if degree > MOST_DEGREE {
            return Err(FileError::scene("degree", "0 to 4", degree));
        }
        let finite = |x: f32| x.is_finite();
        check("means", &scene.means, 3, "finite numbers", finite)?;
        let positive = |x: f32| x >= 0.0 && x.is_finite();
        let expected = "finite numbers of at least 0";
        check("scales", &scene.scales, 3, expected, positive)?;
        check(
            "quaternions",
            &scene.quaternions,
            4,
            "finite numbers",
            finite,
        )?;
        let share = |x: f32| (0.0..=1.0).contains(&x);
        check(
            "opacities",
            &scene.opacities,
            1,
            "numbers from 0 to 1",
            share,
        )?;
        let count = (degree as usize + 1).pow(2);
        match &scene.colours {
            // A render clamps harmonics at 0, and constant colours not at all.
            Colours::Constant(colours) => {
                let expected = "numbers from 0 to 1e37";
                let bounded = |x: f32| (0.0..=1e37).contains(&x);
                check("colours", colours, CHANNELS, expected, bounded)?;
            }
            Colours::Harmonics { coefficients, .. } => {
                let row = CHANNELS * count;
                check("coefficients", coefficients, row, "finite numbers", finite)?;
            }
        }
        if !scene.origin.iter().all(|x| x.is_finite()) {
            let got = format!("{:?}", scene.origin);
            return Err(FileError::scene("origin", "finite numbers", got));
        }
        Ok(Self {
            colours: &scene.colours,
            degree,
            count,
        })
    }

    /// Returns a coefficient of Gaussian `i`.
    pub(super) fn coefficient(&self, i: usize, k: usize, channel: usize) -> f32 {
        match self.colours {
            Colours::Constant(colours) => {
                let colour = f64::from(colours[CHANNELS * i + channel]);
                ((colour - 0.5) / SH_C0) as f32
            }
            Colours::Harmonics { coefficients, .. } => {
                coefficients[(i * self.count + k) * CHANNELS + channel]
            }
        }
    }
}

/// Checks every value of a buffer of rows of `width` values.
fn check(
    name: &str,
    values: &[f32],
    width: usize,
    expected: &str,
    fine: impl Fn(f32) -> bool,
) -> Result<(), FileError> {
    match values.iter().position(|&x| !fine(x)) {
        Some(at) => Err(FileError::scene(
            format!("{name}, Gaussian {}", at / width),
            expected,
            values[at],
        )),
        None => Ok(()),
    }
}
