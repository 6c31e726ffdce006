//! The output of a replay: a partial gradient per hit.

#![expect(
    clippy::trivially_copy_pass_by_ref,
    clippy::fn_params_excessive_bools,
    reason = "kernel code passes shared memory by reference, and its variants are flags"
)]

use cubecl::prelude::*;

use crate::composite::gpu::moments::{MOMENTS, moments_at, total};
use crate::composite::gpu::packed::{conic_of, opacity_of, row_of};
use crate::composite::gpu::partial_row::put_geometry;
use crate::composite::gpu::tile::Layout;
use crate::formulas::single::composite as formula;

/// The number of hits that are computed between two exchanges.
pub(crate) const STEP: u32 = 4;

/// The part of the work of one launch.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
pub(crate) struct Part {
    /// The first view of the chunk, to which the partials and states belong.
    pub(crate) first_view: u32,
    /// The slots of the chunk, in the large regime.
    pub(crate) first_slot: u32,
    pub(crate) end_slot: u32,
    /// The number of workgroups of this launch.
    pub(crate) cubes: u32,
    /// The first channel of this launch.
    pub(crate) channel: u32,
    /// C
    pub(crate) channels: u32,
    /// The number of values of a partial.
    pub(crate) stride: u32,
    /// The word of the state buffer at which the ends of the tiles begin.
    pub(crate) reached: u32,
}

/// The position of a hit's partial.
#[derive(CubeType, Clone, Copy)]
pub(crate) struct PartialAt {
    /// Whether the hit belongs to this chunk. Other hits have no partial.
    pub(crate) wanted: bool,
    /// The index of the partial's first value.
    pub(crate) first: u32,
}

/// Returns the position of the partial of a hit of workgroup `cube`. `index` is the hit's index in
/// the lists, [`list_index`](crate::composite::gpu::list::list_index).
#[cube]
pub(crate) fn partial_at(
    index: u32,
    cube: u32,
    layout: Layout,
    part: Part,
    #[comptime] large: bool,
) -> PartialAt {
    if comptime![large] {
        PartialAt {
            wanted: index >= part.first_slot && index < part.end_slot,
            first: (index - part.first_slot) * part.stride,
        }
    } else {
        PartialAt {
            wanted: true.runtime(),
            first: (cube * layout.ranks + index) * part.stride,
        }
    }
}

/// Writes the partials of `step` hits of a batch of workgroup `cube` from their sums in `finals`.
/// These are the hits directly below `left_over`: group `g` of the sums belongs to hit
/// `left_over - 1 - g`. One thread per hit writes the geometry, and one thread per hit and plane
/// writes the other values. `most` is the greatest possible `step`.
/// [`load_batch`](crate::composite::gpu::list::load_batch) fills `indices`.
#[cube]
pub(crate) fn write_hits(
    rows: &SharedMemory<f32>,
    finals: &SharedMemory<f32>,
    indices: &SharedMemory<u32>,
    partials: &mut Array<f32>,
    cube: u32,
    layout: Layout,
    part: Part,
    left_over: u32,
    step: u32,
    #[comptime] most: u32,
    #[comptime] in_parts: bool,
    #[comptime] channels: u32,
    #[comptime] large: bool,
    #[comptime] first: bool,
    #[comptime] geometry: bool,
    #[comptime] with_depth: bool,
    #[comptime] with_features: bool,
) {
    let depths = comptime!(u32::from(with_depth));
    let moments_of = comptime!(if geometry { MOMENTS } else { 0u32 });
    let outputs = comptime!(if with_features {
        channels + depths
    } else {
        depths
    });
    let sums = comptime!(moments_of + outputs);
    let mut job = UNIT_POS_X;
    while job < most * (1 + outputs) {
        let g = job % most;
        let k = job / most;
        if g < step {
            let i = left_over - 1 - g;
            let partial = partial_at(indices[i as usize], cube, layout, part, large);
            let to = partial.first;
            if partial.wanted {
                if k > 0 {
                    let plane = k - 1;
                    let mut at = moments_of.runtime();
                    if plane >= depths {
                        at = part.stride - part.channels + part.channel + plane - depths;
                    }
                    let x = total(finals, g * sums + moments_of + plane, in_parts);
                    partials[(to + at) as usize] = x;
                } else if comptime![geometry] {
                    let from = g * sums;
                    let moments = moments_at(finals, from, in_parts);
                    let at = row_of(i);
                    let by_sigma = formula::sigma_vjp(conic_of(rows, at), moments);
                    let by_opacity = formula::opacity_vjp(opacity_of(rows, at), moments.one);
                    put_geometry(partials, to, by_sigma, by_opacity, first);
                }
            }
        }
        job += CUBE_DIM_X;
    }
}
