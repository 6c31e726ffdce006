//! Exclusive running sums on the device: for each element, the sum of all elements before it.
//!
//! The first kernel sums each block. The sums of the blocks are scanned recursively. The last
//! kernel scans each block, starting from the sum before it. No workgroup waits for another, and no
//! sum depends on the order in which workgroups run. Threads share data only in the shared memory
//! of their workgroup.

use cubecl::prelude::*;

use crate::device::Gpu;
use crate::device::buffer::GpuBuffer;
use crate::device::launch::{cube_dim, cube_index, grid};
use crate::error::RenderError;

/// Number of elements that one workgroup scans: 8 per thread.
const BLOCK: u32 = 2048;
const PER_UNIT: u32 = 8;

/// Computes `a + b`, limited to the greatest `u32`. The operation is associative, so an overflowing
/// sum does not depend on the order of summation.
#[cube]
fn saturating_sum(a: u32, b: u32) -> u32 {
    let mut sum = a + b;
    if sum < a {
        sum = 4_294_967_295u32;
    }
    sum
}

/// Computes the sum of the `value`s of all threads up to and including each thread. The result is
/// in the first 256 of the 512 words of `sums`.
#[cube]
fn scan_units(value: u32, sums: &mut SharedMemory<u32>) {
    let unit = UNIT_POS;
    let mut sum = value;
    sums[unit as usize] = sum;
    // Each step reads one half and writes the other. The eighth step writes the first half.
    #[unroll]
    for step in 0..8u32 {
        let from = (step % 2) * 256;
        let to = 256 - from;
        let distance = 1u32 << step;
        sync_cube();
        if unit >= distance {
            sum = saturating_sum(sum, sums[(from + unit - distance) as usize]);
        }
        sums[(to + unit) as usize] = sum;
    }
    sync_cube();
}

/// Computes `sums[block]`, the sum of a block of `input`.
#[cube(launch_unchecked)]
fn sum_blocks(input: &Array<u32>, sums: &mut Array<u32>, len: u32, blocks: u32) {
    let mut shared = SharedMemory::<u32>::new(512usize);
    let block = cube_index();
    let mut sum = 0u32;
    if block < blocks {
        let begin = block * BLOCK;
        let mut left = 0u32;
        if begin < len {
            left = len - begin;
        }
        for row in 0..PER_UNIT {
            let i = row * 256 + UNIT_POS;
            if i < left {
                sum = saturating_sum(sum, input[(begin + i) as usize]);
            }
        }
    }
    scan_units(sum, &mut shared);
    if block < blocks && UNIT_POS == 0 {
        sums[block as usize] = shared[255];
    }
}

/// Returns the index of element `i` of a block in shared memory. One word is skipped after every 32
/// elements, so that threads with elements 8 apart access different banks.
#[cube]
fn padded(i: u32) -> usize {
    (i + i / 32) as usize
}

/// Computes `output[i]`, the sum of `input` before `i`, for `i < output_len`. `input` is taken as 0
/// from `input_len` on. `before` has the sum before each block, and is read only if there is more
/// than one block.
#[cube(launch_unchecked)]
fn scan_blocks(
    input: &Array<u32>,
    before: &Array<u32>,
    output: &mut Array<u32>,
    input_len: u32,
    output_len: u32,
    blocks: u32,
) {
    let mut elements = SharedMemory::<u32>::new(2112usize);
    let mut shared = SharedMemory::<u32>::new(512usize);
    let block = cube_index();
    let begin = block * BLOCK;
    let mut to_read = 0u32;
    let mut to_write = 0u32;
    if block < blocks {
        to_write = output_len - begin;
        if begin < input_len {
            to_read = input_len - begin;
        }
    }
    for row in 0..PER_UNIT {
        let i = row * 256 + UNIT_POS;
        let mut element = 0u32;
        if i < to_read {
            element = input[(begin + i) as usize];
        }
        elements[padded(i)] = element;
    }
    sync_cube();
    let first = UNIT_POS * PER_UNIT;
    let mut own = 0u32;
    for k in 0..PER_UNIT {
        own = saturating_sum(own, elements[padded(first + k)]);
    }
    scan_units(own, &mut shared);
    let mut sum = 0u32;
    if UNIT_POS > 0 {
        sum = shared[(UNIT_POS - 1) as usize];
    }
    if blocks > 1 && block < blocks {
        sum = saturating_sum(before[block as usize], sum);
    }
    for k in 0..PER_UNIT {
        let at = padded(first + k);
        let element = elements[at];
        elements[at] = sum;
        sum = saturating_sum(sum, element);
    }
    sync_cube();
    for row in 0..PER_UNIT {
        let i = row * 256 + UNIT_POS;
        if i < to_write {
            output[(begin + i) as usize] = elements[padded(i)];
        }
    }
}

/// Computes the sum of all elements of `input` before each index in `0 .. len`. If `len` is one
/// more than the length of `input`, the last element is the total. A sum above `u32::MAX` becomes
/// `u32::MAX`.
///
/// If `len` is at most `2048^k`, the scan takes at most `2 k - 1` launches. The working memory
/// besides the output is 4 bytes per 1024 elements.
///
/// # Errors
/// [`RenderError::Capacity`] if a buffer exceeds 32-bit indices or the device's largest buffer.
pub(crate) fn exclusive_scan<R: Runtime>(
    gpu: &Gpu<R>,
    input: &GpuBuffer,
    len: usize,
) -> Result<GpuBuffer, RenderError> {
    let output = gpu.empty("running count", len)?;
    if len == 0 {
        return Ok(output);
    }
    let (blocks, read) = (len.div_ceil(BLOCK as usize), input.len() as u32);
    let mut before = gpu.empty("sums of blocks", 1)?;
    if blocks > 1 {
        let sums = gpu.empty("sums of blocks", blocks)?;
        // SAFETY: all indices are in bounds: `i < left` of `input`, `block < blocks` of `sums`.
        unsafe {
            sum_blocks::launch_unchecked::<R>(
                &gpu.client,
                grid(blocks)?,
                cube_dim(),
                input.arg(),
                sums.arg(),
                read,
                blocks as u32,
            );
        }
        before = exclusive_scan(gpu, &sums, blocks)?;
    }
    // SAFETY: all indices are in bounds: `i < to_read` of `input`, `i < to_write` of `output`,
    // `block < blocks` of `before`.
    unsafe {
        scan_blocks::launch_unchecked::<R>(
            &gpu.client,
            grid(blocks)?,
            cube_dim(),
            input.arg(),
            before.arg(),
            output.arg(),
            read,
            len as u32,
            blocks as u32,
        );
    }
    Ok(output)
}
