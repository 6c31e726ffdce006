//! The inputs that the passes of the projection's vjp share.

use crate::gaussians::Gaussians;
use crate::harmonics::cpu::basis::Coefficients;
use crate::host::workspace::Resources;
use crate::project::views_of_tasks::ViewsOfTasks;
use crate::project::{CameraParams, ProjectConstants};
use crate::scalar::Scalar;
use crate::splats::Splats;
use crate::views::Views;

/// The inputs of all passes of [`project_vjp`](super::backward::project_vjp).
pub(super) struct VjpPass<'a, T: Scalar> {
    pub(super) gaussians: &'a Gaussians<&'a [T]>,
    pub(super) views: &'a Views,
    pub(super) splats: &'a Splats<&'a [T]>,
    pub(super) v_splats: &'a Splats<&'a [T]>,
    pub(super) cameras: Vec<CameraParams<T>>,
    pub(super) constants: ProjectConstants<T>,
    pub(super) views_of: ViewsOfTasks,
    /// The coefficients of the harmonics, if the features are harmonics.
    pub(super) coefficients: Option<Coefficients<'a, T>>,
    pub(super) resources: Resources<'a, T>,
}

/// A run of `count` consecutive splats of one view and their Gaussians, which are consecutive too.
pub(super) struct Run {
    pub(super) view: usize,
    pub(super) first_gaussian: usize,
    pub(super) first_splat: usize,
    pub(super) count: usize,
}

impl<T: Scalar> VjpPass<'_, T> {
    /// Returns the splats of `view` whose Gaussians lie in `first .. first + count`.
    pub(super) fn run(&self, view: usize, first: usize, count: usize) -> Run {
        let range = &self.views.ranges[view];
        let first_gaussian = range.start.max(first);
        Run {
            view,
            first_gaussian,
            first_splat: self.splats.offsets[view] + (first_gaussian - range.start),
            count: range.end.min(first + count) - first_gaussian,
        }
    }
}
