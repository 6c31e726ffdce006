//! Statistics of splats: the weights in all pixels, and the absolute values of the gradients (MATH eq.
//! 23). The hits are replayed as in the vjp, with other sums.

use std::hint::select_unpredictable;

use rayon::prelude::*;

use crate::composite::cpu::blend::Listed;
use crate::composite::cpu::composited::Composited;
use crate::composite::cpu::coverage::{PartSets, RowTerms};
use crate::composite::cpu::hits::Hit;
use crate::composite::cpu::pass::{Backward, STATISTICS};
use crate::composite::cpu::replay::{Lanes, Pixels, total, v_weights};
use crate::composite::cpu::tile::{BLOCK_COLUMNS, Block, Constants, MAX_LANES, take_first};
use crate::composite::cpu::walk::{Partial, Replay};
use crate::error::RenderError;
use crate::gradients::Wanted;
use crate::host::simd::Kernel;
use crate::host::workspace::Resources;
use crate::image::Image;
use crate::math::Vec2;
use crate::scalar::Scalar;
use crate::scalar::rounding::Arithmetic;
use crate::sort::cpu::lists::SortedHits;
use crate::splats::Splats;
use crate::statistics::SplatStatistics;

/// Number of splats per task.
const SPLATS_PER_TASK: usize = 512;

/// Computes the statistics of splats.
///
/// # Errors
/// Returns an error if the inputs do not match each other, or if an allocation fails.
pub(crate) fn splat_statistics<T: Scalar>(
    splats: &Splats<&[T]>,
    sorted: &SortedHits,
    backgrounds: &[T],
    composited: &Composited<T>,
    v_image: &Image<&[T]>,
    Resources { simd, workspace }: Resources<'_, T>,
) -> Result<SplatStatistics<Vec<T>>, RenderError> {
    let pass = Backward {
        splats,
        sorted,
        backgrounds,
        composited,
        v_image,
        wanted: Wanted::NONE.with_geometry(true),
        statistics: true,
    };
    let (partials, by_tile) =
        pass.replay(simd, workspace, |replay| simd.dispatch(Weigh(replay)))?;
    workspace.recycle(by_tile);
    let m = splats.len();
    let mut out = SplatStatistics {
        absolute_means: workspace.scalars("absolute gradients of splats [M, 2]", 2 * m)?,
        largest_weights: workspace.scalars("largest weights of splats [M]", m)?,
        total_weights: workspace.scalars("total weights of splats [M]", m)?,
    };
    let absolutes = out.absolute_means.as_chunks_mut::<2>().0;
    let tasks = absolutes
        .par_chunks_mut(SPLATS_PER_TASK)
        .zip(out.largest_weights.par_chunks_mut(SPLATS_PER_TASK))
        .zip(out.total_weights.par_chunks_mut(SPLATS_PER_TASK));
    let partials_of = partials.as_chunks::<STATISTICS>().0;
    tasks
        .enumerate()
        .for_each(|(task, ((absolutes, largest), totals))| {
            let first = task * SPLATS_PER_TASK;
            for k in 0..totals.len() {
                let hits = &sorted.hits_from_splat[first + k..];
                let slots = &sorted.slot_from_hit[hits[0] as usize..hits[1] as usize];
                let mut sums = [T::ZERO; STATISTICS];
                for &slot in slots {
                    let [x, y, weight, greatest] = partials_of[slot as usize];
                    sums[0] += x;
                    sums[1] += y;
                    sums[2] += weight;
                    sums[3] = greater(sums[3], greatest);
                }
                let [x, y, weight, greatest] = sums;
                (absolutes[k], totals[k], largest[k]) = ([x, y], weight, greatest);
            }
        });
    workspace.recycle(partials);
    Ok(out)
}

/// Replays the hits of a tile and writes their statistics.
struct Weigh<'p, 'a, T: Scalar>(Replay<'p, 'a, T>);

impl<T: Scalar> Kernel for Weigh<'_, '_, T> {
    type Scalar = T;
    type Output = ();

    #[inline(always)]
    fn run<A: Arithmetic<T>, const LANES: usize>(self) {
        self.0.hits::<A, LANES, 0, Weights>();
    }
}

/// The statistics of a hit.
struct Weights;

impl<T: Scalar> Partial<T> for Weights {
    #[inline(always)]
    fn remove<A: Arithmetic<T>, const LANES: usize>(
        pixels: &mut Pixels<T>,
        in_blocks: &PartSets,
        hit: &Hit<T>,
        listed: Listed<'_, T>,
        constants: &Constants<T>,
        out: &mut [T],
    ) {
        const { assert!(LANES <= MAX_LANES) };
        let planes = listed.values.len();
        let [mut x, mut y, mut sum, mut greatest] = [[T::ZERO; LANES]; STATISTICS];
        for part in 0..MAX_LANES / LANES {
            let mut blocks = in_blocks[part];
            while blocks != 0 {
                let block = take_first(&mut blocks);
                let row = block / BLOCK_COLUMNS;
                let terms = RowTerms::<T, LANES>::new::<A>(hit, &pixels.centres, row, part);
                let dx: [T; LANES] = pixels.centres.right_of(hit.mean.x, block);
                let dy: [T; LANES] = pixels.centres.below(hit.mean.y, row, part);
                let sigma = terms.sigma::<A>(hit.conic, &dx);
                let v_planes = &pixels.v_values[block * planes..][..planes];
                let v_weight = v_weights::<T, A, LANES>(v_planes, listed.values, part);
                let behind = Lanes {
                    transmittance: pixels.transmittance[block].load(part),
                    v_rest: pixels.v_rest[block].load(part),
                    ends: pixels.ends[block].load(part),
                };
                let (in_front, weights, v_sigma) = behind.in_front::<A, true>(
                    &sigma,
                    hit.opacity,
                    listed.index,
                    constants,
                    v_weight,
                );
                pixels.transmittance[block].store(part, in_front.transmittance);
                pixels.v_rest[block].store(part, in_front.v_rest);
                for lane in 0..LANES {
                    let d = Vec2 {
                        x: dx[lane],
                        y: dy[lane],
                    };
                    let v_mean = A::mean_vjp(hit.conic, d, v_sigma[lane]);
                    x[lane] += v_mean.x.abs();
                    y[lane] += v_mean.y.abs();
                    sum[lane] += weights[lane];
                    greatest[lane] = greater(greatest[lane], weights[lane]);
                }
            }
        }
        let mut most = T::ZERO;
        for lane in 0..LANES {
            most = greater(most, greatest[lane]);
        }
        let sums = [x, y, sum].map(|lanes| {
            let mut block = Block::all(T::ZERO);
            block.store(0, lanes);
            total::<T, LANES>(&block)
        });
        out.copy_from_slice(&[sums[0], sums[1], sums[2], most]);
    }
}

/// Returns the greater of two values. Weights are finite.
#[inline(always)]
fn greater<T: Scalar>(a: T, b: T) -> T {
    select_unpredictable(b > a, b, a)
}
