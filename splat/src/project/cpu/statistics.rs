//! Statistics of Gaussians over their views (MATH eq. 23).

use rayon::prelude::*;

use crate::error::RenderError;
use crate::host::columns::GRAIN;
use crate::host::workspace::Workspace;
use crate::math::Vec2;
use crate::project::views_of_tasks::{ViewsOfTasks, validate_statistics};
use crate::scalar::Scalar;
use crate::splats::Splats;
use crate::statistics::{SplatStatistics, Statistics};
use crate::views::Views;

/// The statistics of consecutive Gaussians, in the order of [`Statistics::buffers`].
type Part<'a, T> = [&'a mut [T]; 6];

/// Computes the statistics of `count` Gaussians from those of their splats.
///
/// # Errors
/// Returns an error if the inputs do not match each other, or if an allocation fails.
pub(crate) fn gaussian_statistics<T: Scalar>(
    count: usize,
    views: &Views,
    splats: &Splats<&[T]>,
    v_means: &[T],
    of_splats: SplatStatistics<Vec<T>>,
    workspace: &Workspace<T>,
) -> Result<Statistics<Vec<T>>, RenderError> {
    let seen = SplatStatistics {
        absolute_means: &of_splats.absolute_means[..],
        largest_weights: &of_splats.largest_weights[..],
        total_weights: &of_splats.total_weights[..],
    };
    validate_statistics(count, views, splats, &v_means, &seen, |x| x.len())?;
    let views_of = ViewsOfTasks::new(count, GRAIN, views)?;
    let zeros = |what| workspace.zeros(what, count);
    let mut out = Statistics {
        views: zeros("views of Gaussians [N]")?,
        radii: zeros("radii of Gaussians [N]")?,
        largest_weights: zeros("largest weights of Gaussians [N]")?,
        total_weights: zeros("total weights of Gaussians [N]")?,
        mean_gradients: zeros("mean gradients of Gaussians [N]")?,
        absolute_mean_gradients: zeros("absolute mean gradients of Gaussians [N]")?,
        splats: SplatStatistics::default(),
    };
    let (memory, tasks) = (workspace.memory(), count.div_ceil(GRAIN));
    let mut parts: Vec<Part<'_, T>> =
        memory.list::<Part<'static, T>, _>("tasks of Gaussians", tasks)?;
    let mut grains = [
        out.views.chunks_mut(GRAIN),
        out.radii.chunks_mut(GRAIN),
        out.largest_weights.chunks_mut(GRAIN),
        out.total_weights.chunks_mut(GRAIN),
        out.mean_gradients.chunks_mut(GRAIN),
        out.absolute_mean_gradients.chunks_mut(GRAIN),
    ];
    for _ in 0..tasks {
        parts.push(
            grains
                .each_mut()
                .map(|grain| grain.next().unwrap_or_default()),
        );
    }
    parts
        .par_drain(..)
        .enumerate()
        .for_each(|(task, mut part)| {
            let first = task * GRAIN;
            for &view in views_of.of(task) {
                let range = &views.ranges[view as usize];
                let firsts = splats.offsets[view as usize];
                for n in range.start.max(first)..range.end.min(first + part[0].len()) {
                    let m = firsts + (n - range.start);
                    add_splat(&mut part, n - first, splats.extents, v_means, &seen, m);
                }
            }
        });
    memory.keep_list::<Part<'static, T>, _>(parts);
    Ok(Statistics {
        splats: of_splats,
        ..out
    })
}

/// Adds splat `m` to the statistics of Gaussian `k` of a part.
fn add_splat<T: Scalar>(
    part: &mut Part<'_, T>,
    k: usize,
    extents: &[T],
    v_means: &[T],
    of_splats: &SplatStatistics<&[T]>,
    m: usize,
) {
    let pair = |numbers: &[T]| Vec2 {
        x: numbers[2 * m],
        y: numbers[2 * m + 1],
    };
    let extent = pair(extents);
    // A culled splat has no hits: its other numbers are zero.
    if !(extent.x > T::ZERO && extent.y > T::ZERO) {
        return;
    }
    let [views, radii, largest, totals, gradients, absolutes] = part.each_mut().map(|x| &mut x[k]);
    *views += T::ONE;
    for x in [extent.x, extent.y] {
        *radii = greater(*radii, x);
    }
    *largest = greater(*largest, of_splats.largest_weights[m]);
    *totals += of_splats.total_weights[m];
    *gradients += T::length(pair(v_means));
    *absolutes += T::length(pair(of_splats.absolute_means));
}

/// Returns the greater of two numbers.
fn greater<T: Scalar>(a: T, b: T) -> T {
    if b > a { b } else { a }
}
