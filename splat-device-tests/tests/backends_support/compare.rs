//! The comparison with `f64`, and the pixels that hang by a thread.

use libtest_mimic::Failed;
use splat::Image;

pub use crate::support::band::widen;
use crate::support::{World, cotangent, scale};

#[expect(clippy::ptr_arg, reason = "mapped over the vectors of a scene")]
pub fn narrow(x: &Vec<f64>) -> Vec<f32> {
    x.iter().map(|&x| x as f32).collect()
}

/// The world of the rounded numbers: rounding the inputs is no fault of the renderer.
pub fn rounded(world: &World) -> World {
    let round = |x: &Vec<f64>| widen(&narrow(x));
    World {
        gaussians: world.gaussians.map(round),
        backgrounds: round(&world.backgrounds),
        ..world.clone()
    }
}

/// A gradient by the image, zero wherever `f32` may rightly decide otherwise than `f64`.
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

/// Complains unless `got` is `expected` to within `tolerance` of the largest number, leaving out
/// what `skip` says.
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
        // Phrased so that NaN fails it.
        let close = (f64::from(a) - b).abs() <= bound;
        if !close && !skip(i) {
            return Err(format!("{name}[{i}]: {a:e}, expected {b:e} within {bound:e}").into());
        }
    }
    Ok(())
}
