//! The list of a tile's hits on a device, and the copy of its splats to shared memory.

#![expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "kernel code passes shared memory by reference"
)]

use cubecl::prelude::*;

use crate::composite::gpu::packed::{ROW, row_word};
use crate::composite::gpu::tile::Layout;

/// The number of words in shared memory that describe the tile of a workgroup, see [`tile_hits`].
/// In the small regime, the first words are the running count of the mask's bits: one for each of
/// the 32 words of a view of 1024 splats, and the total. The other values are shared because they
/// would cost registers if every thread kept them over a loop.
pub(crate) const TILE_WORDS: usize = 36;

/// The tile's first slot in the large regime, or the first word of its mask in the small regime.
const FIRST: usize = 33;

/// The index at which the order of the tile's view begins, in the small regime.
const ORDER: usize = 34;

/// The number of the tile's hits.
const COUNT: usize = 35;

/// Counts the bits of a tile's mask and returns their number. Also writes the running count:
/// `tile[w]` bits lie before word `w` of the mask.
///
/// Every thread counts all bits, from a buffer that the kernel only reads. A compiler can therefore
/// prove that all threads get the same number, and accepts barriers in a loop of that length.
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

/// Returns the number of hits of tile `global` among the tiles of all views, which is a tile of
/// view `view`. Fills `tile`, which has [`TILE_WORDS`] words. All threads of the workgroup must
/// call this function.
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

/// Returns the number of hits of tile `global` among the tiles of all views. Each thread computes
/// it by itself.
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

/// Returns the number of hits that [`tile_hits`] stored.
#[cube]
pub(crate) fn count_again(tile: &SharedMemory<u32>) -> u32 {
    tile[COUNT]
}

/// Returns the rank that bit number `hit` of a tile's mask stands for. The mask has `words` words
/// and more than `hit` bits.
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
    // The mask of the zeros below the lowest bit.
    let below: u32 = (bits & (!bits + 1)) - 1;
    low * 32 + below.count_ones()
}

/// Returns the index of hit `hit` of a tile in the lists: its slot in the large regime, or the rank
/// of its splat in the small regime.
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

/// Writes the splats and the [`list_index`] of hits `first .. first + size` of a tile to shared
/// memory, with one thread per hit.
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

/// Copies the rows of `count` splats to shared memory. All threads of the workgroup share the work.
#[cube]
pub(crate) fn load_rows(
    packed: &Array<f32>,
    list: &SharedMemory<u32>,
    count: u32,
    rows: &mut SharedMemory<f32>,
) {
    let mut i = UNIT_POS_X;
    while i < count * ROW {
        let m = list[(i / ROW) as usize];
        rows[i as usize] = row_word(packed, m, i);
        i += CUBE_DIM_X;
    }
}

/// Copies the rows and features of `count` splats to shared memory. All threads of the workgroup
/// share the work.
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
    load_rows(packed, list, count, rows);
    let mut i = UNIT_POS_X;
    while i < count * channels {
        let m = list[(i / channels) as usize];
        let feature = features[(m * all_channels + channel + i % channels) as usize];
        values[i as usize] = f32::cast_from(feature);
        i += CUBE_DIM_X;
    }
}

/// Lists and loads hits `first .. first + size` of a tile. `size` is at most the length of `splats`
/// and `indices`, and at most the number of threads. All threads of the workgroup must call this
/// function, between two barriers.
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
