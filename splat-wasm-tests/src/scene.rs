//! The scene. Its numbers are sums and products of integers and exact fractions, so that every
//! platform draws the same bits.

use splat::encoding::Encoding;
use splat::{Camera, CpuScalar, Gaussians, Views};

/// The number of Gaussians. Each view has more than one block of them and more than one batch in a
/// tile.
const GAUSSIANS: usize = 400;
const CHANNELS: usize = 3;
/// The degree of the harmonics and the number of their terms.
const DEGREE: u32 = 3;
const TERMS: usize = 16;

/// The inputs of a render whose features are spherical harmonics.
pub struct Inputs<T> {
    means: Vec<T>,
    scales: Vec<T>,
    quaternions: Vec<T>,
    opacities: Vec<T>,
    coefficients: Vec<T>,
    pub backgrounds: Vec<T>,
    pub views: Views,
}

impl<T: CpuScalar> Inputs<T> {
    /// Draws the scene: Gaussians in front of two cameras. Some of them are outside the images or
    /// opaque, and the two views share half of them.
    pub fn draw() -> Self {
        let mut draws = Draws(7);
        let mut means = Vec::new();
        for _ in 0..GAUSSIANS {
            let z = draws.between(3.0, 9.0);
            means.push(T::from_f64(z * draws.between(-0.7, 0.7)));
            means.push(T::from_f64(z * draws.between(-0.6, 0.6)));
            means.push(T::from_f64(z));
        }
        // No multiple of the size of a tile.
        let (width, height) = (67, 45);
        let turned = [
            [0.96, 0.0, 0.28, -1.5],
            [0.0, 1.0, 0.0, 0.1],
            [-0.28, 0.0, 0.96, 0.4],
        ];
        Self {
            means,
            scales: draws.many(3 * GAUSSIANS, 0.02, 0.5),
            quaternions: draws.many(4 * GAUSSIANS, -1.0, 1.0),
            opacities: draws.many(GAUSSIANS, 0.0, 1.05),
            coefficients: draws.many(GAUSSIANS * TERMS * CHANNELS, -0.4, 0.4),
            backgrounds: draws.many(2 * CHANNELS, 0.0, 1.0),
            views: Views {
                width,
                height,
                cameras: vec![
                    Camera::pinhole(52.0, 51.0, 33.0, 23.0),
                    Camera::hybrid(8.0, 9.0, 34.0, 21.5).with_pose(turned),
                ],
                ranges: vec![0..300, 100..GAUSSIANS],
            },
        }
    }

    /// Returns the scene with one number too few in `scales`.
    pub fn without_a_scale(mut self) -> Self {
        self.scales.pop();
        self
    }

    pub fn gaussians(&self) -> Gaussians<&[T]> {
        Gaussians {
            means: &self.means,
            scales: &self.scales,
            quaternions: &self.quaternions,
            opacities: &self.opacities,
            features: &self.coefficients,
            count: GAUSSIANS,
            channels: CHANNELS,
            encoding: Encoding::PLAIN.with_harmonics(DEGREE),
        }
    }
}

/// Returns the gradient of a loss with respect to an output of `count` numbers.
pub fn weights<T: CpuScalar>(count: usize) -> Vec<T> {
    Draws(count as u64).many(count, -1.0, 1.0)
}

/// Random numbers: Knuth's linear congruential generator of MMIX.
struct Draws(u64);

impl Draws {
    fn between(&mut self, least: f64, most: f64) -> f64 {
        let next = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = next.wrapping_add(1_442_695_040_888_963_407);
        let unit = (self.0 >> 32) as f64 / (1u64 << 32) as f64;
        least + (most - least) * unit
    }

    fn many<T: CpuScalar>(&mut self, count: usize, least: f64, most: f64) -> Vec<T> {
        (0..count)
            .map(|_| T::from_f64(self.between(least, most)))
            .collect()
    }
}
