//! Extents of splats that the caller supplies instead of Gaussians (see [`crate::Cpu::splats`]).

use crate::binning::bounds::{covariance, reach, visible_extent};
use crate::config::RenderConfig;
use crate::error::{RenderError, try_filled};
use crate::scalar::Scalar;
use crate::splats::Splats;

/// Computes the extents of `splats`. The extents of a culled splat are zero.
pub(crate) fn complete<T: Scalar>(
    mut splats: Splats<Vec<T>>,
    width: usize,
    height: usize,
    config: &RenderConfig,
) -> Result<Splats<Vec<T>>, RenderError> {
    let mut extents = try_filled("extents [M, 2]", 2 * splats.len(), T::ZERO)?;
    let given = splats.as_slices();
    for (m, extent) in extents.as_chunks_mut().0.iter_mut().enumerate() {
        let finite = given.depths[m].finite() & given.has_finite_features(m);
        if let Some(covariance) = covariance(given.conic(m)).filter(|_| finite) {
            let centre = [given.means[2 * m], given.means[2 * m + 1]];
            let reach = reach(given.opacities[m], config.alpha_min);
            *extent = visible_extent(centre, covariance, reach, [width, height]);
        }
    }
    splats.extents = extents;
    Ok(splats)
}
