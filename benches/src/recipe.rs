//! Seeded scenes with the distributions of the files of timing workloads.

use std::f64::consts::TAU;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use splat::{Camera, Gaussians, RenderConfig, RenderError, Views};

use crate::Workload;

/// Number of feature channels of every scene.
const CHANNELS: usize = 3;

/// The parameters of a random scene. Every field may be changed before [`Recipe::draw`].
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    /// Name of the workload.
    pub name: &'static str,
    /// The number of views B. Each view has its own Gaussians.
    pub views: usize,
    /// The number of Gaussians of each view.
    pub per_view: usize,
    /// Width of every image, px. The focal length is proportional to the width, so that a larger
    /// image shows the same scene.
    pub width: usize,
    /// Height of every image, px.
    pub height: usize,
    /// Factor on every scale.
    pub spread: f64,
    /// Focal length divided by the width of the image.
    pub focal: f64,
    /// Distribution of the centres.
    pub place: Place,
    /// Distribution of the standard deviations along the axes.
    pub scales: Scales,
    /// Standard deviation of the logits of the opacities. The logits are normal with mean 0.
    pub opacity_logit: f64,
    /// Seed of the random numbers. Equal recipes draw equal scenes.
    pub seed: u64,
}

/// The uniform distribution of the centres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Place {
    /// A box around the world's origin. The origin lies at depth `distance` in front of the camera.
    Box {
        /// Half the sides of the box along x, y and z.
        half: [f64; 3],
        /// Depth of the world's origin.
        distance: f64,
    },
    /// A frustum. The depth is uniform between `near` and `far`. At each depth the centres are
    /// uniform in a rectangle that is `margin` times as wide and as high as the visible rectangle.
    Frustum {
        /// Least depth.
        near: f64,
        /// Greatest depth.
        far: f64,
        /// Sides of the rectangle relative to the visible rectangle.
        margin: f64,
    },
}

/// The distribution of the standard deviations along a Gaussian's three axes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scales {
    /// `most` times the logistic function of a standard normal number, independently for each axis.
    /// A network with sigmoid activations predicts scales of this form.
    Logistic {
        /// Upper bound of the standard deviations.
        most: f64,
    },
    /// `median` times the exponential of the sum of two normal numbers: one per Gaussian and one
    /// per axis.
    LogNormal {
        /// Median of the standard deviations.
        median: f64,
        /// Standard deviation of the number per Gaussian.
        shared: f64,
        /// Standard deviation of the number per axis.
        own: f64,
    },
}

/// Returns the recipe of a batch of a Gaussian masked autoencoder: 512 Gaussians per view,
/// footprints up to 11 px, images of 224 x 224 px.
pub fn gmae(views: usize) -> Recipe {
    Recipe {
        name: "gmae",
        views,
        per_view: 512,
        width: 224,
        height: 224,
        spread: 1.0,
        focal: 4.0,
        place: Place::Box {
            half: [1.0; 3],
            distance: 8.0,
        },
        scales: Scales::Logistic { most: 0.1 },
        opacity_logit: 1.0,
        seed: 0,
    }
}

/// Returns [`gmae`] with ten times larger scales: nearly every Gaussian covers every pixel.
pub fn gmae_heavy(views: usize) -> Recipe {
    Recipe {
        name: "gmae_heavy",
        spread: 10.0,
        ..gmae(views)
    }
}

/// Returns the recipe of a training batch: [`gmae`] with 256 views.
pub fn batch256() -> Recipe {
    Recipe {
        name: "batch256",
        ..gmae(256)
    }
}

/// Returns the recipe of a training batch for a device: [`gmae`] with 1024 views.
pub fn batch1024() -> Recipe {
    Recipe {
        name: "batch1024",
        ..gmae(1024)
    }
}

/// Returns the recipe of one fitted photograph of 768 x 512 px: 10,000 small Gaussians in a thin
/// sheet.
pub fn image_fit() -> Recipe {
    Recipe {
        name: "image_fit",
        views: 1,
        per_view: 10_000,
        width: 768,
        height: 512,
        spread: 1.0,
        focal: 4.0,
        place: Place::Box {
            half: [1.0, 2.0 / 3.0, 0.05],
            distance: 8.0,
        },
        // A median of 2.5 px: at depth 8 a unit of length covers 384 px.
        scales: Scales::LogNormal {
            median: 2.5 / 384.0,
            shared: 0.0,
            own: 0.5,
        },
        opacity_logit: 1.0,
        seed: 0,
    }
}

/// Returns the recipe of one view of 1280 x 720 px with 100,000 Gaussians, whose sizes range from
/// less than 1 px to 6 px.
pub fn scene() -> Recipe {
    let focal = 0.5 * 3f64.sqrt(); // a horizontal field of view of 60 degrees
    Recipe {
        name: "scene",
        views: 1,
        per_view: 100_000,
        width: 1280,
        height: 720,
        spread: 1.0,
        focal,
        place: Place::Frustum {
            near: 2.0,
            far: 10.0,
            margin: 1.2,
        },
        // A median of 4.5 px at depth 1.
        scales: Scales::LogNormal {
            median: 4.5 / (focal * 1280.0),
            shared: 0.45,
            own: 0.4,
        },
        opacity_logit: 1.5,
        seed: 0,
    }
}

impl Recipe {
    /// Draws the scene.
    ///
    /// # Errors
    /// Returns [`RenderError::Capacity`] if the number of Gaussians exceeds the range of an index,
    /// or if there is no memory for the views.
    pub fn draw(&self) -> Result<Workload, RenderError> {
        let camera = self.camera();
        let views = Views::dense(self.width, self.height, camera, self.views, self.per_view)?;
        let count = self.views * self.per_view;
        let mut gaussians = Gaussians {
            count,
            channels: CHANNELS,
            ..Gaussians::default()
        };
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        for _ in 0..count {
            self.draw_one(&mut rng, &mut gaussians);
        }
        Ok(Workload {
            name: self.name.to_owned(),
            gaussians,
            backgrounds: vec![0.0; CHANNELS * self.views],
            views,
            config: RenderConfig::default(),
        })
    }

    fn camera(&self) -> Camera {
        let (w, h) = (self.width as f64, self.height as f64);
        let f = self.focal * w;
        let distance = match self.place {
            Place::Box { distance, .. } => distance,
            Place::Frustum { .. } => 0.0,
        };
        Camera::pinhole(f, f, 0.5 * w, 0.5 * h).with_pose([
            [1.0, 0.0, 0.0, 0.0],
            [0.0, 1.0, 0.0, 0.0],
            [0.0, 0.0, 1.0, distance],
        ])
    }

    fn draw_one(&self, rng: &mut ChaCha8Rng, gaussians: &mut Gaussians<Vec<f32>>) {
        gaussians.means.extend(self.centre(rng).map(|x| x as f32));
        let shared = match self.scales {
            Scales::Logistic { .. } => 0.0,
            Scales::LogNormal { shared, .. } => shared * normal(rng),
        };
        for _ in 0..3 {
            let scale = match self.scales {
                Scales::Logistic { most } => most * logistic(normal(rng)),
                Scales::LogNormal { median, own, .. } => {
                    median * (shared + own * normal(rng)).exp()
                }
            };
            gaussians.scales.push((self.spread * scale) as f32);
        }
        // The normalised vector of four normal numbers is uniform over all rotations.
        let q = [(); 4].map(|()| normal(rng));
        let length = q.iter().map(|x| x * x).sum::<f64>().sqrt();
        gaussians.quaternions.extend(q.map(|x| (x / length) as f32));
        let opacity = logistic(self.opacity_logit * normal(rng));
        gaussians.opacities.push(opacity as f32);
        gaussians
            .features
            .extend([(); CHANNELS].map(|()| rng.random::<f32>()));
    }

    fn centre(&self, rng: &mut ChaCha8Rng) -> [f64; 3] {
        let mut signed = || rng.random_range(-1.0..1.0);
        match self.place {
            Place::Box { half, .. } => half.map(|half| half * signed()),
            Place::Frustum { near, far, margin } => {
                let z = 0.5 * (near + far) + 0.5 * (far - near) * signed();
                let x = 0.5 * margin * z / self.focal;
                let y = x * self.height as f64 / self.width as f64;
                [x * signed(), y * signed(), z]
            }
        }
    }
}

/// Returns a normal number of mean 0 and standard deviation 1 (Box-Muller transform).
fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let (u, angle): (f64, f64) = (rng.random(), rng.random());
    (-2.0 * (1.0 - u).ln()).sqrt() * (TAU * angle).cos()
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests {
    use splat::{Backend, Cpu, TileSize};

    use super::*;
    use crate::measure;

    /// Useful pairs, visible splats, and hits with tiles of 16 px of the files of timing workloads.
    const FILES: [[u64; 3]; 4] = [
        [3_712_028, 4_089, 37_467],
        [17_050_139, 4_096, 682_220],
        [2_578_210, 10_000, 43_710],
        [4_603_191, 70_755, 150_930],
    ];

    fn counts(workload: &Workload, tile: TileSize) -> [u64; 3] {
        let backend = Cpu::<f32>::new().with_tile(tile);
        let (scene, config) = (workload.scene(), &workload.config);
        let views = scene.views;
        let splats = backend.project(&scene.gaussians, views, config).unwrap();
        let culled: usize = splats.culled().iter().sum();
        let splats = splats.as_slices();
        let hits = backend.bin(&splats, views.width, views.height).unwrap();
        let sorted = backend.sort(&splats, hits).unwrap();
        let work = measure::count(&splats, &sorted, config).unwrap();
        [
            work.useful,
            (splats.len() - culled) as u64,
            sorted.hits() as u64,
        ]
    }

    #[test]
    fn scenes_are_as_much_work_as_the_files() {
        let recipes = [gmae(8), gmae_heavy(8), image_fit(), scene()];
        for (recipe, files) in recipes.into_iter().zip(FILES) {
            let drawn = counts(&recipe.draw().unwrap(), TileSize::Px16);
            for (got, file) in drawn.into_iter().zip(files) {
                let off = got as f64 / file as f64 - 1.0;
                assert!(off.abs() < 0.05, "{}: {drawn:?}, {files:?}", recipe.name);
            }
        }
    }

    #[test]
    fn useful_pairs_are_the_same_in_all_tiles() {
        // Small splats in large tiles: at most pixels of a row sigma exceeds the domain of the
        // fast exponential.
        let workload = Recipe {
            per_view: 5_000,
            ..scene()
        };
        let workload = workload.draw().unwrap();
        let [small, ..] = counts(&workload, TileSize::Px8);
        let [large, ..] = counts(&workload, TileSize::Px32);
        assert_eq!(small, large);
    }

    #[test]
    fn a_recipe_always_gives_the_same_numbers() {
        let recipe = Recipe {
            per_view: 10,
            ..scene()
        };
        assert_eq!(recipe.draw().unwrap(), recipe.draw().unwrap());
        let other = Recipe {
            seed: 1,
            ..recipe.clone()
        };
        assert_ne!(recipe.draw().unwrap(), other.draw().unwrap());
    }

    #[test]
    fn counts_and_sizes_are_those_asked_for() {
        let recipe = Recipe {
            per_view: 7,
            width: 40,
            height: 30,
            ..gmae(3)
        };
        let Workload {
            gaussians, views, ..
        } = recipe.draw().unwrap();
        assert_eq!(gaussians.count, 21);
        assert!(gaussians.validate(Vec::len).is_ok());
        assert!(views.validate(21).is_ok());
        assert_eq!((views.width, views.height, views.len()), (40, 30, 3));
        assert_eq!(views.cameras[0].fx, 160.0);
        assert_eq!(batch256().views, 256);
    }

    #[test]
    fn too_many_gaussians_are_an_error() {
        let recipe = Recipe {
            per_view: usize::MAX,
            ..gmae(2)
        };
        assert!(recipe.draw().is_err());
    }
}
