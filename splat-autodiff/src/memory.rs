//! The memory that a renderer keeps.

use splat::Workspace;

/// The buffers of renders on the CPU, in both precisions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory {
    pub(crate) single: Workspace<f32>,
    pub(crate) double: Workspace<f64>,
}

impl Memory {
    /// The size of the buffers that are not in use, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.single.bytes() + self.double.bytes()
    }

    /// Frees the buffers that are not in use.
    pub(crate) fn clear(&self) {
        self.single.clear();
        self.double.clear();
    }
}
