//! The scenes of the table.

use splat::{Projection, Views};

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

/// The same world with other features.
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
