//! Scenes, finite differences and comparisons that all tests share.

#![allow(dead_code, reason = "each test program uses a part of this module")]

pub mod band;

use proptest::prelude::*;
use splat::{
    Camera, Cpu, CpuScalar, Gaussians, Gradients, Image, Outputs, Projection, RenderConfig, Saved,
    Scene, Views,
};

/// A scene with owned buffers, which a failing property prints.
#[derive(Debug, Clone, PartialEq)]
pub struct World {
    pub gaussians: Gaussians<Vec<f64>>,
    pub views: Views,
    pub backgrounds: Vec<f64>,
    pub config: RenderConfig,
}

/// Functions that make a valid value invalid, each with a name. Tests of errors require the name in
/// the message.
pub type Breaks<'a, T> = &'a [(&'static str, fn(&mut T))];

/// The buffers of a [`World`], rounded to `T`.
pub struct Rounded<T> {
    pub gaussians: Gaussians<Vec<T>>,
    pub views: Views,
    pub backgrounds: Vec<T>,
}

impl<T: CpuScalar> Rounded<T> {
    pub fn scene(&self) -> Scene<'_, &[T]> {
        Scene {
            gaussians: self.gaussians.as_slices(),
            views: &self.views,
            backgrounds: &self.backgrounds,
        }
    }
}

pub type Rendered<T> = (Image<Vec<T>>, Saved<Cpu<T>>);

impl World {
    pub fn scene(&self) -> Scene<'_, &[f64]> {
        Scene {
            gaussians: self.gaussians.as_slices(),
            views: &self.views,
            backgrounds: &self.backgrounds,
        }
    }

    pub fn rounded<T: CpuScalar>(&self) -> Rounded<T> {
        let round = |x: &Vec<f64>| x.iter().map(|&x| T::from_f64(x)).collect();
        Rounded {
            gaussians: self.gaussians.map(round),
            views: self.views.clone(),
            backgrounds: round(&self.backgrounds),
        }
    }

    pub fn render(&self) -> Rendered<f64> {
        splat::render(&Cpu::new(), &self.scene(), &self.config).expect("a valid scene")
    }

    pub fn oracle(&self) -> Image<Vec<f64>> {
        splat::oracle::render(&self.scene(), &self.config).expect("a valid scene")
    }

    pub fn gradients(&self, v_image: &Image<Vec<f64>>) -> Gradients<Vec<f64>> {
        let (_, saved) = self.render();
        let v_image = v_image.as_slices();
        splat::render_vjp(
            &Cpu::new(),
            &self.scene(),
            &saved,
            &v_image,
            splat::Wanted::ALL,
        )
        .expect("a valid scene")
    }

    /// Returns all differentiable inputs in one row: means, scales, quaternions, opacities,
    /// features, backgrounds, poses.
    pub fn parameters(&self) -> Vec<f64> {
        let poses = self
            .views
            .cameras
            .iter()
            .flat_map(|camera| camera.camera_from_world.into_iter().flatten());
        let gaussians = self.gaussians.buffers().map(|(_, buffer)| buffer);
        gaussians
            .into_iter()
            .chain([&self.backgrounds])
            .flatten()
            .copied()
            .chain(poses)
            .collect()
    }

    /// Returns a copy with other values, in the order of [`World::parameters`].
    pub fn with_parameters(&self, parameters: &[f64]) -> Self {
        let mut world = self.clone();
        let mut rest = parameters.iter().copied();
        let g = &mut world.gaussians;
        let buffers = [
            &mut g.means,
            &mut g.scales,
            &mut g.quaternions,
            &mut g.opacities,
            &mut g.features,
        ];
        let poses = world
            .views
            .cameras
            .iter_mut()
            .flat_map(|camera| camera.camera_from_world.iter_mut().flatten());
        let all = buffers
            .into_iter()
            .chain([&mut world.backgrounds])
            .flatten()
            .chain(poses);
        for value in all {
            *value = rest.next().expect("as many parameters as the world has");
        }
        world
    }
}

/// Returns the gradients in the order of [`World::parameters`].
pub fn gradient_row(gradients: &Gradients<Vec<f64>>) -> Vec<f64> {
    let buffers = gradients.buffers().into_iter();
    buffers.flat_map(|(_, buffer)| buffer).copied().collect()
}

/// Returns the gradient of the loss `sum(image * weights)` over all outputs. The weights are a
/// fixed pattern without symmetry.
pub fn cotangent(image: &Image<Vec<f64>>) -> Image<Vec<f64>> {
    let pattern = |shift: usize| {
        move |x: &Vec<f64>| {
            (0..x.len())
                .map(|i| weight(i + shift))
                .collect::<Vec<f64>>()
        }
    };
    Image::from_features(pattern(0)(&image.features))
        .with_transmittance(image.transmittance.as_ref().map(pattern(11)))
        .with_depth(image.depth.as_ref().map(pattern(23)))
}

/// Returns a quasi-random value in (-1, 1) for each index.
pub fn weight(i: usize) -> f64 {
    ((i as f64 + 1.0) * 0.754_877_666_246_693).fract() * 2.0 - 1.0
}

/// Returns the loss whose gradient is [`cotangent`].
pub fn loss(image: &Image<Vec<f64>>, v_image: &Image<Vec<f64>>) -> f64 {
    let dot = |a: &Vec<f64>, b: &Vec<f64>| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    let optional = |a: &Option<Vec<f64>>, b: &Option<Vec<f64>>| match (a, b) {
        (Some(a), Some(b)) => dot(a, b),
        _ => 0.0,
    };
    dot(&image.features, &v_image.features)
        + optional(&image.transmittance, &v_image.transmittance)
        + optional(&image.depth, &v_image.depth)
}

/// Returns the derivative of `f` with respect to `x[i]`, to fourth order in the step.
pub fn difference(x: &[f64], i: usize, step: f64, f: impl Fn(&[f64]) -> f64) -> f64 {
    let at = |k: f64| {
        let mut moved = x.to_vec();
        moved[i] += k * step;
        f(&moved)
    };
    (8.0 * (at(1.0) - at(-1.0)) - (at(2.0) - at(-2.0))) / (12.0 * step)
}

/// Returns the greatest `|a - b|`, or NaN if any difference is NaN.
pub fn max_difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len(), "lengths");
    let differences = || a.iter().zip(b).map(|(x, y)| (x - y).abs());
    if differences().any(f64::is_nan) {
        return f64::NAN;
    }
    differences().fold(0.0, f64::max)
}

/// Returns the greatest magnitude.
pub fn scale(a: &[f64]) -> f64 {
    a.iter().fold(0.0, |m, x| x.abs().max(m))
}

/// Returns settings under which a render is smooth, except for the depth order. The thresholds are
/// so low that crossing one changes the image by less than a finite difference can resolve.
pub fn smooth(config: RenderConfig) -> RenderConfig {
    config
        .with_alpha_min(1e-15)
        .with_alpha_max(1.0 - 1e-9)
        .with_transmittance_min(0.0)
}

pub const ALL_OUTPUTS: Outputs = Outputs::ALL;

/// Returns a camera in front of a scene around the origin. The cameras of all projections see the
/// same region.
pub fn camera(projection: Projection, width: usize, height: usize) -> Camera {
    let (w, h) = (width as f64, height as f64);
    let pose = [
        [0.96, -0.28, 0.0, 0.1],
        [0.28, 0.96, 0.0, -0.05],
        [0.0, 0.0, 1.0, 4.0],
    ];
    let focal = match projection {
        Projection::Pinhole => 2.0 * w,
        Projection::Orthographic | Projection::Hybrid => 0.5 * w,
    };
    Camera::new(projection, focal, 1.1 * focal, 0.52 * w, 0.47 * h).with_pose(pose)
}

/// Returns the camera, turned and shifted by the index of its view, so that no two views are equal.
fn moved(camera: Camera, view: usize) -> Camera {
    let k = 0.1 * view as f64;
    let mut pose = camera.camera_from_world;
    pose[0][3] += k;
    pose[1][3] -= 0.5 * k;
    let (sin, cos) = k.sin_cos();
    for column in 0..3 {
        let (y, z) = (pose[1][column], pose[2][column]);
        (pose[1][column], pose[2][column]) = (cos * y - sin * z, sin * y + cos * z);
    }
    camera.with_pose(pose)
}

/// Gives every view a different camera.
fn spread(mut views: Views) -> Views {
    for (view, camera) in views.cameras.iter_mut().enumerate() {
        *camera = moved(*camera, view);
    }
    views
}

/// Values on a grid of hundredths, so that shrunk examples are readable.
fn hundredths(low: f64, high: f64) -> impl Strategy<Value = f64> {
    ((low * 100.0) as i32..=(high * 100.0) as i32).prop_map(|i| f64::from(i) / 100.0)
}

/// `count` Gaussians around the origin with distinct depths, and `channels` features each.
fn gaussians(count: usize, channels: usize) -> impl Strategy<Value = Gaussians<Vec<f64>>> {
    let one = (
        [hundredths(-1.0, 1.0), hundredths(-1.0, 1.0)],
        [
            hundredths(0.05, 0.4),
            hundredths(0.05, 0.4),
            hundredths(0.05, 0.4),
        ],
        [
            hundredths(-1.0, 1.0),
            hundredths(-1.0, 1.0),
            hundredths(-1.0, 1.0),
        ],
        hundredths(0.1, 0.95),
        prop::collection::vec(hundredths(-1.0, 1.0), channels),
    );
    let rows = prop::collection::vec(one, count);
    let depths = Just((0..count).collect::<Vec<_>>()).prop_shuffle();
    (rows, depths).prop_map(move |(rows, depths)| {
        let mut g: Gaussians<Vec<f64>> = Gaussians {
            count,
            channels,
            ..Gaussians::default()
        };
        for ((mean, scales, [x, y, z], opacity, features), depth) in rows.into_iter().zip(depths) {
            g.means
                .extend([mean[0], mean[1], (depth as f64 + 0.5) / count as f64 - 0.5]);
            g.scales.extend(scales);
            g.quaternions.extend([1.5, x, y, z]);
            g.opacities.push(opacity);
            g.features.extend(features);
        }
        g
    })
}

/// Small worlds of every kind: three projections, one or two views that share Gaussians, one to
/// three channels.
pub fn worlds() -> impl Strategy<Value = World> {
    let projection = prop::sample::select(vec![
        Projection::Pinhole,
        Projection::Orthographic,
        Projection::Hybrid,
    ]);
    (
        1usize..8,
        1usize..4,
        1usize..3,
        projection,
        any::<bool>(),
        6usize..24,
        6usize..24,
    )
        .prop_flat_map(
            |(count, channels, views, projection, antialias, width, height)| {
                let backgrounds = prop::collection::vec(hundredths(0.0, 1.0), views * channels);
                (gaussians(count, channels), backgrounds).prop_map(
                    move |(gaussians, backgrounds)| World {
                        gaussians,
                        views: Views {
                            width,
                            height,
                            cameras: (0..views)
                                .map(|view| moved(camera(projection, width, height), view))
                                .collect(),
                            // The second view sees all but the first Gaussian.
                            ranges: (0..views).map(|b| b.min(count)..count).collect(),
                        },
                        backgrounds,
                        config: RenderConfig::default()
                            .with_antialias(antialias)
                            .with_outputs(ALL_OUTPUTS),
                    },
                )
            },
        )
}

/// Returns a large world from a seed, with `count` Gaussians in each of `views` disjoint ranges.
pub fn crowd(
    seed: u64,
    views: usize,
    count: usize,
    [width, height]: [usize; 2],
    projection: Projection,
) -> World {
    use rand::{Rng, SeedableRng};
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    let n = views * count;
    let mut g: Gaussians<Vec<f64>> = Gaussians {
        count: n,
        channels: 3,
        ..Gaussians::default()
    };
    for _ in 0..n {
        g.means.extend([
            rng.random_range(-1.1..1.1),
            rng.random_range(-1.1..1.1),
            rng.random_range(-1.0..1.0),
        ]);
        g.scales
            .extend([(); 3].map(|()| 0.02f64 * rng.random_range(0.0..3.0f64).exp()));
        g.quaternions
            .extend([(); 4].map(|()| rng.random_range(-1.0..1.0f64)));
        g.opacities.push(rng.random_range(0.02..1.0));
        g.features
            .extend([(); 3].map(|()| rng.random_range(-0.2..1.0f64)));
    }
    World {
        gaussians: g,
        views: spread(
            Views::dense(
                width,
                height,
                camera(projection, width, height),
                views,
                count,
            )
            .expect("a small batch"),
        ),
        backgrounds: (0..views * 3).map(|_| rng.random_range(0.0..1.0)).collect(),
        config: RenderConfig::default().with_outputs(ALL_OUTPUTS),
    }
}

pub const PROJECTIONS: [Projection; 3] = [
    Projection::Pinhole,
    Projection::Orthographic,
    Projection::Hybrid,
];
