//! The noise of 3DGS-MCMC.

use splat::density::perturb;

use crate::{along_axes, assert_same, assert_standard, pile, raw, some, uniform};

#[test]
fn noise_has_the_square_of_the_covariance() {
    const COUNT: usize = 20_000;
    // At this opacity, the factor is 1 / (1 + e^-1).
    let mut gaussians = pile(COUNT, 0.005 - 0.01);
    perturb(&mut gaussians, 0.7, &mut uniform(11)).expect("valid");
    let size = 0.7 / (1.0 + (-1.0f64).exp());
    let moves: Vec<_> = (0..COUNT)
        .map(|i| {
            let [x, y, z] = along_axes(&gaussians, i);
            // One standard deviation is divided out already.
            [x / 0.5 / size, y / 2.0 / size, z / size]
        })
        .collect();
    assert_standard(&moves);
    let rest = pile(COUNT, 0.005 - 0.01);
    assert_eq!(gaussians.scales, rest.scales);
    assert_eq!(gaussians.opacities, rest.opacities);
}

#[test]
fn only_almost_transparent_gaussians_move() {
    let mut gaussians = pile(3, 0.5);
    gaussians.opacities[1] = 0.0;
    gaussians.quaternions[4 * 2..].fill(0.0);
    let before = gaussians.clone();
    perturb(&mut gaussians, 1.0, &mut uniform(12)).expect("valid");
    assert_eq!(gaussians.means[..3], before.means[..3], "e^-49.5");
    assert_ne!(gaussians.means[3..6], before.means[3..6]);
    assert_eq!(gaussians.means[6..], before.means[6..], "not valid");
    // No number is drawn for an opaque Gaussian.
    let (mut both, mut alone) = (pile(2, 0.001), pile(1, 0.001));
    both.opacities[0] = 0.201;
    for gaussians in [&mut both, &mut alone] {
        perturb(gaussians, 1.0, &mut uniform(12)).expect("valid");
    }
    assert_eq!(both.means[3..], alone.means);
    perturb(&mut gaussians, f64::MAX, &mut uniform(12)).expect("valid");
    assert!(gaussians.means.iter().all(|x| x.is_finite()));
}

#[test]
fn raw_and_plain_gaussians_move_alike() {
    let (mut plain, mut logs) = (some(50), raw(&some(50)));
    perturb(&mut plain, 40.0, &mut uniform(13)).expect("valid");
    perturb(&mut logs, 40.0, &mut uniform(13)).expect("valid");
    assert_ne!(plain.means, some(50).means);
    assert_same(&logs, &plain);
}
