//! Random numbers of several distributions, made of uniform numbers.

use std::f64::consts::TAU;

use crate::math::{Vec3, exp};

/// A source of random numbers. Each pair of normal numbers takes two uniform numbers.
pub(super) struct Draws<'a> {
    uniform: &'a mut dyn FnMut() -> f64,
    /// The second number of a pair.
    spare: Option<f64>,
}

impl<'a> Draws<'a> {
    pub(super) fn new(uniform: &'a mut dyn FnMut() -> f64) -> Self {
        Self {
            uniform,
            spare: None,
        }
    }

    /// Returns a number in `[0, 1)`, whatever the caller's function returns.
    pub(super) fn uniform(&mut self) -> f64 {
        const MOST: f64 = 1.0 - f64::EPSILON / 2.0;
        let number = (self.uniform)();
        if number.is_nan() {
            0.0
        } else {
            number.clamp(0.0, MOST)
        }
    }

    /// Returns a number of the standard normal distribution (Box and Muller 1958). Its magnitude is
    /// at most 8.6.
    fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let radius = (-2.0 * exp::ln_f64(1.0 - self.uniform())).sqrt();
        let (sine, cosine) = (TAU * self.uniform()).sin_cos();
        self.spare = Some(radius * sine);
        radius * cosine
    }

    /// Returns three independent numbers of the standard normal distribution.
    pub(super) fn normals(&mut self) -> Vec3<f64> {
        let (x, y, z) = (self.normal(), self.normal(), self.normal());
        Vec3 { x, y, z }
    }
}
