//! The boundary band: the pixels close to a threshold.
//!
//! An `f32` render can decide a threshold differently from the reference. This happens if the alpha
//! of a pair is within rounding of `alpha_min` or `alpha_max`, or if the transmittance behind the
//! pair is within rounding of `transmittance_min`. Such pixels are counted, but not excluded from
//! the comparison. The reference files contain only few of them.

use splat::{Backend, Cpu, Gaussians, RenderError, Splats};

use crate::reference::Reference;

/// Relative distance from a threshold within which `f32` can decide differently. It is 84 units in
/// the last place, about the rounding error of projection, inversion and exponential together.
const BAND: f64 = 1e-5;

/// Counts the pixels of all images in the band. The count uses `f64` and evaluates every splat at
/// every pixel.
pub(crate) fn pixels(reference: &Reference) -> Result<usize, RenderError> {
    let dims = reference.dims;
    let widen = |stored: &[f32]| stored.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
    let count = dims.scenes * dims.gaussians;
    let gaussians = Gaussians {
        means: widen(&reference.means),
        scales: widen(&reference.scales),
        quaternions: widen(&reference.quaternions),
        opacities: widen(&reference.opacities),
        // The band does not depend on features.
        features: vec![0.0; count],
        count,
        channels: 1,
        encoding: splat::encoding::Encoding::PLAIN,
    };
    let views = reference.views();
    let splats = Cpu::<f64>::new().project(&gaussians.as_slices(), &views, &reference.config)?;
    let in_view = |view: usize| {
        let order = depth_order(&splats, view);
        let corners = (0..dims.height).flat_map(|i| (0..dims.width).map(move |j| (i, j)));
        corners
            .filter(|&(i, j)| in_band(reference, &splats, &order, [j as f64 + 0.5, i as f64 + 0.5]))
            .count()
    };
    Ok((0..dims.images).map(in_view).sum())
}

/// Returns the visible splats of a view, front to back.
fn depth_order(splats: &Splats<Vec<f64>>, view: usize) -> Vec<usize> {
    let visible = |&m: &usize| splats.extents[2 * m] > 0.0;
    let mut order: Vec<usize> = (splats.offsets[view]..splats.offsets[view + 1])
        .filter(visible)
        .collect();
    order.sort_by(|&a, &b| splats.depths[a].total_cmp(&splats.depths[b]));
    order
}

fn in_band(
    reference: &Reference,
    splats: &Splats<Vec<f64>>,
    order: &[usize],
    at: [f64; 2],
) -> bool {
    let config = &reference.config;
    let near = |x: f64, threshold: f64| (x - threshold).abs() <= BAND * threshold;
    let mut transmittance = 1.0;
    for &m in order {
        let conic = &splats.conics[3 * m..3 * m + 3];
        let (dx, dy) = (at[0] - splats.means[2 * m], at[1] - splats.means[2 * m + 1]);
        let sigma = 0.5 * (conic[0] * dx * dx + conic[2] * dy * dy) + conic[1] * dx * dy;
        let raw = splats.opacities[m] * (-sigma).exp();
        if near(raw, config.alpha_min) || near(raw, config.alpha_max) {
            return true;
        }
        if raw < config.alpha_min {
            continue;
        }
        let behind = transmittance * (1.0 - raw.min(config.alpha_max));
        if near(behind, config.transmittance_min) {
            return true;
        }
        if behind <= config.transmittance_min {
            return false;
        }
        transmittance = behind;
    }
    false
}
