//! Loops of the projection's vjp. The gradient with respect to a Gaussian is a sum over views. The
//! gradient with respect to a pose is a sum over Gaussians.

use rayon::prelude::*;

use crate::camera::Views;
use crate::config::RenderConfig;
use crate::error::{RenderError, try_collected_in_parallel, try_filled};
use crate::gaussians::Gaussians;
use crate::gradients::{ProjectGradients, Wanted};
use crate::host::columns::{self, BLOCK, Column, GRAIN};
use crate::host::simd::Kernel;
use crate::host::workspace::Resources;
use crate::math::Mat3;
use crate::project::CameraParams;
use crate::project::cpu::columns::{ShapeColumns, SplatColumns};
use crate::project::cpu::forward::camera_params;
use crate::project::views_of_tasks::{ViewsOfTasks, validate_vjp};
use crate::project::{CameraGradient, ProjectConstants};
use crate::scalar::Scalar;
use crate::scalar::rounding::Arithmetic;
use crate::splats::Splats;

/// Vjp of [`project`](crate::project::cpu::forward::project). MATH eq. 17 defines the sums over
/// views and over Gaussians.
pub(crate) fn project_vjp<T: Scalar>(
    gaussians: &Gaussians<&[T]>,
    views: &Views,
    config: &RenderConfig,
    splats: &Splats<&[T]>,
    v_splats: &Splats<&[T]>,
    wanted: Wanted,
    resources: Resources<'_, T>,
) -> Result<ProjectGradients<Vec<T>>, RenderError> {
    validate_vjp(gaussians, views, splats, v_splats, wanted, |x| x.len())?;
    let pass = VjpPass {
        gaussians,
        views,
        splats,
        v_splats,
        cameras: camera_params(views)?,
        constants: config.project_constants(),
        views_of: if wanted.geometry || wanted.features {
            ViewsOfTasks::new(gaussians.count, GRAIN, views)?
        } else {
            ViewsOfTasks::default()
        },
        resources,
    };
    let (count, channels) = (gaussians.count, gaussians.channels);
    let mut gradient = Gaussians {
        count,
        channels,
        ..Gaussians::default()
    };
    if wanted.geometry {
        gradient.means = resources
            .workspace
            .zeros("gradient with respect to means", 3 * count)?;
        gradient.scales = resources
            .workspace
            .zeros("gradient with respect to scales", 3 * count)?;
        gradient.quaternions = resources
            .workspace
            .zeros("gradient with respect to quaternions", 4 * count)?;
        gradient.opacities = resources
            .workspace
            .zeros("gradient with respect to opacities", count)?;
        pass.geometry(&mut gradient);
    }
    if wanted.features {
        gradient.features = resources
            .workspace
            .zeros("gradient with respect to features", count * channels)?;
        pass.features(&mut gradient.features);
    }
    let camera_from_world = if wanted.cameras {
        pass.cameras()?
    } else {
        Vec::new()
    };
    Ok(ProjectGradients {
        gaussians: gradient,
        camera_from_world,
    })
}

/// The inputs of all passes of [`project_vjp`].
struct VjpPass<'a, T: Scalar> {
    gaussians: &'a Gaussians<&'a [T]>,
    views: &'a Views,
    splats: &'a Splats<&'a [T]>,
    v_splats: &'a Splats<&'a [T]>,
    cameras: Vec<CameraParams<T>>,
    constants: ProjectConstants<T>,
    views_of: ViewsOfTasks,
    resources: Resources<'a, T>,
}

/// A run of `count` consecutive splats of one view and their Gaussians, which are consecutive too.
struct Run {
    view: usize,
    first_gaussian: usize,
    first_splat: usize,
    count: usize,
}

impl<T: Scalar> VjpPass<'_, T> {
    /// Returns the splats of `view` whose Gaussians lie in `first .. first + count`.
    fn run(&self, view: usize, first: usize, count: usize) -> Run {
        let range = &self.views.ranges[view];
        let first_gaussian = range.start.max(first);
        Run {
            view,
            first_gaussian,
            first_splat: self.splats.offsets[view] + (first_gaussian - range.start),
            count: range.end.min(first + count) - first_gaussian,
        }
    }

    /// Adds the gradients with respect to means, scales, quaternions and opacities to `out`.
    fn geometry(&self, out: &mut Gaussians<Vec<T>>) {
        let blocks = (
            out.means.par_chunks_mut(3 * GRAIN),
            out.scales.par_chunks_mut(3 * GRAIN),
            out.quaternions.par_chunks_mut(4 * GRAIN),
            out.opacities.par_chunks_mut(GRAIN),
        );
        let blocks = blocks.into_par_iter().enumerate();
        blocks.for_each(|(task, (means, scales, quaternions, opacities))| {
            let (first, count) = (task * GRAIN, opacities.len());
            let mut out = Gaussians {
                means,
                scales,
                quaternions,
                opacities,
                features: &mut [],
                count,
                channels: 0,
            };
            for &view in self.views_of.of(task) {
                let run = self.run(view as usize, first, count);
                self.resources.simd.dispatch(GeometryVjp {
                    pass: self,
                    run: &run,
                    to: run.first_gaussian - first,
                    out: &mut out,
                });
            }
        });
    }

    /// Adds the gradient with respect to the features, `[N, C]`, to `out`. The projection copies
    /// the features of a Gaussian to its splats, so the gradients with respect to these splats are
    /// summed.
    fn features(&self, out: &mut [T]) {
        let channels = self.gaussians.channels;
        let per_task = channels.saturating_mul(GRAIN);
        let blocks = out.par_chunks_mut(per_task).enumerate();
        blocks.for_each(|(task, block)| {
            let (first, count) = (task * GRAIN, block.len() / channels);
            for &view in self.views_of.of(task) {
                let run = self.run(view as usize, first, count);
                let to = (run.first_gaussian - first) * channels;
                let v = &self.v_splats.features[run.first_splat * channels..];
                accumulate(&mut block[to..], &v[..run.count * channels]);
            }
        });
    }

    /// Returns the gradient with respect to the poses, `[B, 3, 4]`. The partial gradients of a
    /// view's runs are summed in order.
    fn cameras(&self) -> Result<Vec<T>, RenderError> {
        let count = self.views.ranges.iter().map(|r| r.len().div_ceil(GRAIN));
        let mut runs = try_filled("runs of Gaussians", count.sum(), (0, 0))?;
        let starts = self.views.ranges.iter().enumerate();
        let starts = starts.flat_map(|(view, range)| {
            let starts = range.clone().step_by(GRAIN);
            starts.map(move |start| (view, start))
        });
        for (run, start) in runs.iter_mut().zip(starts) {
            *run = start;
        }
        let sum = |&(view, start): &(usize, usize)| {
            let run = &self.run(view, start, GRAIN);
            self.resources.simd.dispatch(PoseVjp { pass: self, run })
        };
        let parts = runs.par_iter().map(sum);
        let parts = try_collected_in_parallel("partial gradients with respect to poses", parts)?;
        let what = "gradient with respect to poses [B, 3, 4]";
        let mut total = self
            .resources
            .workspace
            .zeros(what, 12 * self.views.len())?;
        for ((view, _), part) in runs.iter().zip(&parts) {
            accumulate(&mut total[12 * view..12 * view + 12], part);
        }
        Ok(total)
    }
}

/// Computes the gradients with respect to the geometry of one run's Gaussians. Adds them to the
/// Gaussians of `out` from index `to` on.
struct GeometryVjp<'a, 'b, T: Scalar> {
    pass: &'a VjpPass<'a, T>,
    run: &'a Run,
    out: &'a mut Gaussians<&'b mut [T]>,
    to: usize,
}

impl<T: Scalar> Kernel for GeometryVjp<'_, '_, T> {
    type Scalar = T;
    type Output = ();

    #[inline(always)]
    fn run<A: Arithmetic<T>, const LANES: usize>(self) {
        let Self { pass, run, out, to } = self;
        let (camera, constants) = (pass.cameras[run.view], pass.constants);
        let mut block = Block::new();
        let mut v_shapes = ShapeColumns::new();
        for start in (0..run.count).step_by(BLOCK) {
            let count = BLOCK.min(run.count - start);
            block.read(pass, run, start, count);
            for k in 0..columns::padded::<LANES>(count) {
                let (shape, v_splat) = (block.shapes.get(k), block.v_splats.get(k));
                let v = T::splat_vjp(shape, camera, constants, v_splat);
                v_shapes.set(k, block.is_visible(k), v.gaussian);
            }
            v_shapes.add_to(out, to + start, count);
        }
    }
}

/// Computes the gradient with respect to the pose, summed over one run, as rows `[R | t]`.
struct PoseVjp<'a, T: Scalar> {
    pass: &'a VjpPass<'a, T>,
    run: &'a Run,
}

impl<T: Scalar> Kernel for PoseVjp<'_, T> {
    type Scalar = T;
    type Output = [T; 12];

    #[inline(always)]
    fn run<A: Arithmetic<T>, const LANES: usize>(self) -> [T; 12] {
        let Self { pass, run } = self;
        let (camera, constants) = (pass.cameras[run.view], pass.constants);
        let mut block = Block::new();
        let mut v_poses = [[T::ZERO; BLOCK]; 12];
        let mut sums = [T::ZERO; 12];
        for start in (0..run.count).step_by(BLOCK) {
            let count = BLOCK.min(run.count - start);
            block.read(pass, run, start, count);
            for k in 0..columns::padded::<LANES>(count) {
                let (shape, v_splat) = (block.shapes.get(k), block.v_splats.get(k));
                let v = T::splat_vjp(shape, camera, constants, v_splat);
                columns::set(&mut v_poses, k, block.is_visible(k), pose_rows(v.camera));
            }
            for (sum, column) in sums.iter_mut().zip(&v_poses) {
                *sum += columns::total(column, count);
            }
        }
        sums
    }
}

/// The input columns of one block of splats.
struct Block<T> {
    shapes: ShapeColumns<T>,
    v_splats: SplatColumns<T>,
    extents: [Column<T>; 2],
}

impl<T: Scalar> Block<T> {
    #[inline(always)]
    fn new() -> Self {
        Self {
            shapes: ShapeColumns::new(),
            v_splats: SplatColumns::new(),
            extents: [[T::ZERO; BLOCK]; 2],
        }
    }

    /// Reads `count` splats of `run` and their Gaussians, starting with splat `start` of the run.
    #[inline(always)]
    fn read(&mut self, pass: &VjpPass<'_, T>, run: &Run, start: usize, count: usize) {
        let first = run.first_splat + start;
        self.shapes
            .read(pass.gaussians, run.first_gaussian + start, count);
        self.v_splats.read(pass.v_splats, first, count);
        columns::read(
            &pass.splats.extents[2 * first..2 * (first + count)],
            &mut self.extents,
        );
    }

    #[inline(always)]
    fn is_visible(&self, k: usize) -> bool {
        (self.extents[0][k] > T::ZERO) & (self.extents[1][k] > T::ZERO)
    }
}

/// Returns the gradient with respect to a pose as rows `[R | t]`.
#[inline(always)]
fn pose_rows<T: Scalar>(v: CameraGradient<T>) -> [T; 12] {
    let Mat3 { r0, r1, r2 } = v.rotation;
    let t = v.translation;
    [
        r0.x, r0.y, r0.z, t.x, r1.x, r1.y, r1.z, t.y, r2.x, r2.y, r2.z, t.z,
    ]
}

/// Adds `part` to the first `part.len()` elements of `sum`.
fn accumulate<T: Scalar>(sum: &mut [T], part: &[T]) {
    for (s, &p) in sum.iter_mut().zip(part) {
        *s += p;
    }
}
