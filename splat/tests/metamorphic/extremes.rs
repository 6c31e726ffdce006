//! Extreme values in one part of a scene must not affect other parts.

use super::*;

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
    // A needle much smaller than a pixel, at 45 degrees, on a pixel centre, without blur.
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
    // Tiles are 32 px wide, so the last one has a single column. In so high an image, one task
    // walks it after its neighbour, with the same buffers.
    let [width, height] = [97, 4096];
    let mut world = crowd(15, 1, 60, [width, height], Projection::Orthographic);
    world.views.cameras[0] = splat::Camera::orthographic(1.0, 1.0, 0.0, 0.0);
    let g = &mut world.gaussians;
    g.scales.fill(0.3);
    g.opacities.fill(0.8);
    for (i, mean) in g.means.chunks_exact_mut(3).enumerate() {
        // Half of the splats lie around the NaN. The other half reach only the last column.
        let x = if i % 2 == 0 { 65.5 } else { 98.5 };
        mean.copy_from_slice(&[x, 1.0 + i as f64 / 2.0, 1.0]);
    }
    let backend = Cpu::<f32>::new();
    let rounded = world.rounded::<f32>();
    let (image, saved) =
        splat::render(&backend, &rounded.scene(), &world.config).expect("a valid scene");
    let mut v_image = ones(&image);
    // In the last row of the third of four tiles.
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
    // Tiles are 32 px high, so the lower tile has a single row. Its pixels end long before the last
    // splat. The other rows of that splat are outside the image. With so many images, a thread
    // walks a lower tile after an upper one, with the same buffers.
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
    // At this x, `f32` has steps of 1/32 px. The end of a chord must not be rounded to such steps.
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
        // At 1.8125 px from the centre, alpha is 0.0042, a little more than 1/255.
        let lit: Vec<usize> = (0..width).filter(|&x| image.features[x] > 0.0).collect();
        let expected: Vec<usize> = (left + 29..left + 33).collect();
        assert_eq!(lit, expected);
    }
}

#[test]
fn a_gradient_has_no_extents_and_counts_as_culled() {
    let world = crowd(16, 1, 5, [9, 9], Projection::Hybrid);
    let mut splats = world.rendered().1.splats;
    splats.extents.clear();
    assert_eq!(splats.culled(), [5]);
}

#[test]
fn an_empty_view_is_its_background() {
    let world = crowd(1, 1, 5, [7, 3], Projection::Pinhole);
    let world = OwnedScene {
        views: Views {
            ranges: std::iter::once(2..2).collect(),
            ..world.views
        },
        ..world
    };
    let image = world.rendered().0;
    assert_eq!(image.features, world.backgrounds.repeat(21));
    assert_eq!(image.transmittance, Some(vec![1.0; 21]));
    let v = cotangent(&image);
    assert!(world.vjp(&v).gaussians.means.iter().all(|&x| x == 0.0));
}
