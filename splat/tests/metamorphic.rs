//! Properties that relate one render to another: what must not change a bit, and what must change in a known way.

mod support;

use proptest::prelude::*;
use splat::{
    Backend, Cpu, Gaussians, Gradients, Image, Projection, RenderConfig, Splats, Views, Wanted,
};
use support::{PROJECTIONS, Rounded, World, cotangent, crowd, max_difference, scale, worlds};

/// Two `f64` renders whose inputs differ by rounding only.
const ROUNDING: f64 = 1e-11;

fn ones(image: &Image<Vec<f32>>) -> Image<Vec<f32>> {
    let ramp = |x: &Vec<f32>| (0..x.len()).map(|i| support::weight(i) as f32).collect();
    image.map(ramp).without_layers()
}

fn forward_backward(
    rounded: &Rounded<f32>,
    config: &RenderConfig,
) -> (Image<Vec<f32>>, Gradients<Vec<f32>>) {
    let backend = Cpu::new();
    let (image, saved) = splat::render(&backend, &rounded.scene(), config).expect("a valid scene");
    let v_image = ones(&image);
    let gradients = splat::render_vjp(
        &backend,
        &rounded.scene(),
        &saved,
        &v_image.as_slices(),
        Wanted::ALL,
    );
    (image, gradients.expect("a valid scene"))
}

fn row(gradients: &Gradients<Vec<f32>>) -> Vec<u32> {
    let g = &gradients.gaussians;
    [
        &g.means,
        &g.scales,
        &g.quaternions,
        &g.opacities,
        &g.features,
        &gradients.backgrounds,
        &gradients.camera_from_world,
    ]
    .into_iter()
    .flatten()
    .map(|x| x.to_bits())
    .collect()
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    for views in [1, 3] {
        let world = crowd(4, views, 700, [83, 61], Projection::Pinhole);
        let rounded = world.rounded::<f32>();
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .expect("a thread pool");
            pool.install(|| forward_backward(&rounded, &world.config))
        };
        let (one, two, five) = (on(1), on(2), on(5));
        assert_eq!(one.0, two.0);
        assert_eq!(one.0, five.0);
        assert_eq!(row(&one.1), row(&two.1));
        assert_eq!(row(&one.1), row(&five.1));
    }
}

#[test]
fn a_batch_equals_its_images_one_by_one_bitwise() {
    let world = crowd(6, 3, 600, [45, 33], Projection::Hybrid);
    let world = World {
        views: Views {
            ranges: vec![0..600, 600..600, 600..1800],
            ..world.views
        },
        ..world
    };
    let rounded = world.rounded::<f32>();
    let (batch, batch_gradients) = {
        let backend = Cpu::new();
        let (image, saved) =
            splat::render(&backend, &rounded.scene(), &world.config).expect("a valid scene");
        // The same cotangent for every image, so that the single renders get theirs.
        let pixels = 45 * 33;
        let v = |i: usize| support::weight(i) as f32;
        let v_image = Image::from_features(
            (0..3 * pixels * 3)
                .map(|i| v(i % (pixels * 3)))
                .collect::<Vec<_>>(),
        )
        .with_transmittance((0..3 * pixels).map(|i| v(i % pixels)).collect::<Vec<_>>())
        .with_depth((0..3 * pixels).map(|i| v(i % pixels)).collect::<Vec<_>>());
        let g = splat::render_vjp(
            &backend,
            &rounded.scene(),
            &saved,
            &v_image.as_slices(),
            Wanted::ALL,
        );
        (image, g.expect("a valid scene"))
    };
    for view in 0..3 {
        let views = Views {
            cameras: vec![world.views.cameras[view]],
            ranges: vec![world.views.ranges[view].clone()],
            ..world.views.clone()
        };
        let backgrounds = rounded.backgrounds[3 * view..3 * view + 3].to_vec();
        let single = Rounded {
            gaussians: rounded.gaussians.clone(),
            views,
            backgrounds,
        };
        let (image, gradients) = forward_backward(&single, &world.config);
        let pixels = image.features.len();
        assert_eq!(
            image.features,
            batch.features[view * pixels..(view + 1) * pixels]
        );
        let range = world.views.ranges[view].clone();
        let (one, all) = (&gradients.gaussians, &batch_gradients.gaussians);
        for (one, all, width) in [
            (&one.means, &all.means, 3),
            (&one.scales, &all.scales, 3),
            (&one.quaternions, &all.quaternions, 4),
            (&one.opacities, &all.opacities, 1),
            (&one.features, &all.features, 3),
        ] {
            let rows = range.start * width..range.end * width;
            assert_eq!(one[rows.clone()], all[rows]);
        }
        assert_eq!(
            gradients.camera_from_world,
            batch_gradients.camera_from_world[12 * view..12 * view + 12]
        );
        assert_eq!(
            gradients.backgrounds,
            batch_gradients.backgrounds[3 * view..3 * view + 3]
        );
    }
}

#[test]
fn views_that_share_gaussians_sum_their_gradients() {
    // Two different cameras on the same Gaussians, against each camera by itself.
    let pair = crowd(7, 2, 40, [21, 17], Projection::Pinhole);
    let both = World {
        views: Views {
            ranges: vec![5..40, 0..40],
            ..pair.views.clone()
        },
        ..pair.clone()
    };
    let v_both = cotangent(&both.render().0);
    let sum = both.gradients(&v_both);
    let half = |x: &Vec<f64>, view: usize| x[view * x.len() / 2..(view + 1) * x.len() / 2].to_vec();
    let mut means = vec![0.0; sum.gaussians.means.len()];
    let mut features = vec![0.0; sum.gaussians.features.len()];
    for view in 0..2 {
        let one = World {
            views: Views {
                cameras: vec![both.views.cameras[view]],
                ranges: vec![both.views.ranges[view].clone()],
                ..both.views.clone()
            },
            backgrounds: half(&both.backgrounds, view),
            ..both.clone()
        };
        let v = one.gradients(&v_both.map(|x| half(x, view)));
        for (sum, part) in means.iter_mut().zip(&v.gaussians.means) {
            *sum += part;
        }
        for (sum, part) in features.iter_mut().zip(&v.gaussians.features) {
            *sum += part;
        }
        assert_eq!(v.camera_from_world, half(&sum.camera_from_world, view));
    }
    assert_ne!(
        half(&sum.camera_from_world, 0),
        half(&sum.camera_from_world, 1)
    );
    assert_eq!(means, sum.gaussians.means);
    assert_eq!(features, sum.gaussians.features);
}

/// The Gaussians in another order.
fn permuted(g: &Gaussians<Vec<f64>>, order: &[usize]) -> Gaussians<Vec<f64>> {
    let rows = |x: &Vec<f64>, width: usize| {
        order
            .iter()
            .flat_map(|&i| x[i * width..(i + 1) * width].to_vec())
            .collect()
    };
    Gaussians {
        means: rows(&g.means, 3),
        scales: rows(&g.scales, 3),
        quaternions: rows(&g.quaternions, 4),
        opacities: rows(&g.opacities, 1),
        features: rows(&g.features, g.channels),
        count: order.len(),
        channels: g.channels,
    }
}

#[test]
fn the_order_of_gaussians_with_distinct_depths_changes_no_bit() {
    for projection in PROJECTIONS {
        let world = crowd(9, 1, 200, [40, 30], projection);
        let order: Vec<usize> = (0..200).map(|i| (i * 77 + 13) % 200).collect();
        let shuffled = World {
            gaussians: permuted(&world.gaussians, &order),
            ..world.clone()
        };
        assert_eq!(world.render().0, shuffled.render().0);
        let v = cotangent(&world.render().0);
        let (a, b) = (
            world.gradients(&v).gaussians,
            shuffled.gradients(&v).gaussians,
        );
        assert_eq!(permuted(&a, &order), b);
    }
}

#[test]
fn equal_depths_composite_in_the_order_of_their_indices() {
    let mut world = crowd(3, 1, 2, [9, 9], Projection::Orthographic);
    world.views.cameras[0] = splat::Camera::orthographic(9.0, 9.0, 4.5, 4.5);
    world.gaussians.means = vec![0.0, 0.0, -0.0, 0.0, 0.0, 0.0];
    world.gaussians.scales = vec![0.4; 6];
    world.gaussians.opacities = vec![0.9; 2];
    world.gaussians.features = vec![1.0, 0.0, 0.0, 0.0, 1.0, 0.0];
    let centre = (4 * 9 + 4) * 3;
    let image = world.render().0.features;
    assert!(
        image[centre] > image[centre + 1],
        "the first of two Gaussians at depths -0 and 0 is in front"
    );
}

/// Gaussians that must be culled, one of each kind, appended to `world`.
fn with_culled(world: &World) -> World {
    let mut world = world.clone();
    let hostile: [(&str, [f64; 3], f64, f64, f64); 12] = [
        ("behind the camera", [0.0, 0.0, -9.0], 0.1, 0.5, 1.0),
        ("nearer than near", [0.0, 0.0, -3.995], 0.1, 0.5, 1.0),
        ("too faint", [0.0, 0.0, 0.0], 0.1, 1.0 / 256.0, 1.0),
        ("negative opacity", [0.0, 0.0, 0.0], 0.1, -0.5, 1.0),
        ("off the image", [50.0, 0.0, 0.0], 0.1, 0.5, 1.0),
        ("NaN mean", [f64::NAN, 0.0, 0.0], 0.1, 0.5, 1.0),
        ("infinite mean", [0.0, 0.0, f64::INFINITY], 0.1, 0.5, 1.0),
        ("NaN scale", [0.0, 0.0, 0.0], f64::NAN, 0.5, 1.0),
        ("infinite scale", [0.0, 0.0, 0.0], f64::INFINITY, 0.5, 1.0),
        ("NaN opacity", [0.0, 0.0, 0.0], 0.1, f64::NAN, 1.0),
        ("infinite opacity", [0.0, 0.0, 0.0], 0.1, f64::INFINITY, 1.0),
        ("zero quaternion", [0.0, 0.0, 0.0], 0.1, 0.5, 0.0),
    ];
    let g = &mut world.gaussians;
    for (_, mean, scale, opacity, w) in hostile {
        g.means.extend(mean);
        g.scales.extend([scale; 3]);
        g.quaternions.extend([w, 0.0, 0.0, 0.0]);
        g.opacities.push(opacity);
        g.features.extend([0.5; 3]);
        g.count += 1;
    }
    g.means.extend([0.0; 3]);
    g.scales.extend([0.1; 3]);
    g.quaternions.extend([1.0, 0.0, 0.0, 0.0]);
    g.opacities.push(0.5);
    g.features.extend([0.5, f64::NAN, 0.5]);
    g.count += 1;
    world.views.ranges = std::iter::once(0..g.count).collect();
    world
}

#[test]
fn culled_gaussians_change_no_bit_get_no_gradient_and_are_counted() {
    for projection in PROJECTIONS {
        let world = crowd(12, 1, 50, [40, 30], projection);
        // The parallel projection has no near plane unless it is given one.
        let mut world = world;
        world.views.cameras[0] = world.views.cameras[0].with_depth_range(0.01, 1e10);
        let more = with_culled(&world);
        let ((clean, saved), (image, saved_more)) = (world.render(), more.render());
        assert!(
            clean == image,
            "{projection:?}: culled Gaussians changed the image"
        );
        assert_eq!(saved_more.splats.culled()[0], saved.splats.culled()[0] + 13);
        let v = cotangent(&clean);
        let (a, b) = (world.gradients(&v), more.gradients(&v));
        let n = world.gaussians.count;
        assert_eq!(a.gaussians.means, b.gaussians.means[..3 * n]);
        assert_eq!(a.camera_from_world, b.camera_from_world);
        let g = &b.gaussians;
        for rest in [
            &g.means[3 * n..],
            &g.scales[3 * n..],
            &g.quaternions[4 * n..],
            &g.opacities[n..],
            &g.features[3 * n..],
        ] {
            assert!(
                rest.iter().all(|&x| x == 0.0),
                "a culled Gaussian got a gradient: {rest:?}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn moving_camera_and_scene_together_changes_nothing(world in worlds(), turn in 0.0f64..6.3) {
        // p -> Q p + s for the scene, pose -> pose after the inverse motion.
        let (sin, cos) = turn.sin_cos();
        let q = [[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]];
        let s = [0.3, -0.7, 1.1];
        let mut moved = world.clone();
        for mean in moved.gaussians.means.chunks_exact_mut(3) {
            let old = [mean[0], mean[1], mean[2]];
            for i in 0..3 {
                mean[i] = (0..3).map(|k| q[i][k] * old[k]).sum::<f64>() + s[i];
            }
        }
        let (half_sin, half_cos) = (0.5 * turn).sin_cos();
        for p in moved.gaussians.quaternions.chunks_exact_mut(4) {
            // (cos, sin j) times p.
            let [w, x, y, z] = [p[0], p[1], p[2], p[3]];
            p.copy_from_slice(&[
                half_cos * w - half_sin * y,
                half_cos * x + half_sin * z,
                half_cos * y + half_sin * w,
                half_cos * z - half_sin * x,
            ]);
        }
        for camera in &mut moved.views.cameras {
            let old = camera.camera_from_world;
            for i in 0..3 {
                let r: Vec<f64> = (0..3).map(|j| (0..3).map(|k| old[i][k] * q[j][k]).sum()).collect();
                let t = old[i][3] - (0..3).map(|j| r[j] * s[j]).sum::<f64>();
                camera.camera_from_world[i] = [r[0], r[1], r[2], t];
            }
        }
        // Thresholds flip on rounding; without them nothing may move.
        let config = support::smooth(world.config.clone());
        let (a, b) = (World { config: config.clone(), ..world }.render().0, World { config, ..moved }.render().0);
        prop_assert!(max_difference(&a.features, &b.features) <= ROUNDING);
    }

    #[test]
    fn a_quaternion_times_any_number_is_the_same_rotation(world in worlds(), k in prop::sample::select(vec![-3.0, -1.0, 0.01, 100.0])) {
        let mut scaled = world.clone();
        scaled.gaussians.quaternions.iter_mut().for_each(|x| *x *= k);
        let config = support::smooth(world.config.clone());
        let (world, scaled) = (World { config: config.clone(), ..world }, World { config, ..scaled });
        prop_assert!(max_difference(&world.render().0.features, &scaled.render().0.features) <= ROUNDING);
        // Its gradient is tangential and shrinks as the quaternion grows.
        let v = cotangent(&world.render().0);
        let (a, b) = (world.gradients(&v).gaussians.quaternions, scaled.gradients(&v).gaussians.quaternions);
        let expected: Vec<f64> = a.iter().map(|x| x / k).collect();
        prop_assert!(max_difference(&expected, &b) <= 1e-9 * scale(&expected).max(1e-3));
        for (q, v) in world.gaussians.quaternions.chunks_exact(4).zip(a.chunks_exact(4)) {
            let along: f64 = q.iter().zip(v).map(|(x, y)| x * y).sum();
            prop_assert!(along.abs() <= 1e-12 * scale(&a).max(1e-3), "gradient along the quaternion: {along}");
        }
    }

    #[test]
    fn the_image_is_affine_in_the_background(world in worlds(), k in -2.0f64..2.0) {
        let with = |factor: f64| {
            let backgrounds = world.backgrounds.iter().map(|b| b * factor).collect();
            World { backgrounds, ..world.clone() }.render().0
        };
        let (zero, one, other) = (with(0.0), with(1.0), with(k));
        for i in 0..zero.features.len() {
            let line = zero.features[i] + k * (one.features[i] - zero.features[i]);
            prop_assert!((other.features[i] - line).abs() <= 1e-13);
        }
        prop_assert_eq!(zero.transmittance, one.transmittance);
    }

    #[test]
    fn many_channels_are_the_images_of_each_channel_bitwise(world in worlds()) {
        let all = world.render().0.features;
        let (channels, views) = (world.gaussians.channels, world.views.len());
        for channel in 0..channels {
            let pick = |x: &[f64]| x.iter().skip(channel).step_by(channels).copied().collect::<Vec<_>>();
            let mut single = world.clone();
            single.gaussians.features = pick(&world.gaussians.features);
            single.gaussians.channels = 1;
            single.backgrounds = pick(&world.backgrounds);
            prop_assert_eq!(single.backgrounds.len(), views);
            prop_assert_eq!(pick(&all), single.render().0.features);
        }
    }

    #[test]
    fn a_prefix_layer_is_the_render_of_its_gaussians_bitwise(world in worlds(), cut in 0usize..9) {
        let config = world.config.clone().with_layers(vec![cut, usize::MAX]);
        let layered = World { config, ..world.clone() };
        let (image, saved) = layered.render();
        let layers = image.layers.clone().expect("layers were asked for");
        let view_pixels = image.features.len() / world.views.len();
        for (view, range) in world.views.ranges.iter().enumerate() {
            // The `cut` nearest visible Gaussians of this view, by themselves.
            let begin = saved.splats.offsets[view];
            let mut visible: Vec<usize> = range.clone().filter(|i| saved.splats.extents[2 * (begin + i - range.start)] > 0.0).collect();
            visible.sort_by(|&a, &b| {
                let depth = |i: usize| saved.splats.depths[begin + i - range.start];
                depth(a).total_cmp(&depth(b))
            });
            visible.truncate(cut);
            let alone = World {
                gaussians: permuted(&world.gaussians, &visible),
                views: Views {
                    cameras: vec![world.views.cameras[view]],
                    ranges: std::iter::once(0..visible.len()).collect(),
                    ..world.views.clone()
                },
                backgrounds: world.backgrounds[view * world.gaussians.channels..][..world.gaussians.channels].to_vec(),
                config: world.config.clone(),
            };
            let prefix = &layers[2 * view * view_pixels..(2 * view + 1) * view_pixels];
            prop_assert_eq!(prefix, &alone.render().0.features[..]);
            let whole = &layers[(2 * view + 1) * view_pixels..(2 * view + 2) * view_pixels];
            prop_assert_eq!(whole, &image.features[view * view_pixels..(view + 1) * view_pixels]);
        }
    }
}

#[test]
fn lengths_of_quaternions_at_the_ends_of_f32_render_or_cull_but_never_lie() {
    let world = crowd(14, 1, 20, [24, 24], Projection::Pinhole);
    let rounded = world.rounded::<f32>();
    let plain = forward_backward(&rounded, &world.config).0;
    for k in [1e-30f32, 1e-17, 1e17, 1e25] {
        let mut scaled = world.rounded::<f32>();
        scaled
            .gaussians
            .quaternions
            .iter_mut()
            .for_each(|x| *x *= k);
        let (image, gradients) = forward_backward(&scaled, &world.config);
        assert!(
            row(&gradients)
                .iter()
                .all(|&bits| f32::from_bits(bits).is_finite())
        );
        if (1e-18..1e19).contains(&k) {
            let close = image
                .features
                .iter()
                .zip(&plain.features)
                .all(|(a, b)| (a - b).abs() < 1e-4);
            assert!(close, "quaternions times {k} render something else");
        } else {
            assert_eq!(
                image.features,
                rounded.backgrounds.repeat(24 * 24),
                "quaternions times {k} are culled"
            );
        }
    }
}

#[test]
fn needles_at_the_ends_of_f32_have_finite_gradients() {
    // A needle far below a pixel, at 45 degrees, on a pixel centre, without blur.
    let mut world = crowd(1, 1, 1, [3, 3], Projection::Orthographic);
    world.views.cameras[0] = splat::Camera::orthographic(1.0, 1.0, 1.5, 1.5);
    world.config.blur = 0.0;
    let (sin, cos) = std::f64::consts::FRAC_PI_8.sin_cos();
    for (long, thin) in [(3e-8, 3e-11), (1e-15, 1e-20), (1e12, 1e-12), (1e15, 1e15)] {
        world.gaussians.means = vec![0.0; 3];
        world.gaussians.scales = vec![long, thin, thin];
        world.gaussians.quaternions = vec![cos, 0.0, 0.0, sin];
        let (_, gradients) = forward_backward(&world.rounded(), &world.config);
        let finite = row(&gradients)
            .iter()
            .all(|&bits| f32::from_bits(bits).is_finite());
        assert!(finite, "needle of {long} x {thin}");
    }
}

#[test]
fn a_nan_in_the_cotangent_reaches_no_other_tile() {
    // Tiles are 32 px wide: the last one has a single column. Of so high an image it follows its neighbour in the same memory.
    let [width, height] = [97, 4096];
    let mut world = crowd(15, 1, 60, [width, height], Projection::Orthographic);
    world.views.cameras[0] = splat::Camera::orthographic(1.0, 1.0, 0.0, 0.0);
    let g = &mut world.gaussians;
    g.scales.fill(0.3);
    g.opacities.fill(0.8);
    for (i, mean) in g.means.chunks_exact_mut(3).enumerate() {
        // Half of them around the NaN, half where they reach the last column alone.
        let x = if i % 2 == 0 { 65.5 } else { 98.5 };
        mean.copy_from_slice(&[x, 1.0 + i as f64 / 2.0, 1.0]);
    }
    let backend = Cpu::<f32>::new();
    let rounded = world.rounded::<f32>();
    let (image, saved) =
        splat::render(&backend, &rounded.scene(), &world.config).expect("a valid scene");
    let mut v_image = ones(&image);
    // In the third of four tiles, in the last of its rows.
    v_image.features[3 * (31 * width + 65)] = f32::NAN;
    let (v, _) = splat::Backend::composite_vjp(
        &backend,
        &saved.splats.as_slices(),
        &saved.sorted,
        &rounded.backgrounds,
        &saved.composited,
        &v_image.as_slices(),
        Wanted::ALL,
    )
    .expect("a valid scene");
    let number = |x: f32| x.is_finite() && x != 0.0;
    for m in (1..60).step_by(2) {
        let features = &v.features[3 * m..3 * m + 3];
        assert!(
            number(v.opacities[m]) && features.iter().all(|&x| number(x)),
            "splat {m} of another tile: {} {features:?}",
            v.opacities[m]
        );
    }
    assert!(
        v.opacities.iter().any(|x| x.is_nan()),
        "the NaN must reach its own pixel's splats"
    );
}

#[test]
fn a_nan_in_the_cotangent_reaches_no_tile_cut_off_below() {
    // Tiles are 32 px high: the lower one has a single row, which ends long before the last splat, whose other rows are outside the image.
    // Of so many images a lower tile follows an upper one in the same memory.
    let (views, ends) = (64, 40);
    let many = |of_wide: &[f32], of_last: &[f32]| {
        let of_view = [&of_wide.repeat(ends), of_last].concat();
        of_view.repeat(views)
    };
    let splats = Splats {
        means: many(&[16.0, 32.5], &[16.0, 35.0]),
        conics: many(&[1e-4, 0.0, 25.0], &[1.0, 0.0, 1.0]),
        opacities: many(&[0.9], &[0.9]),
        depths: many(&[1.0], &[2.0]),
        features: many(&[1.0], &[1.0]),
        offsets: (0..=views).map(|view| view * (ends + 1)).collect(),
        channels: 1,
        ..Splats::default()
    };
    let (backend, config) = (Cpu::<f32>::new(), RenderConfig::default());
    let splats = backend
        .splats(splats, 32, 33, &config)
        .expect("valid splats");
    assert_eq!(splats.culled(), [0; 64]);
    let splats = splats.as_slices();
    let backgrounds = vec![0.0; views];
    let sorted = backend.bin(&splats, 32, 33).expect("valid splats");
    let sorted = backend.sort(&splats, sorted).expect("valid hits");
    let (_, composited) = backend
        .composite(&splats, &sorted, &backgrounds, &config)
        .expect("valid hits");
    let mut features = vec![1.0; views * 33 * 32];
    for image in features.chunks_mut(33 * 32) {
        image[..4 * 32].fill(f32::NAN);
    }
    let v_image = splat::Image::from_features(&features[..]);
    let (v, _) = backend
        .composite_vjp(
            &splats,
            &sorted,
            &backgrounds,
            &composited,
            &v_image,
            Wanted::ALL,
        )
        .expect("valid hits");
    for (m, v) in v.opacities.iter().enumerate() {
        assert!(v.is_finite(), "splat {m}: {v}");
    }
    assert!(
        v.opacities[0] != 0.0,
        "the lower tile must see its own gradient"
    );
}

#[test]
fn a_pixel_that_counts_is_drawn_wherever_in_the_image() {
    // So far right that a 32-bit number of pixels has steps of 1/32: the chord's end must not be rounded with them.
    let width = 300_064;
    let backend = Cpu::<f32>::new();
    let config = splat::RenderConfig::default();
    for left in [0, 300_000] {
        let splats = splat::Splats {
            means: vec![left as f32 + 30.6875, 0.5],
            conics: vec![1.0 / 0.3, 0.0, 1.0 / 0.3],
            opacities: vec![1.0],
            depths: vec![1.0],
            features: vec![1.0],
            offsets: vec![0, 1],
            channels: 1,
            ..splat::Splats::default()
        };
        let splats = backend
            .splats(splats, width, 1, &config)
            .expect("shapes that fit");
        let splats = splats.as_slices();
        let hits = splat::Backend::bin(&backend, &splats, width, 1).expect("a valid splat");
        let sorted = splat::Backend::sort(&backend, &splats, hits).expect("its hits");
        let (image, _) = splat::Backend::composite(&backend, &splats, &sorted, &[0.0], &config)
            .expect("its sorted hits");
        // 1.8125 px from the centre alpha is 0.0042, a little more than 1/255.
        let lit: Vec<usize> = (0..width).filter(|&x| image.features[x] > 0.0).collect();
        let expected: Vec<usize> = (left + 29..left + 33).collect();
        assert_eq!(lit, expected);
    }
}

#[test]
fn a_gradient_has_no_extents_and_counts_as_culled() {
    let world = crowd(16, 1, 5, [9, 9], Projection::Hybrid);
    let mut splats = world.render().1.splats;
    splats.extents.clear();
    assert_eq!(splats.culled(), [5]);
}

#[test]
fn an_empty_view_is_its_background() {
    let world = crowd(1, 1, 5, [7, 3], Projection::Pinhole);
    let world = World {
        views: Views {
            ranges: std::iter::once(2..2).collect(),
            ..world.views
        },
        ..world
    };
    let image = world.render().0;
    assert_eq!(image.features, world.backgrounds.repeat(21));
    assert_eq!(image.transmittance, Some(vec![1.0; 21]));
    let v = cotangent(&image);
    assert!(
        world
            .gradients(&v)
            .gaussians
            .means
            .iter()
            .all(|&x| x == 0.0)
    );
}
