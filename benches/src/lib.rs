//! Workloads for timing `splat`, and the timing of its stages.
//!
//! A [`Workload`] has one of three sources:
//!
//! - a seeded [`Recipe`], which needs no file;
//! - a file, read by [`Workload::load`];
//! - a photographed scene, [`garden()`], if its file is available.
//!
//! [`Bench`] times each stage of a render on the CPU, and `DeviceBench` on a device. The program
//! `throughput` prints tables of these times.
//!
//! # Recipes and files
//!
//! Four recipes imitate four files of timing workloads. A recipe has the camera of its file. Its
//! distributions are fitted to the percentiles of the file's means, scales, quaternions, opacities,
//! features and depths. With seed 0 a recipe needs as much work as its file within 5 %, which a
//! test checks:
//!
//! | recipe | useful pairs: drawn, in the file | visible splats | hits, tiles of 16 px |
//! |---|---|---|---|
//! | `gmae(8)` | 3,685,224, 3,712,028 | 4,091, 4,089 | 37,163, 37,467 |
//! | `gmae_heavy(8)` | 17,222,261, 17,050,139 | 4,096, 4,096 | 682,632, 682,220 |
//! | `image_fit()` | 2,547,212, 2,578,210 | 10,000, 10,000 | 43,729, 43,710 |
//! | `scene()` | 4,604,995, 4,603,191 | 70,491, 70,755 | 150,396, 150,930 |
//!
//! A *useful pair* is a (splat, pixel) pair with an alpha of at least 1/255, before the hit at
//! which the pixel ends.

#[cfg(feature = "gpu")]
mod device;
mod file;
mod garden;
mod recipe;
mod stage;

pub use splat::measure::cpu as measure;

#[cfg(feature = "gpu")]
pub use device::DeviceBench;
pub use file::LoadError;
pub use garden::{garden, garden_path, garden_view, shared};
pub use recipe::{Place, Recipe, Scales, batch256, batch1024, gmae, gmae_heavy, image_fit, scene};
pub use stage::{Bench, Results, Stage, WANTED};

use splat::{Gaussians, RenderConfig, RenderError, Scene, SpatialOrder, Views};

/// A scene that owns its buffers, and the settings of its render.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    /// Name of the workload, used in tables and as a file name.
    pub name: String,
    /// The Gaussians.
    pub gaussians: Gaussians<Vec<f32>>,
    /// The B views of the Gaussians.
    pub views: Views,
    /// Background features of each view, `[B, C]`.
    pub backgrounds: Vec<f32>,
    /// The settings of the render.
    pub config: RenderConfig,
}

impl Workload {
    /// Returns the workload with the Gaussians of every view along a Morton curve, or unchanged if
    /// the ranges of two views overlap in part or exceed the Gaussians.
    ///
    /// # Errors
    /// The errors of [`SpatialOrder`].
    pub fn sorted(mut self) -> Result<Self, RenderError> {
        let n = self.gaussians.count;
        let mut ranges = self.views.ranges.clone();
        ranges.retain(|range| !range.is_empty());
        ranges.sort_by_key(|range| (range.start, range.end));
        ranges.dedup();
        let overlap = ranges.windows(2).any(|pair| pair[0].end > pair[1].start);
        if overlap || ranges.last().is_some_and(|range| range.end > n) {
            return Ok(self);
        }
        let Gaussians {
            means,
            scales,
            quaternions,
            opacities,
            features,
            ..
        } = &mut self.gaussians;
        for range in ranges {
            let order = SpatialOrder::of(&means[3 * range.start..3 * range.end])?;
            for rows in [&mut *means, scales, quaternions, opacities, features] {
                let width = rows.len() / n;
                let rows = &mut rows[range.start * width..range.end * width];
                rows.copy_from_slice(&order.sort_rows(rows)?);
            }
        }
        Ok(self)
    }

    /// Borrows the workload as the input of a render.
    pub fn scene(&self) -> Scene<'_, &[f32]> {
        Scene {
            gaussians: self.gaussians.as_slices(),
            views: &self.views,
            backgrounds: &self.backgrounds,
        }
    }
}
