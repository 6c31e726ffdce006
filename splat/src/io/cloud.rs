//! Points become Gaussians, and coordinates with many digits become `f32`.

use super::error::FileError;
use super::neighbours;
use super::numbers::NumberType;
use super::scene::{CHANNELS, Colours, StoredScene};

/// Standard deviation of a point's Gaussian, relative to the mean distance to its nearest
/// neighbours. With 0.5 the Gaussians of neighbouring points touch.
const SCALE_OF_DISTANCE: f32 = 0.5;
/// Quantile of the distances to which larger distances are reduced. It bounds the Gaussians of
/// points far from all others.
const KEPT_SHARE: f64 = 0.9;
/// Opacity of a point: nearly opaque.
const OPACITY: f32 = 0.95;
/// Standard deviation of the only point of a scene, world units.
const ALONE: f32 = 1.0;
/// A scene is far from zero if its median is more than this many times its spread away.
const FAR: f64 = 16.0;

impl StoredScene {
    /// Makes a round Gaussian of opacity 0.95 of every point. Its standard deviation is half the
    /// mean distance to the three nearest neighbours, and at most half the 0.9 quantile of these
    /// distances. The Gaussian of a scene of one point has the standard deviation 1.
    ///
    /// `points` are N coordinates in world units, and `colours` are `[N, 3]`. An incomplete point at
    /// the end is left out, and missing colours are white.
    pub fn from_points(points: &[f32], colours: Vec<f32>) -> Self {
        let means = points.as_chunks::<3>().0.as_flattened().to_vec();
        let count = means.len() / 3;
        let mut colours = colours;
        colours.resize(CHANNELS * count, 1.0);
        let mut distances = neighbours::distances(&means);
        if count == 1 {
            distances.fill(ALONE / SCALE_OF_DISTANCE);
        }
        let widest = quantile(&distances, KEPT_SHARE);
        let scale = |distance: &f32| [SCALE_OF_DISTANCE * distance.min(widest); 3];
        Self {
            scales: distances.iter().flat_map(scale).collect(),
            quaternions: [1.0, 0.0, 0.0, 0.0].repeat(count),
            opacities: vec![OPACITY; count],
            colours: Colours::Constant(colours),
            origin: [0.0; 3],
            means,
        }
    }
}

/// The greatest floating-point colour that is taken for one in [0, 1]. Trained colours can be a
/// little brighter than 1, and a colour of 0 to 255 is not meant.
const BRIGHTEST: f64 = 2.0;

/// Returns the divisor that maps a stored colour to [0, 1]. `place` names the colour in errors.
pub(crate) fn brightest(place: &str, number: NumberType) -> Result<f64, FileError> {
    number.brightest().ok_or_else(|| {
        let expected = "bytes, integers of 16 bits without sign or floats for a colour";
        FileError::content(place, expected, format!("{number:?}"))
    })
}

/// Checks that colours are relative to 1. `place` names them in errors.
pub(crate) fn check_colours(place: &str, colours: &[f32]) -> Result<(), FileError> {
    let too_bright = |x: &&f32| x.is_finite() && f64::from(**x) > BRIGHTEST;
    match colours.iter().find(too_bright) {
        Some(got) => Err(FileError::content(
            place,
            "floats from 0 to 1 for a colour",
            got,
        )),
        None => Ok(()),
    }
}

/// Returns the value that the given share of the values does not exceed. Without values it is
/// infinite.
fn quantile(values: &[f32], share: f64) -> f32 {
    let mut values = values.to_vec();
    let at = (share * values.len() as f64) as usize;
    if at < values.len() {
        *values.select_nth_unstable_by(at, f32::total_cmp).1
    } else {
        f32::INFINITY
    }
}

/// Rounds coordinates `[N, 3]` to `f32`, relative to the origin that it also returns. See
/// [`StoredScene::origin`].
pub(crate) fn rounded(coordinates: &[f64]) -> (Vec<f32>, [f64; 3]) {
    let exact = |x: &f64| f64::from(*x as f32) == *x || !x.is_finite();
    let mut origin = [0.0; 3];
    if !coordinates.iter().all(exact) {
        let (points, _) = coordinates.as_chunks::<3>();
        let finite = || points.iter().filter(|p| p.iter().all(|x| x.is_finite()));
        let middle: [f64; 3] = std::array::from_fn(|axis| median(finite().map(|p| p[axis])));
        let spread = median(finite().map(|p| {
            let pairs = p.iter().zip(&middle);
            pairs.map(|(x, m)| (x - m).abs()).fold(0.0, f64::max)
        }));
        if middle.iter().any(|m| m.abs() > FAR * spread) {
            origin = middle;
        }
    }
    let moved = |(i, x): (usize, &f64)| (x - origin[i % 3]) as f32;
    (coordinates.iter().enumerate().map(moved).collect(), origin)
}

/// Returns the median of the values, or 0 if there are none.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    let at = values.len() / 2;
    if values.is_empty() {
        return 0.0;
    }
    *values.select_nth_unstable_by(at, f64::total_cmp).1
}
