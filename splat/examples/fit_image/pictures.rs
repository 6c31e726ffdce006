//! The pictures that are written after the fit.

use image::{Rgb, RgbImage};

use crate::common::pictures::{byte, picture};
use crate::fit::Fitted;
use crate::model::{CHANNELS, Parameters};
use crate::photo::Photo;

/// Factor by which the error picture amplifies the errors.
const ERROR_GAIN: f32 = 4.0;

/// Returns file names and pictures: the fit, its error, and the ellipses of its Gaussians.
pub(crate) fn all(photo: &Photo, fitted: &Fitted) -> [(&'static str, RgbImage); 3] {
    let pairs = photo.colours.iter().zip(&fitted.rendered);
    let error: Vec<f32> = pairs
        .map(|(a, b)| ERROR_GAIN * (a - b.clamp(0.0, 1.0)).abs())
        .collect();
    let (width, height) = (photo.width, photo.height);
    [
        ("fit.png", picture(width, height, &fitted.rendered)),
        ("error.png", picture(width, height, &error)),
        ("gaussians.png", ellipses(width, height, &fitted.parameters)),
    ]
}

/// Draws the ellipse of every Gaussian at one standard deviation, in the colour of the Gaussian and
/// from back to front.
fn ellipses(width: usize, height: usize, parameters: &Parameters<f32>) -> RgbImage {
    let mut picture = RgbImage::new(width as u32, height as u32);
    let scales = parameters.scales();
    for i in 0..parameters.len() {
        let axes = [scales[2 * i], scales[2 * i + 1]];
        let (sin, cos) = parameters.angles[i].sin_cos();
        let colour = &parameters.colours[i * CHANNELS..(i + 1) * CHANNELS];
        let colour = Rgb([byte(colour[0]), byte(colour[1]), byte(colour[2])]);
        // Two points per px of a circle with the longer axis as radius.
        let points = (4.0 * std::f32::consts::PI * axes[0].max(axes[1])).clamp(8.0, 1e5) as usize;
        for point in 0..points {
            let turn = std::f32::consts::TAU * point as f32 / points as f32;
            let (u, v) = (axes[0] * turn.cos(), axes[1] * turn.sin());
            let x = parameters.positions[2 * i] + cos * u - sin * v;
            let y = parameters.positions[2 * i + 1] + sin * u + cos * v;
            if x >= 0.0 && y >= 0.0 && x < width as f32 && y < height as f32 {
                picture.put_pixel(x as u32, y as u32, colour);
            }
        }
    }
    picture
}
