//! Measurements of the CPU compositor for benchmarks: the number of evaluated pairs, and the number
//! that the machine could evaluate.
//!
//! The module is hidden from the documentation. It serves `benches` and may change without notice.

use std::hint::select_unpredictable;

use rayon::prelude::*;

use crate::composite::cpu::blend::NEVER;
use crate::composite::cpu::coverage::BatchBounds;
use crate::composite::cpu::forward::composite;
use crate::composite::cpu::hits::Batch;
use crate::composite::cpu::strip::SavedBlocks;
use crate::composite::cpu::tile::{
    BLOCK_SIDE, BLOCKS, Block, Constants, MAX_LANES, MAX_TILE_SIDE, Tile, take_row,
};
use crate::config::RenderConfig;
use crate::error::RenderError;
use crate::host::simd::{Kernel, Simd};
use crate::host::workspace::{Resources, Workspace};
use crate::math::{Sym2, Vec2};
use crate::number::Number;
use crate::scalar::rounding::{Arithmetic, Separate};
use crate::sort::cpu::lists::SortedHits;
use crate::splats::Splats;

/// Numbers of (splat, pixel) pairs in one forward pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Work {
    /// Composited pairs: alpha is at least `alpha_min`, and the pixel has not ended.
    pub useful: u64,
    /// Pairs that the lanes of the compositor evaluate.
    pub evaluated: u64,
}

/// Counts the pairs of a forward pass. The compositor counts the evaluated pairs. A loop over
/// single pixels counts the useful pairs.
///
/// # Errors
/// The errors of [`crate::Backend::composite`].
pub fn count(
    splats: &Splats<&[f32]>,
    sorted: &SortedHits,
    config: &RenderConfig,
) -> Result<Work, RenderError> {
    let views = splats.offsets.len() - 1;
    let backgrounds = vec![0.0; views * splats.channels];
    let (simd, workspace) = (Simd::preferred()?, &Workspace::new());
    let (_, composited) = composite(
        splats,
        sorted,
        &backgrounds,
        config,
        Resources { simd, workspace },
    )?;
    let (grid, constants) = (sorted.grid, Constants::<f32>::new(config));
    let useful_in = |number: usize| {
        let (view, in_view) = (number / grid.per_view(), number % grid.per_view());
        let (column, row) = (in_view % grid.columns, in_view / grid.columns);
        let tile = Tile::new(&grid, column, row);
        let saved = SavedBlocks::new(&grid).of_tile(view, column, row);
        let (ends, _) = composited.ends[saved.start * MAX_LANES..saved.end * MAX_LANES].as_chunks();
        let mut blocks = [Block::all(NEVER); BLOCKS];
        if composited.ended[number] > 0 {
            for (number, &ends) in tile.blocks().flatten().zip(ends) {
                blocks[number] = Block(ends);
            }
        }
        let mut useful = 0;
        let (mut batch, mut bounds) = (Batch::new(splats.channels)?, BatchBounds::new());
        for (index, m) in sorted.splats_of_tile(number).chunks(1).enumerate() {
            batch.load::<0>(splats, m);
            bounds.find(splats, m, &batch, &tile, &constants);
            let hit = batch.hit(0);
            for row in bounds.bounds(0).rows {
                let mut ends = [NEVER; MAX_TILE_SIDE];
                let of_row = &blocks[tile.blocks_of_row(row / BLOCK_SIDE)];
                take_row(of_row, row, &mut ends[..tile.width], 1);
                for (column, &end) in ends[..tile.width].iter().enumerate() {
                    let d = Vec2 {
                        x: (tile.x + column) as f32 + 0.5 - hit.mean.x,
                        y: tile.centre_y::<f32>(row) - hit.mean.y,
                    };
                    let sigma = Separate::sigma(hit.conic, d);
                    let falloff = Separate::falloff(sigma);
                    let alpha = Separate::alpha(hit.opacity, falloff, constants.alpha_max);
                    let counts = Separate::counts(sigma, alpha, constants.alpha_min);
                    useful += u64::from(counts && (index as u32) < end);
                }
            }
        }
        Ok(useful)
    };
    Ok(Work {
        useful: (0..views * grid.per_view())
            .into_par_iter()
            .map(useful_in)
            .sum::<Result<u64, RenderError>>()?,
        evaluated: composited.evaluated,
    })
}

/// Returns the name of the default instruction set.
pub fn simd_name() -> &'static str {
    Simd::preferred().map_or("none", Simd::name)
}

/// Runs the arithmetic of the forward compositor for a pixel of three channels `steps` times, on
/// the calling thread and with all values in registers. Returns the number of evaluated lanes.
///
/// Loads, stores, rows and hits are left out.
pub fn roofline(steps: usize) -> u64 {
    Simd::preferred().map_or(0, |simd| simd.dispatch(Roofline(steps)))
}

struct Roofline(usize);

impl Kernel for Roofline {
    type Scalar = f32;
    type Output = u64;

    #[inline(always)]
    fn run<A: Arithmetic<f32>, const LANES: usize>(self) -> u64 {
        // Two vectors at a time hide the latency of the operations.
        if LANES == 16 {
            self.steps::<A, 32>()
        } else {
            self.steps::<A, 16>()
        }
    }
}

impl Roofline {
    #[inline(always)]
    fn steps<A: Arithmetic<f32>, const LANES: usize>(self) -> u64 {
        let constants = Constants::<f32>::new(&RenderConfig::default());
        let conic = std::hint::black_box(Sym2 {
            xx: 0.02,
            xy: 0.001,
            yy: 0.02,
        });
        let (opacity, values) = std::hint::black_box((0.01, [0.1f32, 0.2, 0.3]));
        let mut x = std::hint::black_box(0.5f32);
        let mut transmittance = [1.0; LANES];
        let mut ends = [NEVER; LANES];
        let mut sums = [[0.0; LANES]; 3];
        for index in 0..self.0 as u32 {
            x += 1e-9;
            for lane in 0..LANES {
                let t = transmittance[lane];
                let at = x + lane as f32;
                let sigma = A::sigma(conic, Vec2 { x: at, y: 0.5 });
                let alpha = A::alpha(opacity, A::falloff(sigma), constants.alpha_max);
                let counts = A::counts(sigma, alpha, constants.alpha_min);
                let behind = A::behind(t, alpha);
                let composited = counts & (behind > constants.transmittance_min);
                let weight = select_unpredictable(composited, A::weight(alpha, t), 0.0);
                let stops = counts & !composited;
                transmittance[lane] =
                    select_unpredictable(composited, behind, t.negative_if(stops));
                ends[lane] = ends[lane].min(select_unpredictable(stops, index, NEVER));
                for plane in 0..3 {
                    sums[plane][lane] = A::add_weighted(sums[plane][lane], weight, values[plane]);
                }
            }
        }
        std::hint::black_box((transmittance, ends, sums));
        (self.0 * LANES) as u64
    }
}
