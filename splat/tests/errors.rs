//! Every invalid argument gives an error that names it. Values in a buffer never give an error.

mod support;

use splat::check::{OwnedScene, PROJECTIONS, cotangent, crowd, gradient_row};
use splat::{
    Backend, Cpu, Image, Projection, RenderConfig, RenderError, Splats, TileSize, Views, Wanted,
};
use support::{Breaks, Valid};

fn world() -> OwnedScene {
    crowd(1, 1, 4, [8, 6], Projection::Pinhole)
}

fn error_of(world: &OwnedScene) -> RenderError {
    splat::render(&Cpu::new(), &world.scene(), &world.config).expect_err("an invalid scene")
}

/// Asserts that the error message contains all of `parts`.
fn assert_names(error: &RenderError, parts: &[&str]) {
    let message = error.to_string();
    for part in parts {
        assert!(message.contains(part), "{message:?} does not name {part:?}");
    }
}

#[test]
fn every_buffer_of_wrong_length_is_named() {
    type Buffer = fn(&mut OwnedScene) -> &mut Vec<f64>;
    let buffers: [(&str, Buffer); 6] = [
        ("gaussians.means", |w| &mut w.gaussians.means),
        ("gaussians.scales", |w| &mut w.gaussians.scales),
        ("gaussians.quaternions", |w| &mut w.gaussians.quaternions),
        ("gaussians.opacities", |w| &mut w.gaussians.opacities),
        ("gaussians.features", |w| &mut w.gaussians.features),
        ("backgrounds", |w| &mut w.backgrounds),
    ];
    for (name, buffer) in buffers {
        let mut world = world();
        let expected = buffer(&mut world).len();
        buffer(&mut world).pop();
        let error = error_of(&world);
        assert_names(
            &error,
            &[
                name,
                &format!("{expected} elements"),
                &format!("{} elements", expected - 1),
            ],
        );
    }
}

#[test]
fn no_channels_no_width_no_height_are_refused() {
    let mut no_channels = world();
    no_channels.gaussians.channels = 0;
    no_channels.gaussians.features.clear();
    assert_names(
        &error_of(&no_channels),
        &["gaussians.channels", "1 to 4294967295", "got 0"],
    );
    let mut flat = world();
    flat.views.width = 0;
    assert_names(&error_of(&flat), &["views.width", "1 to 4194304", "0"]);
    let mut thin = world();
    thin.views.height = 0;
    assert_names(&error_of(&thin), &["views.height"]);
}

#[test]
fn sizes_whose_product_overflows_are_refused_before_anything_is_allocated() {
    let mut huge = world();
    (huge.views.width, huge.views.height) = (usize::MAX, usize::MAX);
    assert_names(&error_of(&huge), &["views.width"]);
    (huge.views.width, huge.views.height) = (1 << 22, 1 << 22);
    assert_names(&error_of(&huge), &["pixels", "4194304 x 4194304", "32-bit"]);
    let mut many = world();
    many.gaussians.count = usize::MAX / 2;
    assert_names(&error_of(&many), &["gaussians.means"]);
    let mut wide = world();
    wide.gaussians.channels = usize::MAX;
    assert_names(&error_of(&wide), &["gaussians.channels"]);
}

#[test]
fn ranges_must_lie_within_the_gaussians() {
    let (start, end) = (3, 1);
    let reversed = start..end;
    for range in [0..5, reversed, usize::MAX - 1..usize::MAX] {
        let mut world = world();
        world.views.ranges = vec![range];
        assert_names(&error_of(&world), &["views.ranges", "0..4"]);
    }
    let mut world = world();
    world.views.cameras.clear();
    assert_names(&error_of(&world), &["views.cameras", "1 cameras", "got 0"]);
}

#[test]
fn cameras_outside_their_domain_are_refused() {
    let breaks: Breaks<splat::Camera> = &[
        ("camera.fx", |c| c.fx = 0.0),
        ("camera.fy", |c| c.fy = f64::NAN),
        ("camera.cx", |c| c.cx = f64::INFINITY),
        ("camera.near", |c| c.near = 0.0),
        ("camera.near", |c| c.near = f64::NAN),
        ("near <= far", |c| c.far = 0.001),
    ];
    for &(name, break_it) in breaks {
        let mut world = world();
        break_it(&mut world.views.cameras[0]);
        assert_names(&error_of(&world), &[name]);
    }
}

#[test]
fn settings_outside_their_domain_are_refused() {
    let breaks: Breaks<RenderConfig> = &[
        ("config.blur", |c| c.blur = -0.1),
        ("config.blur", |c| c.blur = f64::NAN),
        ("config.alpha_min", |c| c.alpha_min = 0.0),
        ("config.alpha_max", |c| c.alpha_max = 1.0),
        ("config.alpha_max", |c| c.alpha_max = 0.001),
        ("config.transmittance_min", |c| c.transmittance_min = 1.0),
        ("config.transmittance_min", |c| {
            c.transmittance_min = f64::NAN;
        }),
        ("config.layers", |c| c.layers = vec![3, 1]),
    ];
    for &(name, break_it) in breaks {
        let mut world = world();
        break_it(&mut world.config);
        assert_names(&error_of(&world), &[name]);
    }
}

#[test]
fn a_gradient_of_another_shape_is_refused() {
    let world = world();
    let (image, saved) = world.rendered();
    let vjp = |v_image: &Image<Vec<f64>>| {
        splat::render_vjp(
            &Cpu::new(),
            &world.scene(),
            &saved,
            &v_image.as_slices(),
            Wanted::ALL,
        )
        .expect_err("a wrong shape")
    };
    let short = Image::from_features(image.features[1..].to_vec());
    assert_names(&vjp(&short), &["v_image.features", "[1, 6, 8, 3]"]);
    let short = image.clone().with_depth(vec![0.0; 3]);
    assert_names(&vjp(&short), &["v_image.depth"]);
    let layered = image.with_layers(Vec::new());
    assert_names(&vjp(&layered), &["v_image.layers"]);
}

#[test]
fn what_one_render_saved_is_refused_by_another_scene() {
    let (world, other) = (world(), crowd(2, 2, 9, [8, 6], Projection::Pinhole));
    let (image, saved) = world.rendered();
    let v_image = image.as_slices();
    splat::render_vjp(&Cpu::new(), &other.scene(), &saved, &v_image, Wanted::ALL)
        .expect_err("another scene");
    let sorted = &saved.sorted;
    let splats = other.rendered().1.splats;
    let error = Cpu::new().composite(
        &splats.as_slices(),
        sorted,
        &other.backgrounds,
        &other.config,
    );
    assert_names(
        &error.expect_err("another scene's hits"),
        &["sorted", "18", "4"],
    );
}

#[test]
fn splats_of_wrong_shape_are_refused_by_every_stage() {
    let good = world().rendered().1.splats;
    let backend = Cpu::<f64>::new();
    let breaks: Breaks<Splats<Vec<f64>>> = &[
        ("splats.means", |s| s.means.clear()),
        ("splats.conics", |s| s.conics.clear()),
        ("splats.depths", |s| s.depths.clear()),
        ("splats.offsets", |s| s.offsets.clear()),
        ("splats.channels", |s| s.channels = 0),
    ];
    for &(name, break_it) in breaks {
        let mut splats = good.clone();
        break_it(&mut splats);
        let error = backend
            .bin(&splats.as_slices(), 8, 6)
            .expect_err("wrong splats");
        assert_names(&error, &[name]);
        let error = backend
            .splats(splats, 8, 6, &RenderConfig::default())
            .expect_err("wrong splats");
        assert_names(&error, &[name]);
    }
}

#[test]
fn too_many_splats_for_an_index_are_refused() {
    let views = Views {
        ranges: vec![0..1 << 31; 3],
        cameras: vec![splat::Camera::pinhole(1.0, 1.0, 0.5, 0.5); 3],
        width: 1,
        height: 1,
    };
    assert_names(
        &views.validate(1 << 31).expect_err("too many"),
        &["projected splats", "6442450944", "32-bit"],
    );
}

#[test]
fn no_views_and_no_gaussians_are_fine() {
    let mut none = world();
    none.views.ranges.clear();
    none.views.cameras.clear();
    none.backgrounds.clear();
    assert!(none.rendered().0.features.is_empty());
    let mut empty = crowd(1, 1, 0, [3, 2], Projection::Hybrid);
    empty.backgrounds = vec![0.25; 3];
    assert_eq!(empty.rendered().0.features, [0.25; 18]);
}

#[test]
fn a_pose_that_is_not_finite_culls_everything() {
    for projection in PROJECTIONS {
        for hostile in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            for entry in 0..12 {
                let mut world = crowd(1, 1, 4, [8, 6], projection);
                world.views.cameras[0].camera_from_world[entry / 4][entry % 4] = hostile;
                let (image, saved) = world.rendered();
                assert_eq!(
                    saved.splats.culled(),
                    [4],
                    "{projection:?} entry {entry} {hostile}"
                );
                assert_eq!(image.features, world.backgrounds.repeat(48));
                let v = world.vjp(&cotangent(&image));
                assert!(gradient_row(&v).iter().all(|x| x.is_finite()));
            }
        }
    }
}

#[test]
fn counts_that_overflow_are_refused_and_never_abort() {
    let config = RenderConfig::default();
    for end in [usize::MAX, 1 << 60, 1 << 40] {
        let splats = Splats {
            offsets: vec![0, end],
            channels: 1,
            ..Splats::<Vec<f32>>::default()
        };
        Cpu::new()
            .splats(splats, 8, 6, &config)
            .expect_err("more splats than there are numbers");
    }
    let splats = world().rendered().1.splats;
    Cpu::new()
        .splats(splats, 0, 6, &config)
        .expect_err("no width");
    let camera = splat::Camera::pinhole(1.0, 1.0, 0.5, 0.5);
    for (batch, count) in [(usize::MAX, 2), (usize::MAX, 0), (3, usize::MAX)] {
        Views::dense(4, 4, camera, batch, count).expect_err("too many views");
    }
    let mut none = crowd(1, 0, 0, [4, 4], Projection::Pinhole);
    none.gaussians.channels = usize::MAX;
    assert_names(&error_of(&none), &["gaussians.channels"]);
}

#[test]
fn thresholds_that_a_precision_cannot_hold_are_refused() {
    let world = world();
    let rounded = world.rounded::<f32>();
    for (name, alpha_min, alpha_max) in [
        ("config.alpha_max", 0.1, 1.0 - 1e-9),
        ("config.alpha_min", 1e-50, 0.9),
    ] {
        let config = world
            .config
            .clone()
            .with_alpha_min(alpha_min)
            .with_alpha_max(alpha_max);
        splat::render(&Cpu::<f64>::new(), &world.scene(), &config).expect("fine at f64");
        let error =
            splat::render(&Cpu::<f32>::new(), &rounded.scene(), &config).expect_err("not at f32");
        assert_names(&error, &[name]);
    }
}

#[test]
fn what_tiles_of_another_size_saved_is_refused() {
    let world = crowd(4, 1, 20, [64, 64], Projection::Pinhole);
    let [large, small] = [TileSize::Px32, TileSize::Px8].map(|t| Cpu::<f64>::new().with_tile(t));
    let (image, saved) = splat::render(&large, &world.scene(), &world.config).expect("valid");
    let splats = saved.splats.as_slices();
    let hits = small.bin(&splats, 64, 64).expect("valid splats");
    let sorted = small.sort(&splats, hits).expect("their hits");
    let error = small
        .composite_vjp(
            &splats,
            &sorted,
            &world.backgrounds,
            &saved.composited,
            &image.as_slices(),
            Wanted::ALL,
        )
        .expect_err("other tiles");
    assert!(error.to_string().contains("composited"), "{error}");
}

#[test]
fn splats_with_features_of_sixteen_bits_can_be_completed() {
    let world = crowd(4, 1, 20, [16, 16], Projection::Pinhole);
    let config = world.config.clone().with_half_features(true);
    let backend = Cpu::<f64>::new();
    let (_, saved) = splat::render(&backend, &world.scene(), &config).expect("valid");
    let expected = saved.splats.extents.clone();
    let splats = backend
        .splats(saved.splats, 16, 16, &config)
        .expect("valid splats");
    let seen = |extents: &[f64]| extents.iter().map(|&half| half > 0.0).collect::<Vec<_>>();
    assert_eq!(seen(&splats.extents), seen(&expected));
}
