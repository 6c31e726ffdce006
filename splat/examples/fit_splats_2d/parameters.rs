//! The parameters of ellipses without constraints, and Adam (Kingma and Ba, 2015).

use splat::activation::{opacities_from_logits, opacities_from_logits_vjp};
use splat::ellipses::{EllipseScene, Ellipses, EllipsesGradient, Shapes};

use crate::fits;

/// Numbers per ellipse: mean 2, factor of the covariance 3, logit of the opacity, colour 3.
const WIDTH: usize = 9;

/// The least variance along an axis, px^2.
const LEAST_VARIANCE: f32 = 0.3;

/// The step of each number: means, factors, logit, colours.
const STEPS: [f32; WIDTH] = [0.3, 0.3, 0.2, 0.2, 0.2, 0.05, 0.02, 0.02, 0.02];

/// The parameters `[M, 9]`, and the moments of their gradients.
pub(crate) struct Parameters {
    values: Vec<f32>,
    first: Vec<f32>,
    second: Vec<f32>,
    steps: usize,
}

/// The buffers of the ellipses that the parameters stand for.
pub(crate) struct Splats {
    means: Vec<f32>,
    covariances: Vec<f32>,
    opacities: Vec<f32>,
    depths: Vec<f32>,
    colours: Vec<f32>,
}

impl Parameters {
    /// Returns round grey ellipses, spread evenly over a picture by a sequence of low discrepancy.
    pub(crate) fn spread(count: usize, [width, height]: [usize; 2], opacity: f32) -> Self {
        let (w, h) = (width as f32, height as f32);
        let logit = fits::logit(opacity);
        let radius = (w * h / count as f32).sqrt();
        let row = |i: usize| {
            let at = |step: f64| (step * i as f64).fract() as f32;
            let mean = [w * at(0.754_877_666_2), h * at(0.569_840_290_9)];
            [mean[0], mean[1], radius, 0.0, radius, logit, 0.5, 0.5, 0.5]
        };
        let values: Vec<f32> = (0..count).flat_map(row).collect();
        let zeros = vec![0.0; values.len()];
        Self {
            values,
            first: zeros.clone(),
            second: zeros,
            steps: 0,
        }
    }

    /// Returns the number of steps that were taken.
    pub(crate) fn steps(&self) -> usize {
        self.steps
    }

    fn rows(&self) -> &[[f32; WIDTH]] {
        self.values.as_chunks().0
    }

    /// Returns the ellipses. The covariance is `L L^T` of a triangular factor `L`, plus the least
    /// variance.
    pub(crate) fn splats(&self) -> Splats {
        let rows = self.rows();
        let covariance = |row: &[f32; WIDTH]| {
            let [_, _, a, b, c, ..] = *row;
            [
                a * a + LEAST_VARIANCE,
                a * b,
                b * b + c * c + LEAST_VARIANCE,
            ]
        };
        let logits: Vec<f32> = rows.iter().map(|row| row[5]).collect();
        Splats {
            means: rows.iter().flat_map(|row| [row[0], row[1]]).collect(),
            covariances: rows.iter().flat_map(covariance).collect(),
            opacities: opacities_from_logits(&logits),
            depths: (0..rows.len()).map(|i| i as f32).collect(),
            colours: rows
                .iter()
                .flat_map(|row| [row[6], row[7], row[8]])
                .collect(),
        }
    }

    /// Takes one step against the gradient.
    pub(crate) fn descend(&mut self, v: &EllipsesGradient<Vec<f32>>) {
        let opacities = self.splats().opacities;
        let v_logits = opacities_from_logits_vjp(&opacities, &v.opacities).unwrap_or_default();
        let rows = self.rows().iter().zip(&v_logits).enumerate();
        let gradient = rows.flat_map(|(i, (&[_, _, a, b, c, ..], &logit))| {
            let [xx, xy, yy] = [0, 1, 2].map(|k| v.shapes[3 * i + k]);
            let factor = [2.0 * a * xx + b * xy, a * xy + 2.0 * b * yy, 2.0 * c * yy];
            let [r, g, b] = [0, 1, 2].map(|k| v.features[3 * i + k]);
            let [x, y] = [v.means[2 * i], v.means[2 * i + 1]];
            [x, y, factor[0], factor[1], factor[2], logit, r, g, b]
        });
        let gradient: Vec<f32> = gradient.collect();
        self.steps += 1;
        let bias = |beta: f32| 1.0 - beta.powi(self.steps as i32);
        let (bias_1, bias_2) = (bias(0.9), bias(0.99));
        for (i, g) in gradient.into_iter().enumerate() {
            self.first[i] = 0.9 * self.first[i] + 0.1 * g;
            self.second[i] = 0.99 * self.second[i] + 0.01 * g * g;
            let scale = (self.second[i] / bias_2).sqrt() + 1e-8;
            self.values[i] -= STEPS[i % WIDTH] * self.first[i] / bias_1 / scale;
        }
    }
}

impl Splats {
    /// Returns the ellipses on grey, with `offsets` of one picture.
    pub(crate) fn scene<'a>(
        &'a self,
        offsets: &'a [usize],
        [width, height]: [usize; 2],
    ) -> EllipseScene<'a, &'a [f32]> {
        EllipseScene {
            ellipses: Ellipses {
                means: &self.means,
                shapes: &self.covariances,
                kind: Shapes::Covariances,
                opacities: &self.opacities,
                depths: &self.depths,
                features: &self.colours,
                offsets,
                channels: 3,
            },
            backgrounds: &[0.5; 3],
            width,
            height,
        }
    }
}
