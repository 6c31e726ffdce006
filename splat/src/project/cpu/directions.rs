//! The vjp of harmonics that the projection evaluates. The gradient with respect to coefficients is
//! a sum over views. Gradients with respect to means and poses arise from the direction of view.

use rayon::prelude::*;

use crate::error::{RenderError, try_filled};
use crate::harmonics::cpu::basis::{BasisGradient, Coefficients, known};
use crate::host::columns::{self, BLOCK, GRAIN};
use crate::host::simd::Kernel;
use crate::project::cpu::pass::{Run, VjpPass};
use crate::scalar::Scalar;
use crate::scalar::rounding::Arithmetic;

/// Working memory of a thread for one Gaussian.
pub(super) struct Scratch<T> {
    /// `[C]`
    values: Vec<T>,
    /// `[K, C]`: takes the place of a gradient with respect to coefficients that is not wanted.
    row: Vec<T>,
}

impl<T: Scalar> Scratch<T> {
    /// Allocates the memory for `coefficients`. It is empty without harmonics.
    pub(super) fn new(coefficients: Option<Coefficients<'_, T>>) -> Result<Self, RenderError> {
        let (row, channels) = coefficients.map_or((0, 0), |of| (of.row_len(), of.channels));
        Ok(Self {
            values: try_filled("channel sums of a Gaussian [C]", channels, T::ZERO)?,
            row: try_filled("gradient of a Gaussian [K, C]", row, T::ZERO)?,
        })
    }
}

/// The gradients of the Gaussians of a task with respect to means and coefficients.
type Part<'a, T> = (&'a mut [T], &'a mut [T]);

/// Adds the gradients through the harmonics to those with respect to means, `[N, 3]`, and
/// coefficients, `[N, K, C]`. Either may be empty if it is not wanted.
pub(super) fn harmonics_vjp<T: Scalar>(
    pass: &VjpPass<'_, T>,
    coefficients: Coefficients<'_, T>,
    v_means: &mut [T],
    v_coefficients: &mut [T],
) -> Result<(), RenderError> {
    let (count, row) = (pass.gaussians.count, coefficients.row_len());
    let tasks = count.div_ceil(GRAIN);
    let memory = pass.resources.workspace.memory();
    let mut parts: Vec<Part<'_, T>> =
        memory.list::<Part<'static, T>, _>("tasks of Gaussians", tasks)?;
    let mut means = v_means.chunks_mut(3 * GRAIN);
    let mut rows = v_coefficients.chunks_mut(row.saturating_mul(GRAIN));
    for _ in 0..tasks {
        let (means, rows) = (means.next(), rows.next());
        parts.push((means.unwrap_or_default(), rows.unwrap_or_default()));
    }
    let tasks = parts.par_iter_mut().enumerate();
    let scratch = || Scratch::new(Some(coefficients));
    tasks.try_for_each_init(scratch, |scratch, (task, (v_means, v_coefficients))| {
        let scratch = scratch.as_mut().map_err(|error| error.clone())?;
        let first = task * GRAIN;
        for &view in pass.views_of.of(task) {
            let run = pass.run(view as usize, first, GRAIN.min(count - first));
            let to = run.first_gaussian - first;
            pass.resources.simd.dispatch(HarmonicsVjp {
                pass,
                coefficients,
                run: &run,
                v_means: v_means.get_mut(3 * to..).unwrap_or_default(),
                v_coefficients: v_coefficients.get_mut(row * to..).unwrap_or_default(),
                scratch,
            });
        }
        Ok::<_, RenderError>(())
    })?;
    memory.keep_list::<Part<'static, T>, _>(parts);
    Ok(())
}

/// Adds the gradients of one run to those of its Gaussians.
struct HarmonicsVjp<'a, T: Scalar> {
    pass: &'a VjpPass<'a, T>,
    coefficients: Coefficients<'a, T>,
    run: &'a Run,
    v_means: &'a mut [T],
    v_coefficients: &'a mut [T],
    scratch: &'a mut Scratch<T>,
}

impl<T: Scalar> Kernel for HarmonicsVjp<'_, T> {
    type Scalar = T;
    type Output = ();

    #[inline(always)]
    fn run<A: Arithmetic<T>, const LANES: usize>(self) {
        let row = self.coefficients.row_len();
        let mut gradient = BasisGradient::new();
        for start in (0..self.run.count).step_by(BLOCK) {
            let count = BLOCK.min(self.run.count - start);
            let rows = self.v_coefficients.get_mut(row * start..);
            let directed = !self.v_means.is_empty();
            block_vjp::<T, A>(
                (self.pass, self.coefficients, self.run),
                (start, count, directed),
                &mut gradient,
                rows.unwrap_or_default(),
                self.scratch,
            );
            if directed {
                let means = &mut self.v_means[3 * start..3 * (start + count)];
                columns::add(means, &gradient.v_offsets);
            }
        }
    }
}

/// The pass, its coefficients, and the run of splats to which a block belongs.
type Source<'a, T> = (&'a VjpPass<'a, T>, Coefficients<'a, T>, &'a Run);

/// Computes the gradients of `count` splats of a run, from splat `start` of the run on. Adds those
/// with respect to coefficients to `v_rows`, unless it is empty. If `directed` is true, computes
/// those with respect to the offsets from the camera's centre, `gradient.v_offsets`.
#[inline(always)]
pub(super) fn block_vjp<T: Scalar, A: Arithmetic<T>>(
    source: Source<'_, T>,
    block: (usize, usize, bool),
    gradient: &mut BasisGradient<T>,
    v_rows: &mut [T],
    scratch: &mut Scratch<T>,
) {
    match source.0.gaussians.channels {
        3 => block_vjp_of::<T, A, 3>(source, block, gradient, v_rows, scratch),
        _ => block_vjp_of::<T, A, 0>(source, block, gradient, v_rows, scratch),
    }
}

#[inline(always)]
fn block_vjp_of<T: Scalar, A: Arithmetic<T>, const CHANNELS: usize>(
    (pass, coefficients, run): Source<'_, T>,
    (start, count, directed): (usize, usize, bool),
    gradient: &mut BasisGradient<T>,
    v_rows: &mut [T],
    scratch: &mut Scratch<T>,
) {
    let channels = known::<CHANNELS>(coefficients.channels);
    let row = coefficients.row_len();
    let (gaussian, splat) = (run.first_gaussian + start, run.first_splat + start);
    let means = &pass.gaussians.means[3 * gaussian..3 * (gaussian + count)];
    let camera = pass.cameras[run.view];
    gradient
        .basis
        .fill(pass.resources.simd, coefficients.used, means, camera);
    let extents = pass.splats.extents[2 * splat..].as_chunks::<2>().0;
    for (k, &[x, y]) in extents.iter().take(count).enumerate() {
        if !((x > T::ZERO) & (y > T::ZERO)) {
            gradient.skip(k, coefficients.used);
            continue;
        }
        let own = coefficients.row(gaussian + k);
        let v = &pass.v_splats.features[(splat + k) * channels..][..channels];
        let values = &mut scratch.values[..channels];
        let v_row = match v_rows.get_mut(k * row..(k + 1) * row) {
            Some(v_row) => v_row,
            None => &mut scratch.row,
        };
        gradient.basis.sum::<A>(k, own, values);
        gradient.sum_vjp::<A>(k, own, values, v, v_row);
    }
    if directed {
        gradient.directions_vjp(pass.resources.simd, coefficients.used, count);
    }
}
