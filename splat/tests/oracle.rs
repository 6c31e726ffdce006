//! Compares the tiled CPU backend with the oracle. `f64` must agree to rounding. `f32` must agree
//! to its own rounding, except in a few pixels of the boundary band.

mod support;

use proptest::prelude::*;
use splat::check::{
    BAND, Kind, Outcome, OwnedScene, PROJECTIONS, Tolerance, boundary_band, compare, cotangent,
    crowd, flips, max_difference, max_magnitude, run_backend, scenes, weight,
};
use splat::{Contributors, Cpu, Image, NO_CONTRIBUTOR, Projection, TileSize, Wanted};
use support::Valid;

/// Tolerance between the `f64` backend and the oracle. They sum in different orders, and compute
/// determinants differently.
const TILED_TOLERANCE: f64 = 1e-12;

/// Tolerance of `f32` against `f64` on pixels outside the boundary band, relative to the largest
/// value: a few hundred roundings of 6e-8.
const SINGLE_TOLERANCE: f64 = 1e-5;

/// The greatest share of an image's pixels that can lie in the boundary band and differ.
const BAND_SHARE: f64 = 0.02;

fn assert_same(tiled: &Image<Vec<f64>>, oracle: &Image<Vec<f64>>) -> Result<(), TestCaseError> {
    let optional = |a: &Option<Vec<f64>>, b: &Option<Vec<f64>>| match (a, b) {
        (Some(a), Some(b)) => max_difference(a, b) / max_magnitude(b).max(1.0),
        (None, None) => 0.0,
        _ => f64::INFINITY,
    };
    let features = max_difference(&tiled.features, &oracle.features);
    let rest = [
        optional(&tiled.transmittance, &oracle.transmittance),
        optional(&tiled.depth, &oracle.depth),
        optional(&tiled.layers, &oracle.layers),
        optional(&tiled.layer_transmittance, &oracle.layer_transmittance),
    ];
    prop_assert!(
        features <= TILED_TOLERANCE,
        "features differ by {features:e}"
    );
    prop_assert!(
        rest.iter().all(|&d| d <= TILED_TOLERANCE),
        "transmittance, depth, layers and their transmittance differ by {rest:?}"
    );
    Ok(())
}

/// Compares contributors. The largest weights must agree to rounding, the indices and the counts
/// exactly.
fn assert_same_contributors(
    tiled: &Contributors<Vec<f64>, Vec<u32>>,
    oracle: &Contributors<Vec<f64>, Vec<u32>>,
) -> Result<(), TestCaseError> {
    let weights = max_difference(&tiled.weights, &oracle.weights);
    prop_assert!(weights <= TILED_TOLERANCE, "weights differ by {weights:e}");
    prop_assert_eq!(&tiled.counts, &oracle.counts);
    prop_assert_eq!(&tiled.indices, &oracle.indices);
    Ok(())
}

/// Compares the contributors of the CPU backend with those of the oracle.
fn contributors_equal_oracle(world: &OwnedScene) -> Result<(), TestCaseError> {
    let (_, saved) = world.rendered();
    let tiled = saved.contributors().expect("asked for");
    let oracle = splat::oracle::contributors(&world.scene(), &world.config);
    assert_same_contributors(tiled, &oracle.expect("a valid scene"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn tiled_f64_contributors_equal_oracle(world in scenes(Kind::Ordinary)) {
        contributors_equal_oracle(&world)?;
    }

    #[test]
    fn tiled_f64_equals_oracle(world in scenes(Kind::Ordinary)) {
        assert_same(&world.rendered().0, &world.specified())?;
    }

    #[test]
    fn tiled_f64_layers_equal_oracle(world in scenes(Kind::Ordinary), cut in 0usize..8) {
        let config = world.config.clone().with_layers(vec![0, cut, cut + 1]);
        let world = OwnedScene { config, ..world };
        assert_same(&world.rendered().0, &world.specified())?;
    }
}

#[test]
fn tiled_f64_equals_oracle_on_crowds_and_odd_sizes() {
    for (seed, projection) in PROJECTIONS.into_iter().enumerate() {
        for size in [[1, 1], [1, 40], [37, 53], [64, 48]] {
            let world = crowd(seed as u64, 2, 300, size, projection);
            assert_same(&world.rendered().0, &world.specified())
                .and_then(|()| contributors_equal_oracle(&world))
                .unwrap_or_else(|e| panic!("{projection:?} {size:?}: {e}"));
        }
    }
}

#[test]
fn contributors_of_every_feature_count_and_with_layers_equal_oracle() {
    for (seed, channels) in [1, 2, 3, 4, 7].into_iter().enumerate() {
        let mut world = crowd(40 + seed as u64, 2, 120, [45, 31], Projection::Pinhole);
        let features = (0..channels * world.gaussians.count).map(weight);
        world.gaussians.features = features.collect();
        world.gaussians.channels = channels;
        world.backgrounds = vec![0.25; 2 * channels];
        for layers in [vec![], vec![0, 7, 50, 200]] {
            world.config = world.config.with_layers(layers);
            assert_same(&world.rendered().0, &world.specified())
                .and_then(|()| contributors_equal_oracle(&world))
                .unwrap_or_else(|e| panic!("{channels} channels: {e}"));
        }
    }
}

#[test]
fn contributors_change_no_other_output_and_no_gradient() {
    let world = crowd(5, 2, 200, [53, 37], Projection::Pinhole);
    let outputs = world.config.outputs.with_contributors(false);
    let without = OwnedScene {
        config: world.config.clone().with_outputs(outputs),
        ..world.clone()
    };
    let (image, saved) = world.rendered();
    let (expected, plain) = without.rendered();
    assert_eq!(image, expected);
    assert!(saved.contributors().is_some() && plain.contributors().is_none());
    let v_image = cotangent(&image);
    assert_eq!(world.vjp(&v_image), without.vjp(&v_image));
}

#[test]
fn the_nearest_of_equal_weights_and_an_empty_pixel_are_named() {
    // Three splats with the same centre. By depth their order is 1, 2, 0.
    let mut world = crowd(6, 1, 3, [33, 33], Projection::Orthographic);
    let g = &mut world.gaussians;
    g.means = vec![0.0, 0.0, 0.9, 0.0, 0.0, 0.1, 0.0, 0.0, 0.5];
    g.scales = vec![1e-3; 9];
    g.quaternions = [1.0, 0.0, 0.0, 0.0].repeat(3);
    g.opacities = vec![0.25, 0.5, 1.0];
    world.views.cameras = vec![splat::Camera::orthographic(16.0, 16.0, 16.5, 16.5)];
    world.config = world.config.with_alpha_max(1.0 - 1e-12).with_blur(0.5);
    let (_, saved) = world.rendered();
    let found = saved.contributors().expect("asked for");
    let centre = 16 * 33 + 16;
    // Splat 2 would leave a transmittance below the limit, so it is not composited and ends the
    // pixel.
    assert_eq!(found.indices[centre], 1);
    assert_eq!(found.weights[centre], 0.5);
    assert_eq!(found.counts[centre], 1);
    assert_eq!(found.indices[0], NO_CONTRIBUTOR);
    assert_eq!((found.weights[0], found.counts[0]), (0.0, 0));
    // The weights are 1/2, 1/4 and 1/8.
    world.gaussians.opacities = vec![1.0, 0.5, 0.5];
    world.config = world.config.with_alpha_max(0.5);
    let (_, saved) = world.rendered();
    let found = saved.contributors().expect("asked for");
    assert_eq!((found.indices[centre], found.counts[centre]), (1, 3));
}

#[test]
fn comparison_rejects_a_wrong_image() {
    let world = crowd(1, 1, 20, [16, 16], Projection::Pinhole);
    let oracle = world.specified();
    let mut wrong = world.rendered().0;
    assert!(assert_same(&wrong, &oracle).is_ok());
    wrong.features[100] += 1e-11;
    assert!(assert_same(&wrong, &oracle).is_err());
    wrong.features[100] = f64::NAN;
    assert!(assert_same(&wrong, &oracle).is_err());
    let mut wrong = world.rendered().0;
    wrong.depth = None;
    assert!(assert_same(&wrong, &oracle).is_err());
    let right = splat::oracle::contributors(&world.scene(), &world.config).expect("a valid scene");
    assert!(assert_same_contributors(&right, &right).is_ok());
    let mut wrong = right.clone();
    wrong.indices[100] = wrong.indices[100].wrapping_add(1);
    assert!(assert_same_contributors(&wrong, &right).is_err());
    let mut wrong = right.clone();
    wrong.counts[100] += 1;
    assert!(assert_same_contributors(&wrong, &right).is_err());
    let mut wrong = right.clone();
    wrong.weights[100] = f64::NAN;
    assert!(assert_same_contributors(&wrong, &right).is_err());
}

#[test]
fn f32_equals_f64_outside_a_small_unbiased_boundary_band() {
    for (seed, projection) in PROJECTIONS.into_iter().enumerate() {
        let scene = crowd(seed as u64 + 10, 2, 400, [61, 47], projection);
        let single = run_single(&scene).image.features;
        // Both renders have the rounded inputs, so that their rounding does not count as an error.
        let exact = scene.with_rounding(round);
        let band = boundary_band(&exact, BAND).expect("a valid scene");
        let found = flips(
            &single,
            &exact.rendered().0.features,
            &band,
            SINGLE_TOLERANCE,
            BAND_SHARE,
        );
        match found {
            Ok(flips) => println!("{projection:?}: {flips:?}"),
            Err(wrong) => panic!("{projection:?}: {wrong}"),
        }
    }
}

fn round(x: f64) -> f64 {
    f64::from(x as f32)
}

/// Renders the scene in `f32`, and computes the gradients of [`cotangent`].
fn run_single(scene: &OwnedScene) -> Outcome {
    let v_image = cotangent(&scene.rendered().0);
    run_backend(&Cpu::<f32>::new(), scene, &v_image, Wanted::ALL).expect("a valid scene")
}

#[test]
fn every_tile_size_gives_the_same_bits() {
    for projection in PROJECTIONS {
        let world = crowd(3, 2, 250, [53, 37], projection);
        let rounded = world.rounded::<f32>();
        let sizes = [
            TileSize::Px8,
            TileSize::Px16,
            TileSize::Px32,
            TileSize::Px32x16,
        ];
        let images = sizes.map(|tile| {
            let backend = Cpu::new().with_tile(tile);
            splat::render(&backend, &rounded.scene(), &world.config)
                .expect("a valid scene")
                .0
        });
        for (size, image) in sizes.iter().zip(&images) {
            assert_eq!(image, &images[0], "{size:?}");
        }
    }
}

#[test]
fn f32_outputs_and_gradients_equal_f64_where_no_threshold_is_near() {
    let mut compared = 0;
    for seed in 0..40 {
        // A sparse scene. If no pair is near a threshold, all results must agree.
        let scene = crowd(100 + seed as u64, 2, 6, [13, 9], PROJECTIONS[seed % 3]);
        let scene = scene.with_rounding(round);
        if boundary_band(&scene, BAND)
            .expect("a valid scene")
            .contains(&true)
        {
            continue;
        }
        compared += 1;
        let single = run_single(&scene);
        let exact = scene.rendered().0;
        let v = scene.vjp(&cotangent(&exact).map(|x| x.iter().map(|&x| round(x)).collect()));
        let plane = |x: &Option<Vec<f64>>| x.clone().expect("asked for");
        let planes = [
            (
                "features",
                single.image.features.clone(),
                exact.features.clone(),
            ),
            (
                "transmittance",
                plane(&single.image.transmittance),
                plane(&exact.transmittance),
            ),
            ("depth", plane(&single.image.depth), plane(&exact.depth)),
        ];
        let buffers = single.gradients.buffers().into_iter().zip(v.buffers());
        let buffers = buffers.map(|((name, got), (_, exact))| (name, got.clone(), exact.clone()));
        for (name, got, expected) in planes.into_iter().chain(buffers) {
            let tolerance = Tolerance::of_largest(SINGLE_TOLERANCE).with_floor(1e-3);
            let outcome = compare(name, &got, &expected, tolerance, |_| false);
            assert_eq!(outcome, Ok(()), "seed {seed}");
        }
    }
    assert!(
        compared >= 10,
        "only {compared} scenes keep clear of the thresholds"
    );
}
