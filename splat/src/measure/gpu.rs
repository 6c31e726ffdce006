//! The scan, sort and lists of hits of a device, for tests and benchmarks. Not part of the public
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

/// Copies integers to the device.
///
/// # Errors
/// [`RenderError::Capacity`] as for [`Gpu::upload`].
pub fn upload<R: Runtime>(gpu: &Gpu<R>, words: &[u32]) -> Result<GpuBuffer, RenderError> {
    gpu.upload_words(words)
}

/// Copies integers from the device.
///
/// # Errors
/// [`RenderError::Device`] as for [`Gpu::download`].
pub fn download<R: Runtime>(gpu: &Gpu<R>, words: &GpuBuffer) -> Result<Vec<u32>, RenderError> {
    gpu.download_words(words)
}

/// Waits until the device has completed all queued work.
///
/// # Errors
/// [`RenderError::Device`] if the device failed.
pub fn wait<R: Runtime>(gpu: &Gpu<R>) -> Result<(), RenderError> {
    let done = cubecl::future::block_on(gpu.client().sync());
    done.map_err(|error| RenderError::Device {
        expected: "completed work".to_owned(),
        got: error.to_string(),
    })
}

/// Computes the exclusive running sum of `input`, `[len]`.
///
/// # Errors
/// [`RenderError::Capacity`] if a buffer exceeds the device's capacity.
pub fn scan<R: Runtime>(
    gpu: &Gpu<R>,
    input: &GpuBuffer,
    len: usize,
) -> Result<GpuBuffer, RenderError> {
    exclusive_scan(gpu, input, len)
}

/// Sorts pairs of `keys` and `values` stably by the lowest `bits` bits of the keys. The input
/// buffers are overwritten.
///
/// # Errors
/// - [`RenderError::Shape`] if `keys` and `values` differ in length.
/// - [`RenderError::Capacity`] if a buffer exceeds the device's capacity.
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

/// Queues only the arithmetic of the compositor: `steps` (splat, pixel) pairs for each of the
/// pixels, of which there are 256 per workgroup. Returns the number of pairs.
///
/// # Errors
/// [`RenderError::Capacity`] if a buffer or a launch exceeds the device's capacity.
pub fn roofline<R: Runtime>(gpu: &Gpu<R>, cubes: u32, steps: u32) -> Result<u64, RenderError> {
    crate::measure::gpu_roofline::roofline(gpu, cubes, steps)
}

/// The lists of hits of the large regime, on the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lists {
    /// `[M + 1]`: index of the first hit of each splat.
    pub from_splat: Vec<u32>,
    /// `[K]`: splat of each slot.
    pub splat_from_slot: Vec<u32>,
    /// `[K]`: slot of each hit.
    pub slot_from_hit: Vec<u32>,
    /// `[B tiles + 1]`: index of the first slot of each tile.
    pub ranges: Vec<u32>,
    /// `[M]`: rank of each visible splat in its view, `u32::MAX` for other splats.
    pub rank_from_splat: Vec<u32>,
}

/// Copies the lists to the host. Returns `None` in the small regime, which has no lists.
///
/// # Errors
/// [`RenderError::Device`] as for [`Gpu::download`].
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

/// Returns the lists of the CPU in the same form.
pub fn host_lists(sorted: &crate::sort::cpu::lists::SortedHits) -> Lists {
    Lists {
        from_splat: sorted.hits_from_splat.clone(),
        splat_from_slot: sorted.splat_from_slot.clone(),
        slot_from_hit: sorted.slot_from_hit.clone(),
        ranges: sorted.slots_from_tile.clone(),
        rank_from_splat: sorted.rank_from_splat.clone(),
    }
}

/// Returns the state with other pixel ends `[B, H, W]`. The end of a pixel is the number of hits in
/// its tile's list after which the pixel ended.
///
/// # Errors
/// - [`RenderError::Shape`] if `ends` has the wrong length.
/// - [`RenderError::Capacity`] as for [`Gpu::upload`].
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

/// Returns the sides of the grid for a launch of at least `cubes` workgroups.
///
/// # Errors
/// [`RenderError::Capacity`] if the number of threads exceeds 32 bits.
pub fn grid_sides(cubes: usize) -> Result<[u32; 3], RenderError> {
    crate::device::launch::sides(cubes)
}

/// Overrides whether the device assigns threads to subgroups in order. Only CUDA guarantees this
/// order, so it is set only for CUDA by default. If it is set for a device without this order,
/// gradients are wrong.
#[must_use]
pub fn with_subgroups_in_order<R: Runtime>(gpu: Gpu<R>, subgroups_in_order: bool) -> Gpu<R> {
    Gpu {
        subgroups_in_order,
        ..gpu
    }
}

/// Returns the share of each of the `plane` threads of a subgroup in the sums, after the backward
/// compositor has summed `count` values over the subgroup. A share is the index of the first sum
/// and the number of sums. The second value is the greatest number of sums that any thread can
/// hold.
pub fn plane_shares(count: u32, plane: u32) -> (Vec<[u32; 2]>, u32) {
    crate::composite::gpu::replay_planes::shares(count, plane)
}
