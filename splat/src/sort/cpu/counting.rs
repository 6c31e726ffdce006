//! A stable counting sort that runs in parallel over blocks of items. Every block counts its items
//! in each bin. A running sum of the counts then gives every block a range of slots in each bin.
//! Every block writes its items to its ranges. The result does not depend on the number of blocks.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use rayon::prelude::*;

use crate::error::RenderError;
use crate::host::memory::Memory;

/// Bins per task when the counts are summed.
const BINS_PER_TASK: usize = 512;

/// Sorts the items of all blocks into `bins` bins. The slots of the bins are consecutive and begin
/// with `first`.
///
/// `count(block, row)` adds the number of the block's items in each bin to `row`. Then
/// `put(block, row)` receives the first slot of the block's range in each bin. It must leave in
/// `row` the slot after the block's last item in each bin. `counts`, `[blocks, bins]`, must be zero
/// on entry. On return, the last row of `counts` contains the end of each bin.
pub(crate) fn into_bins(
    counts: &mut [u32],
    bins: usize,
    first: u32,
    memory: &Memory,
    count: impl Fn(usize, &mut [u32]) + Sync,
    put: impl Fn(usize, &mut [u32]) + Sync,
) -> Result<(), RenderError> {
    if counts.len() == bins {
        count(0, counts);
        counts_to_starts(counts, first);
        put(0, counts);
    } else {
        let blocks = counts.par_chunks_mut(bins).enumerate();
        blocks.for_each(|(block, row)| count(block, row));
        shares(counts, bins, first, memory)?;
        let blocks = counts.par_chunks_mut(bins).enumerate();
        blocks.for_each(|(block, row)| put(block, row));
    }
    Ok(())
}

/// Replaces each count by the sum of `first` and the counts before it.
fn counts_to_starts(counts: &mut [u32], first: u32) {
    let mut next = first;
    for count in counts {
        next += std::mem::replace(count, next);
    }
}

/// Replaces each count by the first slot of the block's range in the bin. The ranges are ordered by
/// bin, and within a bin by block.
fn shares(counts: &mut [u32], bins: usize, first: u32, memory: &Memory) -> Result<(), RenderError> {
    // A task handles some of the bins: columns of the table. Its parts of the rows are consecutive.
    let (blocks, tasks) = (counts.len() / bins, bins.div_ceil(BINS_PER_TASK));
    let mut parts = memory.list::<&'static mut [u32], _>("bins of tasks", blocks * tasks)?;
    parts.resize_with(blocks * tasks, Default::default);
    for (block, row) in counts.chunks_exact_mut(bins).enumerate() {
        for (task, part) in row.chunks_mut(BINS_PER_TASK).enumerate() {
            parts[task * blocks + block] = part;
        }
    }
    let mut starts: Vec<u32> = memory.buffer("starts of bins", bins)?;
    let columns = parts.par_chunks_mut(blocks);
    columns
        .zip(starts.par_chunks_mut(BINS_PER_TASK))
        .for_each(|(parts, sums)| {
            sums.fill(0);
            for part in parts {
                for (sum, count) in sums.iter_mut().zip(part.iter()) {
                    *sum += count;
                }
            }
        });
    counts_to_starts(&mut starts, first);
    let columns = parts.par_chunks_mut(blocks);
    columns
        .zip(starts.par_chunks_mut(BINS_PER_TASK))
        .for_each(|(parts, starts)| {
            for part in parts {
                for (start, count) in starts.iter_mut().zip(part.iter_mut()) {
                    *start += std::mem::replace(count, *start);
                }
            }
        });
    memory.keep_list::<&'static mut [u32], _>(parts);
    memory.give(starts);
    Ok(())
}

/// Returns the part of `0..len` that belongs to `block`.
pub(crate) fn block_of(len: usize, blocks: usize, block: usize) -> std::ops::Range<usize> {
    let per_block = len.div_ceil(blocks);
    (block * per_block).min(len)..((block + 1) * per_block).min(len)
}

/// Converts values to atomics, which several threads can write. The memory is reused.
pub(crate) fn into_atomic(numbers: Vec<u32>) -> Vec<AtomicU32> {
    numbers.into_iter().map(AtomicU32::new).collect()
}

/// Converts atomics back to plain values. The memory is reused.
pub(crate) fn into_plain(numbers: Vec<AtomicU32>) -> Vec<u32> {
    numbers.into_iter().map(AtomicU32::into_inner).collect()
}

/// Writes a word that no other thread writes. The relaxed store compiles to a plain store.
#[inline(always)]
pub(crate) fn store(word: &AtomicU32, value: u32) {
    word.store(value, Relaxed);
}
