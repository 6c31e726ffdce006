//! Random scenes for property tests.
//!
//! The numbers are multiples of a hundredth, and a failing scene shrinks to few Gaussians, one view
//! and one channel, so that one can read it.

use std::ops::RangeInclusive;

use proptest::prelude::*;

use super::named::{PROJECTIONS, front_camera, moved};
use super::scene::OwnedScene;
use crate::camera::Projection;
use crate::config::{Outputs, RenderConfig};
use crate::gaussians::Gaussians;
use crate::oracle;
use crate::views::Views;

/// A property of the Gaussians of random scenes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Kind {
    /// Gaussians of moderate size and opacity. Their edges cross `alpha_min`.
    #[default]
    Ordinary,
    /// Large and faint Gaussians. At the default settings no pixel is within 5 % of a threshold, so
    /// that difference quotients are valid without [`smooth`](super::smooth).
    Interior,
    /// Flat Gaussians with opacities within 1e-5 of `alpha_min` or `alpha_max`, among others.
    NearThresholds,
    /// Gaussians with one standard deviation 100 to 1500 times as long as the others.
    Needles,
    /// Ordinary Gaussians with up to three numbers that are not finite, extreme, negative or zero.
    Hostile,
}

/// The scenes that [`scenes`] generates.
///
/// The struct is non-exhaustive: start from [`SceneOptions::new`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SceneOptions {
    /// A property of the Gaussians.
    pub kind: Kind,
    /// The number of Gaussians. At most 100 are generated.
    pub gaussians: RangeInclusive<usize>,
    /// The number of channels.
    pub channels: RangeInclusive<usize>,
    /// The number of views. View b sees all but the first b Gaussians.
    pub views: RangeInclusive<usize>,
    /// Width and height, px.
    pub side: RangeInclusive<usize>,
    /// The projections.
    pub projections: Vec<Projection>,
}

impl From<Kind> for SceneOptions {
    fn from(kind: Kind) -> Self {
        Self::new(kind)
    }
}

impl SceneOptions {
    /// One to seven Gaussians with one to three channels, in one or two views of 6 to 23 px, under
    /// every projection.
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            gaussians: 1..=7,
            channels: 1..=3,
            views: 1..=2,
            side: 6..=23,
            projections: PROJECTIONS.to_vec(),
        }
    }

    /// Returns the options with other numbers of Gaussians. At most 100 are generated.
    #[must_use]
    pub fn with_gaussians(self, gaussians: RangeInclusive<usize>) -> Self {
        Self { gaussians, ..self }
    }

    /// Returns the options with other numbers of channels.
    #[must_use]
    pub fn with_channels(self, channels: RangeInclusive<usize>) -> Self {
        Self { channels, ..self }
    }

    /// Returns the options with other numbers of views.
    #[must_use]
    pub fn with_views(self, views: RangeInclusive<usize>) -> Self {
        Self { views, ..self }
    }

    /// Returns the options with other widths and heights, px.
    #[must_use]
    pub fn with_side(self, side: RangeInclusive<usize>) -> Self {
        Self { side, ..self }
    }

    /// Returns the options with other projections.
    #[must_use]
    pub fn with_projections(self, projections: Vec<Projection>) -> Self {
        Self {
            projections,
            ..self
        }
    }
}

/// The largest number of Gaussians, of which each has its own depth.
const MAX_GAUSSIANS: usize = 100;

/// The smallest difference of the depths of two Gaussians in a view, relative to the difference of
/// two neighbours. No difference quotient changes their order.
const DEPTH_GAP: f64 = 0.4;

/// The smallest relative distance of an interior scene from a threshold.
const INTERIOR: f64 = 0.05;

/// The difference of the depths of two Gaussians that follow each other, if at most `most` have
/// depths in hundredths: all shifts together are less than a hundredth.
fn depth_step(most: usize) -> f64 {
    0.01 / (most + 1) as f64
}

/// One Gaussian. The features are as many as a scene can have.
#[derive(Debug, Clone)]
struct Row {
    mean: [f64; 3],
    scales: [f64; 3],
    quaternion: [f64; 4],
    opacity: f64,
    features: Vec<f64>,
}

/// A number that is put at a place of a buffer.
type Spoil = (usize, usize, f64);

/// Multiples of a hundredth. They shrink towards zero, or towards the limit nearest to it.
fn hundredths(low: f64, high: f64) -> impl Strategy<Value = f64> + Clone {
    ((low * 100.0) as i32..=(high * 100.0) as i32).prop_map(|i| f64::from(i) / 100.0)
}

fn several<const N: usize>(low: f64, high: f64) -> impl Strategy<Value = [f64; N]> {
    prop::array::uniform(hundredths(low, high))
}

/// The standard deviations and the opacity of a kind.
fn shape(kind: Kind) -> BoxedStrategy<([f64; 3], f64)> {
    let ordinary = || (several(0.05, 0.4), hundredths(0.1, 0.95));
    match kind {
        Kind::Ordinary | Kind::Hostile => ordinary().boxed(),
        Kind::Interior => (several(3.0, 6.0), hundredths(0.05, 0.3)).boxed(),
        Kind::NearThresholds => {
            let d = RenderConfig::default();
            let near = |x: f64| [x * (1.0 - 1e-5), x, x * (1.0 + 1e-5)];
            let edges = [near(d.alpha_min), near(d.alpha_max)].concat();
            let flat = (Just([20.0; 3]), prop::sample::select(edges));
            prop_oneof![ordinary(), flat].boxed()
        }
        Kind::Needles => {
            let needle = |(long, thin): (f64, [f64; 2])| [long, 0.01 * thin[0], 0.01 * thin[1]];
            let scales = (hundredths(1.0, 3.0), several::<2>(0.2, 1.0)).prop_map(needle);
            (scales, hundredths(0.1, 0.95)).boxed()
        }
    }
}

fn row(kind: Kind, channels: usize) -> impl Strategy<Value = Row> {
    let features = prop::collection::vec(hundredths(-1.0, 1.0), channels);
    let mean = (several::<2>(-1.0, 1.0), hundredths(-0.5, 0.5));
    let turn = several::<3>(-1.0, 1.0);
    (mean, shape(kind), turn, features).prop_map(|(mean, shape, [x, y, z], features)| Row {
        mean: [mean.0[0], mean.0[1], mean.1],
        scales: shape.0,
        quaternion: [1.5, x, y, z],
        opacity: shape.1,
        features,
    })
}

/// Numbers outside the domain of a buffer, or near its limits, with a buffer and a place.
fn spoils(kind: Kind) -> BoxedStrategy<Vec<Spoil>> {
    if kind != Kind::Hostile {
        return Just(Vec::new()).boxed();
    }
    let numbers = prop::sample::select(vec![
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        0.0,
        -1.0,
        1e-40,
        1e30,
        -1e30,
        3e38,
    ]);
    prop::collection::vec((0usize..5, any::<usize>(), numbers), 1..=3).boxed()
}

fn gaussians(rows: &[Row], channels: usize, spoils: &[Spoil], step: f64) -> Gaussians<Vec<f64>> {
    let mut g: Gaussians<Vec<f64>> = Gaussians {
        count: rows.len(),
        channels,
        ..Gaussians::default()
    };
    for (i, row) in rows.iter().enumerate() {
        let [x, y, z] = row.mean;
        // Two depths in hundredths are equal or differ by more than all of these shifts.
        g.means.extend([x, y, z + i as f64 * step]);
        g.scales.extend(row.scales);
        g.quaternions.extend(row.quaternion);
        g.opacities.push(row.opacity);
        g.features.extend(&row.features[..channels]);
    }
    for &(buffer, place, number) in spoils {
        let buffers = [
            &mut g.means,
            &mut g.scales,
            &mut g.quaternions,
            &mut g.opacities,
            &mut g.features,
        ];
        let buffer = &mut *buffers.into_iter().nth(buffer).expect("one of five");
        if let Some(len) = std::num::NonZero::new(buffer.len()) {
            buffer[place % len] = number;
        }
    }
    g
}

/// Returns whether the depths of every view differ by more than `gap`.
fn order_is_clear(scene: &OwnedScene, gap: f64) -> bool {
    let views = scene.views.cameras.iter().zip(&scene.views.ranges);
    views.into_iter().all(|(camera, range)| {
        let [_, _, row] = camera.camera_from_world;
        let depth = |i: usize| {
            let mean = &scene.gaussians.means[3 * i..3 * i + 3];
            row[0] * mean[0] + row[1] * mean[1] + row[2] * mean[2]
        };
        let mut depths: Vec<f64> = range.clone().map(depth).collect();
        depths.sort_by(f64::total_cmp);
        depths.windows(2).all(|pair| pair[1] - pair[0] > gap)
    })
}

/// Generates settings: blur, anti-aliasing and thresholds at and away from the default, with all
/// outputs.
pub fn settings() -> impl Strategy<Value = RenderConfig> {
    let blur = prop::sample::select(vec![0.3, 0.0, 2.0]);
    let alpha_min = prop::sample::select(vec![1.0 / 255.0, 1e-4, 0.05]);
    let alpha_max = prop::sample::select(vec![RenderConfig::default().alpha_max, 0.6]);
    let end = prop::sample::select(vec![1e-4, 0.0, 0.2]);
    let all = (blur, alpha_min, alpha_max, end, any::<bool>());
    all.prop_map(|(blur, alpha_min, alpha_max, end, antialias)| {
        RenderConfig::default()
            .with_blur(blur)
            .with_alpha_min(alpha_min)
            .with_alpha_max(alpha_max)
            .with_transmittance_min(end)
            .with_antialias(antialias)
            .with_outputs(Outputs::ALL)
    })
}

/// Generates `views` cameras of one projection in front of a scene around the origin, all
/// different. View b sees the Gaussians from `min(b, count)` to `count`.
fn views(
    projections: Vec<Projection>,
    views: RangeInclusive<usize>,
    side: RangeInclusive<usize>,
    count: usize,
) -> impl Strategy<Value = Views> {
    let projection = prop::sample::select(projections);
    (views, projection, side.clone(), side).prop_map(move |(views, projection, width, height)| {
        batch(views, projection, [width, height], count)
    })
}

fn batch(views: usize, projection: Projection, [width, height]: [usize; 2], count: usize) -> Views {
    let camera = front_camera(projection, width, height);
    Views {
        width,
        height,
        cameras: (0..views).map(|view| moved(camera, view)).collect(),
        ranges: (0..views).map(|view| view.min(count)..count).collect(),
    }
}

/// Returns a range that is not empty.
fn ordered(range: RangeInclusive<usize>) -> RangeInclusive<usize> {
    let (start, end) = range.into_inner();
    start.min(end)..=start.max(end)
}

/// Generates small scenes with all outputs, at the default settings with and without anti-aliasing.
/// The options are a [`Kind`] or [`SceneOptions`].
///
/// Unless the scenes are hostile, no two Gaussians of a view have almost the same depth.
pub fn scenes(options: impl Into<SceneOptions>) -> impl Strategy<Value = OwnedScene> {
    let SceneOptions {
        kind,
        gaussians: count,
        channels,
        views: number,
        side,
        mut projections,
    } = options.into();
    if projections.is_empty() {
        projections = PROJECTIONS.to_vec();
    }
    let [count, channels, number, side] = [count, channels, number, side].map(ordered);
    let most = (*count.end()).min(MAX_GAUSSIANS);
    let count = (*count.start()).min(most)..=most;
    let (most_channels, most_views) = (*channels.end(), *number.end());
    let step = depth_step(most);
    let rows = prop::collection::vec(row(kind, most_channels), count);
    let most_backgrounds = most_views.saturating_mul(most_channels);
    let backgrounds = prop::collection::vec(hundredths(0.0, 1.0), most_backgrounds);
    let view = views(projections, number, side, 0);
    let all = (
        rows,
        channels,
        view,
        backgrounds,
        any::<bool>(),
        spoils(kind),
    );
    let scene = move |(mut rows, channels, view, backgrounds, antialias, spoils): Parts| {
        let (len, camera) = (view.cameras.len(), view.cameras.first().copied());
        let hybrid = camera.is_some_and(|camera| camera.projection == Projection::Hybrid);
        if kind == Kind::Interior && hybrid {
            // The hybrid camera draws Gaussians a quarter as large.
            for row in &mut rows {
                row.scales = row.scales.map(|scale| 4.0 * scale);
            }
        }
        let ranges = (0..len).map(|view| view.min(rows.len())..rows.len());
        OwnedScene {
            gaussians: gaussians(&rows, channels, &spoils, step),
            views: Views {
                ranges: ranges.collect(),
                ..view
            },
            backgrounds: backgrounds[..len * channels].to_vec(),
            config: RenderConfig::default()
                .with_antialias(antialias)
                .with_outputs(Outputs::ALL),
        }
    };
    all.prop_map(scene)
        .prop_filter("away from thresholds and equal depths", move |scene| {
            let clear = kind == Kind::Hostile || order_is_clear(scene, DEPTH_GAP * step);
            clear && (kind != Kind::Interior || is_interior(scene))
        })
}

/// The parts from which a scene is made: rows, channels, views, backgrounds, anti-aliasing, spoils.
type Parts = (Vec<Row>, usize, Views, Vec<f64>, bool, Vec<Spoil>);

/// Returns whether no pixel is within [`INTERIOR`] of a threshold.
fn is_interior(scene: &OwnedScene) -> bool {
    let distances = oracle::threshold_distances(&scene.scene(), &scene.config);
    distances.is_ok_and(|all| all.iter().flatten().all(|&distance| distance > INTERIOR))
}

#[cfg(test)]
mod tests;
