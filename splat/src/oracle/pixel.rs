//! One pixel, composited front to back.

use super::dual::Dual;
use super::project::Projected;
use crate::config::RenderConfig;

/// One composited pixel.
pub(super) struct Pixel<const N: usize> {
    /// The features over the background, `[C]`.
    pub(super) features: Vec<Dual<N>>,
    pub(super) transmittance: Dual<N>,
    pub(super) depth: Dual<N>,
    /// The composited splats, front to back: the place in the list, and the weight.
    pub(super) weights: Vec<(usize, f64)>,
}

/// The values of one splat at one pixel that are compared with thresholds.
#[cfg_attr(
    not(feature = "check"),
    expect(dead_code, reason = "only the checks read it")
)]
pub(super) struct Pair {
    /// The place of the splat in the list.
    pub(super) place: usize,
    /// Alpha before the clamp at `alpha_max`.
    pub(super) alpha: f64,
    /// The transmittance behind the splat, if the splat counts.
    pub(super) behind: Option<f64>,
}

/// Composites `splats`, which are sorted by depth, at the point `at`, px. `features` are those of
/// all Gaussians of the view, `[n, C]`, and `background` is that of the view, `[C]`. `observe` sees
/// every splat up to the one at which the pixel ends.
pub(super) fn pixel<const N: usize>(
    splats: &[Projected<N>],
    at: [f64; 2],
    features: &[f64],
    background: &[f64],
    config: &RenderConfig,
    mut observe: impl FnMut(Pair),
) -> Pixel<N> {
    let channels = background.len();
    let mut sums = vec![Dual::constant(0.0); channels];
    let (mut transmittance, mut depth) = (Dual::constant(1.0), Dual::constant(0.0));
    let mut weights = Vec::new();
    for (place, splat) in splats.iter().enumerate() {
        let [dx, dy] = [0, 1].map(|axis| Dual::constant(at[axis]) - splat.centre[axis]);
        let [xx, xy, yy] = splat.conic;
        let sigma = (xx * dx * dx + yy * dy * dy) * 0.5 + xy * dx * dy;
        let free = splat.opacity * (-sigma).exp();
        let alpha = free.at_most(config.alpha_max);
        let counts = sigma.value >= 0.0 && alpha.value >= config.alpha_min;
        let behind = transmittance * (-alpha + 1.0);
        observe(Pair {
            place,
            alpha: free.value,
            behind: counts.then_some(behind.value),
        });
        if !counts {
            continue;
        }
        if behind.value <= config.transmittance_min {
            break;
        }
        let weight = alpha * transmittance;
        let row = &features[splat.index * channels..(splat.index + 1) * channels];
        for (sum, &feature) in sums.iter_mut().zip(row) {
            *sum = *sum + weight * feature;
        }
        depth = depth + weight * splat.depth;
        weights.push((place, weight.value));
        transmittance = behind;
    }
    for (sum, &value) in sums.iter_mut().zip(background) {
        *sum = *sum + transmittance * value;
    }
    Pixel {
        features: sums,
        transmittance,
        depth,
        weights,
    }
}
