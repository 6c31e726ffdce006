//! The layout of a partial. That of a gradient of one hit is geometry if it is wanted, then depth, then
//! features. That of statistics is at the end of this file's constants.

use cubecl::prelude::*;

use crate::composite::SigmaGradient;
use crate::project::gpu::splat_rows::{SplatSections, conic_index, mean_index};

/// The gradient with respect to the mean, x and y.
const MEAN: u32 = 0;
/// The gradient with respect to the conic: xx, xy, yy.
const CONIC: u32 = 2;
const OPACITY: u32 = 5;

/// The number of values of a partial for geometry.
pub(crate) const GEOMETRY: u32 = 6;

/// The statistics of a hit begin with the absolute gradient with respect to the mean, x. This is that
/// of y.
pub(crate) const ABSOLUTE_Y: u32 = 1;
/// The sum of the weights.
pub(crate) const TOTAL: u32 = 2;
/// The greatest weight, the last of the statistics.
pub(crate) const LARGEST: u32 = 3;

/// The number of values of a partial of statistics.
pub(crate) const STATISTICS: u32 = 4;

/// Writes a value in the first launch, and adds to it in later launches.
#[cube]
fn put(partials: &mut Array<f32>, at: u32, x: f32, #[comptime] first: bool) {
    if comptime![first] {
        partials[at as usize] = x;
    } else {
        partials[at as usize] += x;
    }
}

/// Writes the geometry of the partial that begins at `at`. Launches after the `first` add to it.
#[cube]
pub(crate) fn put_geometry(
    partials: &mut Array<f32>,
    at: u32,
    by_sigma: SigmaGradient<f32>,
    by_opacity: f32,
    #[comptime] first: bool,
) {
    put(partials, at + MEAN, by_sigma.mean.x, first);
    put(partials, at + comptime!(MEAN + 1), by_sigma.mean.y, first);
    put(partials, at + CONIC, by_sigma.conic.xx, first);
    put(
        partials,
        at + comptime!(CONIC + 1),
        by_sigma.conic.xy,
        first,
    );
    put(
        partials,
        at + comptime!(CONIC + 2),
        by_sigma.conic.yy,
        first,
    );
    put(partials, at + OPACITY, by_opacity, first);
}

/// The sections of the gradients with respect to splats, and the size of a partial.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
pub(crate) struct Target {
    pub(crate) sections: SplatSections,
    pub(crate) channels: u32,
    pub(crate) stride: u32,
}

/// Returns the word that element `k` of the partials of splat `m` is summed into.
#[cube]
pub(crate) fn target_index(
    target: Target,
    m: u32,
    k: u32,
    #[comptime] geometry: bool,
    #[comptime] with_depth: bool,
) -> u32 {
    let columns = comptime!(if geometry { GEOMETRY } else { 0u32 });
    let features = comptime!(columns + u32::from(with_depth));
    let mut to = target.sections.features + m * target.channels + k - features;
    if comptime![geometry] {
        if k < CONIC {
            to = mean_index(m) + k;
        } else if k < OPACITY {
            to = conic_index(target.sections.conics, m) + k - CONIC;
        } else if k < GEOMETRY {
            to = target.sections.opacities + m;
        } else if k < features {
            to = target.sections.depths + m;
        }
    }
    to
}

/// Returns the word that statistic `k` of splat `m` is combined into. The totals are in the section of
/// the opacities, and the greatest weights in that of the depths.
#[cube]
pub(crate) fn statistic_index(target: Target, m: u32, k: u32) -> u32 {
    let mut to = mean_index(m) + k;
    if k == TOTAL {
        to = target.sections.opacities + m;
    } else if k == LARGEST {
        to = target.sections.depths + m;
    }
    to
}

/// Combines two values of statistic `k`.
#[cube]
pub(crate) fn combined(a: f32, b: f32, k: u32) -> f32 {
    let mut both = a + b;
    if k == LARGEST {
        both = a;
        if b > a {
            both = b;
        }
    }
    both
}
