//! What the forward and the backward compositor on a device share: the tile of a workgroup, the list of its hits, and one pair.

#![expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "parts of a kernel, whose shared memory is no value"
)]

use cubecl::prelude::*;

use crate::binning::gpu::hits::TILE_SIDE;
use crate::composite::gpu::packed::{
    ROW, conic_of, is_near_x, is_near_y, offset, opacity_of, row_word,
};
use crate::formulas::single::composite as formula;
use crate::math::Vec2;
use crate::math::exp::exp_on_device;

/// Words that the threads of a workgroup share about their tile ([`tile_hits`]): first, in the small regime, the running count of its mask's bits, for
/// the 32 words of a view of 1024 splats and past the last. Kept by every thread over a loop, what follows would be registers more.
pub(crate) const TILE_WORDS: usize = 36;

/// Of them: the tile's first slot in the large regime, the first word of its mask in the small one.
const FIRST: usize = 33;

/// Of them: where the order of the tile's view begins, in the small regime.
const ORDER: usize = 34;

/// Of them: the number of its hits.
const COUNT: usize = 35;

/// The settings of compositing as a kernel takes them.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
pub(crate) struct Thresholds {
    pub(crate) alpha_min: f32,
    pub(crate) alpha_max: f32,
    pub(crate) transmittance_min: f32,
}

/// The images and their tiles as a kernel takes them.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
pub(crate) struct Layout {
    /// px
    pub(crate) width: u32,
    /// px
    pub(crate) height: u32,
    /// Tiles of one row.
    pub(crate) columns: u32,
    /// Tiles of one view.
    pub(crate) tiles: u32,
    /// Ranks of one view, in the small regime.
    pub(crate) ranks: u32,
}

/// The tile of a workgroup.
#[derive(CubeType, Clone, Copy)]
pub(crate) struct Tile {
    pub(crate) view: u32,
    /// Its number among those of all views.
    pub(crate) global: u32,
    /// px
    pub(crate) left: u32,
    /// px
    pub(crate) top: u32,
}

/// The tile of workgroup `cube` of a launch whose first view is `first_view`.
#[cube]
pub(crate) fn tile_of(cube: u32, layout: Layout, first_view: u32) -> Tile {
    let view = first_view + cube / layout.tiles;
    let tile = cube % layout.tiles;
    Tile {
        view,
        global: first_view * layout.tiles + cube,
        left: tile % layout.columns * TILE_SIDE,
        top: tile / layout.columns * TILE_SIDE,
    }
}

/// Writes the running count of a tile's bits, `tile[w]` of them before word `w` of its mask, and returns their number.
///
/// Every thread counts for itself, from a buffer that the kernel only reads: so a compiler can see that all have the same number, and
/// lets barriers stand in a loop over it.
#[cube]
fn count_bits(masks: &Array<u32>, base: u32, words: u32, tile: &mut SharedMemory<u32>) -> u32 {
    let mut total = 0u32;
    let mut before = 0u32;
    for w in 0..words {
        if w == UNIT_POS_X {
            before = total;
        }
        let word: u32 = masks[(base + w) as usize];
        total += word.count_ones();
    }
    if UNIT_POS_X == words {
        before = total;
    }
    if UNIT_POS_X <= words {
        tile[UNIT_POS_X as usize] = before;
    }
    total
}

/// The number of hits of tile `global` of all views, which is one of view `view`; fills `tile`, [`TILE_WORDS`] words. All threads of the
/// workgroup must call it.
#[cube]
pub(crate) fn tile_hits(
    ranges: &Array<u32>,
    tile: &mut SharedMemory<u32>,
    view: u32,
    global: u32,
    layout: Layout,
    #[comptime] large: bool,
) -> u32 {
    let words = layout.ranks / 32;
    let first = if comptime![large] {
        ranges[global as usize]
    } else {
        global * words
    };
    let count = if comptime![large] {
        ranges[(global + 1) as usize] - first
    } else {
        count_bits(ranges, first, words, tile)
    };
    if UNIT_POS_X == 0 {
        tile[FIRST] = first;
        tile[ORDER] = view * layout.ranks;
        tile[COUNT] = count;
    }
    sync_cube();
    count
}

/// The number of hits of tile `global` of all views; each thread finds it by itself.
#[cube]
pub(crate) fn list_length(
    ranges: &Array<u32>,
    global: u32,
    layout: Layout,
    #[comptime] large: bool,
) -> u32 {
    let mut length = 0u32;
    if comptime![large] {
        let first = ranges[global as usize];
        let end = ranges[(global + 1) as usize];
        if end > first {
            length = end - first;
        }
    } else {
        let words = layout.ranks / 32;
        for w in 0..words {
            let word: u32 = ranges[(global * words + w) as usize];
            length += word.count_ones();
        }
    }
    length
}

/// The number of a tile's hits once more.
#[cube]
pub(crate) fn count_again(tile: &SharedMemory<u32>) -> u32 {
    tile[COUNT]
}

/// The rank of bit number `hit` of a tile's mask of `words` words, `hit` being less than the number of its bits.
#[cube]
fn rank_at(masks: &Array<u32>, tile: &SharedMemory<u32>, words: u32, hit: u32) -> u32 {
    let mut low = 0u32;
    let mut high = words;
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if tile[middle as usize] <= hit {
            low = middle;
        } else {
            high = middle;
        }
    }
    let mut bits: u32 = masks[(tile[FIRST] + low) as usize];
    let before = hit - tile[low as usize];
    for _ in 0..before {
        bits &= bits - 1;
    }
    // The number of zeros below the lowest bit.
    let below: u32 = (bits & (!bits + 1)) - 1;
    low * 32 + below.count_ones()
}

/// The index of hit `hit` of a tile in the lists: its slot in the large regime, the rank of its splat in the small one.
#[cube]
pub(crate) fn list_index(
    ranges: &Array<u32>,
    tile: &SharedMemory<u32>,
    hit: u32,
    layout: Layout,
    #[comptime] large: bool,
) -> u32 {
    if comptime![large] {
        tile[FIRST] + hit
    } else {
        rank_at(ranges, tile, layout.ranks / 32, hit)
    }
}

/// Lists hits `first ..` of a tile, one per thread below `size`: the splat, and its [`list_index`].
#[cube]
pub(crate) fn list_hits(
    list: &Array<u32>,
    ranges: &Array<u32>,
    tile: &SharedMemory<u32>,
    splats: &mut SharedMemory<u32>,
    indices: &mut SharedMemory<u32>,
    first: u32,
    size: u32,
    layout: Layout,
    #[comptime] large: bool,
) {
    if UNIT_POS_X < size {
        let index = list_index(ranges, tile, first + UNIT_POS_X, layout, large);
        let mut at = index;
        if comptime![!large] {
            at += tile[ORDER];
        }
        splats[UNIT_POS_X as usize] = list[at as usize];
        indices[UNIT_POS_X as usize] = index;
    }
}

/// Copies `count` splats' rows and features to shared memory. All threads of the workgroup share the work.
#[cube]
pub(crate) fn load_hits<F: Float>(
    packed: &Array<f32>,
    features: &Array<F>,
    list: &SharedMemory<u32>,
    count: u32,
    rows: &mut SharedMemory<f32>,
    values: &mut SharedMemory<f32>,
    channel: u32,
    all_channels: u32,
    #[comptime] channels: u32,
) {
    let mut i = UNIT_POS_X;
    while i < count * ROW {
        let m = list[(i / ROW) as usize];
        rows[i as usize] = row_word(packed, m, i);
        i += CUBE_DIM_X;
    }
    let mut i = UNIT_POS_X;
    while i < count * channels {
        let m = list[(i / channels) as usize];
        let feature = features[(m * all_channels + channel + i % channels) as usize];
        values[i as usize] = f32::cast_from(feature);
        i += CUBE_DIM_X;
    }
}

/// Lists and loads hits `first .. first + size` of a tile, for `size` up to the length of `splats` and `indices` and the number of
/// threads. All threads of the workgroup must call it, between two barriers.
#[cube]
pub(crate) fn load_batch<F: Float>(
    packed: &Array<f32>,
    features: &Array<F>,
    list: &Array<u32>,
    ranges: &Array<u32>,
    tile: &SharedMemory<u32>,
    splats: &mut SharedMemory<u32>,
    indices: &mut SharedMemory<u32>,
    rows: &mut SharedMemory<f32>,
    values: &mut SharedMemory<f32>,
    first: u32,
    size: u32,
    channel: u32,
    all_channels: u32,
    layout: Layout,
    #[comptime] channels: u32,
    #[comptime] large: bool,
) {
    list_hits(
        list, ranges, tile, splats, indices, first, size, layout, large,
    );
    sync_cube();
    load_hits(
        packed,
        features,
        splats,
        size,
        rows,
        values,
        channel,
        all_channels,
        channels,
    );
}

/// What one splat is to one pixel.
#[derive(CubeType, Clone, Copy)]
pub(crate) struct Pair {
    /// `e^-sigma`
    pub(crate) falloff: f32,
    pub(crate) alpha: f32,
    /// Whether the pair counts.
    pub(crate) counts: bool,
}

/// The pair of the hit whose row begins at `at` and the pixel at `(x, y)`.
#[cube]
pub(crate) fn pair(
    rows: &SharedMemory<f32>,
    at: u32,
    x: f32,
    y: f32,
    thresholds: Thresholds,
) -> Pair {
    let d = offset(rows, at, x, y);
    let inside = pair_inside(rows, at, d, thresholds);
    let counts = inside.counts && is_near_x(rows, at, d.x) && is_near_y(rows, at, d.y);
    Pair {
        falloff: inside.falloff,
        alpha: inside.alpha,
        counts,
    }
}

/// The same behind a branch: subgroups all of whose pixels are outside the box do nothing more. The forward kernel
/// does not use this variant: the branch makes ptxas spill.
#[cube]
pub(crate) fn pair_if_near(
    rows: &SharedMemory<f32>,
    at: u32,
    x: f32,
    y: f32,
    thresholds: Thresholds,
) -> Pair {
    let d = offset(rows, at, x, y);
    let mut falloff = 0.0f32;
    let mut alpha = 0.0f32;
    let mut counts = false;
    if is_near_x(rows, at, d.x) && is_near_y(rows, at, d.y) {
        let inside = pair_inside(rows, at, d, thresholds);
        falloff = inside.falloff;
        alpha = inside.alpha;
        counts = inside.counts;
    }
    Pair {
        falloff,
        alpha,
        counts,
    }
}

/// The pair of a pixel at `d` from the hit's mean, if it lies in the box.
#[cube]
fn pair_inside(rows: &SharedMemory<f32>, at: u32, d: Vec2<f32>, thresholds: Thresholds) -> Pair {
    let sigma = formula::sigma(conic_of(rows, at), d);
    let falloff = exp_on_device(-sigma);
    let alpha = formula::alpha(opacity_of(rows, at), falloff, thresholds.alpha_max);
    let counts = formula::counts(sigma, alpha, thresholds.alpha_min);
    Pair {
        falloff,
        alpha,
        counts,
    }
}

/// Where in a tile the pixel of a thread lies, in px: threads that run together have a block, for a splat touches fewer blocks than
/// rows.
#[derive(CubeType, Clone, Copy)]
pub(crate) struct InTile {
    pub(crate) column: u32,
    pub(crate) row: u32,
}

/// The pixel of thread `lane` of subgroup `plane` of a workgroup, blocks being `width` px wide and `height` px high.
#[cube]
pub(crate) fn in_tile(
    plane: u32,
    lane: u32,
    #[comptime] width: u32,
    #[comptime] height: u32,
) -> InTile {
    let blocks = comptime!(TILE_SIDE / width);
    InTile {
        column: plane % blocks * width + lane % width,
        row: plane / blocks * height + lane / width,
    }
}

/// The pixel of a thread, which may lie outside the image.
#[derive(CubeType, Clone, Copy)]
pub(crate) struct Pixel {
    pub(crate) column: u32,
    pub(crate) row: u32,
    /// The centre, px.
    pub(crate) x: f32,
    /// The centre, px.
    pub(crate) y: f32,
}

/// The pixel at `within` of a tile.
#[cube]
pub(crate) fn pixel_of(tile: Tile, within: InTile) -> Pixel {
    let column = tile.left + within.column;
    let row = tile.top + within.row;
    Pixel {
        column,
        row,
        x: f32::cast_from(column) + 0.5,
        y: f32::cast_from(row) + 0.5,
    }
}
