//! The results that a backend must have, from the oracle, and the comparison with them.

use super::band::{BAND, BAND_SHARE, boundary_band, flips};
use super::compare::{Tolerance, compare, finite_scale};
use super::image::cotangent;
use super::report::Failure;
use super::run::Outcome;
use super::scene::OwnedScene;
use super::transfer::{SINGLE, Transfer};
use crate::contributors::Contributors;
use crate::gradients::Gradients;
use crate::image::Image;
use crate::oracle;

/// The greatest difference of an image outside the boundary band, in units of roundoff of the
/// largest value: a few hundred roundings.
const IMAGE_ROUNDINGS: f64 = 335.0;

/// The greatest difference of a gradient, in units of roundoff of the largest element.
const GRADIENT_ROUNDINGS: f64 = 1700.0;

/// The greatest difference of a gradient, in units of roundoff of the largest element of its row,
/// such as the three numbers of a mean. A row has at least a thousandth of the scale of its buffer.
/// An error of a formula has an effect of more than a hundredth on some row.
const ROW_ROUNDINGS: f64 = 170_000.0;

/// What the oracle makes of a scene.
pub(super) struct Expected {
    image: Image<Vec<f64>>,
    /// The gradient with respect to the image, zero in the band.
    pub(super) v_image: Image<Vec<f64>>,
    gradients: Gradients<Vec<f64>>,
    contributors: Contributors<Vec<f64>, Vec<u32>>,
    /// The splats that each pixel composites: the index within the view, and the weight.
    weights: Vec<Vec<(u32, f64)>>,
    band: Vec<bool>,
}

impl Expected {
    /// `scene` has the numbers that the backend sees. `roundoff` is its greatest relative rounding
    /// error.
    pub(super) fn new(scene: &OwnedScene, roundoff: f64) -> Result<Self, Failure> {
        let mut scene = scene.clone();
        if scene.config.half_features {
            for feature in &mut scene.gaussians.features {
                *feature = half::f16::from_f64(*feature).to_f64();
            }
        }
        let band = boundary_band(&scene, BAND * roundoff / SINGLE)?;
        let near = band.iter().filter(|&&near| near).count();
        if near as f64 > BAND_SHARE * band.len() as f64 {
            let expected = format!("at most {BAND_SHARE} of the pixels near a threshold");
            return Err(Failure::property(
                expected,
                format!("{near} of {}", band.len()),
            ));
        }
        let image = scene.oracle()?;
        let mut v_image = cotangent(&image).without_layers();
        if !scene.config.outputs.transmittance {
            v_image.transmittance = None;
        }
        if !scene.config.outputs.depth {
            v_image.depth = None;
        }
        let channels = scene.gaussians.channels;
        for (pixel, _) in band.iter().enumerate().filter(|(_, near)| **near) {
            v_image.features[pixel * channels..(pixel + 1) * channels].fill(0.0);
            let planes = [&mut v_image.transmittance, &mut v_image.depth];
            for plane in planes.into_iter().flatten() {
                plane[pixel] = 0.0;
            }
        }
        Ok(Self {
            gradients: scene.oracle_gradients(&v_image)?,
            contributors: oracle::contributors(&scene.scene(), &scene.config)?,
            weights: oracle::weights(&scene.scene(), &scene.config)?,
            image,
            v_image,
            band,
        })
    }

    pub(super) fn image_equals<B: Transfer>(
        &self,
        backend: &B,
        scene: &OwnedScene,
        got: &Image<Vec<f64>>,
    ) -> Result<(), Failure> {
        let tolerance = image_tolerance(backend);
        let (expected, channels) = (&self.image, scene.gaussians.channels);
        let band = |i: usize| self.band[i / channels];
        compare(
            "features",
            &got.features,
            &expected.features,
            tolerance,
            band,
        )?;
        // In the band, pixels differ by at most the largest value, without bias.
        let relative = image_rounding(backend);
        flips(
            &got.features,
            &expected.features,
            &self.band,
            relative,
            BAND_SHARE,
        )?;
        let outputs = scene.config.outputs;
        let layered = !scene.config.layers.is_empty();
        let pixels = scene.views.width * scene.views.height;
        let layers = scene.config.layers.len().max(1);
        for (name, asked, got, expected, per_pixel, copies) in [
            (
                "transmittance",
                outputs.transmittance,
                &got.transmittance,
                &expected.transmittance,
                1,
                1,
            ),
            ("depth", outputs.depth, &got.depth, &expected.depth, 1, 1),
            (
                "layers",
                layered,
                &got.layers,
                &expected.layers,
                channels,
                layers,
            ),
            (
                "layer_transmittance",
                layered && outputs.transmittance,
                &got.layer_transmittance,
                &expected.layer_transmittance,
                1,
                layers,
            ),
        ] {
            let (Some(got), Some(expected), true) = (got, expected, asked) else {
                if got.is_some() == asked {
                    continue;
                }
                let given = if asked { "absent" } else { "present" };
                return Err(Failure::property(
                    format!("{name} as the settings ask"),
                    given,
                ));
            };
            // The band has one entry per pixel of a view, and all layers of a pixel share it.
            compare(name, got, expected, tolerance, |i| {
                let pixel = i / per_pixel;
                self.band[pixel / pixels / copies * pixels + pixel % pixels]
            })?;
        }
        Ok(())
    }

    pub(super) fn gradients_equal<B: Transfer>(
        &self,
        backend: &B,
        got: &Gradients<Vec<f64>>,
    ) -> Result<(), Failure> {
        let pairs = got.buffers().into_iter().zip(self.gradients.buffers());
        for ((name, got), (_, expected)) in pairs {
            compare(name, got, expected, gradient_tolerance(backend), |_| false)?;
            let channels = self.image.features.len() / self.band.len().max(1);
            let width = match name {
                "means" | "scales" => 3,
                "quaternions" | "camera_from_world" | "intrinsics" => 4,
                "opacities" => 1,
                _ => channels,
            };
            let relative = (ROW_ROUNDINGS * backend.unit_roundoff()).max(1e-7);
            let tolerance = Tolerance::of_rows(relative, width).with_floor(1e-5);
            compare(name, got, expected, tolerance, |_| false)?;
        }
        Ok(())
    }

    pub(super) fn contributors_equal<B: Transfer>(
        &self,
        backend: &B,
        scene: &OwnedScene,
        got: &Outcome,
    ) -> Result<(), Failure> {
        let (Some(found), true) = (&got.contributors, scene.config.outputs.contributors) else {
            if got.contributors.is_some() == scene.config.outputs.contributors {
                return Ok(());
            }
            return Err(Failure::property(
                "contributors as the settings ask",
                "others",
            ));
        };
        let expected = &self.contributors;
        let tolerance = image_tolerance(backend);
        let band = |i: usize| self.band[i];
        compare(
            "contributors.weights",
            &found.weights,
            &expected.weights,
            tolerance,
            band,
        )?;
        for (buffer, got) in [("indices", &found.indices), ("counts", &found.counts)] {
            if got.len() != self.band.len() {
                return Err(Failure::Length {
                    buffer: format!("contributors.{buffer}"),
                    expected: self.band.len(),
                    got: got.len(),
                });
            }
        }
        let largest = finite_scale(&expected.weights).max(1e-3);
        let rounding = image_rounding(backend) * largest;
        for pixel in (0..self.band.len()).filter(|&pixel| !self.band[pixel]) {
            let (got, right) = (found.counts[pixel], expected.counts[pixel]);
            if got != right {
                let expected = format!("contributors.counts[{pixel}] of {right}");
                return Err(Failure::property(expected, got.to_string()));
            }
            let (got, right) = (found.indices[pixel], expected.indices[pixel]);
            // Of two weights that are equal to rounding, either can be the largest.
            let own = self.weights[pixel].iter().find(|(index, _)| *index == got);
            let tie = own.is_some_and(|(_, weight)| expected.weights[pixel] - weight <= rounding);
            if got != right && !tie {
                let expected = format!("contributors.indices[{pixel}] of {right}");
                return Err(Failure::property(expected, got.to_string()));
            }
        }
        Ok(())
    }
}

/// The relative tolerance of images. Sums in another order than the oracle differ by more than a
/// few roundings of `f64`.
fn image_rounding<B: Transfer>(backend: &B) -> f64 {
    (IMAGE_ROUNDINGS * backend.unit_roundoff()).max(1e-11)
}

pub(super) fn image_tolerance<B: Transfer>(backend: &B) -> Tolerance {
    Tolerance::of_largest(image_rounding(backend)).with_floor(1e-3)
}

pub(super) fn gradient_tolerance<B: Transfer>(backend: &B) -> Tolerance {
    let relative = (GRADIENT_ROUNDINGS * backend.unit_roundoff()).max(1e-9);
    Tolerance::of_largest(relative).with_floor(1e-3)
}
