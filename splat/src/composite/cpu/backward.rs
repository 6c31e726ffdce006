//! The backward compositor: walks the hits of every tile back to front. Each hit's gradient is
//! summed over the tile's pixels and stored in the hit's slot as its *partial* (`walk.rs`). Then the
//! partials of each splat are summed in order (`sums.rs`).

use rayon::prelude::*;

use crate::composite::cpu::blend::Listed;
use crate::composite::cpu::composited::Composited;
use crate::composite::cpu::coverage::PartSets;
use crate::composite::cpu::hits::Hit;
use crate::composite::cpu::pass::Backward;
use crate::composite::cpu::replay::Pixels;
use crate::composite::cpu::tile::Constants;
use crate::composite::cpu::walk::{Partial, Replay};
use crate::error::RenderError;
use crate::gradients::Wanted;
use crate::host::simd::Kernel;
use crate::host::workspace::Resources;
use crate::image::Image;
use crate::scalar::Scalar;
use crate::scalar::rounding::Arithmetic;
use crate::sort::cpu::lists::SortedHits;
use crate::splats::Splats;

/// Computes the vjp of the compositor. Returns the gradients with respect to the splats and the
/// backgrounds, `[B, C]`.
///
/// # Errors
/// Returns an error if the inputs do not match each other, or if an allocation fails.
pub(crate) fn composite_vjp<T: Scalar>(
    splats: &Splats<&[T]>,
    sorted: &SortedHits,
    backgrounds: &[T],
    composited: &Composited<T>,
    v_image: &Image<&[T]>,
    wanted: Wanted,
    Resources { simd, workspace }: Resources<'_, T>,
) -> Result<(Splats<Vec<T>>, Vec<T>), RenderError> {
    let (size, channels) = (sorted.grid.size, splats.channels);
    let pass = Backward {
        splats,
        sorted,
        backgrounds,
        composited,
        v_image,
        wanted,
        statistics: false,
    };
    let (partials, by_tile) =
        pass.replay(simd, workspace, |replay| simd.dispatch(Gradients(replay)))?;
    let v_splats = pass.sum_hits(&partials, workspace)?;
    let mut v_backgrounds = Vec::new();
    if wanted.backgrounds {
        let what = "gradient with respect to backgrounds [B, C]";
        v_backgrounds = workspace.zeros(what, size.views * channels)?;
        let views = v_backgrounds.par_chunks_mut(channels);
        let views = views.zip(by_tile.par_chunks(sorted.grid.per_view().saturating_mul(channels)));
        views.for_each(|(sum, tiles)| {
            for tile in tiles.chunks_exact(channels) {
                for (sum, &part) in sum.iter_mut().zip(tile) {
                    *sum += part;
                }
            }
        });
    }
    workspace.recycle(partials);
    workspace.recycle(by_tile);
    Ok((v_splats, v_backgrounds))
}

/// Replays the hits of a tile and writes their gradients.
struct Gradients<'p, 'a, T: Scalar>(Replay<'p, 'a, T>);

impl<T: Scalar> Kernel for Gradients<'_, '_, T> {
    type Scalar = T;
    type Output = ();

    #[inline(always)]
    fn run<A: Arithmetic<T>, const LANES: usize>(self) {
        if !self.0.pass.wanted.splat_geometry() {
            return self.0.hits::<A, LANES, 0, Gradient<0, false>>();
        }
        match self.0.pass.planes() {
            3 => self.0.hits::<A, LANES, 3, Gradient<3, true>>(),
            4 => self.0.hits::<A, LANES, 4, Gradient<4, true>>(),
            _ => self.0.hits::<A, LANES, 0, Gradient<0, true>>(),
        }
    }
}

/// The gradient of a hit with `PLANES` planes, or any number if `PLANES` is 0.
struct Gradient<const PLANES: usize, const GEOM: bool>;

impl<T: Scalar, const PLANES: usize, const GEOM: bool> Partial<T> for Gradient<PLANES, GEOM> {
    #[inline(always)]
    fn remove<A: Arithmetic<T>, const LANES: usize>(
        pixels: &mut Pixels<T>,
        in_blocks: &PartSets,
        hit: &Hit<T>,
        listed: Listed<'_, T>,
        constants: &Constants<T>,
        out: &mut [T],
    ) {
        pixels.remove::<A, LANES, PLANES, GEOM>(in_blocks, hit, listed, constants, out);
    }
}
