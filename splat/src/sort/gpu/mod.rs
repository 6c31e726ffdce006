//! The sort stage on a device. The small regime is in `small.rs`, the large regime in `large.rs`.

pub(crate) mod large;
pub(crate) mod lists;
pub(crate) mod small;

use cubecl::prelude::*;

use crate::binning::gpu::hits::{Hits, LargeHits, SmallHits};
use crate::device::Gpu;
use crate::device::buffer::GpuBuffer;
use crate::error::RenderError;
use crate::sort::gpu::lists::SortedHits;
use crate::splats::Splats;

/// Sorts `hits`, which must belong to `splats`. Only the views are compared, because the extents of
/// the splats are available on the device only.
pub(crate) fn sort<R: Runtime>(
    gpu: &Gpu<R>,
    splats: &Splats<&GpuBuffer>,
    hits: Hits,
) -> Result<SortedHits, RenderError> {
    let (Hits::Small(SmallHits { offsets, .. }) | Hits::Large(LargeHits { offsets, .. })) = &hits;
    splats.check_views("hits", offsets)?;
    match hits {
        Hits::Small(hits) => small::sort(gpu, splats, hits).map(SortedHits::Small),
        Hits::Large(hits) => large::sort(gpu, splats, hits).map(SortedHits::Large),
    }
}
