//! Loops of the projection's vjp. The gradient with respect to a Gaussian is a sum over views. The
//! gradient with respect to a camera is a sum over Gaussians.

use rayon::prelude::*;

use crate::config::RenderConfig;
use crate::encoding::Features;
use crate::error::RenderError;
use crate::gaussians::Gaussians;
use crate::gradients::{ProjectGradients, Wanted};
use crate::harmonics::cpu::basis::{BasisGradient, Coefficients};
use crate::host::columns::{self, BLOCK, Column, GRAIN};
use crate::host::simd::Kernel;
use crate::host::workspace::Resources;
use crate::math::{Mat3, Vec3};
use crate::project::CameraGradient;
use crate::project::cpu::columns::{ShapeColumns, SplatColumns};
use crate::project::cpu::directions::{Scratch, block_vjp, harmonics_vjp};
use crate::project::cpu::forward::camera_params;
use crate::project::cpu::pass::{Run, VjpPass};
use crate::project::views_of_tasks::{ViewsOfTasks, validate_vjp};
use crate::scalar::Scalar;
use crate::scalar::rounding::Arithmetic;
use crate::splats::Splats;
use crate::views::Views;

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
        coefficients: Coefficients::of(gaussians),
        resources,
    };
    let (count, channels) = (gaussians.count, gaussians.channels);
    let mut gradient = Gaussians {
        count,
        channels,
        encoding: gaussians.encoding,
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
        gradient.features = resources.workspace.zeros(
            "gradient with respect to features",
            gaussians.features.len(),
        )?;
    }
    match (pass.coefficients, gaussians.encoding.features) {
        (Some(coefficients), _) => {
            let directed = gaussians.encoding.features_have_direction();
            let means = if directed {
                &mut gradient.means[..]
            } else {
                &mut []
            };
            if !(means.is_empty() && gradient.features.is_empty()) {
                harmonics_vjp(&pass, coefficients, means, &mut gradient.features)?;
            }
        }
        (None, Features::PerSplat) if wanted.features => {
            gradient.features.copy_from_slice(v_splats.features);
        }
        (None, _) if wanted.features => pass.features(&mut gradient.features),
        (None, _) => {}
    }
    let mut gradients = ProjectGradients {
        gaussians: gradient,
        ..ProjectGradients::default()
    };
    if wanted.cameras || wanted.intrinsics {
        pass.cameras(wanted, &mut gradients)?;
    }
    Ok(gradients)
}

impl<T: Scalar> VjpPass<'_, T> {
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
                encoding: self.gaussians.encoding,
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

    /// Computes the gradients with respect to the poses, `[B, 3, 4]`, and to the intrinsics,
    /// `[B, 4]`, as wanted. The partial gradients of a view's runs are summed in order.
    fn cameras(
        &self,
        wanted: Wanted,
        gradients: &mut ProjectGradients<Vec<T>>,
    ) -> Result<(), RenderError> {
        let count = self.views.ranges.iter().map(|r| r.len().div_ceil(GRAIN));
        let memory = self.resources.workspace.memory();
        let mut runs: Vec<(usize, usize)> = memory.buffer("runs of Gaussians", count.sum())?;
        let starts = self.views.ranges.iter().enumerate();
        let starts = starts.flat_map(|(view, range)| {
            let starts = range.clone().step_by(GRAIN);
            starts.map(move |start| (view, start))
        });
        for (run, start) in runs.iter_mut().zip(starts) {
            *run = start;
        }
        let what = "partial gradients with respect to cameras";
        let mut parts: Vec<[T; CAMERA]> = memory.buffer(what, runs.len())?;
        let directed = self.gaussians.encoding.features_have_direction();
        let directed = directed && wanted.cameras && !runs.is_empty();
        let coefficients = self.coefficients.filter(|_| directed);
        let jobs = parts.par_iter_mut().zip(&runs);
        let scratch = || Scratch::new(coefficients);
        jobs.try_for_each_init(scratch, |scratch, (part, &(view, start))| {
            let scratch = scratch.as_mut().map_err(|error| error.clone())?;
            let run = &self.run(view, start, GRAIN);
            *part = self.resources.simd.dispatch(CameraVjp {
                pass: self,
                run,
                coefficients,
                scratch,
            });
            Ok(())
        })?;
        let (workspace, views) = (self.resources.workspace, self.views.len());
        if wanted.cameras {
            let what = "gradient with respect to poses [B, 3, 4]";
            let mut poses = workspace.zeros(what, POSE * views)?;
            for ((view, _), part) in runs.iter().zip(&parts) {
                accumulate(&mut poses[POSE * view..], &part[..POSE]);
            }
            gradients.camera_from_world = poses;
        }
        if wanted.intrinsics {
            let what = "gradient with respect to intrinsics [B, 4]";
            let width = CAMERA - POSE;
            let mut intrinsics = workspace.zeros(what, width * views)?;
            for ((view, _), part) in runs.iter().zip(&parts) {
                accumulate(&mut intrinsics[width * view..], &part[POSE..]);
            }
            gradients.intrinsics = intrinsics;
        }
        memory.give(runs);
        memory.give(parts);
        Ok(())
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
        let raw = pass.gaussians.encoding.raw;
        let mut block = Block::new();
        let mut v_shapes = ShapeColumns::new();
        for start in (0..run.count).step_by(BLOCK) {
            let count = BLOCK.min(run.count - start);
            block.read(pass, run, start, count);
            for k in 0..columns::padded::<LANES>(count) {
                let (shape, v_splat) = (block.shapes.get(k), block.v_splats.get(k));
                let mut v = T::splat_vjp(shape, camera, constants, v_splat).gaussian;
                if raw {
                    v = T::activation_vjp(shape, v);
                }
                v_shapes.set(k, block.is_visible(k), v);
            }
            v_shapes.add_to(out, to + start, count);
        }
    }
}

/// Number of values of a pose.
const POSE: usize = 12;

/// Number of values of a camera: the pose as rows `[R | t]`, then fx, fy, cx, cy.
const CAMERA: usize = POSE + 4;

/// Computes the gradient with respect to the camera, summed over one run.
struct CameraVjp<'a, T: Scalar> {
    pass: &'a VjpPass<'a, T>,
    run: &'a Run,
    /// The coefficients of harmonics, if the features depend on the pose.
    coefficients: Option<Coefficients<'a, T>>,
    scratch: &'a mut Scratch<T>,
}

impl<T: Scalar> Kernel for CameraVjp<'_, T> {
    type Scalar = T;
    type Output = [T; CAMERA];

    #[inline(always)]
    fn run<A: Arithmetic<T>, const LANES: usize>(self) -> [T; CAMERA] {
        let Self { pass, run, .. } = self;
        let (camera, constants) = (pass.cameras[run.view], pass.constants);
        let mut block = Block::new();
        let mut v_cameras = [[T::ZERO; BLOCK]; CAMERA];
        let mut sums = [T::ZERO; CAMERA];
        for start in (0..run.count).step_by(BLOCK) {
            let count = BLOCK.min(run.count - start);
            block.read(pass, run, start, count);
            for k in 0..columns::padded::<LANES>(count) {
                let (shape, v_splat) = (block.shapes.get(k), block.v_splats.get(k));
                let v = T::splat_vjp(shape, camera, constants, v_splat);
                columns::set(&mut v_cameras, k, block.is_visible(k), camera_row(v.camera));
            }
            for (sum, column) in sums.iter_mut().zip(&v_cameras) {
                *sum += columns::total(column, count);
            }
        }
        if let Some(coefficients) = self.coefficients {
            let v = self.view_offset::<A>(coefficients);
            let v = camera_row(T::view_offset_vjp(camera, v));
            accumulate(&mut sums, &v);
        }
        sums
    }
}

impl<T: Scalar> CameraVjp<'_, T> {
    /// Returns the sum of the gradients with respect to the vectors from the camera's centre.
    #[inline(always)]
    fn view_offset<A: Arithmetic<T>>(self, coefficients: Coefficients<'_, T>) -> Vec3<T> {
        let mut gradient = BasisGradient::new();
        let mut sums = [T::ZERO; 3];
        for start in (0..self.run.count).step_by(BLOCK) {
            let count = BLOCK.min(self.run.count - start);
            block_vjp::<T, A>(
                (self.pass, coefficients, self.run),
                (start, count, true),
                &mut gradient,
                &mut [],
                self.scratch,
            );
            for (sum, column) in sums.iter_mut().zip(&gradient.v_offsets) {
                *sum += columns::total(column, count);
            }
        }
        let [x, y, z] = sums;
        Vec3 { x, y, z }
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

/// Returns the values of a gradient with respect to a camera in the order of [`CAMERA`].
#[inline(always)]
fn camera_row<T: Scalar>(v: CameraGradient<T>) -> [T; CAMERA] {
    let Mat3 { r0, r1, r2 } = v.rotation;
    let (t, i) = (v.translation, v.intrinsics);
    [
        r0.x, r0.y, r0.z, t.x, r1.x, r1.y, r1.z, t.y, r2.x, r2.y, r2.z, t.z, i.fx, i.fy, i.cx, i.cy,
    ]
}

/// Adds `part` to the first `part.len()` elements of `sum`.
fn accumulate<T: Scalar>(sum: &mut [T], part: &[T]) {
    for (s, &p) in sum.iter_mut().zip(part) {
        *s += p;
    }
}
