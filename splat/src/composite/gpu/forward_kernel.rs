//! The kernel of the forward compositor. It has one workgroup per tile and one thread per pixel.
//! Hits pass through shared memory in batches.

#![expect(
    clippy::too_many_lines,
    clippy::collapsible_if,
    clippy::fn_params_excessive_bools,
    reason = "a kernel is one function, and its variants are flags"
)]

use cubecl::prelude::*;

use crate::composite::gpu::list::{TILE_WORDS, list_hits, load_hits, tile_hits};
use crate::composite::gpu::packed::{ROW, depth_of, rank_of, row_of};
use crate::composite::gpu::tile::{Layout, Thresholds, in_tile, pair, tile_of};
use crate::device::launch::cube_index;
use crate::formulas::single::composite as formula;

/// The number of hits of a batch in shared memory.
const BATCH: u32 = 128;

/// The first words of the output's sections, and the number of layers.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
pub(crate) struct ImageSections {
    pub(crate) transmittance: u32,
    pub(crate) ends: u32,
    pub(crate) depth: u32,
    pub(crate) layers: u32,
    pub(crate) layer_transmittance: u32,
    pub(crate) indices: u32,
    pub(crate) weights: u32,
    pub(crate) counts: u32,
    pub(crate) layer_count: u32,
}

/// Returns the index of the pixel centred at `(x, y)` of image `image`. `f32` holds the centres
/// exactly, since the sides of images are limited.
///
/// Callers compute the index where they need it. The centre stays in registers over the loop of the
/// hits anyway, and the index would take another register.
#[cube]
fn pixel_at(layout: Layout, image: u32, x: f32, y: f32) -> u32 {
    (image * layout.height + u32::cast_from(y)) * layout.width + u32::cast_from(x)
}

/// Writes a pixel's features over the background, from word `to` on.
#[cube]
fn write_features(
    out: &mut Array<u32>,
    to: u32,
    sums: &Array<f32>,
    transmittance: f32,
    backgrounds: &Array<f32>,
    background: u32,
    #[comptime] channels: u32,
) {
    #[unroll]
    for c in 0..channels {
        let sum = formula::add_weighted(
            sums[c as usize],
            transmittance,
            backgrounds[(background + c) as usize],
        );
        out[(to + c) as usize] = u32::reinterpret(sum);
    }
}

/// Writes one pixel of a layer, the image of the splats in front of cut `layer`. The pixel is
/// centred at `(x, y)`.
#[cube]
fn write_layer(
    out: &mut Array<u32>,
    layout: Layout,
    sections: ImageSections,
    view: u32,
    layer: u32,
    x: f32,
    y: f32,
    sums: &Array<f32>,
    transmittance: f32,
    backgrounds: &Array<f32>,
    channel: u32,
    all_channels: u32,
    #[comptime] channels: u32,
    #[comptime] with_transmittance: bool,
) {
    let image = view * sections.layer_count + layer;
    let pixel = pixel_at(layout, image, x, y);
    if comptime![with_transmittance] {
        let to = sections.layer_transmittance + pixel;
        out[to as usize] = u32::reinterpret(transmittance);
    }
    write_features(
        out,
        sections.layers + pixel * all_channels + channel,
        sums,
        transmittance,
        backgrounds,
        view * all_channels + channel,
        channels,
    );
}

/// Composites one tile per workgroup. `list` and `ranges` are the order and the masks in the small
/// regime, or the slots and the ranges in the large regime. `cuts` has the rank of each layer, then
/// the first splat of each view. The words of the output are `f32`, except for the ends, the
/// indices and the counts, which are `u32`.
///
/// A workgroup leaves its tile when all pixels have ended. With `uniform`, it walks to the end of
/// the list without work instead. Then its control flow does not depend on values that threads
/// computed.
#[cube(launch)]
pub(crate) fn composite_kernel<F: Float>(
    packed: &Array<f32>,
    features: &Array<F>,
    list: &Array<u32>,
    ranges: &Array<u32>,
    backgrounds: &Array<f32>,
    cuts: &Array<u32>,
    out: &mut Array<u32>,
    layout: Layout,
    thresholds: Thresholds,
    sections: ImageSections,
    cubes: u32,
    channel: u32,
    all_channels: u32,
    #[comptime] channels: u32,
    #[comptime] large: bool,
    #[comptime] first: bool,
    #[comptime] with_depth: bool,
    #[comptime] with_layers: bool,
    #[comptime] with_layer_transmittance: bool,
    #[comptime] with_contributors: bool,
    #[comptime] uniform: bool,
) {
    let cube = cube_index();
    let mut tile = SharedMemory::<u32>::new(TILE_WORDS);
    let mut splats = SharedMemory::<u32>::new(BATCH as usize);
    let mut ranks = SharedMemory::<u32>::new(BATCH as usize);
    let mut rows = SharedMemory::<f32>::new((BATCH * ROW) as usize);
    let mut values = SharedMemory::<f32>::new((BATCH * channels) as usize);
    // One word is used. Three more align the arrays behind it to 16 bytes. NVIDIA's assembler then
    // needs fewer registers.
    let mut live = SharedMemory::<u32>::new(4usize);
    if cube < cubes {
        let own_tile = tile_of(cube, layout, 0u32);
        let view = own_tile.view;
        let within = in_tile(UNIT_POS_X / 32, UNIT_POS_X % 32, 8u32, 4u32);
        // `pixel_of` and, below, `load_batch` are not used: with this order of instructions no
        // variant spills registers.
        let column = own_tile.left + within.column;
        let row = own_tile.top + within.row;
        let inside = column < layout.width && row < layout.height;
        let x = f32::cast_from(column) + 0.5;
        let y = f32::cast_from(row) + 0.5;
        let count = tile_hits(ranges, &mut tile, view, own_tile.global, layout, large);
        let mut sums = Array::<f32>::new(channels as usize);
        #[unroll]
        for c in 0..channels {
            sums[c as usize] = 0.0;
        }
        let mut depth = 0.0f32;
        let mut strongest = u32::MAX.runtime();
        let mut largest = 0.0f32;
        let mut composited = 0u32;
        let mut transmittance = 1.0f32;
        let mut end = 0u32;
        let mut done = !inside;
        // The next layer to write. Pixels outside the image write none.
        let mut layer = 0u32;
        if !inside {
            layer = sections.layer_count;
        }
        let mut batch = 0u32;
        let mut walking = true;
        let mut going = true;
        while batch < count && walking {
            let mut size = u32::min(BATCH, count - batch);
            if comptime![uniform] {
                if !going {
                    size = 0;
                }
            }
            list_hits(
                list,
                ranges,
                &tile,
                &mut splats,
                &mut ranks,
                batch,
                size,
                layout,
                large,
            );
            if comptime![large && with_layers] {
                if UNIT_POS_X < size {
                    ranks[UNIT_POS_X as usize] = rank_of(packed, splats[UNIT_POS_X as usize]);
                }
            }
            if UNIT_POS_X == 0 {
                live[0] = 0;
            }
            sync_cube();
            load_hits(
                packed,
                features,
                &splats,
                size,
                &mut rows,
                &mut values,
                channel,
                all_channels,
                channels,
            );
            if !done {
                live[0] = 1;
            }
            sync_cube();
            going = live[0] != 0;
            if comptime![!uniform] {
                walking = going;
            }
            if going {
                for i in 0..size {
                    if comptime![with_layers] {
                        while layer < sections.layer_count
                            && cuts[layer as usize] <= ranks[i as usize]
                        {
                            write_layer(
                                out,
                                layout,
                                sections,
                                view,
                                layer,
                                x,
                                y,
                                &sums,
                                transmittance,
                                backgrounds,
                                channel,
                                all_channels,
                                channels,
                                with_layer_transmittance,
                            );
                            layer += 1;
                        }
                    }
                    if !done {
                        let at = row_of(i);
                        let hit = pair(&rows, at, x, y, thresholds);
                        if hit.counts {
                            let behind = formula::behind(transmittance, hit.alpha);
                            if behind > thresholds.transmittance_min {
                                let weight = formula::weight(hit.alpha, transmittance);
                                #[unroll]
                                for c in 0..channels {
                                    sums[c as usize] = formula::add_weighted(
                                        sums[c as usize],
                                        weight,
                                        values[(i * channels + c) as usize],
                                    );
                                }
                                if comptime![with_depth] {
                                    let z = depth_of(&rows, at);
                                    depth = formula::add_weighted(depth, weight, z);
                                }
                                if comptime![with_contributors] {
                                    if weight > largest {
                                        largest = weight;
                                        strongest = splats[i as usize];
                                    }
                                    composited += 1;
                                }
                                transmittance = behind;
                                end = batch + i + 1;
                            } else {
                                done = true;
                            }
                        }
                    }
                }
            }
            sync_cube();
            batch += BATCH;
        }
        if inside {
            // Depth and contributors are written before the remaining layers: with this order no
            // variant spills registers.
            let pixel = pixel_at(layout, view, x, y);
            if comptime![with_contributors] {
                if composited > 0 {
                    strongest -= cuts[(sections.layer_count + view) as usize];
                }
                out[(sections.indices + pixel) as usize] = strongest;
                out[(sections.weights + pixel) as usize] = u32::reinterpret(largest);
                out[(sections.counts + pixel) as usize] = composited;
            }
            if comptime![with_depth] {
                out[(sections.depth + pixel) as usize] = u32::reinterpret(depth);
            }
            if comptime![with_layers] {
                while layer < sections.layer_count {
                    write_layer(
                        out,
                        layout,
                        sections,
                        view,
                        layer,
                        x,
                        y,
                        &sums,
                        transmittance,
                        backgrounds,
                        channel,
                        all_channels,
                        channels,
                        with_layer_transmittance,
                    );
                    layer += 1;
                }
            }
            let pixel = pixel_at(layout, view, x, y);
            let to = pixel * all_channels + channel;
            write_features(
                out,
                to,
                &sums,
                transmittance,
                backgrounds,
                view * all_channels + channel,
                channels,
            );
            if comptime![first] {
                out[(sections.transmittance + pixel) as usize] = u32::reinterpret(transmittance);
                out[(sections.ends + pixel) as usize] = end;
            }
        }
    }
}
