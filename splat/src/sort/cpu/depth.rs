//! Sorts one view's splats by ascending depth, ties by index.
//!
//! Views of few splats are sorted by comparison. Views of many splats are sorted by the digits of
//! their keys, the lowest digit first. In addition to the order, the sort by digits takes at most
//! 16 bytes per splat that touches a tile, and 16 KiB per block. It takes 4 bytes more per splat if
//! the shortened keys have more than 32 bits.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use rayon::prelude::*;

use crate::error::RenderError;
use crate::host::memory::Memory;
use crate::scalar::Scalar;
use crate::sort::cpu::counting::{block_of, into_atomic, into_bins, into_plain, store};

/// Views of fewer splats are sorted by comparison.
const DIGITS_PAY_FROM: usize = 1024;

/// Splats per block, and greatest number of blocks.
const SPLATS_PER_BLOCK: usize = 8192;
const MAX_BLOCKS: usize = 256;

/// Greatest number of bits per digit. Longer digits need fewer passes, but a block's table of
/// counts should fit in the first-level cache.
const DIGIT_BITS: u32 = 12;

/// The splats of one view, and the depths and hits of all views.
#[derive(Debug, Clone)]
pub(crate) struct ViewSplats<'a, T> {
    /// Depths of the splats of all views.
    pub(crate) depths: &'a [T],
    /// Running sum of the hits of all views; see [`Hits`](crate::stages::Hits).
    pub(crate) hits_from_splat: &'a [u32],
    pub(crate) splats: Range<usize>,
}

/// Statistics of the keys of some splats.
#[derive(Debug, Clone, Copy)]
struct Keys {
    count: usize,
    min: u64,
    max: u64,
    /// Bits that are set in at least one key.
    any: u64,
    /// Bits that are set in every key.
    all: u64,
}

impl Keys {
    const NONE: Self = Self {
        count: 0,
        min: u64::MAX,
        max: 0,
        any: 0,
        all: u64::MAX,
    };

    #[inline(always)]
    fn with(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            min: self.min.min(other.min),
            max: self.max.max(other.max),
            any: self.any | other.any,
            all: self.all & other.all,
        }
    }

    fn numbers(&self) -> Numbers {
        let same_low_bits = (self.any ^ self.all).trailing_zeros().min(63);
        Numbers {
            min: self.min,
            shift: same_low_bits,
            bits: u64::BITS - ((self.max - self.min) >> same_low_bits).leading_zeros(),
        }
    }
}

/// A map from keys to shorter numbers in the same order. It subtracts the least key and removes the
/// low bits that all keys share.
#[derive(Debug, Clone, Copy)]
struct Numbers {
    min: u64,
    shift: u32,
    /// The number of bits of the greatest mapped number.
    bits: u32,
}

impl Numbers {
    #[inline(always)]
    fn of(self, key: u64) -> u64 {
        (key - self.min) >> self.shift
    }
}

impl<T: Scalar> ViewSplats<'_, T> {
    /// Returns the splats that touch a tile, by ascending depth, ties by index. The buffer belongs to
    /// `memory`.
    pub(crate) fn order(&self, memory: &Memory) -> Result<Vec<u32>, RenderError> {
        let count = self.splats.len();
        if count < DIGITS_PAY_FROM {
            self.order_by_comparison(memory)
        } else {
            let blocks = count.div_ceil(SPLATS_PER_BLOCK).min(MAX_BLOCKS);
            self.order_by_digits(blocks, memory)
        }
    }

    /// Returns the sort key of splat `m`, or `None` if the splat touches no tile.
    #[inline(always)]
    fn key(&self, m: usize) -> Option<u64> {
        let hits = &self.hits_from_splat[m..m + 2];
        (hits[0] != hits[1]).then(|| self.depths[m].sort_key())
    }

    pub(crate) fn order_by_comparison(&self, memory: &Memory) -> Result<Vec<u32>, RenderError> {
        let splats = self.splats.clone();
        let keyed = splats.filter_map(|m| Some((self.key(m)?, m as u32)));
        let mut order: Vec<u32> = memory.buffer("depth order", self.splats.len())?;
        order.clear();
        // No two items are equal, so an unstable sort gives the only possible order.
        if size_of::<T>() == 4 {
            let mut packed: Vec<u64> = memory.buffer("keys of splats", self.splats.len())?;
            packed.clear();
            packed.extend(keyed.map(|(key, m)| pack(key, m)));
            packed.sort_unstable();
            order.extend(packed.iter().map(|&item| item as u32));
            memory.give(packed);
        } else {
            let mut list: Vec<(u64, u32)> = memory.buffer("keys of splats", self.splats.len())?;
            list.clear();
            list.extend(keyed);
            list.sort_unstable();
            order.extend(list.iter().map(|&(_, m)| m));
            memory.give(list);
        }
        Ok(order)
    }

    pub(crate) fn order_by_digits(
        &self,
        blocks: usize,
        memory: &Memory,
    ) -> Result<Vec<u32>, RenderError> {
        let begin = self.splats.start;
        let in_block = |block: usize| {
            let splats = block_of(self.splats.len(), blocks, block);
            splats.fold(Keys::NONE, |keys, i| match self.key(begin + i) {
                None => keys,
                Some(key) => keys.with(Keys {
                    count: 1,
                    min: key,
                    max: key,
                    any: key,
                    all: key,
                }),
            })
        };
        let keys = if blocks == 1 {
            in_block(0)
        } else {
            let parts = (0..blocks).into_par_iter().map(in_block);
            parts.reduce(|| Keys::NONE, Keys::with)
        };
        if keys.count == 0 {
            return memory.buffer("depth order", 0);
        }
        let numbers = keys.numbers();
        // Longer numbers are sorted by the lower 32 bits first, then stably by the upper bits.
        let lower = |i: usize| {
            let m = begin + i;
            Some(pack(numbers.of(self.key(m)?), m as u32))
        };
        let order = by_digits(
            self.splats.len(),
            keys.count,
            numbers.bits.min(32),
            blocks,
            memory,
            lower,
        )?;
        if numbers.bits <= 32 {
            return Ok(order);
        }
        let upper = |i: usize| {
            let m = order[i];
            let key = self.depths[m as usize].sort_key();
            Some(pack(numbers.of(key) >> 32, m))
        };
        let bits = numbers.bits - 32;
        let sorted = by_digits(keys.count, keys.count, bits, blocks, memory, upper)?;
        memory.give(order);
        Ok(sorted)
    }
}

/// Returns the lower 32 bits of `number` in the upper half, and `m` in the lower half.
#[inline(always)]
fn pack(number: u64, m: u32) -> u64 {
    (number << 32) | u64::from(m)
}

/// Sorts packed items stably by the lowest `bits` bits of their upper halves. Returns their lower
/// halves. `read(i)` returns item `i` of `0..len`, or `None` if item `i` is left out. `count` is
/// the number of items that are not left out.
fn by_digits(
    len: usize,
    count: usize,
    bits: u32,
    blocks: usize,
    memory: &Memory,
    read: impl Fn(usize) -> Option<u64> + Sync,
) -> Result<Vec<u32>, RenderError> {
    let passes = bits.div_ceil(DIGIT_BITS).max(1);
    let digit_bits = bits.div_ceil(passes);
    let mut counts: Vec<u32> = memory.buffer("counts of digits", blocks << digit_bits)?;
    let digit = |pass: u32| Digit {
        shift: 32 + pass * digit_bits,
        bins: 1 << digit_bits,
    };
    let order = into_atomic(memory.buffer("depth order", count)?);
    let last = |slot: usize, item: u64| store(&order[slot], item as u32);
    if passes == 1 {
        digit(0).sort(&mut counts, len, memory, read, last)?;
        memory.give(counts);
        return Ok(into_plain(order));
    }
    let buffer = || -> Result<Vec<AtomicU64>, RenderError> {
        let keys: Vec<u64> = memory.buffer("keys of splats", count)?;
        Ok(keys.into_iter().map(AtomicU64::new).collect())
    };
    let (mut from, mut to) = (buffer()?, Vec::new());
    let first = |slot: usize, item| from[slot].store(item, Relaxed);
    digit(0).sort(&mut counts, len, memory, read, first)?;
    for middle in 1..passes - 1 {
        if to.is_empty() {
            to = buffer()?;
        }
        let read = |i: usize| Some(from[i].load(Relaxed));
        let write = |slot: usize, item| to[slot].store(item, Relaxed);
        digit(middle).sort(&mut counts, count, memory, read, write)?;
        std::mem::swap(&mut from, &mut to);
    }
    let read = |i: usize| Some(from[i].load(Relaxed));
    digit(passes - 1).sort(&mut counts, count, memory, read, last)?;
    for keys in [from, to] {
        let keys = keys.into_iter().map(AtomicU64::into_inner);
        memory.give(keys.collect::<Vec<u64>>());
    }
    memory.give(counts);
    Ok(into_plain(order))
}

/// A digit of a packed item: some adjacent bits.
#[derive(Debug, Clone, Copy)]
struct Digit {
    shift: u32,
    /// The number of values of the digit, a power of two.
    bins: usize,
}

impl Digit {
    #[inline(always)]
    fn of(self, item: u64) -> usize {
        (item >> self.shift) as usize & (self.bins - 1)
    }

    /// Sorts items stably by this digit. `read(i)` returns item `i` of `0..len`, or `None` if item
    /// `i` is left out. `write(slot, item)` stores an item. `counts` is working memory for
    /// `[blocks, bins]` counts, with any contents.
    fn sort(
        self,
        counts: &mut [u32],
        len: usize,
        memory: &Memory,
        read: impl Fn(usize) -> Option<u64> + Sync,
        write: impl Fn(usize, u64) + Sync,
    ) -> Result<(), RenderError> {
        let blocks = counts.len() / self.bins;
        let count = |block: usize, row: &mut [u32]| {
            for i in block_of(len, blocks, block) {
                if let Some(item) = read(i) {
                    row[self.of(item)] += 1;
                }
            }
        };
        let put = |block: usize, row: &mut [u32]| {
            for i in block_of(len, blocks, block) {
                if let Some(item) = read(i) {
                    let slot = &mut row[self.of(item)];
                    write(*slot as usize, item);
                    *slot += 1;
                }
            }
        };
        counts.fill(0);
        into_bins(counts, self.bins, 0, memory, count, put)
    }
}
