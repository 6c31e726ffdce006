//! Layout of the packed gradient with respect to a splat's geometry, one row per splat. The kernels
//! of the projection's vjp read it.

use cubecl::prelude::*;

use crate::device::rows::{set_sym2_at, set_vec2_at, sym2_at, vec2_at};
use crate::formulas::single::Real;
use crate::project::Splat;

const MEAN: u32 = 0;
const CONIC: u32 = 2;
const OPACITY: u32 = 5;
const DEPTH: u32 = 6;
/// 1 if the splat is visible, else 0.
const VISIBLE: u32 = 7;

/// Words per row.
pub(crate) const GRADIENT: u32 = 8;

/// Writes row `m`.
#[cube]
pub(crate) fn set_gradient(packed: &mut Array<f32>, m: u32, v_splat: Splat<f32>, visible: bool) {
    let at = m * GRADIENT;
    set_vec2_at(packed, at + MEAN, v_splat.mean);
    set_sym2_at(packed, at + CONIC, v_splat.conic);
    packed[(at + OPACITY) as usize] = v_splat.opacity;
    packed[(at + DEPTH) as usize] = v_splat.depth;
    let mut flag = 0.0f32;
    if visible {
        flag = 1.0;
    }
    packed[(at + VISIBLE) as usize] = flag;
}

/// Reads the gradient in row `m`.
#[cube]
pub(crate) fn gradient_of(packed: &Array<f32>, m: u32) -> Splat<f32> {
    let at = m * GRADIENT;
    Splat::<Real> {
        mean: vec2_at(packed, at + MEAN),
        conic: sym2_at(packed, at + CONIC),
        opacity: packed[(at + OPACITY) as usize],
        depth: packed[(at + DEPTH) as usize],
    }
}

/// Whether the splat of row `m` is visible.
#[cube]
pub(crate) fn has_gradient(packed: &Array<f32>, m: u32) -> bool {
    packed[(m * GRADIENT + VISIBLE) as usize] > 0.0
}
