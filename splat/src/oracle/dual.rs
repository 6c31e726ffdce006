//! Dual numbers: a value with its derivatives with respect to `N` variables (forward-mode
//! differentiation). With `N = 0` a dual number is a plain `f64`.

use std::ops::{Add, Div, Mul, Neg, Sub};

/// A value and its derivatives with respect to `N` variables.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Dual<const N: usize> {
    pub(super) value: f64,
    pub(super) slopes: [f64; N],
}

impl<const N: usize> Dual<N> {
    /// A value that depends on no variable.
    pub(super) fn constant(value: f64) -> Self {
        Self {
            value,
            slopes: [0.0; N],
        }
    }

    /// Variable `i`.
    pub(super) fn variable(value: f64, i: usize) -> Self {
        let slopes = std::array::from_fn(|k| if k == i { 1.0 } else { 0.0 });
        Self { value, slopes }
    }

    /// A function of this number, whose value and derivative are given.
    fn chain(self, value: f64, derivative: f64) -> Self {
        Self {
            value,
            slopes: self.slopes.map(|slope| derivative * slope),
        }
    }

    /// `1 / (1 + e^-x)`
    pub(super) fn sigmoid(self) -> Self {
        let value = 1.0 / (1.0 + (-self.value).exp());
        self.chain(value, value * (1.0 - value))
    }

    pub(super) fn exp(self) -> Self {
        let value = self.value.exp();
        self.chain(value, value)
    }

    pub(super) fn sqrt(self) -> Self {
        let value = self.value.sqrt();
        self.chain(value, 0.5 / value)
    }

    /// The number, or the constant `limit` if the number is above it.
    pub(super) fn at_most(self, limit: f64) -> Self {
        if self.value > limit {
            Self::constant(limit)
        } else {
            self
        }
    }

    /// The number, or the limit that it exceeds.
    pub(super) fn clamped(self, low: Self, high: Self) -> Self {
        if self.value < low.value {
            low
        } else if self.value > high.value {
            high
        } else {
            self
        }
    }

    /// The number, or the constant `limit` if the number is below it.
    pub(super) fn at_least(self, limit: f64) -> Self {
        if self.value < limit {
            Self::constant(limit)
        } else {
            self
        }
    }
}

impl<const N: usize> Add for Dual<N> {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            value: self.value + other.value,
            slopes: std::array::from_fn(|i| self.slopes[i] + other.slopes[i]),
        }
    }
}

impl<const N: usize> Sub for Dual<N> {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl<const N: usize> Neg for Dual<N> {
    type Output = Self;
    fn neg(self) -> Self {
        self.chain(-self.value, -1.0)
    }
}

#[expect(clippy::suspicious_arithmetic_impl, reason = "the product rule")]
impl<const N: usize> Mul for Dual<N> {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        let slope = |i: usize| self.slopes[i] * other.value + self.value * other.slopes[i];
        Self {
            value: self.value * other.value,
            slopes: std::array::from_fn(slope),
        }
    }
}

#[expect(clippy::suspicious_arithmetic_impl, reason = "the quotient rule")]
impl<const N: usize> Div for Dual<N> {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let value = self.value / other.value;
        let slope = |i: usize| (self.slopes[i] - value * other.slopes[i]) / other.value;
        Self {
            value,
            slopes: std::array::from_fn(slope),
        }
    }
}

impl<const N: usize> Add<f64> for Dual<N> {
    type Output = Self;
    fn add(self, other: f64) -> Self {
        self + Self::constant(other)
    }
}

impl<const N: usize> Mul<f64> for Dual<N> {
    type Output = Self;
    fn mul(self, other: f64) -> Self {
        self.chain(self.value * other, other)
    }
}

impl<const N: usize> std::iter::Sum for Dual<N> {
    fn sum<I: Iterator<Item = Self>>(numbers: I) -> Self {
        numbers.fold(Self::constant(0.0), Self::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The derivatives of every operation, by the rules of a table of derivatives.
    #[test]
    fn operations_have_their_derivatives() {
        let (a, b) = (Dual::<2>::variable(0.7, 0), Dual::<2>::variable(-1.3, 1));
        let (x, y) = (0.7_f64, -1.3_f64);
        for (name, got, value, slopes) in [
            ("a + b", a + b, x + y, [1.0, 1.0]),
            ("a - b", a - b, x - y, [1.0, -1.0]),
            ("-a", -a, -x, [-1.0, 0.0]),
            ("a b", a * b, x * y, [y, x]),
            ("a / b", a / b, x / y, [1.0 / y, -x / (y * y)]),
            ("exp(b)", b.exp(), y.exp(), [0.0, y.exp()]),
            (
                "sigmoid(a)",
                a.sigmoid(),
                1.0 / (1.0 + (-x).exp()),
                [1.0 / (2.0 + x.exp() + (-x).exp()), 0.0],
            ),
            ("sqrt(a)", a.sqrt(), x.sqrt(), [0.5 / x.sqrt(), 0.0]),
            ("a + 3", a + 3.0, x + 3.0, [1.0, 0.0]),
            ("b * 4", b * 4.0, 4.0 * y, [0.0, 4.0]),
            ("at most, above", a.at_most(0.5), 0.5, [0.0, 0.0]),
            ("clamped, above", a.clamped(b, b), y, [0.0, 1.0]),
            ("clamped, within", a.clamped(b, a + 1.0), x, [1.0, 0.0]),
            ("at most, below", a.at_most(0.9), x, [1.0, 0.0]),
            ("at least, below", b.at_least(-1.0), -1.0, [0.0, 0.0]),
            ("at least, above", b.at_least(-2.0), y, [0.0, 1.0]),
            (
                "(a + b) a",
                [a, b].into_iter().sum::<Dual<2>>() * a,
                (x + y) * x,
                [2.0 * x + y, x],
            ),
        ] {
            assert!((got.value - value).abs() < 1e-15, "{name}: {}", got.value);
            for (slope, expected) in got.slopes.iter().zip(slopes) {
                assert!((slope - expected).abs() < 1e-15, "{name}: {slope}");
            }
        }
    }
}
