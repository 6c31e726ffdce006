//! Pixels near a threshold, in which `f32` and `f64` can correctly give different results.

use super::{World, max_difference};

/// The greatest relative distance from a threshold at which `f32` can fall on the other side than
/// `f64`. It covers the rounding of sigma, of alpha, and of a product of up to a few hundred
/// transmittances.
pub const BAND: f64 = 1e-4;

/// Returns, for every pixel (view-major), whether a threshold is within [`BAND`] of being crossed.
/// These are the pixels in which the oracle changes if the thresholds move by [`BAND`].
pub fn boundary_band(world: &World) -> Vec<bool> {
    let moved = |factor: f64| {
        let c = &world.config;
        let config = c
            .clone()
            .with_alpha_min(c.alpha_min * factor)
            .with_transmittance_min(c.transmittance_min * factor);
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

#[expect(clippy::ptr_arg, reason = "mapped over the vectors of a scene")]
pub fn widen(x: &Vec<f32>) -> Vec<f64> {
    x.iter().map(|&x| f64::from(x)).collect()
}
