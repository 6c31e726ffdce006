//! One hit in one chunk of lanes on the way back to front: what the backward compositor does innermost.

use crate::composite::tile::{Constants, Hit, LANES, Lanes};
use crate::scalar::Scalar;

/// Numbers of a hit's gradient by geometry: mean 2, conic 3, opacity 1, depth 1, in this order.
pub(crate) const GEOMETRY: usize = 7;

/// A chunk of pixels: its number in the tile and its pixel centres.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chunk<T> {
    pub(crate) at: usize,
    pub(crate) x: Lanes<T>,
    pub(crate) y: T,
}

/// The pixels of a tile on the way back to front, in chunks of lanes.
pub(crate) struct Pixels<T> {
    /// Transmittance behind the hits yet to come.
    pub(crate) transmittance: Vec<Lanes<T>>,
    /// What everything behind them adds to the loss.
    pub(crate) beyond: Vec<Lanes<T>>,
    pub(crate) ends: Vec<Lanes<u32>>,
    pub(crate) v_depth: Vec<Lanes<T>>,
    /// By channel, then chunk.
    pub(crate) v_features: Vec<Lanes<T>>,
}

impl<T: Scalar> Pixels<T> {
    pub(crate) fn new(chunks: usize, channels: usize) -> Self {
        Self {
            transmittance: vec![[T::ONE; LANES]; chunks],
            beyond: vec![[T::ZERO; LANES]; chunks],
            ends: vec![[0; LANES]; chunks],
            v_depth: vec![[T::ZERO; LANES]; chunks],
            v_features: vec![[T::ZERO; LANES]; chunks * channels],
        }
    }

    /// A fresh tile: nothing of the one before is left in lanes outside the image.
    pub(crate) fn clear(&mut self) {
        self.transmittance.fill([T::ONE; LANES]);
        self.beyond.fill([T::ZERO; LANES]);
        self.ends.fill([0; LANES]);
        self.v_depth.fill([T::ZERO; LANES]);
        self.v_features.fill([T::ZERO; LANES]);
    }

    /// Which pixels of a chunk the hit at `place` of the tile's list can have reached.
    #[inline(always)]
    pub(crate) fn live(&self, at: usize, place: u32) -> [bool; LANES] {
        std::array::from_fn(|lane| place < self.ends[at][lane])
    }

    /// Adds one hit in one chunk to `sums` and moves the chunk in front of the hit. Without `GEOMETRY` only the sums by feature.
    #[inline(always)]
    pub(crate) fn step<const GEOMETRY: bool>(
        &mut self,
        chunk: Chunk<T>,
        live: [bool; LANES],
        hit: &Hit<T>,
        feature: &[T],
        constants: &Constants<T>,
        sums: &mut HitSums<T>,
    ) {
        let (at, d) = (chunk.at, hit.offsets(chunk.x, chunk.y));
        let mut falloff = hit.falloff(chunk.x, &d, constants);
        for lane in 0..LANES {
            falloff[lane] = if live[lane] { falloff[lane] } else { T::ZERO };
        }
        let v_weight = if GEOMETRY {
            self.v_weight(at, hit, feature)
        } else {
            [T::ZERO; LANES]
        };
        let mut weights = [T::ZERO; LANES];
        for lane in 0..LANES {
            let alpha = T::alpha(hit.opacity, falloff[lane], constants.alpha_max);
            let t = T::in_front(self.transmittance[at][lane], alpha);
            weights[lane] = T::weight(alpha, t);
            self.transmittance[at][lane] = t;
            if GEOMETRY {
                let beyond = self.beyond[at][lane];
                let v_alpha = T::weight_vjp(alpha, t, v_weight[lane], beyond);
                self.beyond[at][lane] = beyond + weights[lane] * v_weight[lane];
                // A lane that does not count has no falloff, which makes both of these zero.
                let v = T::alpha_vjp(hit.opacity, falloff[lane], constants.alpha_max, v_alpha);
                let by_sigma = T::sigma_vjp(hit.conic, d[lane], v.sigma);
                sums.geometry[0][lane] += by_sigma.mean.x;
                sums.geometry[1][lane] += by_sigma.mean.y;
                sums.geometry[2][lane] += by_sigma.conic.xx;
                sums.geometry[3][lane] += by_sigma.conic.xy;
                sums.geometry[4][lane] += by_sigma.conic.yy;
                sums.geometry[5][lane] += v.opacity;
                sums.geometry[6][lane] += weights[lane] * self.v_depth[at][lane];
            }
        }
        let planes = self.v_features.chunks_exact(self.ends.len());
        for (plane, sum) in planes.zip(&mut sums.features) {
            for lane in 0..LANES {
                sum[lane] += weights[lane] * plane[at][lane];
            }
        }
    }

    /// What one unit of a hit's weight adds to the loss.
    #[inline(always)]
    fn v_weight(&self, at: usize, hit: &Hit<T>, feature: &[T]) -> Lanes<T> {
        let mut v_weight = [T::ZERO; LANES];
        for lane in 0..LANES {
            v_weight[lane] = hit.depth * self.v_depth[at][lane];
        }
        let planes = self.v_features.chunks_exact(self.ends.len());
        for (plane, &f) in planes.zip(feature) {
            for lane in 0..LANES {
                v_weight[lane] += f * plane[at][lane];
            }
        }
        v_weight
    }
}

/// One hit's gradient, a sum per lane.
pub(crate) struct HitSums<T> {
    geometry: [Lanes<T>; GEOMETRY],
    features: Vec<Lanes<T>>,
}

impl<T: Scalar> HitSums<T> {
    pub(crate) fn new(channels: usize) -> Self {
        Self {
            geometry: [[T::ZERO; LANES]; GEOMETRY],
            features: vec![[T::ZERO; LANES]; channels],
        }
    }

    pub(crate) fn clear(&mut self) {
        self.geometry = [[T::ZERO; LANES]; GEOMETRY];
        self.features.fill([T::ZERO; LANES]);
    }

    /// Sums over the lanes: the geometry, if it takes up any of `out`, then the features.
    pub(crate) fn store(&self, out: &mut [T], geometry: usize) {
        let sum = |lanes: &Lanes<T>| lanes.iter().fold(T::ZERO, |sum, &x| sum + x);
        let (by_geometry, by_features) = out.split_at_mut(geometry);
        for (value, lanes) in by_geometry.iter_mut().zip(&self.geometry) {
            *value = sum(lanes);
        }
        for (value, lanes) in by_features.iter_mut().zip(&self.features) {
            *value = sum(lanes);
        }
    }
}
