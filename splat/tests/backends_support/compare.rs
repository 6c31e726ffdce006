//! The comparison with `f64`, and the pixels that hang by a thread.

use libtest_mimic::Failed;
use splat::{Image, RenderConfig, Scalar};

use crate::support::{World, cotangent, max_difference, scale};

/// How near a threshold (relative) an `f64` pair must be for `f32` to fall on its other side.
pub const BAND: f64 = 1e-4;

#[expect(clippy::ptr_arg, reason = "mapped over the vectors of a scene")]
pub fn widen(x: &Vec<f32>) -> Vec<f64> {
    x.iter().map(|x| x.to_f64()).collect()
}

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

/// Pixels (view-major) at which some threshold is within [`BAND`] of being crossed: there the oracle changes with it.
pub fn boundary_band(world: &World) -> Vec<bool> {
    let moved = |factor: f64| {
        let c = &world.config;
        let config = RenderConfig {
            alpha_min: c.alpha_min * factor,
            transmittance_min: c.transmittance_min * factor,
            ..c.clone()
        };
        let world = World {
            config,
            ..world.clone()
        };
        world.oracle().features
    };
    let (low, high) = (moved(1.0 - BAND), moved(1.0 + BAND));
    let channels = world.gaussians.channels;
    let pixels = low.chunks_exact(channels).zip(high.chunks_exact(channels));
    pixels.map(|(a, b)| max_difference(a, b) > 1e-9).collect()
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

/// Complains unless `got` is `expected` to within `tolerance` of the largest number, leaving out what `skip` says.
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
        let close = (a.to_f64() - b).abs() <= bound;
        if !close && !skip(i) {
            return Err(format!("{name}[{i}]: {a:e}, expected {b:e} within {bound:e}").into());
        }
    }
    Ok(())
}
