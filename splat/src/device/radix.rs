//! A stable radix sort of (key, value) pairs of 32 bits each on the device, from the lowest digit
//! of the key to the highest.
//!
//! A pass counts the digits of every block, scans the counts, and writes every pair to the slot
//! that follows from the scan. The rank of a pair among the pairs of the same digit comes from bits
//! that threads set in shared memory, one word per digit and 32 threads. The words do not depend on
//! the order in which the bits are set.

use cubecl::prelude::*;

use crate::device::Gpu;
use crate::device::buffer::GpuBuffer;
use crate::device::launch::{cube_dim, cube_index, grid};
use crate::device::scan::exclusive_scan;
use crate::error::RenderError;

/// Number of pairs that one workgroup sorts in a pass: 16 rows of one pair per thread.
const BLOCK: u32 = 4096;
const ROWS: u32 = 16;

/// Greatest number of bits of a digit: a workgroup has one thread for each value.
const DIGIT_BITS: u32 = 8;

/// Pairs of a key and a value. Both buffers are `[len]`.
#[derive(Clone, Debug)]
pub(crate) struct Pairs {
    pub(crate) keys: GpuBuffer,
    pub(crate) values: GpuBuffer,
}

/// Computes `counts[digit, block]`, the number of keys of a block with a digit.
#[cube(launch_unchecked)]
fn count_digits(
    keys: &Array<u32>,
    counts: &mut Array<u32>,
    len: u32,
    blocks: u32,
    shift: u32,
    last_digit: u32,
) {
    let shared = SharedMemory::<Atomic<u32>>::new(256usize);
    let block = cube_index();
    shared[UNIT_POS as usize].store(0u32);
    sync_cube();
    if block < blocks {
        let begin = block * BLOCK;
        let left = len - begin;
        for row in 0..ROWS {
            let i = row * 256 + UNIT_POS;
            if i < left {
                let digit = (keys[(begin + i) as usize] >> shift) & last_digit;
                shared[digit as usize].fetch_add(1u32);
            }
        }
    }
    sync_cube();
    if block < blocks && UNIT_POS <= last_digit {
        counts[(UNIT_POS * blocks + block) as usize] = shared[UNIT_POS as usize].load();
    }
}

/// Writes every pair to the next slot of its digit. `starts[digit, block]` is the first slot.
#[cube(launch_unchecked)]
#[expect(clippy::too_many_arguments, reason = "a kernel")]
fn put_pairs(
    keys: &Array<u32>,
    values: &Array<u32>,
    starts: &Array<u32>,
    sorted_keys: &mut Array<u32>,
    sorted_values: &mut Array<u32>,
    len: u32,
    blocks: u32,
    shift: u32,
    last_digit: u32,
) {
    // Word `w` of digit `d` is at `w * 256 + d`. Its bit `b` is set if thread `32 w + b` has a key
    // of digit `d`.
    let units = SharedMemory::<Atomic<u32>>::new(2048usize);
    let mut next = SharedMemory::<u32>::new(256usize);
    let block = cube_index();
    let begin = block * BLOCK;
    let mut left = 0u32;
    let mut start = 0u32;
    if block < blocks {
        left = len - begin;
        if UNIT_POS <= last_digit {
            start = starts[(UNIT_POS * blocks + block) as usize];
        }
    }
    next[UNIT_POS as usize] = start;
    for word in 0..8u32 {
        units[(word * 256 + UNIT_POS) as usize].store(0u32);
    }
    sync_cube();
    let own_word = UNIT_POS / 32;
    let own_bit = 1u32 << (UNIT_POS % 32);
    for row in 0..ROWS {
        let i = row * 256 + UNIT_POS;
        let mut key = 0u32;
        let mut digit = 0u32;
        if i < left {
            key = keys[(begin + i) as usize];
            digit = (key >> shift) & last_digit;
            units[(own_word * 256 + digit) as usize].fetch_or(own_bit);
        }
        sync_cube();
        if i < left {
            let mut slot = next[digit as usize];
            let below = units[(own_word * 256 + digit) as usize].load() & (own_bit - 1);
            slot += below.count_ones();
            for word in 0..own_word {
                slot += units[(word * 256 + digit) as usize].load().count_ones();
            }
            sorted_keys[slot as usize] = key;
            sorted_values[slot as usize] = values[(begin + i) as usize];
        }
        sync_cube();
        let mut count = 0u32;
        for word in 0..8u32 {
            let at = (word * 256 + UNIT_POS) as usize;
            let bits = units[at].load();
            // Most words are zero, and on some devices a store costs as much as a sum.
            if bits != 0 {
                count += bits.count_ones();
                units[at].store(0u32);
            }
        }
        next[UNIT_POS as usize] += count;
        sync_cube();
    }
}

/// Sorts `pairs` stably by the lowest `bits` bits of their keys. The higher bits must be zero.
/// `pairs` also serve as working memory, so their contents are unspecified afterwards.
///
/// The sort takes one pass per 8 bits. A pass has at least three launches. The working memory is 8
/// bytes per pair, and half a byte per pair for the counts.
///
/// # Errors
/// [`RenderError::Capacity`] if a buffer exceeds 32-bit indices or the device's largest buffer.
pub(crate) fn sort_pairs<R: Runtime>(
    gpu: &Gpu<R>,
    pairs: Pairs,
    bits: u32,
) -> Result<Pairs, RenderError> {
    let len = pairs.keys.len();
    if len < 2 || bits == 0 {
        return Ok(pairs);
    }
    let passes = bits.div_ceil(DIGIT_BITS);
    let digit_bits = bits.div_ceil(passes);
    let room = Pairs {
        keys: gpu.empty("keys to sort", len)?,
        values: gpu.empty("values to sort", len)?,
    };
    let (mut from, mut to) = (pairs, room);
    for pass in 0..passes {
        let shift = pass * digit_bits;
        let last_digit = (1u32 << digit_bits.min(bits - shift)) - 1;
        sort_by_digit(gpu, &from, &to, shift, last_digit)?;
        std::mem::swap(&mut from, &mut to);
    }
    Ok(from)
}

/// Runs one pass: sorts by `key >> shift & last_digit`.
fn sort_by_digit<R: Runtime>(
    gpu: &Gpu<R>,
    from: &Pairs,
    to: &Pairs,
    shift: u32,
    last_digit: u32,
) -> Result<(), RenderError> {
    let len = from.keys.len();
    let blocks = len.div_ceil(BLOCK as usize);
    let table = (last_digit as usize + 1) * blocks;
    let counts = gpu.empty("counts of digits", table)?;
    // SAFETY: all indices are in bounds: `i < left` of the keys, digits and blocks of the counts.
    unsafe {
        count_digits::launch_unchecked::<R>(
            &gpu.client,
            grid(blocks)?,
            cube_dim(),
            from.keys.arg(),
            counts.arg(),
            len as u32,
            blocks as u32,
            shift,
            last_digit,
        );
    }
    let starts = exclusive_scan(gpu, &counts, table)?;
    // SAFETY: as above, and the slots are a permutation of `0..len`.
    unsafe {
        put_pairs::launch_unchecked::<R>(
            &gpu.client,
            grid(blocks)?,
            cube_dim(),
            from.keys.arg(),
            from.values.arg(),
            starts.arg(),
            to.keys.arg(),
            to.values.arg(),
            len as u32,
            blocks as u32,
            shift,
            last_digit,
        );
    }
    Ok(())
}

/// Returns the number of bits of the greatest value in `0..count`.
pub(crate) fn bits_below(count: usize) -> u32 {
    usize::BITS - count.saturating_sub(1).leading_zeros()
}
