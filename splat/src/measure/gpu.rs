//! The device's scan, sort and lists of hits by themselves, for tests and benches: not part of the
//! interface.

use cubecl::prelude::*;

use crate::composite::gpu::forward::Composited;
use crate::device::Gpu;
use crate::device::buffer::GpuBuffer;
use crate::device::radix::{Pairs, sort_pairs};
use crate::device::scan::exclusive_scan;
use crate::error::RenderError;
use crate::gaussians::check_len;
use crate::sort::gpu::lists::{LargeSorted, SortedHits};

/// Integers on the device.
///
/// # Errors
/// As [`Gpu::upload`].
pub fn upload<R: Runtime>(gpu: &Gpu<R>, words: &[u32]) -> Result<GpuBuffer, RenderError> {
    gpu.upload_words(words)
}

/// Integers from the device.
///
/// # Errors
/// As [`Gpu::download`].
pub fn download<R: Runtime>(gpu: &Gpu<R>, words: &GpuBuffer) -> Result<Vec<u32>, RenderError> {
    gpu.download_words(words)
}

/// Waits until the device has done all it was asked to.
///
/// # Errors
/// [`RenderError::Device`] where it failed.
pub fn wait<R: Runtime>(gpu: &Gpu<R>) -> Result<(), RenderError> {
    let done = cubecl::future::block_on(gpu.client().sync());
    done.map_err(|error| RenderError::Device {
        expected: "work done".to_owned(),
        got: error.to_string(),
    })
}

/// The sums of all `input` before each of `0 .. len`.
///
/// # Errors
/// Lengths over the device's capacity.
pub fn scan<R: Runtime>(
    gpu: &Gpu<R>,
    input: &GpuBuffer,
    len: usize,
) -> Result<GpuBuffer, RenderError> {
    exclusive_scan(gpu, input, len)
}

/// `keys` and `values`, as many, sorted stably by the lowest `bits` bits of the keys; what was
/// given is overwritten.
///
/// # Errors
/// Lengths over the device's capacity, or that differ.
pub fn sort<R: Runtime>(
    gpu: &Gpu<R>,
    keys: GpuBuffer,
    values: GpuBuffer,
    bits: u32,
) -> Result<(GpuBuffer, GpuBuffer), RenderError> {
    if keys.len() != values.len() {
        return Err(RenderError::shape("values", keys.len(), values.len()));
    }
    let Pairs { keys, values } = sort_pairs(gpu, Pairs { keys, values }, bits)?;
    Ok((keys, values))
}

/// Queues the compositor's arithmetic alone: `steps` (splat, pixel) pairs in each of 256 `cubes`
/// pixels. Returns the number of pairs.
///
/// # Errors
/// Lengths over the device's capacity.
pub fn roofline<R: Runtime>(gpu: &Gpu<R>, cubes: u32, steps: u32) -> Result<u64, RenderError> {
    crate::measure::gpu_roofline::roofline(gpu, cubes, steps)
}

/// The lists of hits of the large regime, on the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lists {
    /// `[M + 1]`: the hits of each splat.
    pub from_splat: Vec<u32>,
    /// `[K]`: the splat of each slot.
    pub splat_from_slot: Vec<u32>,
    /// `[K]`: the slot of each hit.
    pub slot_from_hit: Vec<u32>,
    /// `[B tiles + 1]`: the slots of each tile.
    pub ranges: Vec<u32>,
    /// `[M]`: the rank of each visible splat in its view; `u32::MAX` of others.
    pub rank_from_splat: Vec<u32>,
}

/// Copies lists back; `None` in the small regime, which has none.
///
/// # Errors
/// As [`Gpu::download`].
pub fn lists<R: Runtime>(gpu: &Gpu<R>, sorted: &SortedHits) -> Result<Option<Lists>, RenderError> {
    let SortedHits::Large(sorted) = sorted else {
        return Ok(None);
    };
    let LargeSorted {
        from_splat,
        splat_from_slot,
        slot_from_hit,
        ranges,
        rank_from_splat,
        ..
    } = sorted;
    Ok(Some(Lists {
        from_splat: gpu.download_words(from_splat)?,
        splat_from_slot: gpu.download_words(splat_from_slot)?,
        slot_from_hit: gpu.download_words(slot_from_hit)?,
        ranges: gpu.download_words(ranges)?,
        rank_from_splat: gpu.download_words(rank_from_splat)?,
    }))
}

/// The same lists of the CPU.
pub fn host_lists(sorted: &crate::sort::cpu::lists::SortedHits) -> Lists {
    Lists {
        from_splat: sorted.hits_from_splat.clone(),
        splat_from_slot: sorted.splat_from_slot.clone(),
        slot_from_hit: sorted.slot_from_hit.clone(),
        ranges: sorted.slots_from_tile.clone(),
        rank_from_splat: sorted.rank_from_splat.clone(),
    }
}

/// The same state with other ends of pixels, `[B, H, W]`: the number of hits of its tile after
/// which each pixel ended.
///
/// # Errors
/// As [`Gpu::upload`].
pub fn with_ends<R: Runtime>(
    gpu: &Gpu<R>,
    composited: &Composited,
    ends: &[u32],
) -> Result<Composited, RenderError> {
    check_len("ends", "[B H W]", &[composited.ends.len()], ends.len())?;
    Ok(Composited {
        ends: gpu.upload_words(ends)?,
        ..composited.clone()
    })
}

/// The sides of the grid that at least `cubes` workgroups are launched in.
///
/// # Errors
/// [`RenderError::Capacity`] where 32 bits would not number the threads.
pub fn grid_sides(cubes: usize) -> Result<[u32; 3], RenderError> {
    crate::device::launch::sides(cubes)
}

/// The same backend told whether its device deals threads to subgroups in order, which only CUDA
/// promises and only CUDA is taken at its word for. Said of a device that does not, gradients are
/// wrong.
#[must_use]
pub fn with_subgroups_in_order<R: Runtime>(gpu: Gpu<R>, subgroups_in_order: bool) -> Gpu<R> {
    Gpu {
        subgroups_in_order,
        ..gpu
    }
}

/// What each thread of a subgroup has after the backward compositor summed `count` numbers over it,
/// as first and number of its sums; and the most that any may have.
pub fn plane_shares(count: u32, plane: u32) -> (Vec<[u32; 2]>, u32) {
    crate::composite::gpu::replay_planes::shares(count, plane)
}
