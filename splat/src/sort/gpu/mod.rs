//! The hits of every tile in depth order, on a device. The small regime is in `small.rs`, the large one in `large.rs`.

pub(crate) mod large;
pub(crate) mod lists;
pub(crate) mod small;

use cubecl::prelude::*;

use crate::binning::gpu::hits::Hits;
use crate::device::Gpu;
use crate::device::buffer::GpuBuffer;
use crate::error::RenderError;
use crate::sort::gpu::lists::SortedHits;
use crate::splats::Splats;

/// Sorts.
pub(crate) fn sort<R: Runtime>(
    gpu: &Gpu<R>,
    splats: &Splats<&GpuBuffer>,
    hits: Hits,
) -> Result<SortedHits, RenderError> {
    match hits {
        Hits::Small(hits) => small::sort(gpu, splats, hits).map(SortedHits::Small),
        Hits::Large(hits) => large::sort(gpu, splats, hits).map(SortedHits::Large),
    }
}
