//! Statistics of Gaussians over their views on a device (MATH eq. 23).

use cubecl::prelude::*;

use crate::device::Gpu;
use crate::device::buffer::{GpuBuffer, validate_splats};
use crate::device::launch::{Sections, UNITS, cube_dim, grid_of_units, unit_index};
use crate::device::rows::vec2_of;
use crate::error::{RenderError, checked_product};
use crate::formulas::single::vec3;
use crate::project::gpu::backward::Tables;
use crate::project::gpu::splat_rows::is_visible;
use crate::project::gpu::view_table::{count_of, first_gaussian, first_splat};
use crate::project::views_of_tasks::validate_statistics;
use crate::splats::Splats;
use crate::statistics::{SplatStatistics, Statistics};
use crate::views::Views;

/// Computes the statistics of `count` Gaussians from those of their splats.
///
/// # Errors
/// Returns an error if the inputs do not match each other, or if a buffer is too large or cannot be
/// allocated.
pub(crate) fn gaussian_statistics<R: Runtime>(
    gpu: &Gpu<R>,
    count: usize,
    views: &Views,
    splats: &Splats<&GpuBuffer>,
    v_means: &GpuBuffer,
    of_splats: SplatStatistics<GpuBuffer>,
) -> Result<Statistics<GpuBuffer>, RenderError> {
    validate_splats(splats)?;
    let seen = SplatStatistics {
        absolute_means: &of_splats.absolute_means,
        largest_weights: &of_splats.largest_weights,
        total_weights: &of_splats.total_weights,
    };
    validate_statistics(count, views, splats, &v_means, &seen, |x| x.len())?;
    let what = "statistics of Gaussians [N, 6]";
    checked_product(what, &[count, Starts::COUNT])?;
    let mut sections = Sections::new();
    let starts: [usize; Starts::COUNT] = std::array::from_fn(|_| sections.push(count));
    let buffer = gpu.empty(what, sections.total)?;
    if count > 0 {
        let tables = Tables::new(gpu, views, count)?;
        statistics_kernel::launch::<R>(
            &gpu.client,
            grid_of_units(count)?,
            cube_dim(),
            tables.words.arg(),
            splats.extents.arg(),
            v_means.arg(),
            seen.absolute_means.arg(),
            seen.largest_weights.arg(),
            seen.total_weights.arg(),
            buffer.arg(),
            Starts::launch(starts.map(|start| start as u32)),
            count as u32,
            tables.starts as u32,
            tables.lists as u32,
        );
    }
    let section = |k: usize| buffer.section(starts[k], count);
    Ok(Statistics {
        views: section(0),
        radii: section(1),
        largest_weights: section(2),
        total_weights: section(3),
        mean_gradients: section(4),
        absolute_mean_gradients: section(5),
        splats: of_splats,
    })
}

/// The words at which the statistics begin, in the order of [`Statistics::buffers`].
#[derive(CubeType, CubeLaunch, Clone, Copy)]
struct Starts {
    views: u32,
    radii: u32,
    largest_weights: u32,
    total_weights: u32,
    mean_gradients: u32,
    absolute_mean_gradients: u32,
}

impl Starts {
    const COUNT: usize = 6;

    fn launch<R: Runtime>(starts: [u32; Self::COUNT]) -> StartsLaunch<R> {
        let [views, radii, largest, totals, gradients, absolutes] = starts;
        StartsLaunch::new(views, radii, largest, totals, gradients, absolutes)
    }
}

/// Computes the statistics of one Gaussian per thread, over the views that contain it in order. The
/// tables are those of `geometry_kernel`.
#[cube(launch)]
fn statistics_kernel(
    views: &Array<u32>,
    extents: &Array<f32>,
    v_means: &Array<f32>,
    absolute_means: &Array<f32>,
    largest_weights: &Array<f32>,
    total_weights: &Array<f32>,
    out: &mut Array<f32>,
    at: Starts,
    count: u32,
    starts: u32,
    lists: u32,
) {
    let n = unit_index();
    if n < count {
        let mut seen = 0.0f32;
        let mut radius = 0.0f32;
        let mut largest = 0.0f32;
        let mut total = 0.0f32;
        let mut gradient = 0.0f32;
        let mut absolute = 0.0f32;
        let grain = n / UNITS;
        let from = views[(starts + grain) as usize];
        let to = views[(starts + grain + 1) as usize];
        for i in from..to {
            let view = views[(lists + i) as usize];
            let first = first_gaussian(views, view);
            let length = count_of(views, view);
            if n >= first && n - first < length {
                let m = first_splat(views, view) + (n - first);
                let extent = vec2_of(extents, m);
                if is_visible(extent) {
                    seen += 1.0;
                    radius = greater(radius, greater(extent.x, extent.y));
                    largest = greater(largest, largest_weights[m as usize]);
                    total += total_weights[m as usize];
                    gradient += vec3::length(vec2_of(v_means, m));
                    absolute += vec3::length(vec2_of(absolute_means, m));
                }
            }
        }
        out[(at.views + n) as usize] = seen;
        out[(at.radii + n) as usize] = radius;
        out[(at.largest_weights + n) as usize] = largest;
        out[(at.total_weights + n) as usize] = total;
        out[(at.mean_gradients + n) as usize] = gradient;
        out[(at.absolute_mean_gradients + n) as usize] = absolute;
    }
}

/// Returns the greater of two numbers.
#[cube]
fn greater(a: f32, b: f32) -> f32 {
    let mut greatest = a;
    if b > a {
        greatest = b;
    }
    greatest
}
