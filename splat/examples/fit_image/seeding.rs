//! Placement of new Gaussians. The first Gaussians are placed where the photograph has detail, and
//! later ones where the error is large.

use rand::Rng;
use rand::distr::Distribution;
use rand::distr::weighted::WeightedIndex;
use rand_chacha::ChaCha8Rng;

use crate::fits;
use crate::model::Parameters;
use crate::photo::Photo;

/// Share of the first Gaussians that are distributed evenly.
const EVEN_SHARE: f32 = 0.3;
/// Standard deviation of one of the first Gaussians, relative to the side of the square that a
/// Gaussian covers at the local density. Gaussians added later have half this value, relative to
/// the mean density.
const SCALE_OF_CELL: f32 = 0.6;
/// Opacity of the first Gaussians: a logit of 1.
pub(crate) const FIRST_OPACITY: f32 = 0.731_058_6;
/// Opacity logit of the Gaussians added later. Their opacity of 0.27 changes the picture little.
const LATER_LOGIT: f32 = -1.0;

/// Returns the first `count` Gaussians. They are dense and small where neighbouring pixels differ.
/// The largest Gaussian is farthest back.
pub(crate) fn first(
    photo: &Photo,
    count: usize,
    opacity: f32,
    rng: &mut ChaCha8Rng,
) -> Parameters<f32> {
    let logit = fits::logit(opacity);
    let detail = photo.detail();
    let mean = detail.iter().sum::<f32>() / detail.len() as f32;
    // A photograph of one colour has no detail anywhere.
    let density = |detail: f32| {
        let share = if mean > 0.0 { detail / mean } else { 1.0 };
        EVEN_SHARE + (1.0 - EVEN_SHARE) * share
    };
    let weights: Vec<f32> = detail.iter().map(|&detail| density(detail)).collect();
    let cell = (photo.pixels() as f32 / count as f32).sqrt();
    let mut seeds: Vec<(f32, usize)> = draw(&weights, count, rng)
        .map(|pixel| (SCALE_OF_CELL * cell / weights[pixel].sqrt(), pixel))
        .collect();
    seeds.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut parameters = Parameters::default();
    for (scale, pixel) in seeds {
        let centre = jittered(photo, pixel, rng);
        parameters.push(centre, f64::from(scale), logit, photo.colour(pixel));
    }
    parameters
}

/// Adds `count` Gaussians in front of all others, at random pixels. The probability of a pixel is
/// proportional to its squared error.
pub(crate) fn add(
    parameters: &mut Parameters<f32>,
    photo: &Photo,
    rendered: &[f32],
    count: usize,
    rng: &mut ChaCha8Rng,
) {
    let errors = photo.square_errors(rendered);
    let cell = (photo.pixels() as f32 / (parameters.len() + count) as f32).sqrt();
    let seeds: Vec<usize> = draw(&errors, count, rng).collect();
    for pixel in seeds {
        let centre = jittered(photo, pixel, rng);
        let scale = 0.5 * SCALE_OF_CELL * cell;
        parameters.push(centre, f64::from(scale), LATER_LOGIT, photo.colour(pixel));
    }
}

/// Draws `count` pixels with probabilities proportional to `weights`. If every weight is zero, the
/// distribution is uniform.
fn draw(weights: &[f32], count: usize, rng: &mut ChaCha8Rng) -> impl Iterator<Item = usize> {
    let pixels = weights.len();
    let table = WeightedIndex::new(weights);
    (0..count).map(move |_| match &table {
        Ok(table) => table.sample(rng),
        Err(_) => rng.random_range(0..pixels),
    })
}

/// Returns a random point within a pixel, px.
fn jittered(photo: &Photo, pixel: usize, rng: &mut ChaCha8Rng) -> [f32; 2] {
    let (x, y) = (pixel % photo.width, pixel / photo.width);
    [
        x as f32 + rng.random::<f32>(),
        y as f32 + rng.random::<f32>(),
    ]
}
