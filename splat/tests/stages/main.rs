//! Each stage alone, in `f64`, with inputs and expected values made by hand.

mod before;
#[path = "../support/mod.rs"]
mod support;

use approx::assert_relative_eq;
use splat::check::{cotangent, crowd, difference, max_difference, max_magnitude};
use splat::{
    Backend, Camera, Cpu, Gaussians, Image, Projection, RenderConfig, Splats, Views, Wanted,
    activation, sh,
};
use support::{Breaks, Valid};

/// Returns one isotropic Gaussian of standard deviation `s` at `mean`, white, half opaque.
fn one(mean: [f64; 3], s: f64) -> Gaussians<Vec<f64>> {
    Gaussians {
        means: mean.to_vec(),
        scales: vec![s; 3],
        quaternions: vec![1.0, 0.0, 0.0, 0.0],
        opacities: vec![0.5],
        features: vec![1.0],
        count: 1,
        channels: 1,
        encoding: splat::encoding::Encoding::PLAIN,
    }
}

fn projected(
    gaussians: &Gaussians<Vec<f64>>,
    camera: Camera,
    config: &RenderConfig,
) -> Splats<Vec<f64>> {
    let views = Views::single(20, 10, camera, gaussians.count);
    Cpu::new()
        .project(&gaussians.as_slices(), &views, config)
        .expect("a valid scene")
}

#[test]
fn projection_of_a_ball_by_hand() {
    let config = RenderConfig::default();
    // Pinhole: u = 10 * 0.4 / 2 + 10 = 12, v = 20 * 0.1 / 2 + 5 = 6. The tilt of the ray is
    // x/z = 0.2, y/z = 0.05. The variance is (10 * 0.2 / 2)^2 (1 + 0.2^2) + 0.3 along u, and
    // (20 * 0.2 / 2)^2 (1 + 0.05^2) + 0.3 along v.
    let splats = projected(
        &one([0.4, 0.1, 2.0], 0.2),
        Camera::pinhole(10.0, 20.0, 10.0, 5.0),
        &config,
    );
    assert_relative_eq!(splats.means[..], [12.0, 6.0], max_relative = 1e-14);
    assert_eq!(splats.depths, [2.0]);
    assert_eq!(splats.opacities, [0.5]);
    let (xx, xy, yy) = (1.04 + 0.3, 0.2 * 0.05 * 2.0, 4.0 * (1.0 + 0.0025) + 0.3);
    let det = xx * yy - xy * xy;
    assert_relative_eq!(
        splats.conics[..],
        [yy / det, -xy / det, xx / det],
        max_relative = 1e-13
    );
    // Orthographic: no tilt, and z affects only the order.
    let splats = projected(
        &one([0.4, 0.1, -7.0], 0.2),
        Camera::orthographic(10.0, 20.0, 10.0, 5.0),
        &config,
    );
    assert_relative_eq!(splats.means[..], [14.0, 7.0], max_relative = 1e-14);
    assert_relative_eq!(
        splats.conics[..],
        [1.0 / 4.3, 0.0, 1.0 / 16.3],
        max_relative = 1e-14
    );
    // Hybrid: the orthographic centre with the perspective footprint.
    let splats = projected(
        &one([0.4, 0.1, 2.0], 0.2),
        Camera::hybrid(10.0, 20.0, 10.0, 5.0),
        &config,
    );
    assert_relative_eq!(splats.means[..], [14.0, 7.0], max_relative = 1e-14);
    assert_relative_eq!(
        splats.conics[..],
        [yy / det, -xy / det, xx / det],
        max_relative = 1e-13
    );
}

#[test]
fn the_tangent_clamp_stops_the_footprint_but_not_the_centre() {
    let camera = Camera::pinhole(10.0, 10.0, 10.0, 5.0);
    // W = 20: x/z is clamped at (20 - 10) / 10 + 0.3 * 0.5 * 20 / 10 = 1.3.
    let config = RenderConfig::default().with_alpha_min(1e-9);
    let splats = projected(&one([3.0, 0.0, 2.0], 2.0), camera, &config);
    assert_relative_eq!(splats.means[0], 25.0, max_relative = 1e-14);
    assert_relative_eq!(
        splats.conics[0],
        1.0 / (100.0 * (1.0 + 1.69) + 0.3),
        max_relative = 1e-13
    );
}

#[test]
fn antialiasing_keeps_the_volume_of_a_small_splat() {
    let camera = Camera::orthographic(10.0, 10.0, 10.0, 5.0);
    let config = RenderConfig::default().with_antialias(true);
    let splats = projected(&one([0.0; 3], 0.05), camera, &config);
    // The variance is 0.25 before and 0.55 after the blur, along both axes.
    assert_relative_eq!(splats.opacities[0], 0.5 * 0.25 / 0.55, max_relative = 1e-13);
}

#[test]
fn extents_reach_to_where_alpha_falls_below_one_in_255() {
    let splats = projected(
        &one([0.0; 3], 0.1),
        Camera::orthographic(10.0, 10.0, 10.0, 5.0),
        &RenderConfig::default(),
    );
    let alpha_at = |x: f64| 0.5 * (-0.5 * x * x / 1.3).exp();
    let extent = splats.extents[0];
    assert!(
        alpha_at(extent) < 1.0 / 255.0,
        "the bound cuts off pixels that count"
    );
    assert!(
        alpha_at(extent * 0.997) > 1.0 / 255.0,
        "the bound is wider than its slack"
    );
}

/// Returns two splats over the middle of a 9 x 9 image.
fn ready_made() -> Splats<Vec<f64>> {
    Splats {
        means: vec![4.5, 4.5, 4.5, 4.5],
        conics: vec![0.5, 0.0, 0.5, 0.125, 0.0, 0.125],
        opacities: vec![0.8, 0.6],
        depths: vec![2.0, 1.0],
        features: vec![1.0, 10.0],
        half_features: None,
        extents: Vec::new(),
        offsets: vec![0, 2],
        channels: 1,
    }
}

#[test]
fn ready_made_splats_composite_front_to_back() {
    let backend = Cpu::<f64>::new();
    let config = RenderConfig::default()
        .with_outputs(splat::Outputs::ALL)
        .with_layers(vec![1]);
    let splats = backend
        .splats(ready_made(), 9, 9, &config)
        .expect("valid splats");
    let borrowed = splats.as_slices();
    let hits = backend.bin(&borrowed, 9, 9).expect("valid splats");
    let sorted = backend.sort(&borrowed, hits).expect("valid hits");
    assert_eq!(sorted.hits(), 2, "both splats touch the one tile");
    let (image, composited) = backend
        .composite(&borrowed, &sorted, &[100.0], &config)
        .expect("valid hits");
    let centre = 4 * 9 + 4;
    // The second splat is nearer: 0.6 of it, then 0.8 of the first in the remaining 0.4.
    assert_relative_eq!(
        image.features[centre],
        0.6 * 10.0 + 0.4 * 0.8 + 0.08 * 100.0,
        max_relative = 1e-14
    );
    assert_relative_eq!(
        image.transmittance.as_ref().expect("asked for")[centre],
        0.08,
        max_relative = 1e-14
    );
    assert_relative_eq!(
        image.depth.as_ref().expect("asked for")[centre],
        0.6 + 0.32 * 2.0,
        max_relative = 1e-14
    );
    assert_relative_eq!(
        image.layers.as_ref().expect("asked for")[centre],
        0.6 * 10.0 + 0.4 * 100.0,
        max_relative = 1e-14
    );
    // The gradient with respect to a splat's feature is the splat's weight at the centre.
    let mut v_image = Image::from_features(vec![0.0; 81]);
    v_image.features[centre] = 1.0;
    let (v, v_background) = backend
        .composite_vjp(
            &borrowed,
            &sorted,
            &[100.0],
            &composited,
            &v_image.as_slices(),
            Wanted::ALL,
        )
        .expect("valid hits");
    assert_relative_eq!(v.features[..], [0.32, 0.6], max_relative = 1e-14);
    assert_relative_eq!(v_background[0], 0.08, max_relative = 1e-14);
    // Near opacity: 10 - (0.8 * 1 + 0.2 * 100). Far opacity: 0.4 (1 - 100).
    assert_relative_eq!(
        v.opacities[..],
        [0.4 * (1.0 - 100.0), 10.0 - 20.8],
        max_relative = 1e-12
    );
}

#[test]
fn ready_made_splats_that_cannot_be_seen_are_culled() {
    let backend = Cpu::<f64>::new();
    let config = RenderConfig::default();
    let breaks: Breaks<Splats<Vec<f64>>> = &[
        ("indefinite conic", |s| s.conics[1] = 0.6),
        ("NaN conic", |s| s.conics[0] = f64::NAN),
        ("NaN feature", |s| s.features[0] = f64::NAN),
        ("infinite depth", |s| s.depths[0] = f64::INFINITY),
        ("faint", |s| s.opacities[0] = 0.003),
        ("off the image", |s| s.means[0] = -40.0),
    ];
    for &(name, break_it) in breaks {
        let mut splats = ready_made();
        break_it(&mut splats);
        let splats = backend.splats(splats, 9, 9, &config).expect("valid shapes");
        assert_eq!(splats.culled(), [1], "{name}");
    }
}

#[test]
fn binning_and_sorting_cover_every_pixel_that_counts() {
    // If a list missed a splat, the image would differ from that of a single large tile.
    let world = crowd(21, 1, 60, [31, 29], Projection::Pinhole);
    let with = |tile| {
        splat::render(
            &Cpu::<f64>::new().with_tile(tile),
            &world.scene(),
            &world.config,
        )
        .expect("a valid scene")
        .0
    };
    assert_eq!(with(splat::TileSize::Px8), with(splat::TileSize::Px32));
}

#[test]
fn hits_of_other_splats_are_refused() {
    let backend = Cpu::<f64>::new();
    let splats = |seed| {
        crowd(seed, 1, 30, [40, 40], Projection::Pinhole)
            .rendered()
            .1
            .splats
    };
    let (a, b) = (splats(1), splats(2));
    let hits = backend.bin(&a.as_slices(), 40, 40).expect("valid splats");
    let error = backend
        .sort(&b.as_slices(), hits)
        .expect_err("hits of other splats");
    assert!(error.to_string().contains("hits"), "{error}");
}

/// The lists have equally many splats and views, but other numbers of splats per view.
#[test]
fn lists_of_other_views_are_refused() {
    let backend = Cpu::<f64>::new();
    let config = RenderConfig::default();
    let made = ready_made();
    let count = made.opacities.len();
    let with = |cut: usize| Splats {
        offsets: vec![0, cut, count],
        ..made.clone()
    };
    let complete = |cut| backend.splats(with(cut), 8, 8, &config).expect("splats");
    let (own, other) = (complete(count), complete(0));
    let (own, other) = (own.as_slices(), other.as_slices());
    let hits = || backend.bin(&own, 8, 8).expect("hits");
    assert!(backend.sort(&other, hits()).is_err());
    let sorted = backend.sort(&own, hits()).expect("sorted");
    let backgrounds = vec![0.0; 2 * made.channels];
    let error = backend.composite(&other, &sorted, &backgrounds, &config);
    assert!(error.is_err_and(|error| error.to_string().contains("sorted")));
}

#[test]
fn gradients_that_are_not_wanted_are_empty_and_the_others_the_same_bits() {
    let world = crowd(5, 2, 40, [20, 20], Projection::Hybrid);
    let v_image = cotangent(&world.rendered().0);
    let all = world.vjp(&v_image);
    let (_, saved) = world.rendered();
    for bits in 0..16 {
        let on = |bit: i32| bits & (1 << bit) != 0;
        let wanted = Wanted::NONE
            .with_geometry(on(0))
            .with_features(on(1))
            .with_backgrounds(on(2))
            .with_cameras(on(3));
        let some = splat::render_vjp(
            &Cpu::new(),
            &world.scene(),
            &saved,
            &v_image.as_slices(),
            wanted,
        );
        let some = some.expect("a valid scene");
        let check = |name: &str, on: bool, some: &Vec<f64>, all: &Vec<f64>| {
            assert!(
                if on { some == all } else { some.is_empty() },
                "{name} of {wanted:?}"
            );
        };
        check(
            "means",
            wanted.geometry,
            &some.gaussians.means,
            &all.gaussians.means,
        );
        check(
            "opacities",
            wanted.geometry,
            &some.gaussians.opacities,
            &all.gaussians.opacities,
        );
        check(
            "features",
            wanted.features,
            &some.gaussians.features,
            &all.gaussians.features,
        );
        check(
            "backgrounds",
            wanted.backgrounds,
            &some.backgrounds,
            &all.backgrounds,
        );
        check(
            "cameras",
            wanted.cameras,
            &some.camera_from_world,
            &all.camera_from_world,
        );
    }
}
