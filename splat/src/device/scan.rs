//! Running counts on the device: the sum of all elements before each.
//!
//! Blocks are summed, the sums scanned in the same way, then every block is scanned from what came
//! before it. No workgroup waits for another, no sum depends on the order in which workgroups run,
//! and shared memory is all that threads of a workgroup share.

use cubecl::prelude::*;

use crate::device::Gpu;
use crate::device::buffer::GpuBuffer;
use crate::device::launch::{cube_dim, cube_index, grid};
use crate::error::RenderError;

/// Elements that one workgroup scans: 8 per thread.
const BLOCK: u32 = 2048;
const PER_UNIT: u32 = 8;

/// `a + b`, or the greatest number there is. Associative, so a running count that overflows is the
/// same however it is summed.
#[cube]
fn saturating_sum(a: u32, b: u32) -> u32 {
    let mut sum = a + b;
    if sum < a {
        sum = 4_294_967_295u32;
    }
    sum
}

/// The sum of the `value`s of all threads up to each, in the first 256 words of `sums`, which has
/// 512.
#[cube]
fn scan_units(value: u32, sums: &mut SharedMemory<u32>) {
    let unit = UNIT_POS;
    let mut sum = value;
    sums[unit as usize] = sum;
    // Every step reads one half and writes the other. The last of the eight writes the first half.
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

/// `sums[block]`: the sum of a block of `input`.
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

/// Index in shared memory of element `i` of a block: one left out after 32, so that threads whose
/// elements are 8 apart meet other banks.
#[cube]
fn padded(i: u32) -> usize {
    (i + i / 32) as usize
}

/// `output[i]`: the sum of `input` before `i`, for `i < output_len`; `input` is 0 from `input_len`
/// on. `before` has what comes before each block, if there is more than one.
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

/// The sum of all elements of `input` before each of `0 .. len`; one longer than the input, the
/// output ends with the whole sum. A sum above `u32::MAX` is `u32::MAX`.
///
/// Two launches per 2048-fold of length, less one; beside the output, 4 bytes per 1024 elements.
///
/// # Errors
/// Lengths over 32 bits or the device's buffers.
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
        // SAFETY: no index leaves its array: `i < left` of `input`, `block < blocks` of `sums`.
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
    // SAFETY: no index leaves its array: `i < to_read` of `input`, `i < to_write` of `output`,
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
