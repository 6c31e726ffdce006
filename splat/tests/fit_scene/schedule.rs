//! The schedule of a run against that of 3DGS, and steps of the optimiser against numbers by hand.

use splat::Gaussians;
use splat::density::prune;
use splat::encoding::Encoding;

use crate::adam::Adam;
use crate::plan::{Plan, SSIM_WEIGHT, StepSizes, Strategy};

fn plan(iterations: usize, strategy: Strategy) -> Plan {
    Plan {
        iterations,
        gaussians: 1000,
        strategy,
        degree: 3,
        seed: 0,
    }
}

/// The settings of 3DGS for 30,000 iterations.
#[test]
fn a_run_of_30000_iterations_is_that_of_3dgs() {
    assert_eq!(SSIM_WEIGHT, 0.2);
    let plan = plan(30_000, Strategy::Adaptive);
    let changes: Vec<usize> = (1..30_000)
        .filter(|&i| plan.change_after(i).is_some())
        .collect();
    assert_eq!(changes.first(), Some(&600));
    assert_eq!(changes.last(), Some(&14_900));
    assert!(changes.iter().all(|i| i % 100 == 0));
    let resets = |&i: &usize| plan.change_after(i).is_some_and(|change| change.resets);
    let resets: Vec<usize> = changes.iter().copied().filter(resets).collect();
    assert_eq!(resets, [3000, 6000, 9000, 12_000]);
    let prunes = |i| plan.change_after(i).map(|change| change.prunes_large);
    assert_eq!((prunes(3000), prunes(3100)), (Some(false), Some(true)));
    assert_eq!(
        [999, 1000, 2999, 3000].map(|i| plan.degree_at(i)),
        [0, 1, 2, 3]
    );
    assert!(plan.observes(14_999) && !plan.observes(15_000));
    for (iteration, means) in [(0, 3.2e-4), (15_000, 3.2e-5), (30_000, 3.2e-6)] {
        let sizes = plan.step_sizes(iteration, 2.0);
        assert!((sizes.means / means - 1.0).abs() < 1e-9, "{sizes:?}");
        assert_eq!(
            [sizes.scales, sizes.quaternions, sizes.opacities],
            [5e-3, 1e-3, 5e-2]
        );
        assert_eq!([sizes.colours, sizes.harmonics], [2.5e-3, 1.25e-4]);
    }
}

/// 3DGS-MCMC changes the Gaussians from 600 to 24,900 of 30,000 iterations, and resets nothing.
#[test]
fn a_run_of_mcmc_is_that_of_the_paper() {
    let plan = plan(30_000, Strategy::Mcmc);
    let changes: Vec<usize> = (1..30_000)
        .filter(|&i| plan.change_after(i).is_some())
        .collect();
    assert_eq!(
        [changes.first(), changes.last()],
        [Some(&600), Some(&24_900)]
    );
    let resets = |i| plan.change_after(i).is_some_and(|change| change.resets);
    assert!(changes.into_iter().all(|i| !resets(i)) && !plan.observes(1000));
}

#[test]
fn short_runs_change_the_gaussians_too() {
    for iterations in [1, 2, 29, 30, 100, 800] {
        for strategy in [Strategy::Mcmc, Strategy::Adaptive] {
            let plan = plan(iterations, strategy);
            let changes = (1..=iterations)
                .filter(|&i| plan.change_after(i).is_some())
                .count();
            assert!(
                changes > 10 || iterations < 30,
                "{iterations} {strategy}: {changes}"
            );
            assert!(plan.step_sizes(0, 1.0).means.is_finite());
            assert!((1..=1000).contains(&plan.first_gaussians()));
        }
    }
}

fn one(value: f32) -> Gaussians<Vec<f32>> {
    let encoding = Encoding::RAW.with_harmonics(1);
    Gaussians {
        means: vec![value; 3],
        scales: vec![value; 3],
        quaternions: vec![value; 4],
        opacities: vec![value],
        features: vec![value; 12],
        count: 1,
        channels: 3,
        encoding,
    }
}

const SIZES: StepSizes = StepSizes {
    means: 0.1,
    scales: 0.2,
    quaternions: 0.3,
    opacities: 0.4,
    colours: 0.5,
    harmonics: 0.6,
};

/// With the gradients 1, -2 and 4 the corrected means are 1, -0.578947 and 1.110701, and the corrected
/// mean squares 1, 2.500750 and 7.005003: steps of 1, -0.366104 and 0.419656.
#[test]
fn three_steps_are_those_by_hand() {
    let mut gaussians = one(0.0);
    let mut adam = Adam::new(&gaussians);
    for v in [1.0, -2.0, 4.0] {
        adam.step(&mut gaussians, &one(v), &SIZES);
    }
    let sum = 1.0 - 0.366_104 + 0.419_656;
    let check = |values: &[f32], size: f32| {
        for value in values {
            assert!((value + size * sum).abs() < 1e-5, "{value}, {size}");
        }
    };
    check(&gaussians.means, 0.1);
    check(&gaussians.scales, 0.2);
    check(&gaussians.quaternions, 0.3);
    check(&gaussians.opacities, 0.4);
    check(&gaussians.features[..3], 0.5);
    check(&gaussians.features[3..], 0.6);
}

/// Without Gaussians a step does nothing. The moments follow the list.
#[test]
fn moments_follow_the_gaussians() {
    let mut gaussians = one(0.0);
    let mut adam = Adam::new(&gaussians);
    adam.step(&mut gaussians, &one(1.0), &SIZES);
    let before = adam.clone();
    let all = prune(&mut gaussians, &[true]).expect("one Gaussian");
    adam.revise(&all).expect("one Gaussian");
    assert_eq!(adam, before);
    adam.forget_opacities(&all).expect("one Gaussian");
    assert_eq!(adam, before);
    let none = prune(&mut gaussians, &[false]).expect("one Gaussian");
    adam.revise(&none).expect("one Gaussian");
    assert_eq!((adam.means.count, adam.means.features.len()), (0, 0));
    adam.step(&mut gaussians.clone(), &gaussians, &SIZES);
}
