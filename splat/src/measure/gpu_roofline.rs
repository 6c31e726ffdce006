//! The arithmetic ceiling of a device: the operations of the compositor on registers, without
//! lists, loads and stores.

use cubecl::prelude::*;

use crate::config::RenderConfig;
use crate::device::Gpu;
use crate::device::launch::{UNITS, cube_dim, cube_index, grid};
use crate::error::RenderError;
use crate::formulas::single::{Real, composite as formula};
use crate::math::{Sym2, Vec2, exp::exp_on_device};

/// Runs one thread per pixel with `steps` pairs each.
#[cube(launch)]
fn roofline_kernel(
    out: &mut Array<f32>,
    steps: u32,
    shrink: f32,
    alpha_min: f32,
    alpha_max: f32,
    transmittance_min: f32,
) {
    let unit = cube_index() * UNITS + UNIT_POS_X;
    let mut transmittance = 1.0f32;
    let mut red = 0.0f32;
    let mut green = 0.0f32;
    let mut blue = 0.0f32;
    // Differs between threads and between steps, so that no result can be computed just once.
    let mut x = f32::cast_from(UNIT_POS_X % 16) + 0.5;
    for _ in 0..steps {
        let conic = Sym2::<Real> {
            xx: shrink,
            xy: 0.1 * shrink,
            yy: shrink,
        };
        let sigma = formula::sigma(conic, Vec2::<Real> { x, y: 0.5 });
        let alpha = formula::alpha(0.01, exp_on_device(-sigma), alpha_max);
        if formula::counts(sigma, alpha, alpha_min) {
            let behind = formula::behind(transmittance, alpha);
            if behind > transmittance_min {
                let weight = formula::weight(alpha, transmittance);
                red = formula::add_weighted(red, weight, 0.1);
                green = formula::add_weighted(green, weight, 0.2);
                blue = formula::add_weighted(blue, weight, 0.3);
                transmittance = behind;
            }
        }
        x += shrink;
    }
    out[unit as usize] = transmittance + red + green + blue;
}

/// Queues `steps` pairs for each pixel of `cubes` workgroups, with 256 pixels each. Returns the
/// number of pairs.
pub(crate) fn roofline<R: Runtime>(
    gpu: &Gpu<R>,
    cubes: u32,
    steps: u32,
) -> Result<u64, RenderError> {
    let config = RenderConfig::default();
    let units = cubes as usize * UNITS as usize;
    let out = gpu.empty("pixels of the roofline", units)?;
    roofline_kernel::launch::<R>(
        &gpu.client,
        grid(cubes as usize)?,
        cube_dim(),
        out.arg(),
        steps,
        1e-4,
        config.alpha_min as f32,
        config.alpha_max as f32,
        config.transmittance_min as f32,
    );
    Ok(units as u64 * u64::from(steps))
}
