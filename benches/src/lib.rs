//! What is timed, and how.
//!
//! Scenes come from three sources: seeded [`Recipe`]s, which need no file; files
//! ([`Workload::load`]); and, where it is at hand, a photographed scene ([`garden()`]). [`Bench`]
//! times any stage of a render of them; the program `throughput` makes tables of it.
//!
//! # The recipes and the files
//!
//! The recipes have the distributions of four files of timing workloads, found from the percentiles
//! of their means, scales, quaternions, opacities, features and depths, and the same cameras. Drawn
//! with seed 0 they come to as much work, within 5 % (a test):
//!
//! | recipe | useful pairs: drawn, in the file | visible splats | hits, tiles of 16 px |
//! |---|---|---|---|
//! | `gmae(8)` | 3,685,224, 3,712,028 | 4,091, 4,089 | 37,163, 37,467 |
//! | `gmae_heavy(8)` | 17,222,261, 17,050,139 | 4,096, 4,096 | 682,632, 682,220 |
//! | `image_fit()` | 2,547,212, 2,578,210 | 10,000, 10,000 | 43,729, 43,710 |
//! | `scene()` | 4,604,995, 4,603,191 | 70,491, 70,755 | 150,396, 150,930 |
//!
//! A *useful pair* is a (splat, pixel) pair with alpha of at least 1/255 before the pixel stops.

#[cfg(feature = "gpu")]
mod device;
mod file;
mod garden;
mod recipe;
mod stage;

// The reader of points of the example `render_points`, and what it needs.
#[expect(dead_code, reason = "the example reads scenes of other kinds too")]
#[path = "../../splat/examples/render_points/cloud.rs"]
mod cloud;
#[path = "../../splat/examples/render_points/neighbours.rs"]
mod neighbours;
#[path = "../../splat/examples/render_points/npz.rs"]
mod npz;

pub use splat::measure::cpu as measure;

#[cfg(feature = "gpu")]
pub use device::DeviceBench;
pub use file::LoadError;
pub use garden::{garden, garden_path, garden_view, shared};
pub use recipe::{Place, Recipe, Scales, batch256, batch1024, gmae, gmae_heavy, image_fit, scene};
pub use stage::{Bench, Stage, WANTED};

use splat::{Gaussians, RenderConfig, Scene, Views};

/// A scene that owns its numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    /// What it stands for.
    pub name: String,
    /// The Gaussians.
    pub gaussians: Gaussians<Vec<f32>>,
    /// The views of them.
    pub views: Views,
    /// `[B, C]`.
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
