//! What every part of the backward compositor reads.

use crate::composite::cpu::composited::Composited;
use crate::composite::cpu::replay::GEOMETRY;
use crate::gradients::Wanted;
use crate::image::Image;
use crate::scalar::Scalar;
use crate::sort::cpu::lists::SortedHits;
use crate::splats::Splats;

/// What all tasks read.
pub(super) struct Backward<'a, T: Scalar> {
    pub(super) splats: &'a Splats<&'a [T]>,
    pub(super) sorted: &'a SortedHits,
    pub(super) backgrounds: &'a [T],
    pub(super) composited: &'a Composited<T>,
    pub(super) v_image: &'a Image<&'a [T]>,
    pub(super) wanted: Wanted,
}

impl<T: Scalar> Backward<'_, T> {
    /// Numbers per hit: the geometry's, then the depth's and the features'.
    pub(super) fn stride(&self) -> usize {
        let features = if self.wanted.features {
            self.splats.channels
        } else {
            0
        };
        self.geometry() + self.depths() + features
    }

    pub(super) fn geometry(&self) -> usize {
        if self.wanted.splat_geometry() {
            GEOMETRY
        } else {
            0
        }
    }

    /// Planes of depth: one where the loss depends on it.
    pub(super) fn depths(&self) -> usize {
        usize::from(self.v_image.depth.is_some())
    }

    /// Values per pixel.
    pub(super) fn planes(&self) -> usize {
        self.depths() + self.splats.channels
    }
}
