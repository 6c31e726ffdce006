//! The comparison with `f64`, and the treatment of pixels close to a threshold.

use libtest_mimic::Failed;
use splat::{Contributors, Image};

pub use crate::support::band::widen;
use crate::support::{World, cotangent, scale};

#[expect(clippy::ptr_arg, reason = "mapped over the vectors of a scene")]
pub fn narrow(x: &Vec<f64>) -> Vec<f32> {
    x.iter().map(|&x| x as f32).collect()
}

/// Returns the world with its inputs rounded to `f32`, so that the comparison does not include the
/// rounding of the inputs.
pub fn rounded(world: &World) -> World {
    let round = |x: &Vec<f64>| widen(&narrow(x));
    World {
        gaussians: world.gaussians.map(round),
        backgrounds: round(&world.backgrounds),
        ..world.clone()
    }
}

/// Returns a gradient with respect to the image. It is zero at the pixels of `band`, where `f32`
/// and `f64` can decide a threshold differently.
pub fn masked_cotangent(image: &Image<Vec<f64>>, band: &[bool]) -> Image<Vec<f64>> {
    let mut v = cotangent(image);
    let channels = v.features.len() / band.len().max(1);
    for (pixel, _) in band.iter().enumerate().filter(|(_, near)| **near) {
        v.features[pixel * channels..(pixel + 1) * channels].fill(0.0);
        for plane in [&mut v.transmittance, &mut v.depth].into_iter().flatten() {
            plane[pixel] = 0.0;
        }
    }
    v
}

/// Returns an error unless every element of `got` is within `tolerance` of `expected`, relative to
/// the largest element of `expected`. Elements for which `skip` is true are not compared.
pub fn compare(
    name: &str,
    got: &[f32],
    expected: &[f64],
    tolerance: f64,
    skip: impl Fn(usize) -> bool,
) -> Result<(), Failed> {
    if got.len() != expected.len() {
        return Err(format!("{name}: {} numbers, not {}", got.len(), expected.len()).into());
    }
    let bound = tolerance * scale(expected).max(1e-3);
    for (i, (&a, &b)) in got.iter().zip(expected).enumerate() {
        // `close` is false for NaN.
        let close = (f64::from(a) - b).abs() <= bound;
        if !close && !skip(i) {
            return Err(format!("{name}[{i}]: {a:e}, expected {b:e} within {bound:e}").into());
        }
    }
    Ok(())
}

/// Greatest share of the pixels outside the band in which another splat than in `f64` can have the
/// largest weight, because two weights are equal to rounding.
const TIE_SHARE: f64 = 0.01;

/// Compares contributors with those of the oracle outside the boundary band. `tolerance` is that of
/// the weights, see [`compare`].
pub fn compare_contributors(
    exact: &World,
    found: Option<&Contributors<Vec<f32>, Vec<u32>>>,
    tolerance: f64,
    band: &[bool],
) -> Result<(), Failed> {
    let Some(found) = found else {
        if exact.config.outputs.contributors {
            return Err("contributors: asked for".into());
        }
        return Ok(());
    };
    let expected = splat::oracle::contributors(&exact.scene(), &exact.config)
        .map_err(|error| error.to_string())?;
    let weights = (&found.weights, &expected.weights);
    compare("weights", weights.0, weights.1, tolerance, |i| band[i])?;
    let lengths = [found.indices.len(), found.counts.len()];
    if lengths != [band.len(); 2] {
        return Err(format!("contributors of {lengths:?} pixels, not {}", band.len()).into());
    }
    let mut ties = 0;
    for pixel in (0..band.len()).filter(|&pixel| !band[pixel]) {
        let (got, right) = (found.counts[pixel], expected.counts[pixel]);
        if got != right {
            return Err(format!("counts[{pixel}]: {got}, expected {right}").into());
        }
        // The weights are equal to rounding. A different index is therefore a tie.
        ties += usize::from(found.indices[pixel] != expected.indices[pixel]);
    }
    if ties as f64 > TIE_SHARE * band.len() as f64 {
        return Err(format!("indices differ in {ties} of {} pixels", band.len()).into());
    }
    Ok(())
}
