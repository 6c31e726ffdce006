//! The inputs that all parts of the backward compositor share.

use crate::composite::cpu::composited::Composited;
use crate::composite::cpu::replay::GEOMETRY;
use crate::gradients::Wanted;
use crate::image::Image;
use crate::scalar::Scalar;
use crate::sort::cpu::lists::SortedHits;
use crate::splats::Splats;

/// The number of values of a partial of statistics: the sums of the absolute gradient with respect to the mean, x
/// and y, the sum of the weights, and the greatest weight, in this order.
pub(super) const STATISTICS: usize = 4;

/// The inputs of all tasks.
pub(super) struct Backward<'a, T: Scalar> {
    pub(super) splats: &'a Splats<&'a [T]>,
    pub(super) sorted: &'a SortedHits,
    pub(super) backgrounds: &'a [T],
    pub(super) composited: &'a Composited<T>,
    pub(super) v_image: &'a Image<&'a [T]>,
    pub(super) wanted: Wanted,
    /// Whether the partials are statistics instead of gradients.
    pub(super) statistics: bool,
}

impl<T: Scalar> Backward<'_, T> {
    /// Returns the number of values per partial: geometry, then depth, then features, or the
    /// statistics.
    pub(super) fn stride(&self) -> usize {
        if self.statistics {
            return STATISTICS;
        }
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

    /// Returns the number of values per tile of the gradient with respect to the background: none if it
    /// is not wanted.
    pub(super) fn of_background(&self) -> usize {
        if self.wanted.backgrounds {
            self.splats.channels
        } else {
            0
        }
    }

    /// Returns the number of depth planes: one if the loss depends on the depth, else zero.
    pub(super) fn depths(&self) -> usize {
        usize::from(self.v_image.depth.is_some())
    }

    /// Returns the number of values per pixel: depth, then features.
    pub(super) fn planes(&self) -> usize {
        self.depths() + self.splats.channels
    }
}
