//! What a replay writes: a partial gradient per hit.

#![expect(
    clippy::trivially_copy_pass_by_ref,
    clippy::fn_params_excessive_bools,
    reason = "parts of a kernel, whose shared memory is no value"
)]

use cubecl::prelude::*;

use crate::composite::Moments;
use crate::composite::gpu::tile::{Layout, ROW, conic_of};
use crate::formulas::single::{Real, composite as formula};

/// Hits that are worked out between two exchanges.
pub(crate) const STEP: u32 = 4;

/// Parts that a sum over the segments is cut into.
pub(crate) const PARTS: u32 = 4;

/// Numbers of a hit's gradient by geometry: mean 2, conic 3, opacity 1, in this order.
pub(crate) const GEOMETRY: u32 = 6;

/// Words of one pixel's state: transmittance, end, gradient by the light from behind, gradient by depth.
pub(crate) const STATE: u32 = 4;

/// Which part of the work one launch does.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
pub(crate) struct Part {
    /// The first view of the chunk whose partials and states are at hand.
    pub(crate) first_view: u32,
    /// The slots of the chunk, in the large regime.
    pub(crate) first_slot: u32,
    pub(crate) end_slot: u32,
    /// Cubes of this launch.
    pub(crate) cubes: u32,
    /// The first channel of this launch.
    pub(crate) channel: u32,
    /// C
    pub(crate) channels: u32,
    /// Numbers per partial.
    pub(crate) stride: u32,
    /// Where among the pixels' states those of the tiles begin.
    pub(crate) reached: u32,
}

/// Where a hit's partial is.
#[derive(CubeType, Clone, Copy)]
pub(crate) struct PartialAt {
    /// Whether the hit is of this chunk: others have none.
    pub(crate) wanted: bool,
    /// The first of its numbers.
    pub(crate) first: u32,
}

/// The partial of a hit of cube `cube` from where it is in its tile's lists, [`place_of`](crate::composite::gpu::tile::place_of).
#[cube]
pub(crate) fn partial_at(
    place: u32,
    cube: u32,
    layout: Layout,
    part: Part,
    #[comptime] large: bool,
) -> PartialAt {
    if comptime![large] {
        PartialAt {
            wanted: place >= part.first_slot && place < part.end_slot,
            first: (place - part.first_slot) * part.stride,
        }
    } else {
        PartialAt {
            wanted: true.runtime(),
            first: (cube * layout.ranks + place) * part.stride,
        }
    }
}

/// Sum number `at`, of which there are its [`PARTS`] or, unless `in_parts`, the sum itself.
#[cube]
fn total(finals: &SharedMemory<f32>, at: u32, #[comptime] in_parts: bool) -> f32 {
    if comptime![in_parts] {
        let at = at * PARTS;
        (finals[at as usize] + finals[(at + 1) as usize])
            + (finals[(at + 2) as usize] + finals[(at + 3) as usize])
    } else {
        finals[at as usize]
    }
}

/// Writes a partial's number, or adds to it.
#[cube]
fn put(partials: &mut Array<f32>, at: u32, x: f32, #[comptime] first: bool) {
    if comptime![first] {
        partials[at as usize] = x;
    } else {
        partials[at as usize] += x;
    }
}

/// Writes the partials of the `step` hits below `left_over` of a batch of cube `cube` from their sums, those of hit `left_over - 1 - g`
/// at `g`: a unit per hit for the geometry, and one per hit and plane. `most` is the greatest `step`; `places` are those of
/// [`list_hits`](crate::composite::gpu::tile::list_hits).
#[cube]
pub(crate) fn write_hits(
    rows: &SharedMemory<f32>,
    finals: &SharedMemory<f32>,
    places: &SharedMemory<u32>,
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
    let moments_of = comptime!(if geometry { GEOMETRY } else { 0u32 });
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
            let partial = partial_at(places[i as usize], cube, layout, part, large);
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
                    let moments = Moments::<Real> {
                        one: total(finals, from, in_parts),
                        x: total(finals, from + 1, in_parts),
                        y: total(finals, from + 2, in_parts),
                        xx: total(finals, from + 3, in_parts),
                        xy: total(finals, from + 4, in_parts),
                        yy: total(finals, from + 5, in_parts),
                    };
                    let at = i * ROW;
                    let by_sigma = formula::sigma_vjp(conic_of(rows, at), moments);
                    let by_opacity = formula::opacity_vjp(rows[(at + 5) as usize], moments.one);
                    put(partials, to, by_sigma.mean.x, first);
                    put(partials, to + 1, by_sigma.mean.y, first);
                    put(partials, to + 2, by_sigma.conic.xx, first);
                    put(partials, to + 3, by_sigma.conic.xy, first);
                    put(partials, to + 4, by_sigma.conic.yy, first);
                    put(partials, to + 5, by_opacity, first);
                }
            }
        }
        job += CUBE_DIM_X;
    }
}
