//! Seeded scenes for timing, of the distributions that users have: no file is needed.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use splat::{Camera, Gaussians, Projection, RenderConfig, Scene, Views};

/// A scene that owns its numbers.
#[derive(Debug, Clone)]
pub struct Workload {
    /// What it stands for.
    pub name: &'static str,
    /// The Gaussians, three channels.
    pub gaussians: Gaussians<Vec<f32>>,
    /// The views of them.
    pub views: Views,
    /// `[B, 3]`.
    pub backgrounds: Vec<f32>,
    /// The settings.
    pub config: RenderConfig,
}

impl Workload {
    /// Borrows everything for a render.
    pub fn scene(&self) -> Scene<'_, &[f32]> {
        Scene {
            gaussians: self.gaussians.as_slices(),
            views: &self.views,
            backgrounds: &self.backgrounds,
        }
    }
}

/// What a workload is drawn from.
struct Distribution {
    name: &'static str,
    views: usize,
    per_view: usize,
    size: [usize; 2],
    /// Standard deviations in world units, the image being two units wide, uniform in the logarithm.
    scales: [f64; 2],
}

/// A batch as a masked autoencoder renders it: few views, 512 broad Gaussians each, 224 x 224 px.
pub fn gmae(views: usize) -> Workload {
    draw(&Distribution {
        name: "gmae",
        views,
        per_view: 512,
        size: [224, 224],
        scales: [0.01, 0.1],
    })
}

/// One photograph fitted with ten thousand small Gaussians, 768 x 512 px.
pub fn image_fit() -> Workload {
    draw(&Distribution {
        name: "image_fit",
        views: 1,
        per_view: 10_000,
        size: [768, 512],
        scales: [0.003, 0.02],
    })
}

/// One scene of a hundred thousand Gaussians from below a pixel to six, 1280 x 720 px.
pub fn scene() -> Workload {
    draw(&Distribution {
        name: "scene",
        views: 1,
        per_view: 100_000,
        size: [1280, 720],
        scales: [0.0005, 0.01],
    })
}

fn draw(distribution: &Distribution) -> Workload {
    let Distribution {
        name,
        views,
        per_view,
        size: [width, height],
        scales,
    } = *distribution;
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let count = views * per_view;
    let aspect = height as f32 / width as f32;
    let mut g: Gaussians<Vec<f32>> = Gaussians {
        count,
        channels: 3,
        ..Gaussians::default()
    };
    for _ in 0..count {
        let y = rng.random_range(-aspect..aspect);
        g.means.extend([
            rng.random_range(-1.0..1.0),
            y,
            rng.random_range(-0.5f32..0.5),
        ]);
        let scale = || {
            let t: f64 = rng.random();
            (scales[0] * (scales[1] / scales[0]).powf(t)) as f32
        };
        g.scales.extend(std::iter::repeat_with(scale).take(3));
        g.quaternions
            .extend([(); 4].map(|()| rng.random_range(-1.0f32..1.0)));
        g.opacities.push(rng.random_range(0.1..1.0));
        g.features.extend([(); 3].map(|()| rng.random::<f32>()));
    }
    let (w, h) = (width as f64, height as f64);
    let camera = Camera::new(Projection::Pinhole, w, w, 0.5 * w, 0.5 * h);
    let pose = [
        [1.0, 0.0, 0.0, 0.0],
        [0.0, 1.0, 0.0, 0.0],
        [0.0, 0.0, 1.0, 2.0],
    ];
    Workload {
        name,
        gaussians: g,
        views: Views::dense(width, height, camera.with_pose(pose), views, per_view)
            .expect("a batch that fits"),
        backgrounds: vec![1.0; 3 * views],
        config: RenderConfig::default(),
    }
}
