//! What passes between the stages: the types that [`Backend`](crate::Backend) names but a whole render never shows.

pub use crate::binning::grid::Hits;
pub use crate::composite::cpu::composited::Composited;
pub use crate::sort::cpu::lists::SortedHits;

/// The same on a device.
#[cfg(feature = "gpu")]
pub mod gpu {
    pub use crate::binning::gpu::hits::Hits;
    pub use crate::composite::gpu::forward::Composited;
    pub use crate::sort::gpu::lists::SortedHits;
}
