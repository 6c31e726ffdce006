//! Pixels that hang by a thread: `f32` may rightly decide otherwise than `f64` there.

use super::{World, max_difference};

/// How near a threshold (relative) an `f64` pair must be for `f32` to fall on its other side: the
/// rounding of sigma, of alpha and of a product of up to a few hundred transmittances.
pub const BAND: f64 = 1e-4;

/// Pixels (view-major) at which some threshold is within [`BAND`] of being crossed: there the
/// oracle changes with it.
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
