//! Splats that the caller supplies instead of Gaussians: their extents (see
//! [`crate::Cpu::splats`]), and their conics if they are given as ellipses.

use std::sync::Arc;

use rayon::prelude::*;

use crate::binning::bounds::{inverse, reach, visible_extent};
use crate::config::RenderConfig;
use crate::ellipse::{Ellipses, Shapes};
use crate::error::{RenderError, try_filled, try_reserved};
use crate::host::columns::GRAIN;
use crate::host::workspace::Resources;
use crate::math::Sym2;
use crate::project::cpu::forward::to_halves;
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
        if let Some(covariance) = inverse(given.conic(m)).filter(|_| finite) {
            let centre = [given.means[2 * m], given.means[2 * m + 1]];
            let reach = reach(given.opacities[m], config.alpha_min);
            *extent = visible_extent(centre, covariance, reach, [width, height]);
        }
    }
    splats.extents = extents;
    Ok(splats)
}

/// Makes splats of ellipses. All values of a culled splat but its index are zero.
pub(crate) fn ellipses<T: Scalar>(
    given: &Ellipses<'_, &[T]>,
    size: [usize; 2],
    config: &RenderConfig,
    Resources { workspace, .. }: Resources<'_, T>,
) -> Result<Splats<Vec<T>>, RenderError> {
    let (m, channels) = (given.len(), given.channels);
    let mut offsets = try_reserved("splat offsets [B + 1]", given.offsets.len())?;
    offsets.extend_from_slice(given.offsets);
    let mut splats = Splats {
        means: workspace.scalars("splat means [M, 2]", 2 * m)?,
        conics: workspace.scalars("conics [M, 3]", 3 * m)?,
        opacities: workspace.scalars("splat opacities [M]", m)?,
        depths: workspace.scalars("depths [M]", m)?,
        features: workspace.scalars("splat features [M, C]", m * channels)?,
        half_features: None,
        extents: workspace.scalars("extents [M, 2]", 2 * m)?,
        offsets,
        channels,
    };
    let rows = (
        splats.means.par_chunks_mut(2),
        splats.conics.par_chunks_mut(3),
        splats.opacities.par_iter_mut(),
        splats.depths.par_iter_mut(),
        splats.features.par_chunks_mut(channels),
        splats.extents.par_chunks_mut(2),
    );
    let rows = rows.into_par_iter().with_min_len(GRAIN).enumerate();
    rows.for_each(|(i, (mean, conic, opacity, depth, features, extent))| {
        let (centre, own) = (
            &given.means[2 * i..2 * i + 2],
            &given.shapes[3 * i..3 * i + 3],
        );
        let values = &given.features[i * channels..(i + 1) * channels];
        let (o, z) = (given.opacities[i], given.depths[i]);
        let finite = values.iter().fold(z.finite(), |all, x| all & x.finite());
        let shape = shape(given.kind, own).filter(|_| finite);
        let half = shape.map_or([T::ZERO; 2], |[covariance, _]| {
            let reach = reach(o, config.alpha_min);
            visible_extent([centre[0], centre[1]], covariance, reach, size)
        });
        let zero = Sym2::default();
        let conic_of = shape.map_or(zero, |[_, conic]| conic);
        let seen = half[0] > T::ZERO;
        let kept = |x: T| if seen { x } else { T::ZERO };
        extent.copy_from_slice(&half);
        mean.copy_from_slice(&[centre[0], centre[1]].map(kept));
        conic.copy_from_slice(&[conic_of.xx, conic_of.xy, conic_of.yy].map(kept));
        (*opacity, *depth) = (kept(o), kept(z));
        features
            .iter_mut()
            .zip(values)
            .for_each(|(to, &x)| *to = kept(x));
    });
    if config.half_features {
        let features = std::mem::take(&mut splats.features);
        splats.half_features = Some(Arc::new(to_halves(&features, workspace.memory())?));
        workspace.recycle(features);
    }
    Ok(splats)
}

/// Returns the covariance and the conic of a matrix xx, xy, yy. Returns `None` if it is not
/// positive definite or not finite, or if its inverse is not finite.
fn shape<T: Scalar>(kind: Shapes, own: &[T]) -> Option<[Sym2<T>; 2]> {
    let own = Sym2 {
        xx: own[0],
        xy: own[1],
        yy: own[2],
    };
    let inverse = inverse(own)?;
    let finite = |m: Sym2<T>| m.xx.finite() & m.xy.finite() & m.yy.finite();
    let both = match kind {
        Shapes::Conics => [inverse, own],
        Shapes::Covariances => [own, inverse],
    };
    both.into_iter().all(finite).then_some(both)
}

/// Vjp of [`ellipses`] for covariances.
pub(crate) fn ellipses_vjp<T: Scalar>(
    splats: &Splats<&[T]>,
    v_conics: &[T],
    Resources { workspace, .. }: Resources<'_, T>,
) -> Result<Vec<T>, RenderError> {
    let what = "gradient with respect to covariances [M, 3]";
    let mut out = workspace.scalars(what, v_conics.len())?;
    let rows = out.par_chunks_mut(3).with_min_len(GRAIN).enumerate();
    rows.for_each(|(m, row)| {
        let v_conic = Sym2 {
            xx: v_conics[3 * m],
            xy: v_conics[3 * m + 1],
            yy: v_conics[3 * m + 2],
        };
        let v = T::inverse_vjp(splats.conic(m), v_conic);
        row.copy_from_slice(&[v.xx, v.xy, v.yy]);
    });
    Ok(out)
}
