//! The list of a tile's hits on a device, and how its splats get into shared memory.

#![expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "parts of a kernel, whose shared memory is no value"
)]

use cubecl::prelude::*;

use crate::composite::gpu::packed::{ROW, row_word};
use crate::composite::gpu::tile::Layout;

/// Words that the threads of a workgroup share about their tile ([`tile_hits`]): first, in the
/// small regime, the running count of its mask's bits, for the 32 words of a view of 1024 splats
/// and past the last. Kept by every thread over a loop, what follows would be registers more.
pub(crate) const TILE_WORDS: usize = 36;

/// Of them: the tile's first slot in the large regime, the first word of its mask in the small one.
const FIRST: usize = 33;

/// Of them: where the order of the tile's view begins, in the small regime.
const ORDER: usize = 34;

/// Of them: the number of its hits.
const COUNT: usize = 35;

/// Writes the running count of a tile's bits, `tile[w]` of them before word `w` of its mask, and
/// returns their number.
///
/// Every thread counts for itself, from a buffer that the kernel only reads: so a compiler can see
/// that all have the same number, and lets barriers stand in a loop over it.
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

/// The number of hits of tile `global` of all views, which is one of view `view`; fills `tile`,
/// [`TILE_WORDS`] words. All threads of the workgroup must call it.
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

/// The rank of bit number `hit` of a tile's mask of `words` words, `hit` being less than the number
/// of its bits.
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

/// The index of hit `hit` of a tile in the lists: its slot in the large regime, the rank of its
/// splat in the small one.
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

/// Copies `count` splats' rows and features to shared memory. All threads of the workgroup share
/// the work.
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

/// Lists and loads hits `first .. first + size` of a tile, for `size` up to the length of `splats`
/// and `indices` and the number of threads. All threads of the workgroup must call it, between two
/// barriers.
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
