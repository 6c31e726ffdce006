//! The backward compositor's innermost part: one hit on the way back to front, its gradient summed over the pixels of its tile.

use std::hint::select_unpredictable;

use crate::arithmetic::Arithmetic;
use crate::binning::cpu::TileGrid;
use crate::composite::Moments;
use crate::composite::blend::Layer;
use crate::composite::tile::{
    Aligned, Constants, Hit, MAX_LANES, NARROW_LANES, Row, Span, Spans, Tile, load, store,
};
use crate::math::Vec2;
use crate::scalar::Scalar;

/// Numbers of a hit's gradient by geometry: mean 2, conic 3, opacity 1, in this order.
pub(crate) const GEOMETRY: usize = 6;

/// Sums that make up the geometry's gradient, see [`Moments`].
const MOMENTS: usize = 6;

/// The pixels of a tile on the way back to front, by planes.
pub struct Pixels<T> {
    /// Transmittance behind the hits yet to come.
    pub(crate) transmittance: Vec<Row<T>>,
    /// The gradient by the light that everything behind them lets through.
    pub(crate) v_rest: Vec<Row<T>>,
    /// One past the place of the last hit composited.
    pub(crate) ends: Vec<Row<u32>>,
    /// The gradients by the sums of weight times value, row by row: depth if there is one, then features.
    pub(crate) v_values: Vec<Row<T>>,
    /// The greatest end of each row.
    pub(crate) row_ends: Vec<u32>,
    /// The x of the pixel centres of every row.
    pub(crate) centres: Row<T>,
    /// The sums over the pixels of the hit at hand, one per lane: six moments, then the planes.
    sums: Vec<Aligned<T>>,
    spans: Spans<T>,
}

impl<T: Scalar> Pixels<T> {
    /// Room for a tile of `grid` and a number of planes.
    pub(crate) fn new(grid: &TileGrid, planes: usize) -> Self {
        let rows = grid.tile_height;
        Self {
            transmittance: vec![[T::ONE; _]; rows],
            v_rest: vec![[T::ZERO; _]; rows],
            ends: vec![[0; _]; rows],
            v_values: vec![[T::ZERO; _]; rows * planes],
            row_ends: vec![0; rows],
            centres: [T::ZERO; _],
            sums: vec![Aligned([T::ZERO; _]); MOMENTS + planes],
            spans: Spans::new(),
        }
    }

    /// Takes one hit out of the pixels and writes its gradient: by geometry if `GEOM`, then by as many planes as `out` has left.
    #[inline(always)]
    pub(crate) fn remove<
        A: Arithmetic<T>,
        const LANES: usize,
        const PLANES: usize,
        const GEOM: bool,
    >(
        &mut self,
        tile: &Tile,
        hit: &Hit<T>,
        layer: Layer<'_, T>,
        constants: &Constants<T>,
        out: &mut [T],
    ) {
        hit.spans::<LANES>(tile, &mut self.spans);
        if hit.is_narrow() {
            self.rows::<A, NARROW_LANES, PLANES, GEOM>(hit, layer, constants, out);
        } else {
            self.rows::<A, LANES, PLANES, GEOM>(hit, layer, constants, out);
        }
    }

    #[inline(always)]
    fn rows<A: Arithmetic<T>, const LANES: usize, const PLANES: usize, const GEOM: bool>(
        &mut self,
        hit: &Hit<T>,
        layer: Layer<'_, T>,
        constants: &Constants<T>,
        out: &mut [T],
    ) {
        const { assert!(LANES <= MAX_LANES) };
        for sum in &mut self.sums {
            *sum = Aligned([T::ZERO; MAX_LANES]);
        }
        // A number of moments that the compiler knows.
        let Some((moments, sums)) = self.sums.split_first_chunk_mut::<MOMENTS>() else {
            return;
        };
        for row in hit.rows.clone() {
            let Span {
                first,
                end,
                right,
                dy,
            } = self.spans.row(row);
            if first >= end || layer.place >= self.row_ends[row] {
                continue;
            }
            let (transmittance, rests) = (&mut self.transmittance[row], &mut self.v_rest[row]);
            let v_planes = &self.v_values[row * sums.len()..(row + 1) * sums.len()];
            let mut column = first;
            while column < end {
                let v_weight = match (
                    known::<_, PLANES>(v_planes),
                    known::<_, PLANES>(layer.values),
                ) {
                    _ if !GEOM => [T::ZERO; LANES],
                    (Some(v), Some(values)) => v_weights::<T, A, LANES>(v, values, column),
                    _ => v_weights::<T, A, LANES>(v_planes, layer.values, column),
                };
                let lanes = Lanes {
                    x: load::<T, LANES>(&self.centres, column),
                    transmittance: load(transmittance, column),
                    v_rest: load(rests, column),
                    ends: load(&self.ends[row], column),
                };
                let x = lanes.x;
                let (in_front, weights, v_sigma) =
                    lanes.in_front::<A, GEOM>(dy, right, hit, layer.place, constants, v_weight);
                store(transmittance, column, in_front.transmittance);
                if GEOM {
                    store(rests, column, in_front.v_rest);
                    let dx = std::array::from_fn(|lane| x[lane] - hit.mean.x);
                    add_moments::<T, A, LANES>(moments, &dx, dy, &v_sigma);
                }
                match (
                    sums.first_chunk_mut::<PLANES>(),
                    known::<_, PLANES>(v_planes),
                ) {
                    (Some(sums), Some(v)) if PLANES > 0 => {
                        add_weighted::<T, A, LANES>(sums, v, column, &weights);
                    }
                    _ => add_weighted::<T, A, LANES>(sums, v_planes, column, &weights),
                }
                column += LANES;
            }
        }
        let (by_geometry, by_planes) = out.split_at_mut(if GEOM { GEOMETRY } else { 0 });
        if GEOM {
            let moments = Moments {
                one: total::<T, LANES>(&moments[0]),
                x: total::<T, LANES>(&moments[1]),
                y: total::<T, LANES>(&moments[2]),
                xx: total::<T, LANES>(&moments[3]),
                xy: total::<T, LANES>(&moments[4]),
                yy: total::<T, LANES>(&moments[5]),
            };
            let v = A::sigma_vjp(hit.conic, moments);
            let v_opacity = A::opacity_vjp(hit.opacity, moments.one);
            by_geometry.copy_from_slice(&[
                v.mean.x, v.mean.y, v.conic.xx, v.conic.xy, v.conic.yy, v_opacity,
            ]);
        }
        for (v, sum) in by_planes.iter_mut().zip(sums) {
            *v = total::<T, LANES>(sum);
        }
    }
}

/// The first `PLANES` of a slice, whose number the compiler then knows; nothing where it is not to know.
#[inline(always)]
fn known<U, const PLANES: usize>(planes: &[U]) -> Option<&[U; PLANES]> {
    planes.first_chunk().filter(|_| PLANES > 0)
}

/// What one unit of a hit's weight adds to the loss, from `column` of a row on.
#[inline(always)]
fn v_weights<T: Scalar, A: Arithmetic<T>, const LANES: usize>(
    v_planes: &[Row<T>],
    values: &[T],
    column: usize,
) -> [T; LANES] {
    let mut v_weight = [T::ZERO; LANES];
    for (v, &value) in v_planes.iter().zip(values) {
        let v: [T; LANES] = load(v, column);
        for lane in 0..LANES {
            v_weight[lane] = A::add_weighted(v_weight[lane], v[lane], value);
        }
    }
    v_weight
}

/// Adds what a hit's weights take from the gradients of a row from `column` on to a sum per plane and lane.
#[inline(always)]
fn add_weighted<T: Scalar, A: Arithmetic<T>, const LANES: usize>(
    sums: &mut [Aligned<T>],
    v_planes: &[Row<T>],
    column: usize,
    weights: &[T; LANES],
) {
    for (sum, v) in sums.iter_mut().zip(v_planes) {
        let v: [T; LANES] = load(v, column);
        let mut lanes: [T; LANES] = std::array::from_fn(|lane| sum.0[lane]);
        for lane in 0..LANES {
            lanes[lane] = A::add_weighted(lanes[lane], weights[lane], v[lane]);
        }
        sum.0[..LANES].copy_from_slice(&lanes);
    }
}

/// Adds pixels at `(dx, dy)` to the moments.
#[inline(always)]
fn add_moments<T: Scalar, A: Arithmetic<T>, const LANES: usize>(
    moments: &mut [Aligned<T>; MOMENTS],
    dx: &[T; LANES],
    dy: T,
    v_sigma: &[T; LANES],
) {
    // One loop per sum: each is then a few vector operations. What a loop does not use of the formula, the compiler drops.
    macro_rules! add {
        ($($k:literal $moment:ident)*) => {$(
            let mut lanes: [T; LANES] = std::array::from_fn(|lane| moments[$k].0[lane]);
            for lane in 0..LANES {
                let d = Vec2 { x: dx[lane], y: dy };
                let mut sum = Moments::default();
                sum.$moment = lanes[lane];
                lanes[lane] = A::add_moments(sum, d, v_sigma[lane]).$moment;
            }
            moments[$k].0[..LANES].copy_from_slice(&lanes);
        )*};
    }
    add!(0 one 1 x 2 y 3 xx 4 xy 5 yy);
}

/// Neighbouring pixels of a row: their centres, and what [`Pixels`] knows of them.
struct Lanes<T, const LANES: usize> {
    x: [T; LANES],
    transmittance: [T; LANES],
    v_rest: [T; LANES],
    ends: [u32; LANES],
}

impl<T: Scalar, const LANES: usize> Lanes<T, LANES> {
    /// The same pixels in front of a hit, as far as they lie left of `right`; the hit's weights; and its gradients by sigma, which
    /// are zero without `GEOM`.
    #[inline(always)]
    fn in_front<A: Arithmetic<T>, const GEOM: bool>(
        mut self,
        dy: T,
        right: T,
        hit: &Hit<T>,
        place: u32,
        constants: &Constants<T>,
        v_weight: [T; LANES],
    ) -> (Self, [T; LANES], [T; LANES]) {
        let (mut weights, mut v_sigma) = ([T::ZERO; LANES], [T::ZERO; LANES]);
        for lane in 0..LANES {
            let d = Vec2 {
                x: self.x[lane] - hit.mean.x,
                y: dy,
            };
            let sigma = A::sigma(hit.conic, d);
            let falloff = A::exp(-sigma);
            let alpha = A::alpha(hit.opacity, falloff, constants.alpha_max);
            let counts = (self.x[lane] < right)
                & (place < self.ends[lane])
                & (sigma <= A::SIGMA_MAX)
                & A::counts(sigma, alpha, constants.alpha_min);
            // Alpha of a pair that does not count may be anything: nothing made of it is kept.
            let behind = self.transmittance[lane];
            let t = A::in_front(behind, alpha);
            weights[lane] = select_unpredictable(counts, A::weight(alpha, t), T::ZERO);
            self.transmittance[lane] = select_unpredictable(counts, t, behind);
            if GEOM {
                let (v_weight, v_rest) = (v_weight[lane], self.v_rest[lane]);
                let v_alpha = A::weight_vjp(t, v_weight, v_rest);
                let v = A::alpha_vjp(hit.opacity, falloff, constants.alpha_max, v_alpha);
                v_sigma[lane] = select_unpredictable(counts, v, T::ZERO);
                let rest = A::rest(alpha, v_weight, v_rest);
                self.v_rest[lane] = select_unpredictable(counts, rest, v_rest);
            }
        }
        (self, weights, v_sigma)
    }
}

/// The sum over the lanes, by halves.
#[inline(always)]
fn total<T: Scalar, const LANES: usize>(lanes: &Aligned<T>) -> T {
    let mut lanes: [T; LANES] = std::array::from_fn(|lane| lanes.0[lane]);
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] += lanes[lane + half];
        }
        half /= 2;
    }
    lanes[0]
}
