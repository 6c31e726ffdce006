//! Points become Gaussians, and coordinates with many digits become `f32`.

use super::error::FileError;
use super::neighbours;
use super::numbers::NumberType;
use super::scene::{CHANNELS, Colours, StoredScene};
use crate::error::RenderError;
use crate::gaussians::check_len;

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
    /// distances. If only one point is finite, its Gaussian has the standard deviation 1.
    ///
    /// `means` are `[N, 3]` in world units, and `colours` `[N, 3]`. Without colours the points are
    /// white. Points that are not finite get the standard deviation 0, and the renderer culls them.
    ///
    /// # Errors
    /// [`RenderError::Shape`] if the lengths are no multiples of three or differ.
    pub fn from_points(means: Vec<f32>, colours: Option<Vec<f32>>) -> Result<Self, RenderError> {
        let (points, rest) = means.as_chunks::<3>();
        if !rest.is_empty() {
            return Err(RenderError::shape("means", "[N, 3]", means.len()));
        }
        let count = points.len();
        let colours = colours.unwrap_or_else(|| vec![1.0; CHANNELS * count]);
        check_len("colours", "[N, 3]", &[count, CHANNELS], colours.len())?;
        let scales = scales(points);
        Ok(Self {
            origin: [0.0; 3],
            quaternions: [1.0, 0.0, 0.0, 0.0].repeat(count),
            opacities: vec![OPACITY; count],
            colours: Colours::Constant(colours),
            scales,
            means,
        })
    }
}

/// Returns the standard deviations `[N, 3]` of points.
fn scales(points: &[[f32; 3]]) -> Vec<f32> {
    let mut distances = neighbours::distances(points);
    let mut finite: Vec<f32> = distances
        .iter()
        .copied()
        .filter(|d| d.is_finite())
        .collect();
    let alone = finite.len() == 1;
    let at = (KEPT_SHARE * finite.len() as f64) as usize;
    let widest = if at < finite.len() {
        *finite.select_nth_unstable_by(at, f32::total_cmp).1
    } else {
        f32::INFINITY
    };
    for distance in &mut distances {
        *distance = match distance.min(widest) {
            _ if distance.is_nan() => 0.0,
            _ if alone => ALONE,
            distance => SCALE_OF_DISTANCE * distance,
        };
    }
    distances.iter().flat_map(|&scale| [scale; 3]).collect()
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

/// Checks that colours `[N, 3]` are relative to 1. `place` names a row of them in errors.
pub(crate) fn check_colours(place: &str, colours: &[f32]) -> Result<(), FileError> {
    let too_bright = |x: &f32| x.is_finite() && f64::from(*x) > BRIGHTEST;
    match colours.iter().position(too_bright) {
        Some(i) => Err(FileError::content(
            format!("{place} {}, colour", i / CHANNELS),
            "floats from 0 to 1",
            colours[i],
        )),
        None => Ok(()),
    }
}

/// Rounds coordinates `[N, 3]` to `f32`, relative to the origin that it also returns. See
/// [`StoredScene::origin`].
pub(crate) fn rounded(coordinates: Vec<f64>) -> (Vec<f32>, [f64; 3]) {
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
