//! What the forward and the backward compositor on a device share: the tile of a cube, the list of its hits, rows of splats, and one pair.

#![expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "parts of a kernel, whose shared memory is no value"
)]

use cubecl::prelude::*;

use crate::binning::gpu::hits::TILE_SIDE;
use crate::composite::gpu::pack::PACKED;
use crate::formulas::single::binning::in_box;
use crate::formulas::single::{Real, composite as formula};
use crate::math::exp::exp_on_device;
use crate::math::{Sym2, Vec2};

/// Numbers of a splat's row: mean 2, conic 3, opacity, extents 2, depth.
pub(crate) const ROW: u32 = 9;

/// Words that the units of a cube share about their tile ([`tile_hits`]): first, in the small regime, the running count of its mask's bits, for
/// the 32 words of a view of 1024 splats and past the last. Kept by every unit over a loop, what follows would be registers more.
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

/// The tile of a cube.
#[derive(CubeType, Clone, Copy)]
pub(crate) struct TilePlace {
    pub(crate) view: u32,
    /// Its number among those of all views.
    pub(crate) global: u32,
    /// px
    pub(crate) left: u32,
    /// px
    pub(crate) top: u32,
}

/// The tile of cube `cube` of a launch whose first view is `first_view`.
#[cube]
pub(crate) fn tile_place(cube: u32, layout: Layout, first_view: u32) -> TilePlace {
    let view = first_view + cube / layout.tiles;
    let tile = cube % layout.tiles;
    TilePlace {
        view,
        global: first_view * layout.tiles + cube,
        left: tile % layout.columns * TILE_SIDE,
        top: tile / layout.columns * TILE_SIDE,
    }
}

/// Writes the running count of a tile's bits, `tile[w]` of them before word `w` of its mask, and returns their number.
///
/// Every unit counts for itself, from a buffer that the kernel only reads: so a compiler can see that all have the same number, and
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

/// The number of hits of tile `global` of all views, which is one of view `view`; fills `tile`, [`TILE_WORDS`] words. All units of the cube
/// must call it.
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

/// The number of a tile's hits once more.
#[cube]
pub(crate) fn count_again(tile: &SharedMemory<u32>) -> u32 {
    tile[COUNT]
}

/// The rank of the bit at `place` of a tile's mask of `words` words, `place` being less than the number of its bits.
#[cube]
fn rank_at(masks: &Array<u32>, tile: &SharedMemory<u32>, words: u32, place: u32) -> u32 {
    let mut low = 0u32;
    let mut high = words;
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if tile[middle as usize] <= place {
            low = middle;
        } else {
            high = middle;
        }
    }
    let mut bits: u32 = masks[(tile[FIRST] + low) as usize];
    let before = place - tile[low as usize];
    for _ in 0..before {
        bits &= bits - 1;
    }
    // The number of zeros below the lowest bit.
    let below: u32 = (bits & (!bits + 1)) - 1;
    low * 32 + below.count_ones()
}

/// Where in its lists hit `hit` of a tile is: its slot in the large regime, the rank of its splat in the small one.
#[cube]
pub(crate) fn place_of(
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

/// Lists hits `first ..` of a tile, one per unit below `size`: the splat, and its [`place_of`].
#[cube]
pub(crate) fn list_hits(
    list: &Array<u32>,
    ranges: &Array<u32>,
    tile: &SharedMemory<u32>,
    splats: &mut SharedMemory<u32>,
    places: &mut SharedMemory<u32>,
    first: u32,
    size: u32,
    layout: Layout,
    #[comptime] large: bool,
) {
    if UNIT_POS_X < size {
        let place = place_of(ranges, tile, first + UNIT_POS_X, layout, large);
        let mut at = place;
        if comptime![!large] {
            at += tile[ORDER];
        }
        splats[UNIT_POS_X as usize] = list[at as usize];
        places[UNIT_POS_X as usize] = place;
    }
}

/// Copies `count` splats' rows and features to shared memory. All units of the cube must call it.
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
        rows[i as usize] = packed[(m * PACKED + i % ROW) as usize];
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

/// What one splat is to one pixel.
#[derive(CubeType, Clone, Copy)]
pub(crate) struct Pair {
    /// `e^-sigma`
    pub(crate) falloff: f32,
    pub(crate) alpha: f32,
    /// Whether the pair counts.
    pub(crate) counts: bool,
}

/// The conic of the hit at `at`.
#[cube]
pub(crate) fn conic_of(rows: &SharedMemory<f32>, at: u32) -> Sym2<f32> {
    Sym2::<Real> {
        xx: rows[(at + 2) as usize],
        xy: rows[(at + 3) as usize],
        yy: rows[(at + 4) as usize],
    }
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
    let counts = inside.counts
        && in_box(d.x, rows[(at + 6) as usize])
        && in_box(d.y, rows[(at + 7) as usize]);
    Pair {
        falloff: inside.falloff,
        alpha: inside.alpha,
        counts,
    }
}

/// The same behind a branch: planes all of whose pixels are outside the box do nothing more. Forward, that costs NVIDIA's assembler registers
/// it has not.
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
    if in_box(d.x, rows[(at + 6) as usize]) && in_box(d.y, rows[(at + 7) as usize]) {
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

/// From the hit's mean to a pixel.
#[cube]
fn offset(rows: &SharedMemory<f32>, at: u32, x: f32, y: f32) -> Vec2<f32> {
    Vec2::<Real> {
        x: x - rows[at as usize],
        y: y - rows[(at + 1) as usize],
    }
}

/// The pair of a pixel at `d` from the hit's mean, if it lies in the box.
#[cube]
fn pair_inside(rows: &SharedMemory<f32>, at: u32, d: Vec2<f32>, thresholds: Thresholds) -> Pair {
    let sigma = formula::sigma(conic_of(rows, at), d);
    let falloff = exp_on_device(-sigma);
    let alpha = formula::alpha(rows[(at + 5) as usize], falloff, thresholds.alpha_max);
    let counts = formula::counts(sigma, alpha, thresholds.alpha_min);
    Pair {
        falloff,
        alpha,
        counts,
    }
}

/// Where in a tile the pixel of a unit lies, in px: units that run together have a block, for a splat touches fewer blocks than
/// rows.
#[derive(CubeType, Clone, Copy)]
pub(crate) struct InTile {
    pub(crate) column: u32,
    pub(crate) row: u32,
}

/// The pixel of unit `lane` of plane `plane` of a cube, blocks being `width` px wide and `height` px high.
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
