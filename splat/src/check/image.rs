//! A linear loss of an image, for tests of gradients.

use super::random::weight;
use crate::image::Image;

/// Returns the gradient of [`linear_loss`] with respect to `image`: a fixed pattern without
/// symmetry, for features, transmittance and depth. Layers have no gradient.
pub fn cotangent(image: &Image<Vec<f64>>) -> Image<Vec<f64>> {
    let pattern =
        |shift: usize| move |x: &Vec<f64>| (0..x.len()).map(|i| weight(i + shift)).collect();
    Image::from_features(pattern(0)(&image.features))
        .with_transmittance(image.transmittance.as_ref().map(pattern(11)))
        .with_depth(image.depth.as_ref().map(pattern(23)))
}

/// Returns the sum of all outputs of `image` times those of `v_image`. An output that one of the
/// two does not have contributes nothing.
pub fn linear_loss(image: &Image<Vec<f64>>, v_image: &Image<Vec<f64>>) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    let plane = |a: &Option<Vec<f64>>, b: &Option<Vec<f64>>| match (a, b) {
        (Some(a), Some(b)) => dot(a, b),
        _ => 0.0,
    };
    dot(&image.features, &v_image.features)
        + plane(&image.transmittance, &v_image.transmittance)
        + plane(&image.depth, &v_image.depth)
}
