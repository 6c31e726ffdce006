//! Loops of the projection over all Gaussians of all views. The vjp is in `backward.rs`.

use std::sync::Arc;

use half::f16;
use rayon::prelude::*;

use crate::binning::bounds::{reach, visible_extent};
use crate::config::RenderConfig;
use crate::encoding::Features;
use crate::error::{RenderError, checked_product, try_collected};
use crate::gaussians::Gaussians;
use crate::harmonics::cpu::basis::{Basis, Coefficients, known};
use crate::host::columns::{self, BLOCK, Column, GRAIN};
use crate::host::cut::cut;
use crate::host::memory::Memory;
use crate::host::simd::{Kernel, Simd};
use crate::host::workspace::Resources;
use crate::math::Sym2;
use crate::project::CameraParams;
use crate::project::ProjectConstants;
use crate::project::cpu::columns::{ShapeColumns, SplatColumns};
use crate::scalar::Scalar;
use crate::scalar::rounding::Arithmetic;
use crate::splats::Splats;
use crate::views::Views;

/// The inputs that all jobs of a projection share.
struct Pass<'a, T: Scalar> {
    gaussians: &'a Gaussians<&'a [T]>,
    cameras: Vec<CameraParams<T>>,
    constants: ProjectConstants<T>,
    alpha_min: f64,
    size: [usize; 2],
    coefficients: Option<Coefficients<'a, T>>,
    simd: Simd,
}

impl<'a, T: Scalar> Pass<'a, T> {
    /// Returns the features of `count` Gaussians from `gaussian` on, whose splats begin at `splat`.
    /// Returns `None` for harmonics.
    #[inline(always)]
    fn given_features(&self, gaussian: usize, splat: usize, count: usize) -> Option<&'a [T]> {
        let channels = self.gaussians.channels;
        let first = match self.gaussians.encoding.features {
            Features::PerGaussian => gaussian,
            Features::PerSplat => splat,
            Features::Harmonics { .. } => return None,
        };
        Some(&self.gaussians.features[first * channels..(first + count) * channels])
    }
}

/// A run of consecutive splats of one view, and the parts of the output buffers that it fills.
struct Job<'a, T> {
    view: usize,
    first_gaussian: usize,
    /// Index of the first splat, over all views.
    first_splat: usize,
    splats: Splats<&'a mut [T]>,
}

/// Projects every Gaussian of every view.
pub(crate) fn project<T: Scalar>(
    gaussians: &Gaussians<&[T]>,
    views: &Views,
    config: &RenderConfig,
    Resources { simd, workspace }: Resources<'_, T>,
) -> Result<Splats<Vec<T>>, RenderError> {
    let offsets = views.splat_offsets()?;
    let (m, channels) = (offsets[views.len()], gaussians.channels);
    let elements = checked_product("splat features [M, C]", &[m, channels])?;
    let mut splats = Splats {
        means: workspace.zeros("splat means [M, 2]", 2 * m)?,
        conics: workspace.zeros("conics [M, 3]", 3 * m)?,
        opacities: workspace.zeros("splat opacities [M]", m)?,
        depths: workspace.zeros("depths [M]", m)?,
        features: workspace.zeros("splat features [M, C]", elements)?,
        half_features: None,
        extents: workspace.zeros("extents [M, 2]", 2 * m)?,
        offsets,
        channels,
    };
    let pass = Pass {
        gaussians,
        cameras: camera_params(views)?,
        constants: config.project_constants(),
        alpha_min: config.alpha_min,
        size: [views.width, views.height],
        coefficients: Coefficients::of(gaussians),
        simd,
    };
    let memory = workspace.memory();
    let mut jobs = jobs(&mut splats, views, memory)?;
    jobs.par_drain(..)
        .for_each(|job| simd.dispatch(Project { pass: &pass, job }));
    memory.keep_list::<Job<'static, T>, _>(jobs);
    if config.half_features {
        let features = std::mem::take(&mut splats.features);
        splats.half_features = Some(Arc::new(to_halves(&features, memory)?));
        workspace.recycle(features);
    }
    Ok(splats)
}

/// Converts the cameras of all views to the form that the formulas read.
pub(super) fn camera_params<T: Scalar>(views: &Views) -> Result<Vec<CameraParams<T>>, RenderError> {
    let cameras = views.cameras.iter();
    let params = cameras.map(|camera| camera.params(views.width, views.height));
    try_collected("parameters of cameras [B]", params)
}

/// Rounds features to 16-bit floats. Values beyond their range are clamped to ±65,504.
pub(super) fn to_halves<T: Scalar>(
    features: &[T],
    memory: &Memory,
) -> Result<Vec<f16>, RenderError> {
    let greatest = f16::MAX.to_f64();
    let half = |x: T| f16::from_f64(x.to_f64().clamp(-greatest, greatest));
    let mut halves = memory.buffer("16-bit splat features [M, C]", features.len())?;
    let pairs = halves.par_iter_mut().zip(features).with_min_len(GRAIN);
    pairs.for_each(|(out, &x)| *out = half(x));
    Ok(halves)
}

/// Splits the buffers of `splats` into jobs of at most [`GRAIN`] splats. A job has splats of one
/// view only.
fn jobs<'a, T: Scalar>(
    splats: &'a mut Splats<Vec<T>>,
    views: &Views,
    memory: &Memory,
) -> Result<Vec<Job<'a, T>>, RenderError> {
    let channels = splats.channels;
    let mut means = splats.means.as_mut_slice();
    let mut conics = splats.conics.as_mut_slice();
    let mut opacities = splats.opacities.as_mut_slice();
    let mut depths = splats.depths.as_mut_slice();
    let mut features = splats.features.as_mut_slice();
    let mut extents = splats.extents.as_mut_slice();
    let runs = views.ranges.iter().map(|range| range.len().div_ceil(GRAIN));
    let mut jobs = memory.list::<Job<'static, T>, _>("runs of Gaussians", runs.sum())?;
    let mut first_splat = 0;
    for (view, range) in views.ranges.iter().enumerate() {
        for first_gaussian in range.clone().step_by(GRAIN) {
            let n = GRAIN.min(range.end - first_gaussian);
            let splats = Splats {
                means: cut(&mut means, 2 * n),
                conics: cut(&mut conics, 3 * n),
                opacities: cut(&mut opacities, n),
                depths: cut(&mut depths, n),
                features: cut(&mut features, n * channels),
                half_features: None,
                extents: cut(&mut extents, 2 * n),
                offsets: Vec::new(),
                channels,
            };
            jobs.push(Job {
                view,
                first_gaussian,
                first_splat,
                splats,
            });
            first_splat += n;
        }
    }
    Ok(jobs)
}

/// Projects the Gaussians of one job.
struct Project<'a, T: Scalar> {
    pass: &'a Pass<'a, T>,
    job: Job<'a, T>,
}

impl<T: Scalar> Kernel for Project<'_, T> {
    type Scalar = T;
    type Output = ();

    #[inline(always)]
    fn run<A: Arithmetic<T>, const LANES: usize>(self) {
        let Self { pass, mut job } = self;
        let zeros = [T::ZERO; BLOCK];
        let mut block = Block {
            shapes: ShapeColumns::new(),
            splats: SplatColumns::new(),
            variances: [zeros; 2],
            reaches: zeros,
            extents: [zeros; 2],
        };
        let n = job.splats.opacities.len();
        for start in (0..n).step_by(BLOCK) {
            block.project::<A, LANES>(pass, &mut job, start, BLOCK.min(n - start));
        }
    }
}

/// The columns of one block: inputs, intermediate values and results.
struct Block<T> {
    shapes: ShapeColumns<T>,
    splats: SplatColumns<T>,
    /// Diagonal entries of the blurred covariances, px^2.
    variances: [Column<T>; 2],
    /// First the opacities, then the reaches: the greatest `sigma` at which a splat counts. Both
    /// are zero for culled splats.
    reaches: Column<T>,
    extents: [Column<T>; 2],
}

impl<T: Scalar> Block<T> {
    /// Projects `count` Gaussians of `job`, starting with index `start` of the job.
    #[inline(always)]
    fn project<A: Arithmetic<T>, const LANES: usize>(
        &mut self,
        pass: &Pass<'_, T>,
        job: &mut Job<'_, T>,
        start: usize,
        count: usize,
    ) {
        let first = job.first_gaussian + start;
        self.shapes.read(pass.gaussians, first, count);
        let end = columns::padded::<LANES>(count);
        self.footprints(pass, job.view, end);
        let channels = pass.gaussians.channels;
        let given = pass.given_features(first, job.first_splat + start, count);
        if let Some(features) = given.filter(|features| !all_finite(features)) {
            for (k, row) in features.chunks_exact(channels).enumerate() {
                if !all_finite(row) {
                    self.reaches[k] = T::ZERO;
                }
            }
        }
        self.extents(pass, end);
        let rows = &mut job.splats.features[start * channels..(start + count) * channels];
        if let Some(features) = given {
            rows.copy_from_slice(features);
        } else {
            self.harmonics::<A>(pass, job.view, first, rows);
        }
        for (k, row) in rows.chunks_exact_mut(channels).enumerate() {
            if !self.is_visible(k) {
                row.fill(T::ZERO);
            }
        }
        self.splats.write(&mut job.splats, start, count);
        let end = start + count;
        columns::write(&mut job.splats.extents[2 * start..2 * end], &self.extents);
    }

    /// Whether splat `k` of the block is visible. Extents are never negative, and zero marks a
    /// culled splat.
    #[inline(always)]
    fn is_visible(&self, k: usize) -> bool {
        self.extents[0][k] > T::ZERO
    }

    /// Evaluates the harmonics of the visible splats of the block, whose Gaussians begin at
    /// `first`. Culls a splat if one of its features is not finite.
    #[inline(always)]
    fn harmonics<A: Arithmetic<T>>(
        &mut self,
        pass: &Pass<'_, T>,
        view: usize,
        first: usize,
        rows: &mut [T],
    ) {
        // Three channels, as for colours, are compiled as a constant number.
        match pass.gaussians.channels {
            3 => self.harmonics_of::<A, 3>(pass, view, first, rows),
            _ => self.harmonics_of::<A, 0>(pass, view, first, rows),
        }
    }

    #[inline(always)]
    fn harmonics_of<A: Arithmetic<T>, const CHANNELS: usize>(
        &mut self,
        pass: &Pass<'_, T>,
        view: usize,
        first: usize,
        rows: &mut [T],
    ) {
        let channels = known::<CHANNELS>(pass.gaussians.channels);
        let Some(coefficients) = pass.coefficients else {
            return;
        };
        let count = rows.len() / channels;
        if !(0..count).any(|k| self.is_visible(k)) {
            return;
        }
        let means = &pass.gaussians.means[3 * first..3 * (first + count)];
        let mut basis = Basis::new();
        basis.fill(pass.simd, coefficients.used, means, pass.cameras[view]);
        for (k, row) in rows.chunks_exact_mut(channels).enumerate() {
            if self.is_visible(k) {
                basis.features::<A>(k, coefficients.row(first + k), row);
                if !all_finite(row) {
                    columns::set(&mut self.extents, k, false, [T::ZERO; 2]);
                    self.splats.set(k, false, self.splats.get(k));
                }
            }
        }
    }

    /// Computes the splats of the block. `reaches` receives the opacities, or zero for culled
    /// splats.
    #[inline(always)]
    fn footprints(&mut self, pass: &Pass<'_, T>, view: usize, end: usize) {
        let (camera, constants) = (pass.cameras[view], pass.constants);
        let alpha_min = T::from_f64(pass.alpha_min);
        for k in 0..end {
            let shape = self.shapes.get(k);
            let footprint = T::footprint(shape, camera, constants);
            let splat = T::splat(shape, footprint, camera, constants);
            let sound = T::is_sound(shape, footprint, splat, camera, alpha_min);
            self.splats.set(k, true, splat);
            self.variances[0][k] = footprint.covariance.xx;
            self.variances[1][k] = footprint.covariance.yy;
            columns::set_one(&mut self.reaches, k, sound, splat.opacity);
        }
    }

    /// Computes the extents of the block. All values of an invisible splat become zero.
    #[inline(always)]
    fn extents(&mut self, pass: &Pass<'_, T>, end: usize) {
        for k in 0..end {
            self.reaches[k] = reach(self.reaches[k], pass.alpha_min);
        }
        for k in 0..end {
            let mean = self.splats.get(k).mean;
            let covariance = Sym2 {
                xx: self.variances[0][k],
                xy: T::ZERO,
                yy: self.variances[1][k],
            };
            let extent = visible_extent([mean.x, mean.y], covariance, self.reaches[k], pass.size);
            columns::set(&mut self.extents, k, true, extent);
        }
        for k in 0..end {
            let extent = [self.extents[0][k], self.extents[1][k]];
            let seen = (extent[0] > T::ZERO) & (extent[1] > T::ZERO);
            columns::set(&mut self.extents, k, seen, extent);
            self.splats.set(k, seen, self.splats.get(k));
        }
    }
}

/// Whether every value is finite.
#[inline(always)]
fn all_finite<T: Scalar>(numbers: &[T]) -> bool {
    numbers.iter().fold(true, |all, x| all & x.finite())
}
