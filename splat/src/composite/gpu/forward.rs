//! The forward compositor on a device: one cube per tile, one unit per pixel, hits in batches through shared memory.

#![expect(
    clippy::too_many_lines,
    clippy::collapsible_if,
    clippy::fn_params_excessive_bools,
    reason = "a kernel"
)]

use cubecl::prelude::*;
use half::f16;

use crate::composite::gpu::pack::{narrow, pack, rank_of};
use crate::composite::gpu::tile::{
    Layout, LayoutLaunch, ROW, TILE_WORDS, Thresholds, ThresholdsLaunch, in_tile, list_hits,
    load_hits, pair, tile_hits, tile_place,
};
use crate::config::RenderConfig;
use crate::device::Gpu;
use crate::device::buffer::GpuBuffer;
use crate::device::launch::{Sections, cube_dim, cube_index, grid};
use crate::error::{RenderError, checked_product};
use crate::formulas::single::composite as formula;
use crate::gaussians::check_len;
use crate::image::{Image, ImageSize};
use crate::sort::gpu::lists::SortedHits;
use crate::splats::Splats;

/// Hits that are in shared memory at a time.
const BATCH: u32 = 128;

/// Channels that a unit sums in registers; more take further launches.
const CHANNELS: usize = 8;

/// Where every pixel ended. Read by the vjp.
#[derive(Debug, Clone)]
pub struct Composited {
    /// `[B, H, W]`: the transmittance left.
    pub(crate) transmittance: GpuBuffer,
    /// `[B, H, W]`: one past the place, in its tile's list, of the last splat composited; zero where there was none.
    pub(crate) ends: GpuBuffer,
    /// `[M, 11]`: what the compositor reads of each splat but its features.
    pub(crate) packed: GpuBuffer,
    /// `[M, C]`: its features, where they are read in 16 bits.
    pub(crate) halves: Option<GpuBuffer>,
    /// The size of the images.
    pub(crate) size: ImageSize,
    /// Alpha's bounds and the least transmittance.
    pub(crate) thresholds: [f32; 3],
}

impl Composited {
    pub(crate) fn thresholds<R: Runtime>(&self) -> ThresholdsLaunch<R> {
        let [alpha_min, alpha_max, transmittance_min] = self.thresholds;
        ThresholdsLaunch::new(alpha_min, alpha_max, transmittance_min)
    }
}

/// Where the sections of the output begin, and how many layers there are.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
struct Places {
    transmittance: u32,
    ends: u32,
    depth: u32,
    layers: u32,
    layer_count: u32,
}

/// The index of the pixel centred at `(x, y)` of an image. The sides that there may be keep the centres exact.
///
/// Found again where it is needed: over the loop of the hits the centre is there anyway, and an index is a register more.
#[cube]
fn pixel_at(layout: Layout, image: u32, x: f32, y: f32) -> u32 {
    (image * layout.height + u32::cast_from(y)) * layout.width + u32::cast_from(x)
}

/// Writes a pixel's sums over the background from `to` on.
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

/// One cube per tile. `list` and `ranges` are the order and the masks of the small regime, or the slots and ranges of the large one.
/// The output's words are `f32` but for the ends. A tile none of whose pixels goes on is left, or, if `uniform`, walked to the end of its
/// list without work, so that the units agree on their way by what no unit has found out.
#[cube(launch)]
fn composite_kernel<F: Float>(
    packed: &Array<f32>,
    features: &Array<F>,
    list: &Array<u32>,
    ranges: &Array<u32>,
    backgrounds: &Array<f32>,
    cuts: &Array<u32>,
    out: &mut Array<u32>,
    layout: Layout,
    thresholds: Thresholds,
    places: Places,
    cubes: u32,
    channel: u32,
    all_channels: u32,
    #[comptime] channels: u32,
    #[comptime] large: bool,
    #[comptime] first: bool,
    #[comptime] with_depth: bool,
    #[comptime] with_layers: bool,
    #[comptime] uniform: bool,
) {
    let cube = cube_index();
    let mut tile = SharedMemory::<u32>::new(TILE_WORDS);
    let mut splats = SharedMemory::<u32>::new(BATCH as usize);
    let mut ranks = SharedMemory::<u32>::new(BATCH as usize);
    let mut rows = SharedMemory::<f32>::new((BATCH * ROW) as usize);
    let mut values = SharedMemory::<f32>::new((BATCH * channels) as usize);
    // One word, and three for the arrays behind it to stay aligned to 16 bytes: NVIDIA's assembler then needs fewer registers.
    let mut live = SharedMemory::<u32>::new(4usize);
    if cube < cubes {
        let place = tile_place(cube, layout, 0u32);
        let view = place.view;
        let pixel = in_tile(UNIT_POS_X / 32, UNIT_POS_X % 32, 8u32, 4u32);
        let column = place.left + pixel.column;
        let row = place.top + pixel.row;
        let inside = column < layout.width && row < layout.height;
        let x = f32::cast_from(column) + 0.5;
        let y = f32::cast_from(row) + 0.5;
        let count = tile_hits(ranges, &mut tile, view, place.global, layout, large);
        let mut sums = Array::<f32>::new(channels as usize);
        #[unroll]
        for c in 0..channels {
            sums[c as usize] = 0.0;
        }
        let mut depth = 0.0f32;
        let mut transmittance = 1.0f32;
        let mut end = 0u32;
        let mut done = !inside;
        // The next layer to write; outside the image there is none.
        let mut layer = 0u32;
        if !inside {
            layer = places.layer_count;
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
                        while layer < places.layer_count
                            && cuts[layer as usize] <= ranks[i as usize]
                        {
                            let image = view * places.layer_count + layer;
                            let pixel = pixel_at(layout, image, x, y);
                            let to = places.layers + pixel * all_channels + channel;
                            write_features(
                                out,
                                to,
                                &sums,
                                transmittance,
                                backgrounds,
                                view * all_channels + channel,
                                channels,
                            );
                            layer += 1;
                        }
                    }
                    if !done {
                        let at = i * ROW;
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
                                    let z = rows[(at + 8) as usize];
                                    depth = formula::add_weighted(depth, weight, z);
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
            if comptime![with_layers] {
                while layer < places.layer_count {
                    let image = view * places.layer_count + layer;
                    let pixel = pixel_at(layout, image, x, y);
                    let to = places.layers + pixel * all_channels + channel;
                    write_features(
                        out,
                        to,
                        &sums,
                        transmittance,
                        backgrounds,
                        view * all_channels + channel,
                        channels,
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
                out[(places.transmittance + pixel) as usize] = u32::reinterpret(transmittance);
                out[(places.ends + pixel) as usize] = end;
            }
            if comptime![with_depth] {
                out[(places.depth + pixel) as usize] = u32::reinterpret(depth);
            }
        }
    }
}

/// The launch argument for the tiles of `sorted`.
pub(crate) fn layout<R: Runtime>(sorted: &SortedHits) -> LayoutLaunch<R> {
    let grid = sorted.grid();
    let ranks = match sorted {
        SortedHits::Small(sorted) => sorted.ranks,
        SortedHits::Large(_) => 0,
    };
    LayoutLaunch::new(
        grid.size.width as u32,
        grid.size.height as u32,
        grid.columns as u32,
        grid.per_view() as u32,
        ranks as u32,
    )
}

/// The list of a kernel, its ranges, and whether they are those of the large regime.
pub(crate) fn lists(sorted: &SortedHits) -> (&GpuBuffer, &GpuBuffer, bool) {
    match sorted {
        SortedHits::Small(sorted) => (&sorted.order, &sorted.masks, false),
        SortedHits::Large(sorted) => (&sorted.splat_from_slot, &sorted.ranges, true),
    }
}

/// Composites every view.
pub(crate) fn composite<R: Runtime>(
    gpu: &Gpu<R>,
    splats: &Splats<&GpuBuffer>,
    sorted: &SortedHits,
    backgrounds: &GpuBuffer,
    config: &RenderConfig,
) -> Result<(Image<GpuBuffer>, Composited), RenderError> {
    sorted.check(splats)?;
    let (tiles, channels) = (*sorted.grid(), splats.channels);
    let size = tiles.size;
    let dims = [size.views, channels];
    check_len("backgrounds", "[B, C]", &dims, backgrounds.len())?;
    let pixels = size.pixels();
    let elements = size.elements("image [B, H, W, C]", channels)?;
    let layer_words = checked_product("layers [B, L, H, W, C]", &[elements, config.layers.len()])?;
    let depth_words = if config.outputs.depth { pixels } else { 0 };
    let mut sections = Sections::new();
    sections.push(elements);
    let transmittance = sections.push(pixels);
    let ends = sections.push(pixels);
    let depth = sections.push(depth_words);
    let layers = sections.push(layer_words);
    let out = gpu.empty(
        "images [B, H, W, C], transmittance and ends",
        sections.total,
    )?;
    let packed = pack(gpu, splats, sorted)?;
    let composited = Composited {
        transmittance: out.section(transmittance, pixels),
        ends: out.section(ends, pixels),
        packed,
        halves: narrow(gpu, splats, config)?,
        size,
        thresholds: [
            config.alpha_min as f32,
            config.alpha_max as f32,
            config.transmittance_min as f32,
        ],
    };
    let cuts = config.layers.iter();
    let cuts: Vec<u32> = cuts
        .map(|&cut| u32::try_from(cut).unwrap_or(u32::MAX))
        .collect();
    let cuts = gpu.upload_words(&cuts)?;
    let (list, ranges, large) = lists(sorted);
    let cubes = size.views * tiles.per_view();
    for channel in (0..channels).step_by(CHANNELS) {
        if cubes == 0 {
            break;
        }
        let first = channel == 0;
        macro_rules! launch {
            ($real:ty, $features:expr) => {
                composite_kernel::launch::<$real, R>(
                    &gpu.client,
                    grid(cubes)?,
                    cube_dim(),
                    composited.packed.arg(),
                    $features,
                    list.arg(),
                    ranges.arg(),
                    backgrounds.arg(),
                    cuts.arg(),
                    out.arg(),
                    layout(sorted),
                    composited.thresholds(),
                    PlacesLaunch::new(
                        transmittance as u32,
                        ends as u32,
                        depth as u32,
                        layers as u32,
                        config.layers.len() as u32,
                    ),
                    cubes as u32,
                    channel as u32,
                    channels as u32,
                    CHANNELS.min(channels - channel) as u32,
                    large,
                    first,
                    first && config.outputs.depth,
                    !config.layers.is_empty(),
                    gpu.uniform,
                )
            };
        }
        match &composited.halves {
            Some(halves) => launch!(f16, halves.arg_of_halves(splats.features.len())),
            None => launch!(f32, splats.features.arg()),
        }
    }
    let image = Image {
        features: out.section(0, elements),
        transmittance: config
            .outputs
            .transmittance
            .then(|| composited.transmittance.clone()),
        depth: config.outputs.depth.then(|| out.section(depth, pixels)),
        layers: (layer_words > 0 || (!config.layers.is_empty() && elements > 0))
            .then(|| out.section(layers, layer_words)),
    };
    Ok((image, composited))
}
