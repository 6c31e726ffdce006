//! What the forward and the backward compositor on a device share: rows of splats, the list of a tile's hits, and one pair.

#![expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "parts of a kernel, whose shared memory is no value"
)]

use cubecl::prelude::*;
use half::f16;

use crate::binning::cube::in_box;
use crate::config::RenderConfig;
use crate::cube::{Cube, CubeBuffer, cube_dim, grid_of_units, unit_index};
use crate::error::{RenderError, checked_product};
use crate::math::exp::exp_on_device;
use crate::math::{Sym2, Vec2};
use crate::project::Splats;
use crate::project::cube::rounded_to_half;
use crate::single::{Real, composite as formula};
use crate::sort::cube::SortedHits;

/// Numbers of a splat's row: mean 2, conic 3, opacity, extents 2, depth.
pub(crate) const ROW: u32 = 9;

/// Numbers of a packed splat: its row, then its rank in two parts that `f32` holds exactly.
pub(crate) const PACKED: u32 = 11;

/// The lower part of a rank.
const RANK_PART: u32 = 1 << 16;

/// The mask words of a view of 1024 splats, and one.
pub(crate) const PREFIX: usize = 33;

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

/// One unit per splat: gathers what the compositor reads.
#[cube(launch)]
fn pack_kernel(
    means: &Array<f32>,
    conics: &Array<f32>,
    opacities: &Array<f32>,
    depths: &Array<f32>,
    extents: &Array<f32>,
    ranks: &Array<u32>,
    packed: &mut Array<f32>,
    count: u32,
    #[comptime] ranked: bool,
) {
    let m = unit_index();
    if m < count {
        let at = m * PACKED;
        for k in 0..2u32 {
            packed[(at + k) as usize] = means[(2 * m + k) as usize];
            packed[(at + 6 + k) as usize] = extents[(2 * m + k) as usize];
        }
        for k in 0..3u32 {
            packed[(at + 2 + k) as usize] = conics[(3 * m + k) as usize];
        }
        packed[(at + 5) as usize] = opacities[m as usize];
        packed[(at + 8) as usize] = depths[m as usize];
        if comptime![ranked] {
            let rank = ranks[m as usize];
            packed[(at + 9) as usize] = f32::cast_from(rank % RANK_PART);
            packed[(at + 10) as usize] = f32::cast_from(rank / RANK_PART);
        }
    }
}

/// Packs every splat, `[M, PACKED]`.
pub(crate) fn pack<R: Runtime>(
    cube: &Cube<R>,
    splats: &Splats<&CubeBuffer>,
    sorted: &SortedHits,
) -> Result<CubeBuffer, RenderError> {
    let m = splats.len();
    let words = checked_product("packed splats", &[m, PACKED as usize])?;
    let packed = cube.empty("packed splats [M, 11]", words)?;
    let (ranks, ranked) = match sorted {
        SortedHits::Small(sorted) => (&sorted.order, false),
        SortedHits::Large(sorted) => (&sorted.rank_from_splat, true),
    };
    if m > 0 {
        pack_kernel::launch::<R>(
            &cube.client,
            grid_of_units(m)?,
            cube_dim(),
            splats.means.arg(),
            splats.conics.arg(),
            splats.opacities.arg(),
            splats.depths.arg(),
            splats.extents.arg(),
            ranks.arg(),
            packed.arg(),
            m as u32,
            ranked,
        );
    }
    Ok(packed)
}

/// One unit per feature: the same in 16 bits. They hold it, but where a device takes subnormal numbers (below 2^-14) for zero.
#[cube(launch)]
fn narrow_kernel<F: Float>(features: &Array<f32>, halves: &mut Array<F>, count: u32) {
    let i = unit_index();
    if i < count {
        halves[i as usize] = F::cast_from(rounded_to_half(features[i as usize]));
    }
}

/// Features in 16 bits for the compositors to read, `[M, C]`, where they are rounded to that many and the device has numbers of 16 bits.
pub(crate) fn narrow<R: Runtime>(
    cube: &Cube<R>,
    splats: &Splats<&CubeBuffer>,
    config: &RenderConfig,
) -> Result<Option<CubeBuffer>, RenderError> {
    let count = splats.features.len();
    if !config.half_features || !cube.has_halves() || count == 0 {
        return Ok(None);
    }
    let halves = cube.empty("features of 16 bits [M, C]", count.div_ceil(2))?;
    narrow_kernel::launch::<f16, R>(
        &cube.client,
        grid_of_units(count)?,
        cube_dim(),
        splats.features.arg(),
        halves.arg_of_halves(count),
        count as u32,
    );
    Ok(Some(halves))
}

/// The rank of a packed splat.
#[cube]
pub(crate) fn rank_of(packed: &Array<f32>, m: u32) -> u32 {
    let at = m * PACKED + 9;
    u32::cast_from(packed[at as usize]) + u32::cast_from(packed[(at + 1) as usize]) * RANK_PART
}

/// Writes the running count of a tile's bits, `prefix[w]` of them before word `w` of its mask, and returns their number. All units of
/// the cube must call it.
///
/// Every unit counts for itself, from a buffer that no kernel with barriers writes: so a compiler can see that all have the same number, and
/// lets barriers stand in a loop over it.
#[cube]
fn count_bits(masks: &Array<u32>, base: u32, words: u32, prefix: &mut SharedMemory<u32>) -> u32 {
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
        prefix[UNIT_POS_X as usize] = before;
    }
    sync_cube();
    total
}

/// The hits of a tile.
#[derive(CubeType, Clone, Copy)]
pub(crate) struct TileHits {
    /// The first of its slots in the large regime.
    pub(crate) start: u32,
    /// The first word of its mask in the small regime.
    pub(crate) base: u32,
    pub(crate) count: u32,
}

/// The hits of tile `tile` of all views; fills `prefix` in the small regime. All units of the cube must call it.
#[cube]
pub(crate) fn tile_hits(
    ranges: &Array<u32>,
    prefix: &mut SharedMemory<u32>,
    tile: u32,
    layout: Layout,
    #[comptime] large: bool,
) -> TileHits {
    if comptime![large] {
        let start = ranges[tile as usize];
        TileHits {
            start,
            base: 0u32.runtime(),
            count: ranges[(tile + 1) as usize] - start,
        }
    } else {
        let words = layout.ranks / 32;
        let base = tile * words;
        TileHits {
            start: 0u32.runtime(),
            base,
            count: count_bits(ranges, base, words, prefix),
        }
    }
}

/// The number of a tile's hits once more, from shared memory: kept over a loop, it would be a register more.
#[cube]
pub(crate) fn count_again(
    ranges: &Array<u32>,
    prefix: &SharedMemory<u32>,
    tile: u32,
    layout: Layout,
    #[comptime] large: bool,
) -> u32 {
    if comptime![large] {
        ranges[(tile + 1) as usize] - ranges[tile as usize]
    } else {
        prefix[(layout.ranks / 32) as usize]
    }
}

/// The rank of the bit at `place` of a tile's mask, `place` being less than the number of its bits.
#[cube]
pub(crate) fn rank_at(
    masks: &Array<u32>,
    base: u32,
    words: u32,
    prefix: &SharedMemory<u32>,
    place: u32,
) -> u32 {
    let mut low = 0u32;
    let mut high = words;
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if prefix[middle as usize] <= place {
            low = middle;
        } else {
            high = middle;
        }
    }
    let mut bits: u32 = masks[(base + low) as usize];
    let before = place - prefix[low as usize];
    for _ in 0..before {
        bits &= bits - 1;
    }
    // The number of zeros below the lowest bit.
    let below: u32 = (bits & (!bits + 1)) - 1;
    low * 32 + below.count_ones()
}

/// Lists hits `first ..` of a tile, one per unit below `size`: the splat, and where in its lists the hit is, which is its slot in the large
/// regime and the splat's rank in the small one.
#[cube]
pub(crate) fn list_hits(
    list: &Array<u32>,
    ranges: &Array<u32>,
    prefix: &SharedMemory<u32>,
    splats: &mut SharedMemory<u32>,
    places: &mut SharedMemory<u32>,
    hits: TileHits,
    view: u32,
    first: u32,
    size: u32,
    layout: Layout,
    #[comptime] large: bool,
) {
    if UNIT_POS_X < size {
        let hit = first + UNIT_POS_X;
        if comptime![large] {
            splats[UNIT_POS_X as usize] = list[(hits.start + hit) as usize];
            places[UNIT_POS_X as usize] = hits.start + hit;
        } else {
            let rank = rank_at(ranges, hits.base, layout.ranks / 32, prefix, hit);
            splats[UNIT_POS_X as usize] = list[(view * layout.ranks + rank) as usize];
            places[UNIT_POS_X as usize] = rank;
        }
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

/// Where in a tile of 16 x 16 the pixel of a unit lies, in px: units that run together have a block, for a splat touches fewer blocks than
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
    let blocks = comptime!(16 / width);
    InTile {
        column: plane % blocks * width + lane % width,
        row: plane / blocks * height + lane / width,
    }
}
