//! The scenes that are rendered on every backend.

use splat::{Outputs, Projection, Views};

use crate::support::{self, PROJECTIONS, World, crowd};

/// A scene and its name.
pub struct Case {
    pub name: String,
    pub world: World,
}

fn case(name: impl Into<String>, world: World) -> Case {
    let name = name.into();
    Case { name, world }
}

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (seed, projection) in PROJECTIONS.into_iter().enumerate() {
        let world = crowd(seed as u64, 2, 150, [37, 29], projection);
        cases.push(case(format!("crowd_{projection:?}"), world));
    }
    let antialias = crowd(5, 1, 60, [33, 17], Projection::Pinhole);
    let config = antialias
        .config
        .clone()
        .with_antialias(true)
        .with_layers(vec![0, 3, 17, 40, 1000]);
    cases.push(case(
        "antialias_and_layers",
        World {
            config,
            ..antialias
        },
    ));
    cases.extend(settings());
    let half = crowd(12, 2, 60, [30, 26], Projection::Pinhole);
    let config = half.config.clone().with_half_features(true);
    cases.push(case("half_features", World { config, ..half }));
    for size in [[1, 1], [1, 40], [50, 1]] {
        let name = format!("size_{}x{}", size[0], size[1]);
        cases.push(case(name, crowd(7, 1, 40, size, Projection::Hybrid)));
    }
    let shared = crowd(8, 3, 90, [21, 33], Projection::Orthographic);
    let views = Views {
        ranges: vec![0..90, 40..40, 20..270],
        ..shared.views.clone()
    };
    cases.push(case("shared_and_empty_ranges", World { views, ..shared }));
    cases.push(case(
        "thousand",
        crowd(9, 1, 1000, [19, 21], Projection::Pinhole),
    ));
    for channels in [1, 5, 11] {
        let world = with_channels(crowd(10, 2, 40, [20, 18], Projection::Pinhole), channels);
        cases.push(case(format!("channels_{channels}"), world));
    }
    cases.push(case(
        "nothing",
        crowd(11, 2, 0, [20, 18], Projection::Pinhole),
    ));
    cases
}

/// Scenes of one crowd of Gaussians, each with one or two settings that differ from the default.
fn settings() -> Vec<Case> {
    let base = || crowd(13, 2, 80, [34, 26], Projection::Pinhole);
    let with = |name: &str, change: fn(&mut World)| {
        let mut world = base();
        change(&mut world);
        case(name, world)
    };
    vec![
        with("blur_0", |world| world.config.blur = 0.0),
        with("blur_2", |world| world.config.blur = 2.0),
        with("blur_0_antialias", |world| {
            world.config.blur = 0.0;
            world.config.antialias = true;
        }),
        with("alpha_min_high", |world| world.config.alpha_min = 0.05),
        with("alpha_min_low", |world| world.config.alpha_min = 1e-4),
        with("alpha_max", |world| world.config.alpha_max = 0.6),
        with("transmittance_min_high", |world| {
            world.config.transmittance_min = 0.2;
        }),
        with("transmittance_min_0", |world| {
            world.config.transmittance_min = 0.0;
        }),
        // The crowd is 3 to 5 world units in front of its cameras. About half of it remains.
        with("near_and_far", |world| {
            for camera in &mut world.views.cameras {
                *camera = camera.with_depth_range(3.6, 4.4);
            }
        }),
        with("focal_lengths", |world| {
            for camera in &mut world.views.cameras {
                (camera.fx, camera.fy) = (0.4 * camera.fx, 1.7 * camera.fy);
            }
        }),
        with("depth_and_layers", |world| {
            world.config.outputs.transmittance = false;
            world.config.layers = vec![1, 8, 30];
        }),
        with("layers_alone", |world| {
            world.config.outputs = Outputs::default();
            world.config.layers = vec![0, 5, 5, 1000];
        }),
    ]
}

/// Returns the world with features and backgrounds of `channels` channels.
fn with_channels(world: World, channels: usize) -> World {
    let count = world.gaussians.count;
    let mut gaussians = world.gaussians;
    gaussians.channels = channels;
    gaussians.features = (0..count * channels).map(support::weight).collect();
    let backgrounds = 0..world.views.len() * channels;
    World {
        gaussians,
        backgrounds: backgrounds.map(|i| support::weight(i + 5)).collect(),
        ..world
    }
}
