//! Parts of the projection's vjp that all backends share: the check of the inputs, and the views
//! that each task reads.

use std::ops::Range;

use crate::error::{RenderError, try_filled};
use crate::gaussians::{Gaussians, check_len};
use crate::gradients::Wanted;
use crate::splats::Splats;
use crate::statistics::SplatStatistics;
use crate::views::Views;

/// Checks the inputs of the projection's vjp. `len` returns the length of a buffer.
pub(crate) fn validate_vjp<S>(
    gaussians: &Gaussians<S>,
    views: &Views,
    splats: &Splats<S>,
    v_splats: &Splats<S>,
    wanted: Wanted,
    len: impl Fn(&S) -> usize,
) -> Result<(), RenderError> {
    splats.validate(&len)?;
    let expected = views.splat_offsets()?;
    check_offsets_of_views("splats.offsets", &splats.offsets, &expected)?;
    check_offsets_of_views("v_splats.offsets", &v_splats.offsets, &expected)?;
    let (m, c) = (splats.len(), gaussians.channels);
    if wanted.gaussian_geometry() {
        check_len("v_splats.means", "[M, 2]", &[m, 2], len(&v_splats.means))?;
        check_len("v_splats.conics", "[M, 3]", &[m, 3], len(&v_splats.conics))?;
        check_len("v_splats.opacities", "[M]", &[m], len(&v_splats.opacities))?;
        check_len("v_splats.depths", "[M]", &[m], len(&v_splats.depths))?;
    }
    if wanted.features_of_gaussians(gaussians.encoding) {
        check_len(
            "v_splats.features",
            "[M, C]",
            &[m, c],
            len(&v_splats.features),
        )?;
    }
    Ok(())
}

/// Checks that the offsets of splats are those of the views, `expected`.
fn check_offsets_of_views(
    argument: &'static str,
    offsets: &[usize],
    expected: &[usize],
) -> Result<(), RenderError> {
    if offsets.len() != expected.len() {
        let got = format!("{} offsets", offsets.len());
        let expected = format!("the {} offsets of these views", expected.len());
        return Err(RenderError::shape(argument, expected, got));
    }
    let mut pairs = expected.iter().zip(offsets).enumerate();
    if let Some((i, (expected, got))) = pairs.find(|(_, (expected, got))| expected != got) {
        let expected = format!("the offsets of these views, {expected} at {i}");
        return Err(RenderError::shape(argument, expected, got));
    }
    Ok(())
}

/// Checks the inputs of the statistics of `count` Gaussians. `len` returns the length of a buffer.
pub(crate) fn validate_statistics<S>(
    count: usize,
    views: &Views,
    splats: &Splats<S>,
    v_means: &S,
    of_splats: &SplatStatistics<S>,
    len: impl Fn(&S) -> usize,
) -> Result<(), RenderError> {
    views.validate(count)?;
    splats.validate(&len)?;
    check_offsets_of_views("splats.offsets", &splats.offsets, &views.splat_offsets()?)?;
    let m = splats.len();
    check_len("v_means", "[M, 2]", &[m, 2], len(v_means))?;
    let absolute = len(&of_splats.absolute_means);
    check_len("of_splats.absolute_means", "[M, 2]", &[m, 2], absolute)?;
    let largest = len(&of_splats.largest_weights);
    check_len("of_splats.largest_weights", "[M]", &[m], largest)?;
    let total = len(&of_splats.total_weights);
    check_len("of_splats.total_weights", "[M]", &[m], total)
}

/// The views that each task reads. Task `t` covers the Gaussians `t * grain .. (t + 1) * grain`.
/// Its views are those that contain some of these Gaussians: `list[starts[t] .. starts[t + 1]]`, in
/// ascending order.
///
/// The splats of one view that belong to one task are consecutive. A list of views is therefore
/// enough to find the splats of a task.
#[derive(Default)]
pub(crate) struct ViewsOfTasks {
    pub(crate) starts: Vec<u32>,
    pub(crate) list: Vec<u32>,
}

impl ViewsOfTasks {
    pub(crate) fn new(gaussians: usize, grain: usize, views: &Views) -> Result<Self, RenderError> {
        let tasks = gaussians.div_ceil(grain);
        let touched = |range: &Range<usize>| {
            if range.is_empty() {
                0..0
            } else {
                range.start / grain..(range.end - 1) / grain + 1
            }
        };
        // Counts are shifted by two: below, `starts[t + 1]` is the next free index of task t.
        let mut starts = try_filled("views of tasks", tasks + 2, 0u32)?;
        for task in views.ranges.iter().flat_map(touched) {
            starts[task + 2] += 1;
        }
        for t in 2..starts.len() {
            starts[t] += starts[t - 1];
        }
        let total = starts[tasks + 1] as usize;
        let mut list = try_filled("views of tasks", total, 0u32)?;
        for (view, range) in views.ranges.iter().enumerate() {
            for task in touched(range) {
                list[starts[task + 1] as usize] = view as u32;
                starts[task + 1] += 1;
            }
        }
        Ok(Self { starts, list })
    }

    /// Returns the views of `task`.
    pub(crate) fn of(&self, task: usize) -> &[u32] {
        &self.list[self.starts[task] as usize..self.starts[task + 1] as usize]
    }
}
