//! Copies, splits, removal, resets, and the statistics that they depend on.

use splat::check::{cotangent, crowd};
use splat::density::{Growth, Observed, Pruning, grow, prune, reset_opacities};
use splat::encoding::{Encoding, Features};
use splat::{Gaussians, Projection, Wanted, render_vjp};

use crate::{along_axes, assert_same, assert_standard, pile, raw, some, uniform};

/// Small, large, small, small, large, and small with a quaternion of zero.
fn six() -> Gaussians<Vec<f64>> {
    let mut gaussians = some(6);
    let sizes = [0.1, 3.0, 0.2, 0.1, 2.0, 0.1];
    gaussians.scales = sizes.into_iter().flat_map(|s| [s, 0.01, -s]).collect();
    gaussians.quaternions[4 * 5..].fill(0.0);
    gaussians
}

#[test]
fn small_gaussians_are_copied_and_large_ones_split() {
    let old = six();
    let mut new = old.clone();
    let gradients = [2.0, 5.0, 1.0, f64::NAN, 4.0, 9.0];
    let growth = Growth::new(2.0, 1.0);
    let revision = grow(&mut new, &gradients, &growth, &mut uniform(1)).expect("valid");
    assert_eq!(revision.sources(), [0, 0, 1, 1, 2, 3, 4, 4, 5]);
    let kept = [true, false, false, false, true, true, false, false, true];
    assert_eq!(revision.kept(), kept);
    assert!(revision.is_kept(8) && !revision.is_kept(1) && !revision.is_kept(9));
    let counts = [revision.count(), revision.added(), revision.removed()];
    assert_eq!(counts, [new.count, 3, 0]);
    assert_eq!([revision.changed(), revision.previous_count()], [5, 6]);
    assert_eq!(new.validate(Vec::len), Ok(()));
    let rows = |rows: &[f64]| revision.rows(rows).expect("whole rows");
    assert_eq!(new.opacities, rows(&old.opacities));
    assert_eq!(new.features, rows(&old.features));
    assert_eq!(new.quaternions, rows(&old.quaternions));
    let (means, scales) = (rows(&old.means), rows(&old.scales));
    for (i, source) in revision.sources().iter().enumerate() {
        let split = [1, 4].contains(source);
        let divisor = if split { 1.6 } else { 1.0 };
        for k in 3 * i..3 * i + 3 {
            assert!((new.scales[k] * divisor - scales[k]).abs() < 1e-15);
            assert_eq!(new.means[k] != means[k], split, "mean {k}");
        }
    }
    assert_ne!(new.means[3 * 2], new.means[3 * 3], "two samples");
}

#[test]
fn the_largest_gradients_grow_first() {
    for (most, expected) in [
        (9, vec![0, 0, 1, 1, 2, 3, 3, 4, 5]),
        (8, vec![0, 0, 1, 1, 2, 3, 4, 5]),
        (7, vec![0, 1, 1, 2, 3, 4, 5]),
        (6, vec![0, 1, 2, 3, 4, 5]),
        (2, vec![0, 1, 2, 3, 4, 5]),
    ] {
        let growth = Growth::new(2.0, 1.0).with_most(most);
        let gradients = [2.0, f64::INFINITY, 1.0, 2.0, 0.0, 9.0];
        let revision = grow(&mut six(), &gradients, &growth, &mut uniform(1)).expect("valid");
        assert_eq!(revision.sources(), expected);
    }
}

#[test]
fn samples_of_a_split_have_the_mean_and_covariance_of_the_gaussian() {
    const COUNT: usize = 10_000;
    let mut gaussians = pile(COUNT, 0.5);
    let growth = Growth::new(0.0, 0.0);
    let grown = grow(&mut gaussians, &vec![0.0; COUNT], &growth, &mut uniform(2));
    assert_eq!(grown.expect("valid").count(), 2 * COUNT);
    let samples: Vec<_> = (0..2 * COUNT).map(|i| along_axes(&gaussians, i)).collect();
    assert_standard(&samples);
    // The two samples of a Gaussian are independent: their sums have twice the variance.
    let sums = samples.as_chunks::<2>().0.iter();
    let sums = sums.map(|[a, b]| [0, 1, 2].map(|k| (a[k] + b[k]) / 2f64.sqrt()));
    assert_standard(&sums.collect::<Vec<_>>());
}

#[test]
fn harmonics_and_raw_parameters_are_revised_alike() {
    let old = some(40);
    let gradients: Vec<f64> = (0..40).map(|i| f64::from(i % 3)).collect();
    let growth = Growth::new(1.0, 0.15);
    let (mut plain, mut logs) = (old.clone(), raw(&old));
    let a = grow(&mut plain, &gradients, &growth, &mut uniform(3)).expect("valid");
    let b = grow(&mut logs, &gradients, &growth, &mut uniform(3)).expect("valid");
    assert_eq!(a, b);
    assert!(a.count() == 66 && a.kept().windows(2).any(|k| k == [true, false]));
    assert!(a.kept().windows(2).any(|k| k == [false, false]));
    assert_same(&logs, &plain);

    let pruning = Pruning::new(0.3).with_largest_scale(Some(0.2));
    let keep = pruning.keep(&plain, &[]).expect("valid");
    assert_eq!(keep, pruning.keep(&logs, &[]).expect("valid"));
    let a = prune(&mut plain, &keep).expect("valid");
    assert_eq!(a, prune(&mut logs, &keep).expect("valid"));
    assert!(a.removed() > 10 && a.count() > 10 && a.changed() == 0);
    assert_same(&logs, &plain);

    let a = reset_opacities(&mut plain, 0.5).expect("valid");
    assert_eq!(a, reset_opacities(&mut logs, 0.5).expect("valid"));
    assert!(a.changed() > 3 && a.changed() < a.count());
    assert_same(&logs, &plain);
    assert_eq!(reset_opacities(&mut logs, 0.5).map(|r| r.changed()), Ok(0));
    assert_eq!(reset_opacities(&mut logs, 1.0).map(|r| r.changed()), Ok(0));

    let mut harmonics = some(4);
    harmonics.encoding = Encoding::PLAIN.with_features(Features::Harmonics {
        degree: 1,
        stored: 5,
    });
    harmonics.features = (0..60).map(f64::from).collect();
    let keep = [true, false, false, true];
    prune(&mut harmonics, &keep).expect("valid");
    let expected: Vec<f64> = (0..15).chain(45..60).map(f64::from).collect();
    assert_eq!(harmonics.features, expected);
    assert_eq!(harmonics.validate(Vec::len), Ok(()));
}

#[test]
fn pruning_names_what_is_outside_its_bounds() {
    let mut gaussians = some(8);
    gaussians.opacities = vec![0.5, 0.1, 0.09, 1.5, 0.5, 0.5, 0.5, 0.5];
    gaussians.scales = [0.1, 0.2, 0.3].repeat(8);
    gaussians.scales[3 * 4 + 1] = -0.31;
    gaussians.means[3 * 5] = f64::NAN;
    gaussians.features[3 * 6 + 2] = f64::INFINITY;
    let radii = [9.0, 8.0, 1.0, 1.0, 1.0, 1.0, 1.0, f64::NAN];
    let pruning = Pruning::new(0.1);
    let kept = |pruning: Pruning| {
        let keep = pruning.keep(&gaussians, &radii).expect("valid");
        (0..8).filter(|&i| keep[i]).collect::<Vec<_>>()
    };
    assert_eq!(kept(pruning), [0, 1, 3, 4, 7]);
    assert_eq!(kept(pruning.with_largest_scale(Some(0.3))), [0, 1, 3, 7]);
    assert_eq!(kept(pruning.with_largest_radius(Some(8.0))), [1, 3, 4]);
    // Logarithms whose exponential overflows `f32` are not valid.
    let mut large = Gaussians {
        encoding: Encoding::RAW,
        ..gaussians.map(|buffer| buffer.iter().map(|&x| x as f32).collect::<Vec<_>>())
    };
    large.scales[0] = 89.0;
    let keep = Pruning::new(0.0).keep(&large, &[]).expect("valid");
    assert_eq!(keep, [0, 1, 1, 1, 1, 0, 0, 1].map(|k| k == 1));
}

#[test]
fn observed_statistics_are_means_over_views() {
    let scene = crowd(5, 2, 12, [13, 11], Projection::Pinhole);
    let (image, saved) = scene.render().expect("a valid scene");
    let v_image = cotangent(&image).without_layers();
    let wanted = Wanted::NONE.with_statistics(true);
    let backend = splat::Cpu::<f64>::new();
    let v = render_vjp(
        &backend,
        &scene.scene(),
        &saved,
        &v_image.as_slices(),
        wanted,
    );
    let first = v.expect("a valid scene").statistics.expect("wanted");
    let mut second = first.clone();
    second.views[3] = 4.0;
    second.radii[3] = 1e-3;
    second.mean_gradients[3] = 7.0;
    // These numbers overflowed.
    second.mean_gradients[4] = f64::INFINITY;
    let mut observed = Observed::new(24).expect("memory");
    assert_eq!(observed.mean_gradients(), [0.0; 24]);
    observed.add(&first, 2.0).expect("as many");
    observed.add(&second, 2.0).expect("as many");
    assert_eq!(first.views[3], 1.0);
    assert_eq!(observed.views()[3..5], [5.0, 1.0]);
    assert_eq!(observed.radii(), first.radii);
    let sum = 2.0 * first.mean_gradients[3] + 2.0 * 7.0;
    assert!((observed.mean_gradients()[3] - sum / 5.0).abs() < 1e-15);
    assert_eq!(observed.mean_gradients()[4], 2.0 * first.mean_gradients[4]);
    assert_eq!(
        observed.absolute_mean_gradients()[5],
        2.0 * first.absolute_mean_gradients[5]
    );
    assert_eq!(observed.largest_weights(), first.largest_weights);
    assert_eq!(observed.total_weights()[5], 2.0 * first.total_weights[5]);
    assert!(first.mean_gradients[4] > 0.0 && first.total_weights[5] > 0.0);

    second.radii.pop();
    let before = observed.clone();
    for (said, refused) in [
        ("statistics.radii", observed.add(&second, 1.0)),
        ("unit", observed.add(&first, f64::NAN)),
        ("unit", observed.add(&first, -1.0)),
    ] {
        assert!(refused.expect_err(said).to_string().starts_with(said));
    }
    assert_eq!(observed, before);
}
