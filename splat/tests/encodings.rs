//! Encodings of Gaussians: a render of raw parameters, harmonics or features of splats equals a
//! render of what they stand for.

use splat::check::{
    OwnedScene, PROJECTIONS, Quotients, check_gradients, cotangent, crowd, max_difference,
    max_magnitude, weight,
};
use splat::encoding::{Encoding, Features};
use splat::sh::{self, Harmonics};
use splat::{
    Cpu, CpuScalar, Gradients, Image, Projection, RenderError, SpatialOrder, Views, Wanted,
    activation, render, render_vjp,
};

const VIEWS: usize = 3;
const COUNT: usize = 300;

/// Returns a scene whose views all see most of its Gaussians, with harmonics of `degree`.
fn scene(degree: u32, projection: Projection) -> OwnedScene {
    let mut scene = crowd(21, VIEWS, COUNT / VIEWS, [41, 35], projection);
    scene.views.ranges = vec![0..COUNT, 20..COUNT, 5..COUNT - 40];
    let g = &mut scene.gaussians;
    // One more coefficient per channel is stored than the degree uses.
    let stored = (degree as usize + 1).pow(2) + 1;
    g.encoding = Encoding::PLAIN.with_features(Features::Harmonics { degree, stored });
    g.features = (0..COUNT * stored * 3).map(|i| 0.5 * weight(i)).collect();
    scene
}

fn rendered<T: CpuScalar>(scene: &OwnedScene) -> (Image<Vec<T>>, Gradients<Vec<T>>) {
    let (rounded, backend) = (scene.rounded::<T>(), Cpu::<T>::new());
    let (image, saved) = render(&backend, &rounded.scene(), &scene.config).expect("a valid scene");
    let v_image = image.map(|x| (0..x.len()).map(|i| T::from_f64(weight(i))).collect());
    let v_image: Image<Vec<T>> = v_image.without_layers();
    let v = render_vjp(
        &backend,
        &rounded.scene(),
        &saved,
        &v_image.as_slices(),
        Wanted::ALL,
    );
    let v = v.expect("a valid scene");
    assert_eq!(v.gaussians.encoding, scene.gaussians.encoding);
    (image, v)
}

/// Returns the harmonics of the Gaussians that view `view` of `scene` sees.
fn harmonics_of<'a, T>(
    scene: &OwnedScene,
    means: &'a [T],
    coefficients: &'a [T],
    view: usize,
) -> Harmonics<'a, T> {
    let Features::Harmonics { degree, stored } = scene.gaussians.encoding.features else {
        panic!("a scene with harmonics")
    };
    let (range, channels) = (&scene.views.ranges[view], scene.gaussians.channels);
    let row = stored * channels;
    Harmonics {
        degree,
        means: &means[3 * range.start..3 * range.end],
        coefficients: &coefficients[row * range.start..row * range.end],
        stored,
        channels,
    }
}

/// Returns the scene with the features of `sh::features` for each splat.
fn per_splat<T: CpuScalar>(scene: &OwnedScene) -> OwnedScene {
    let rounded = scene.rounded::<T>();
    let mut features = Vec::new();
    for view in 0..scene.views.len() {
        let g = &rounded.gaussians;
        let own = harmonics_of(scene, &g.means, &g.features, view);
        let own = sh::features(own, &scene.views.cameras[view]).expect("valid shapes");
        features.extend(own.into_iter().map(T::to_f64));
    }
    let mut flat = scene.clone();
    flat.gaussians.encoding = Encoding::PLAIN.with_features(Features::PerSplat);
    flat.gaussians.features = features;
    flat
}

fn assert_close<T: CpuScalar>(what: &str, got: &[T], expected: &[T], tolerance: f64) {
    let [got, expected] = [got, expected].map(|x| x.iter().map(|x| x.to_f64()).collect());
    let (got, expected): (Vec<f64>, Vec<f64>) = (got, expected);
    assert_eq!(got.len(), expected.len(), "{what}");
    let most = tolerance * max_magnitude(&expected).max(1e-3);
    let off = max_difference(&got, &expected);
    assert!(off <= most, "{what}: {off:e} of {most:e}");
}

/// The image of harmonics has the bits of the image of `sh::features`. The gradients are those of
/// the render and of `sh::features_vjp`, one after the other.
fn equals_the_functions<T: CpuScalar>(tolerance: f64) {
    for projection in PROJECTIONS {
        for degree in 0..=4 {
            let scene = scene(degree, projection);
            let (image, got) = rendered::<T>(&scene);
            let flat = per_splat::<T>(&scene);
            let (expected, v) = rendered::<T>(&flat);
            assert!(image == expected, "degree {degree}, {projection:?}");
            let rounded = scene.rounded::<T>();
            let mut means = v.gaussians.means;
            let mut poses = v.camera_from_world;
            let mut coefficients = vec![T::from_f64(0.0); scene.gaussians.features.len()];
            let mut first = 0;
            for (view, range) in scene.views.ranges.iter().enumerate() {
                let g = &rounded.gaussians;
                let own = harmonics_of(&scene, &g.means, &g.features, view);
                let rows = &v.gaussians.features[3 * first..3 * (first + range.len())];
                first += range.len();
                let part =
                    sh::features_vjp(own, &scene.views.cameras[view], rows).expect("valid shapes");
                let row = coefficients.len() / COUNT;
                add(&mut means[3 * range.start..], &part.means);
                add(&mut coefficients[row * range.start..], &part.coefficients);
                add(
                    &mut poses[12 * view..],
                    part.camera_from_world.as_flattened(),
                );
            }
            assert_close("means", &got.gaussians.means, &means, tolerance);
            assert_close(
                "features",
                &got.gaussians.features,
                &coefficients,
                tolerance,
            );
            assert_close("poses", &got.camera_from_world, &poses, tolerance);
            assert!(got.gaussians.scales == v.gaussians.scales);
            assert!(got.intrinsics == v.intrinsics);
        }
    }
}

fn add<T: CpuScalar>(to: &mut [T], part: &[T]) {
    to.iter_mut().zip(part).for_each(|(to, &part)| *to += part);
}

#[test]
fn harmonics_in_a_render_are_those_of_the_functions() {
    equals_the_functions::<f64>(1e-12);
    equals_the_functions::<f32>(1e-5);
}

#[test]
fn gradients_of_raw_harmonics_match_differences() {
    for (i, projection) in PROJECTIONS.into_iter().enumerate() {
        let degree = 2 + i as u32;
        let mut all = scene(degree, projection);
        for (scale, opacity) in all
            .gaussians
            .scales
            .iter_mut()
            .zip(&mut all.gaussians.opacities)
        {
            (*scale, *opacity) = (scale.max(0.1), opacity.min(0.5));
        }
        let g = &mut all.gaussians;
        g.encoding.raw = true;
        g.scales.iter_mut().for_each(|x| *x = x.ln());
        g.opacities
            .iter_mut()
            .for_each(|x| *x = (*x / (1.0 - *x)).ln());
        all.views.ranges = vec![0..30, 10..30, 60..80];
        (all.views.width, all.views.height) = (15, 13);
        for camera in &mut all.views.cameras {
            (camera.fx, camera.fy) = (0.3 * camera.fx, 0.3 * camera.fy);
            (camera.cx, camera.cy) = (0.3 * camera.cx, 0.3 * camera.cy);
        }
        let v_image = cotangent(&all.oracle().expect("a valid scene"));
        let gradients = all.gradients(&v_image).expect("a valid scene");
        let quotients = Quotients::DEFAULT.with_stride(17).with_most_skipped(0.2);
        let compared = check_gradients(&all, &v_image, &gradients, quotients);
        let compared = compared.unwrap_or_else(|failure| panic!("{projection:?}: {failure}"));
        assert!(compared.equal > 150, "{compared:?}");
    }
}

#[test]
fn a_batch_has_the_bits_of_its_views() {
    let whole = crowd(4, 8, 90, [33, 27], Projection::Pinhole);
    let mut batch = whole.clone();
    batch.gaussians.encoding = Encoding::PLAIN.with_harmonics(3);
    batch.gaussians.features = (0..8 * 90 * 48).map(|i| 0.4 * weight(i)).collect();
    let (image, v) = rendered::<f32>(&batch);
    let plain =
        |x: &Vec<f32>, view: usize| x[view * x.len() / 8..(view + 1) * x.len() / 8].to_vec();
    // The gradient with respect to the image depends on the place in the batch.
    let backend = Cpu::<f32>::new();
    for view in 0..8 {
        let mut one = batch.clone();
        let range = batch.views.ranges[view].clone();
        one.views = Views {
            cameras: vec![batch.views.cameras[view]],
            ranges: std::iter::once(range.clone()).collect(),
            ..batch.views.clone()
        };
        one.backgrounds = batch.backgrounds[3 * view..3 * view + 3].to_vec();
        let rounded = one.rounded::<f32>();
        let (single, saved) = render(&backend, &rounded.scene(), &one.config).expect("valid");
        assert!(
            single.features == plain(&image.features, view),
            "view {view}"
        );
        let v_image = image.map(|x| (0..x.len()).map(|i| weight(i) as f32).collect());
        let v_image = v_image.map(|x| plain(x, view));
        let own = render_vjp(
            &backend,
            &rounded.scene(),
            &saved,
            &v_image.as_slices(),
            Wanted::ALL,
        )
        .expect("valid");
        for ((name, own), (_, all)) in own
            .gaussians
            .buffers()
            .into_iter()
            .zip(v.gaussians.buffers())
        {
            let row = all.len() / batch.gaussians.count;
            let rows = row * range.start..row * range.end;
            assert!(own[rows.clone()] == all[rows], "{name} of view {view}");
        }
        assert!(own.camera_from_world == plain(&v.camera_from_world, view));
        assert!(own.intrinsics == plain(&v.intrinsics, view));
    }
}

#[test]
fn raw_parameters_have_the_bits_of_the_activations() {
    let mut raw = crowd(6, 2, 150, [37, 29], Projection::Pinhole);
    let g = &mut raw.gaussians;
    g.encoding = Encoding::RAW;
    g.scales.iter_mut().for_each(|x| *x = x.ln());
    g.opacities
        .iter_mut()
        .for_each(|x| *x = (*x / (1.0 - *x)).ln());
    let (image, v) = rendered::<f64>(&raw);
    let mut active = raw.clone();
    active.gaussians.encoding = Encoding::PLAIN;
    active.gaussians.scales = activation::scales_from_logs(&raw.gaussians.scales);
    active.gaussians.opacities = activation::opacities_from_logits(&raw.gaussians.opacities);
    let (expected, v_active) = rendered::<f64>(&active);
    assert!(image == expected);
    let g = &v_active.gaussians;
    let logs = activation::scales_from_logs_vjp(&active.gaussians.scales, &g.scales);
    let logits = activation::opacities_from_logits_vjp(&active.gaussians.opacities, &g.opacities);
    assert_close(
        "scales",
        &v.gaussians.scales,
        &logs.expect("as many"),
        1e-14,
    );
    assert_close(
        "opacities",
        &v.gaussians.opacities,
        &logits.expect("as many"),
        1e-14,
    );
    assert!(v.gaussians.means == g.means && v.gaussians.quaternions == g.quaternions);
}

/// Coefficients that are not numbers cull their Gaussians.
#[test]
fn harmonics_that_are_not_finite_cull_their_gaussian() {
    let mut spoilt = scene(2, Projection::Pinhole);
    let row = spoilt.gaussians.features.len() / COUNT;
    for i in (0..COUNT).step_by(7) {
        spoilt.gaussians.features[i * row + i % (row - 3)] = f64::NAN;
    }
    let (image, v) = rendered::<f64>(&spoilt);
    let mut without = scene(2, Projection::Pinhole);
    for i in (0..COUNT).step_by(7) {
        without.gaussians.opacities[i] = 0.0;
    }
    let (expected, v_without) = rendered::<f64>(&without);
    assert!(image == expected);
    for ((name, got), (_, expected)) in v.buffers().into_iter().zip(v_without.buffers()) {
        assert!(got == expected, "{name}");
    }
}

#[test]
fn wrong_encodings_are_errors_that_name_the_field() {
    let valid = scene(1, Projection::Pinhole);
    let error = |encoding: Encoding| {
        let mut scene = valid.clone();
        scene.gaussians.encoding = encoding;
        scene.render().expect_err("a wrong encoding").to_string()
    };
    let with = |degree, stored| {
        error(Encoding::PLAIN.with_features(Features::Harmonics { degree, stored }))
    };
    let too_high = with(5, 36);
    assert!(
        too_high.contains("degree") && too_high.contains("0 to 4"),
        "{too_high}"
    );
    let too_few = with(2, 8);
    assert!(
        too_few.contains("stored") && too_few.contains("at least 9"),
        "{too_few}"
    );
    assert!(with(u32::MAX, usize::MAX).contains("degree"));
    let length = with(1, 4);
    assert!(
        length.contains("gaussians.features") && length.contains("[N, K, C]"),
        "{length}"
    );
    let plain = error(Encoding::PLAIN);
    assert!(plain.contains("[N, C]"), "{plain}");
    let splats = error(Encoding::PLAIN.with_features(Features::PerSplat));
    assert!(splats.contains("[M, C]"), "{splats}");
    let order = SpatialOrder::of(&valid.gaussians.means).expect("few means");
    let mut of_splats = per_splat::<f64>(&valid).gaussians;
    let sorted = order.sort(&of_splats.as_slices());
    assert!(
        matches!(sorted, Err(RenderError::Shape { .. })),
        "{sorted:?}"
    );
    of_splats.encoding = Encoding::RAW;
    of_splats.features.truncate(3 * COUNT);
    let sorted = order
        .sort(&of_splats.as_slices())
        .expect("features of Gaussians");
    assert_eq!(sorted.encoding, Encoding::RAW);
}
