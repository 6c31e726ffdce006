//! What passes between the stages: the types that [`Backend`](crate::Backend) names but a whole render never shows.

pub use crate::binning::cpu::Hits;
pub use crate::composite::cpu::forward::Composited;
pub use crate::sort::cpu::SortedHits;

/// The same on a device.
#[cfg(feature = "gpu")]
pub mod gpu {
    pub use crate::binning::gpu::Hits;
    pub use crate::composite::gpu::forward::Composited;
    pub use crate::sort::gpu::SortedHits;
}
