//! The backward compositor's innermost part: one hit on the way back to front, its gradient summed over the pixels of its tile.

use std::hint::select_unpredictable;

use crate::arithmetic::Arithmetic;
use crate::binning::cpu::TileGrid;
use crate::composite::Moments;
use crate::composite::blend::Layer;
use crate::composite::tile::{Constants, Hit, MAX_LANES, NARROW_LANES, Spans, Tile, load};
use crate::math::Vec2;
use crate::scalar::Scalar;

/// Numbers of a hit's gradient by geometry: mean 2, conic 3, opacity 1, in this order.
pub(crate) const GEOMETRY: usize = 6;

/// Sums that make up the geometry's gradient, see [`Moments`].
const MOMENTS: usize = 6;

/// The pixels of a tile on the way back to front, by planes.
pub(crate) struct Pixels<T> {
    /// Transmittance behind the hits yet to come.
    pub(crate) transmittance: Vec<T>,
    /// The gradient by the light that everything behind them lets through.
    pub(crate) v_rest: Vec<T>,
    /// One past the place of the last hit composited.
    pub(crate) ends: Vec<u32>,
    /// The gradients by the sums of weight times value, by planes whose rows alternate: depth if there is one,
    /// then features.
    pub(crate) v_values: Vec<T>,
    /// The greatest end of each row.
    pub(crate) row_ends: Vec<u32>,
    /// The x of the pixel centres of every row.
    pub(crate) centres: Vec<T>,
    /// The sums over the pixels of the hit at hand, a row of [`MAX_LANES`] each: six moments, then the planes.
    sums: Vec<T>,
    spans: Spans,
}

impl<T: Scalar> Pixels<T> {
    /// Room for a tile of `grid` and a number of planes.
    pub(crate) fn new(grid: &TileGrid, planes: usize) -> Self {
        let (plane, stride) = (Tile::plane_of(grid), Tile::stride_of(grid));
        Self {
            transmittance: vec![T::ONE; plane],
            v_rest: vec![T::ZERO; plane],
            ends: vec![0; plane],
            v_values: vec![T::ZERO; plane * planes],
            row_ends: vec![0; plane / stride],
            centres: vec![T::ZERO; stride],
            sums: vec![T::ZERO; (MOMENTS + planes) * MAX_LANES],
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
            self.rows::<A, NARROW_LANES, PLANES, GEOM>(tile, hit, layer, constants, out);
        } else {
            self.rows::<A, LANES, PLANES, GEOM>(tile, hit, layer, constants, out);
        }
    }

    #[inline(always)]
    fn rows<A: Arithmetic<T>, const LANES: usize, const PLANES: usize, const GEOM: bool>(
        &mut self,
        tile: &Tile,
        hit: &Hit<T>,
        layer: Layer<'_, T>,
        constants: &Constants<T>,
        out: &mut [T],
    ) {
        const { assert!(LANES <= MAX_LANES) };
        self.sums.fill(T::ZERO);
        let planes = if PLANES > 0 {
            PLANES
        } else {
            layer.values.len()
        };
        for row in hit.rows.clone() {
            let [first, end] = self.spans.row(row);
            if first >= end || layer.place >= self.row_ends[row] {
                continue;
            }
            let dy = tile.centre_y::<T>(row) - hit.mean.y;
            let right = T::from_f64((tile.x + end) as f64);
            for column in (first..end).step_by(LANES) {
                let v_at = tile.row_of_plane(row, 0, planes) + column;
                let mut v_weight = [T::ZERO; LANES];
                if GEOM {
                    for plane in 0..planes {
                        let v: [T; LANES] = load(&self.v_values, v_at + plane * tile.stride);
                        let value = layer.values[plane];
                        for lane in 0..LANES {
                            v_weight[lane] = A::add_weighted(v_weight[lane], v[lane], value);
                        }
                    }
                }
                let step = Step {
                    at: row * tile.stride + column,
                    column,
                    dy,
                    right,
                    place: layer.place,
                };
                let (weights, v_sigma) =
                    self.step::<A, LANES, GEOM>(step, hit, constants, &v_weight);
                if GEOM {
                    self.add_moments::<A, LANES>(column, hit.mean.x, dy, &v_sigma);
                }
                for plane in 0..planes {
                    let v: [T; LANES] = load(&self.v_values, v_at + plane * tile.stride);
                    let at = (MOMENTS + plane) * MAX_LANES;
                    let mut sums: [T; LANES] = load(&self.sums, at);
                    for lane in 0..LANES {
                        sums[lane] = A::add_weighted(sums[lane], weights[lane], v[lane]);
                    }
                    self.sums[at..at + LANES].copy_from_slice(&sums);
                }
            }
        }
        let (by_geometry, by_planes) = out.split_at_mut(if GEOM { GEOMETRY } else { 0 });
        let total = |k: usize| total(load::<T, LANES>(&self.sums, k * MAX_LANES));
        if GEOM {
            let moments = Moments {
                one: total(0),
                x: total(1),
                y: total(2),
                xx: total(3),
                xy: total(4),
                yy: total(5),
            };
            let v = A::sigma_vjp(hit.conic, moments);
            let v_opacity = A::opacity_vjp(hit.opacity, moments.one);
            by_geometry.copy_from_slice(&[
                v.mean.x, v.mean.y, v.conic.xx, v.conic.xy, v.conic.yy, v_opacity,
            ]);
        }
        for (plane, v) in by_planes.iter_mut().enumerate() {
            *v = total(MOMENTS + plane);
        }
    }

    /// Adds the lanes from `column` on to the moments.
    #[inline(always)]
    fn add_moments<A: Arithmetic<T>, const LANES: usize>(
        &mut self,
        column: usize,
        mean_x: T,
        dy: T,
        v_sigma: &[T; LANES],
    ) {
        let x: [T; LANES] = load(&self.centres, column);
        // One loop per sum: each is then a few vector operations. What a loop does not use of the formula, the compiler drops.
        macro_rules! add {
            ($($k:literal $moment:ident)*) => {$(
                let at = $k * MAX_LANES;
                let mut sums: [T; LANES] = load(&self.sums, at);
                for lane in 0..LANES {
                    let d = Vec2 { x: x[lane] - mean_x, y: dy };
                    let mut sum = Moments::default();
                    sum.$moment = sums[lane];
                    sums[lane] = A::add_moments(sum, d, v_sigma[lane]).$moment;
                }
                self.sums[at..at + LANES].copy_from_slice(&sums);
            )*};
        }
        add!(0 one 1 x 2 y 3 xx 4 xy 5 yy);
    }

    /// Moves the lanes of a place in front of a hit, and returns its weights and gradients by sigma.
    #[inline(always)]
    fn step<A: Arithmetic<T>, const LANES: usize, const GEOM: bool>(
        &mut self,
        Step {
            at,
            column,
            dy,
            right,
            place,
        }: Step<T>,
        hit: &Hit<T>,
        constants: &Constants<T>,
        v_weight: &[T; LANES],
    ) -> ([T; LANES], [T; LANES]) {
        let x: [T; LANES] = load(&self.centres, column);
        let behind: [T; LANES] = load(&self.transmittance, at);
        let ends: [u32; LANES] = load(&self.ends, at);
        let rest: [T; LANES] = load(&self.v_rest, at);
        let mut weights = [T::ZERO; LANES];
        let mut v_sigma = [T::ZERO; LANES];
        let (mut in_front, mut next_rest) = (behind, rest);
        for lane in 0..LANES {
            let d = Vec2 {
                x: x[lane] - hit.mean.x,
                y: dy,
            };
            let sigma = A::sigma(hit.conic, d);
            let falloff = A::exp(-sigma);
            let alpha = A::alpha(hit.opacity, falloff, constants.alpha_max);
            let counts = A::counts(sigma, alpha, constants.alpha_min)
                & (x[lane] < right)
                & (place < ends[lane]);
            let alpha = select_unpredictable(counts, alpha, T::ZERO);
            let t = A::in_front(behind[lane], alpha);
            weights[lane] = A::weight(alpha, t);
            in_front[lane] = t;
            if GEOM {
                let v_alpha = A::weight_vjp(t, v_weight[lane], rest[lane]);
                let v = A::alpha_vjp(hit.opacity, falloff, constants.alpha_max, v_alpha);
                v_sigma[lane] = select_unpredictable(counts, v, T::ZERO);
                next_rest[lane] = A::rest(alpha, v_weight[lane], rest[lane]);
            }
        }
        self.transmittance[at..at + LANES].copy_from_slice(&in_front);
        if GEOM {
            self.v_rest[at..at + LANES].copy_from_slice(&next_rest);
        }
        (weights, v_sigma)
    }
}

/// Where a step works: lanes from element `at` of a plane and column `column` on, left of `right`, `dy` below the hit's centre; and the
/// hit's place in its tile's list.
struct Step<T> {
    at: usize,
    column: usize,
    dy: T,
    right: T,
    place: u32,
}

/// The sum over the lanes, by halves.
#[inline(always)]
fn total<T: Scalar, const LANES: usize>(mut lanes: [T; LANES]) -> T {
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] += lanes[lane + half];
        }
        half /= 2;
    }
    lanes[0]
}
