//! Properties that relate one render to another: changes of the input that must change no bit of
//! the result, or must change the result in a known way.

mod culled;
mod extremes;
#[path = "../support/mod.rs"]
mod support;

use proptest::prelude::*;
use splat::check::{
    Kind, OwnedScene, PROJECTIONS, Rounded, cotangent, crowd, max_difference, max_magnitude,
    scenes, smooth, weight,
};
use splat::{
    Backend, Cpu, Gaussians, Gradients, Image, Projection, RenderConfig, Splats, Views, Wanted,
};
use support::Valid;

/// Tolerance between two `f64` renders whose inputs differ only by rounding.
const ROUNDING: f64 = 1e-11;

fn ones(image: &Image<Vec<f32>>) -> Image<Vec<f32>> {
    let ramp = |x: &Vec<f32>| (0..x.len()).map(|i| weight(i) as f32).collect();
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
    gradients
        .buffers()
        .into_iter()
        .flat_map(|(_, buffer)| buffer)
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
    let world = OwnedScene {
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
        // Every image has the same cotangent, so that each single render can use it too.
        let pixels = 45 * 33;
        let v = |i: usize| weight(i) as f32;
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
    // Two different cameras on the same Gaussians, compared with each camera alone.
    let pair = crowd(7, 2, 40, [21, 17], Projection::Pinhole);
    let both = OwnedScene {
        views: Views {
            ranges: vec![5..40, 0..40],
            ..pair.views.clone()
        },
        ..pair.clone()
    };
    let v_both = cotangent(&both.rendered().0);
    let sum = both.vjp(&v_both);
    let half = |x: &Vec<f64>, view: usize| x[view * x.len() / 2..(view + 1) * x.len() / 2].to_vec();
    let mut means = vec![0.0; sum.gaussians.means.len()];
    let mut features = vec![0.0; sum.gaussians.features.len()];
    for view in 0..2 {
        let one = OwnedScene {
            views: Views {
                cameras: vec![both.views.cameras[view]],
                ranges: vec![both.views.ranges[view].clone()],
                ..both.views.clone()
            },
            backgrounds: half(&both.backgrounds, view),
            ..both.clone()
        };
        let v = one.vjp(&v_both.map(|x| half(x, view)));
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

/// Returns the Gaussians in another order.
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
        encoding: splat::encoding::Encoding::PLAIN,
    }
}

#[test]
fn the_order_of_gaussians_with_distinct_depths_changes_no_bit() {
    for projection in PROJECTIONS {
        let world = crowd(9, 1, 200, [40, 30], projection);
        let order: Vec<usize> = (0..200).map(|i| (i * 77 + 13) % 200).collect();
        let shuffled = OwnedScene {
            gaussians: permuted(&world.gaussians, &order),
            ..world.clone()
        };
        assert_eq!(world.rendered().0, shuffled.rendered().0);
        let v = cotangent(&world.rendered().0);
        let (a, b) = (world.vjp(&v).gaussians, shuffled.vjp(&v).gaussians);
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
    let image = world.rendered().0.features;
    assert!(
        image[centre] > image[centre + 1],
        "the first of two Gaussians at depths -0 and 0 is in front"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn moving_camera_and_scene_together_changes_nothing(world in scenes(Kind::Ordinary), turn in 0.0f64..6.3) {
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
        // Rounding can flip a pair at a threshold. Without thresholds nothing can change.
        let config = smooth(world.config.clone());
        let a = world.with_config(config.clone()).rendered().0;
        let b = moved.with_config(config).rendered().0;
        prop_assert!(max_difference(&a.features, &b.features) <= ROUNDING);
    }

    #[test]
    fn a_quaternion_times_any_number_is_the_same_rotation(
        world in scenes(Kind::Ordinary),
        k in prop::sample::select(vec![-3.0, -1.0, 0.01, 100.0]),
    ) {
        let mut scaled = world.clone();
        scaled.gaussians.quaternions.iter_mut().for_each(|x| *x *= k);
        let config = smooth(world.config.clone());
        let (world, scaled) = (OwnedScene { config: config.clone(), ..world }, OwnedScene { config, ..scaled });
        prop_assert!(max_difference(&world.rendered().0.features, &scaled.rendered().0.features) <= ROUNDING);
        // The gradient is tangential and shrinks as the quaternion grows.
        let v = cotangent(&world.rendered().0);
        let (a, b) = (world.vjp(&v).gaussians.quaternions, scaled.vjp(&v).gaussians.quaternions);
        let expected: Vec<f64> = a.iter().map(|x| x / k).collect();
        prop_assert!(max_difference(&expected, &b) <= 1e-9 * max_magnitude(&expected).max(1e-3));
        for (q, v) in world.gaussians.quaternions.chunks_exact(4).zip(a.chunks_exact(4)) {
            let along: f64 = q.iter().zip(v).map(|(x, y)| x * y).sum();
            prop_assert!(along.abs() <= 1e-12 * max_magnitude(&a).max(1e-3), "gradient along the quaternion: {along}");
        }
    }

    #[test]
    fn the_image_is_affine_in_the_background(world in scenes(Kind::Ordinary), k in -2.0f64..2.0) {
        let with = |factor: f64| {
            let backgrounds = world.backgrounds.iter().map(|b| b * factor).collect();
            OwnedScene { backgrounds, ..world.clone() }.rendered().0
        };
        let (zero, one, other) = (with(0.0), with(1.0), with(k));
        for i in 0..zero.features.len() {
            let line = zero.features[i] + k * (one.features[i] - zero.features[i]);
            prop_assert!((other.features[i] - line).abs() <= 1e-13);
        }
        prop_assert_eq!(zero.transmittance, one.transmittance);
    }

    #[test]
    fn many_channels_are_the_images_of_each_channel_bitwise(world in scenes(Kind::Ordinary)) {
        let all = world.rendered().0.features;
        let (channels, views) = (world.gaussians.channels, world.views.len());
        for channel in 0..channels {
            let pick = |x: &[f64]| x.iter().skip(channel).step_by(channels).copied().collect::<Vec<_>>();
            let mut single = world.clone();
            single.gaussians.features = pick(&world.gaussians.features);
            single.gaussians.channels = 1;
            single.backgrounds = pick(&world.backgrounds);
            prop_assert_eq!(single.backgrounds.len(), views);
            prop_assert_eq!(pick(&all), single.rendered().0.features);
        }
    }

    #[test]
    fn a_prefix_layer_is_the_render_of_its_gaussians_bitwise(world in scenes(Kind::Ordinary), cut in 0usize..9) {
        let config = world.config.clone().with_layers(vec![cut, usize::MAX]);
        let layered = OwnedScene { config, ..world.clone() };
        let (image, saved) = layered.rendered();
        let layers = image.layers.clone().expect("layers were asked for");
        let view_pixels = image.features.len() / world.views.len();
        for (view, range) in world.views.ranges.iter().enumerate() {
            // The `cut` nearest visible Gaussians of this view alone.
            let begin = saved.splats.offsets[view];
            let mut visible: Vec<usize> = range.clone().filter(|i| saved.splats.extents[2 * (begin + i - range.start)] > 0.0).collect();
            visible.sort_by(|&a, &b| {
                let depth = |i: usize| saved.splats.depths[begin + i - range.start];
                depth(a).total_cmp(&depth(b))
            });
            visible.truncate(cut);
            let alone = OwnedScene {
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
            prop_assert_eq!(prefix, &alone.rendered().0.features[..]);
            let whole = &layers[(2 * view + 1) * view_pixels..(2 * view + 2) * view_pixels];
            prop_assert_eq!(whole, &image.features[view * view_pixels..(view + 1) * view_pixels]);
        }
    }
}
