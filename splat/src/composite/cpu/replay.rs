//! The innermost loop of the backward compositor: removes one hit from the pixels of its tile, and
//! sums the hit's gradient over these pixels.

use std::hint::select_unpredictable;

use crate::composite::cpu::blend::Listed;
use crate::composite::cpu::coverage::{PartSets, RowTerms};
use crate::composite::cpu::hits::Hit;
use crate::composite::cpu::tile::{
    BLOCK_COLUMNS, Block, BlockSet, Blocks, Centres, Constants, MAX_LANES, blocks_of_planes,
    take_first,
};
use crate::composite::{Moments, RowMoments};
use crate::error::{RenderError, try_filled};
use crate::scalar::Scalar;
use crate::scalar::rounding::Arithmetic;

/// The number of values of a partial for geometry: mean 2, conic 3, opacity 1, in this order.
pub(crate) const GEOMETRY: usize = 6;

/// The number of sums for the gradient with respect to geometry, see [`Moments`].
const MOMENTS: usize = 6;

/// The number of sums of a row of blocks, see [`RowMoments`].
const ROW_MOMENTS: usize = 3;

/// The pixels of a tile during the backward pass, as planes.
pub struct Pixels<T> {
    /// The transmittance behind the remaining hits.
    pub(crate) transmittance: Blocks<T>,
    /// The gradient with respect to the transmittance behind the remaining hits (MATH eq. 15').
    pub(crate) v_rest: Blocks<T>,
    /// One past the index of the last hit that can have been composited.
    pub(crate) ends: Blocks<u32>,
    /// The gradients with respect to the sums of weight times value, block by block: the depth if
    /// the loss depends on it, then the features.
    pub(crate) v_values: Vec<Block<T>>,
    pub(crate) centres: Centres<T>,
    /// The sums of the planes over the pixels of the current hit, one per lane. They are used if
    /// the number of planes is not a compile-time constant.
    sums: Vec<Block<T>>,
    /// The same sums over one row of blocks.
    row_sums: Vec<Block<T>>,
}

impl<T: Scalar> Pixels<T> {
    /// Allocates the pixels of a tile with `planes` planes.
    ///
    /// # Errors
    /// Returns an error if a size overflows or an allocation fails.
    pub(crate) fn new(planes: usize) -> Result<Self, RenderError> {
        Ok(Self {
            transmittance: Box::new([Block::all(T::ONE); _]),
            v_rest: Box::new([Block::all(T::ZERO); _]),
            ends: Box::new([Block::all(0); _]),
            v_values: blocks_of_planes(planes)?,
            centres: Centres::new(),
            sums: try_filled("sums of a hit [C]", planes, Block::all(T::ZERO))?,
            row_sums: try_filled("sums of a row of blocks [C]", planes, Block::all(T::ZERO))?,
        })
    }

    /// Returns the number of planes.
    pub(super) fn planes(&self) -> usize {
        self.sums.len()
    }

    /// Removes one hit from the pixels and writes its partial to `out`: geometry if `GEOM`, then as
    /// many planes as `out` has room for. The hit was composited in pixels of the blocks
    /// `in_blocks` only.
    #[inline(always)]
    pub(crate) fn remove<
        A: Arithmetic<T>,
        const LANES: usize,
        const PLANES: usize,
        const GEOM: bool,
    >(
        &mut self,
        in_blocks: &PartSets,
        hit: &Hit<T>,
        listed: Listed<'_, T>,
        constants: &Constants<T>,
        out: &mut [T],
    ) {
        const { assert!(LANES <= MAX_LANES) };
        let mut moments = [Block::all(T::ZERO); MOMENTS];
        let mut planes = [Block::all(T::ZERO); PLANES];
        if PLANES == 0 {
            self.sums.fill(Block::all(T::ZERO));
        }
        let mut rest = in_blocks.iter().fold(0, |any, &blocks| any | blocks);
        while rest != 0 {
            let row = rest.trailing_zeros() as usize / BLOCK_COLUMNS;
            let of_row = BlockSet::from(u8::MAX) << (row * BLOCK_COLUMNS);
            rest &= !of_row;
            for part in 0..MAX_LANES / LANES {
                let blocks = in_blocks[part] & of_row;
                if blocks == 0 {
                    continue;
                }
                let terms = RowTerms::new::<A>(hit, &self.centres, row, part);
                let (row_moments, row_planes) = self.remove_from_row::<A, LANES, PLANES, GEOM>(
                    hit, &terms, listed, constants, blocks, part,
                );
                add_planes::<T, LANES>(&mut planes, &row_planes);
                if PLANES == 0 {
                    add_planes::<T, LANES>(&mut self.sums, &self.row_sums);
                }
                if GEOM {
                    let down = self.centres.below::<LANES>(hit.mean.y, row, part);
                    add_row::<T, A, LANES>(&mut moments, &row_moments, &down);
                }
            }
        }
        let planes = if PLANES > 0 { &planes[..] } else { &self.sums };
        write_gradient::<T, A, LANES, GEOM>(hit, &moments, planes, out);
    }

    /// Removes one hit from some blocks of one row, and returns the sums over their pixels. These
    /// are the moments, and the planes if `PLANES > 0`. Otherwise the sums of the planes are in
    /// `row_sums`.
    #[inline(always)]
    fn remove_from_row<
        A: Arithmetic<T>,
        const LANES: usize,
        const PLANES: usize,
        const GEOM: bool,
    >(
        &mut self,
        hit: &Hit<T>,
        terms: &RowTerms<T, LANES>,
        listed: Listed<'_, T>,
        constants: &Constants<T>,
        mut blocks: BlockSet,
        part: usize,
    ) -> ([Block<T>; ROW_MOMENTS], [Block<T>; PLANES]) {
        // The sums of a row stay in registers if `PLANES > 0`. The compiler would keep the sums
        // of a whole hit in memory.
        let mut row_moments = [Block::all(T::ZERO); _];
        let mut row_planes = [Block::all(T::ZERO); PLANES];
        if PLANES == 0 {
            self.row_sums.fill(Block::all(T::ZERO));
        }
        while blocks != 0 {
            let block = take_first(&mut blocks);
            let count = if PLANES > 0 {
                PLANES
            } else {
                self.row_sums.len()
            };
            let v_planes = &self.v_values[block * count..][..count];
            let v_weight = match (
                known::<_, PLANES>(v_planes),
                known::<_, PLANES>(listed.values),
            ) {
                _ if !GEOM => [T::ZERO; LANES],
                (Some(v), Some(values)) => v_weights::<T, A, LANES>(v, values, part),
                _ => v_weights::<T, A, LANES>(v_planes, listed.values, part),
            };
            let (transmittance, v_rest) = (&mut self.transmittance[block], &mut self.v_rest[block]);
            let dx = self.centres.right_of(hit.mean.x, block);
            let sigma = terms.sigma::<A>(hit.conic, &dx);
            let pixels = Lanes {
                transmittance: transmittance.load(part),
                v_rest: v_rest.load(part),
                ends: self.ends[block].load(part),
            };
            let (in_front, weights, v_sigma) =
                pixels.in_front::<A, GEOM>(&sigma, hit.opacity, listed.index, constants, v_weight);
            transmittance.store(part, in_front.transmittance);
            if GEOM {
                v_rest.store(part, in_front.v_rest);
                add_in_row::<T, A, LANES>(&mut row_moments, &dx, &v_sigma);
            }
            match known::<_, PLANES>(v_planes) {
                Some(v) => add_weighted::<T, A, LANES>(&mut row_planes, v, part, &weights),
                None => {
                    add_weighted::<T, A, LANES>(&mut self.row_sums, v_planes, part, &weights);
                }
            }
        }
        (row_moments, row_planes)
    }
}

/// Adds the sums of one row of blocks to those of a hit.
#[inline(always)]
fn add_planes<T: Scalar, const LANES: usize>(sums: &mut [Block<T>], of_row: &[Block<T>]) {
    for (sum, of_row) in sums.iter_mut().zip(of_row) {
        let (mut lanes, of_row): ([T; LANES], [T; LANES]) = (sum.load(0), of_row.load(0));
        for lane in 0..LANES {
            lanes[lane] += of_row[lane];
        }
        sum.store(0, lanes);
    }
}

/// Writes a hit's partial: geometry if `GEOM`, then as many planes as `out` has room for.
#[inline(always)]
fn write_gradient<T: Scalar, A: Arithmetic<T>, const LANES: usize, const GEOM: bool>(
    hit: &Hit<T>,
    moments: &[Block<T>; MOMENTS],
    sums: &[Block<T>],
    out: &mut [T],
) {
    let (by_geometry, by_planes) = out.split_at_mut(if GEOM { GEOMETRY } else { 0 });
    if GEOM {
        let [one, x, y, xx, xy, yy] = moments.each_ref().map(total::<T, LANES>);
        let moments = Moments {
            one,
            x,
            y,
            xx,
            xy,
            yy,
        };
        let v = A::sigma_vjp(hit.conic, moments);
        // A splat that counts in no pixel can have any opacity, including zero and NaN.
        let v_opacity = if moments.one == T::ZERO {
            T::ZERO
        } else {
            A::opacity_vjp(hit.opacity, moments.one)
        };
        by_geometry.copy_from_slice(&[
            v.mean.x, v.mean.y, v.conic.xx, v.conic.xy, v.conic.yy, v_opacity,
        ]);
    }
    for (v, sum) in by_planes.iter_mut().zip(sums) {
        *v = total::<T, LANES>(sum);
    }
}

/// Returns the first `PLANES` elements of a slice as an array, or `None` if `PLANES` is 0.
#[inline(always)]
fn known<U, const PLANES: usize>(planes: &[U]) -> Option<&[U; PLANES]> {
    planes.first_chunk().filter(|_| PLANES > 0)
}

/// Computes the gradient with respect to a hit's weight (MATH eq. 15'), in one part of a block.
#[inline(always)]
pub(super) fn v_weights<T: Scalar, A: Arithmetic<T>, const LANES: usize>(
    v_planes: &[Block<T>],
    values: &[T],
    part: usize,
) -> [T; LANES] {
    let mut v_weight = [T::ZERO; LANES];
    for (v, &value) in v_planes.iter().zip(values) {
        let v: [T; LANES] = v.load(part);
        for lane in 0..LANES {
            v_weight[lane] = A::add_weighted(v_weight[lane], v[lane], value);
        }
    }
    v_weight
}

/// Adds the gradients of one part of a block, times a hit's weights, to a sum per plane and lane.
#[inline(always)]
fn add_weighted<T: Scalar, A: Arithmetic<T>, const LANES: usize>(
    sums: &mut [Block<T>],
    v_planes: &[Block<T>],
    part: usize,
    weights: &[T; LANES],
) {
    for (sum, v) in sums.iter_mut().zip(v_planes) {
        let v: [T; LANES] = v.load(part);
        let mut lanes: [T; LANES] = sum.load(0);
        for lane in 0..LANES {
            lanes[lane] = A::add_weighted(lanes[lane], weights[lane], v[lane]);
        }
        sum.store(0, lanes);
    }
}

// The following two functions have one loop per sum, so that each loop is a few vector operations.
// The compiler removes the parts of the formula that a loop does not use.

/// Adds pixels of a row of blocks, `dx` right of the splat's centre, to the row's moments.
#[inline(always)]
fn add_in_row<T: Scalar, A: Arithmetic<T>, const LANES: usize>(
    sums: &mut [Block<T>; ROW_MOMENTS],
    dx: &[T; LANES],
    v_sigma: &[T; LANES],
) {
    macro_rules! add {
        ($($k:literal $moment:ident)*) => {$(
            let mut lanes: [T; LANES] = sums[$k].load(0);
            for lane in 0..LANES {
                let mut sum = RowMoments::default();
                sum.$moment = lanes[lane];
                lanes[lane] = A::add_in_row(sum, dx[lane], v_sigma[lane]).$moment;
            }
            sums[$k].store(0, lanes);
        )*};
    }
    add!(0 one 1 x 2 xx);
}

/// Adds the moments of a row of blocks, `down` below the splat's centre, to the hit's moments.
#[inline(always)]
fn add_row<T: Scalar, A: Arithmetic<T>, const LANES: usize>(
    moments: &mut [Block<T>; MOMENTS],
    of_row: &[Block<T>; ROW_MOMENTS],
    down: &[T; LANES],
) {
    let [one, x, xx]: [[T; LANES]; ROW_MOMENTS] = of_row.each_ref().map(|sum| sum.load(0));
    macro_rules! add {
        ($($k:literal $moment:ident)*) => {$(
            let mut lanes: [T; LANES] = moments[$k].load(0);
            for lane in 0..LANES {
                let row = RowMoments { one: one[lane], x: x[lane], xx: xx[lane] };
                let mut sum = Moments::default();
                sum.$moment = lanes[lane];
                lanes[lane] = A::add_row(sum, row, down[lane]).$moment;
            }
            moments[$k].store(0, lanes);
        )*};
    }
    add!(0 one 1 x 2 y 3 xx 4 xy 5 yy);
}

/// The state of the pixels in one part of a block.
pub(super) struct Lanes<T, const LANES: usize> {
    pub(super) transmittance: [T; LANES],
    pub(super) v_rest: [T; LANES],
    pub(super) ends: [u32; LANES],
}

impl<T: Scalar, const LANES: usize> Lanes<T, LANES> {
    /// Returns the pixels in front of a hit, the hit's weights, and its gradients with respect to
    /// sigma. Without `GEOM` these gradients are zero.
    #[inline(always)]
    pub(super) fn in_front<A: Arithmetic<T>, const GEOM: bool>(
        mut self,
        sigma: &[T; LANES],
        opacity: T,
        index: u32,
        constants: &Constants<T>,
        v_weight: [T; LANES],
    ) -> (Self, [T; LANES], [T; LANES]) {
        let (mut weights, mut v_sigma) = ([T::ZERO; LANES], [T::ZERO; LANES]);
        for lane in 0..LANES {
            let sigma = sigma[lane];
            let falloff = A::falloff(sigma);
            let alpha = A::alpha(opacity, falloff, constants.alpha_max);
            let counts = (index < self.ends[lane]) & A::counts(sigma, alpha, constants.alpha_min);
            // The results of a pair that does not count are discarded: its alpha can be any value.
            let behind = self.transmittance[lane];
            let t = A::in_front(behind, alpha);
            weights[lane] = select_unpredictable(counts, A::weight(alpha, t), T::ZERO);
            self.transmittance[lane] = select_unpredictable(counts, t, behind);
            if GEOM {
                let (v_weight, v_rest) = (v_weight[lane], self.v_rest[lane]);
                let v_alpha = A::weight_vjp(t, v_weight, v_rest);
                let v = A::alpha_vjp(opacity, falloff, constants.alpha_max, v_alpha);
                v_sigma[lane] = select_unpredictable(counts, v, T::ZERO);
                let rest = A::rest(alpha, v_weight, v_rest);
                self.v_rest[lane] = select_unpredictable(counts, rest, v_rest);
            }
        }
        (self, weights, v_sigma)
    }
}

/// Returns the sum over the lanes. Each step adds the upper half to the lower half.
#[inline(always)]
pub(super) fn total<T: Scalar, const LANES: usize>(lanes: &Block<T>) -> T {
    let mut lanes: [T; LANES] = lanes.load(0);
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] += lanes[lane + half];
        }
        half /= 2;
    }
    lanes[0]
}
