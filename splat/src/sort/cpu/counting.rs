//! Stable counting sorts, parallel over blocks of what is sorted: every block counts its own,
//! learns where its share of each bin begins, and puts its own there. The result does not depend on
//! the number of blocks.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use rayon::prelude::*;

use crate::error::{RenderError, try_filled, try_reserved};

/// Bins whose starts one task works out.
const BINS_PER_TASK: usize = 512;

/// Puts what `block_count` blocks have into bins, slots numbered from `first`.
///
/// `count(block, row)` adds up a block's share of each bin; `put(block, row)` is then given the
/// first slot of each share, and must leave behind the slot after its last. `counts`, `[blocks,
/// bins]`, is zero on entry; its last row is where each bin ends on return.
pub(crate) fn into_bins(
    counts: &mut [u32],
    bins: usize,
    first: u32,
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
        shares(counts, bins, first)?;
        let blocks = counts.par_chunks_mut(bins).enumerate();
        blocks.for_each(|(block, row)| put(block, row));
    }
    Ok(())
}

/// Replaces each count by `first` and the sum of those before it.
fn counts_to_starts(counts: &mut [u32], first: u32) {
    let mut next = first;
    for count in counts {
        next += std::mem::replace(count, next);
    }
}

/// Replaces counts by the first slots of shares: bin by bin, and within a bin block by block.
fn shares(counts: &mut [u32], bins: usize, first: u32) -> Result<(), RenderError> {
    // Tasks own bins, that is columns of the table.
    let what = "bins of tasks";
    let blocks = counts.len() / bins;
    let mut tasks: Vec<Vec<&mut [u32]>> = try_reserved(what, bins.div_ceil(BINS_PER_TASK))?;
    for _ in 0..bins.div_ceil(BINS_PER_TASK) {
        tasks.push(try_reserved(what, blocks)?);
    }
    for row in counts.chunks_exact_mut(bins) {
        for (task, part) in tasks.iter_mut().zip(row.chunks_mut(BINS_PER_TASK)) {
            task.push(part);
        }
    }
    let mut starts = try_filled("starts of bins", bins, 0)?;
    let columns = (&tasks, starts.par_chunks_mut(BINS_PER_TASK)).into_par_iter();
    columns.for_each(|(parts, sums)| {
        for part in parts {
            for (sum, count) in sums.iter_mut().zip(part.iter()) {
                *sum += count;
            }
        }
    });
    counts_to_starts(&mut starts, first);
    let columns = (tasks, starts.par_chunks_mut(BINS_PER_TASK)).into_par_iter();
    columns.for_each(|(parts, starts)| {
        for part in parts {
            for (start, count) in starts.iter_mut().zip(part) {
                *start += std::mem::replace(count, *start);
            }
        }
    });
    Ok(())
}

/// A block's share of `0..len`.
pub(crate) fn block_of(len: usize, blocks: usize, block: usize) -> std::ops::Range<usize> {
    let per_block = len.div_ceil(blocks);
    (block * per_block).min(len)..((block + 1) * per_block).min(len)
}

/// The same numbers, to be written from several threads. The memory is kept.
pub(crate) fn into_atomic(numbers: Vec<u32>) -> Vec<AtomicU32> {
    numbers.into_iter().map(AtomicU32::new).collect()
}

/// The numbers themselves, in the same memory.
pub(crate) fn into_plain(numbers: Vec<AtomicU32>) -> Vec<u32> {
    numbers.into_iter().map(AtomicU32::into_inner).collect()
}

/// Writes a word that no other thread writes: a plain store.
#[inline(always)]
pub(crate) fn store(word: &AtomicU32, value: u32) {
    word.store(value, Relaxed);
}
