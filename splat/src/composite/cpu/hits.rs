//! The hits of a tile, in batches.

use crate::error::{RenderError, checked_product, try_filled};
use crate::host::prefetch::prefetch_to_read;
use crate::math::{Sym2, Vec2};
use crate::scalar::Scalar;
use crate::splats::Splats;

/// The number of hits of a batch.
pub(crate) const BATCH: usize = 16;

/// One value for each hit of a batch.
pub(crate) type Column<T> = [T; BATCH];

/// Consecutive hits of a tile's list, stored as columns. `BatchBounds` computes from them the
/// bounds of the whole batch at once.
#[derive(Debug, Clone)]
pub(crate) struct Batch<T> {
    pub(crate) mean: [Column<T>; 2],
    pub(crate) conic: [Column<T>; 3],
    pub(crate) opacity: Column<T>,
    /// `[BATCH, planes]`: the depth if it has a plane, then the features.
    values: Vec<T>,
    planes: usize,
}

impl<T: Scalar> Batch<T> {
    /// Creates a batch of hits with `planes` values each.
    ///
    /// # Errors
    /// Returns an error if the size overflows or the allocation fails.
    pub(crate) fn new(planes: usize) -> Result<Self, RenderError> {
        let zeros = [T::ZERO; _];
        let what = "values of hits [16, C]";
        let values = checked_product(what, &[BATCH, planes])?;
        Ok(Self {
            mean: [zeros; _],
            conic: [zeros; _],
            opacity: zeros,
            values: try_filled(what, values, T::ZERO)?,
            planes,
        })
    }

    /// Loads at most [`BATCH`] splats. `PLANES` is the number of values of a splat, or 0 to read it
    /// at run time.
    #[inline(always)]
    pub(crate) fn load<const PLANES: usize>(&mut self, splats: &Splats<&[T]>, hits: &[u32]) {
        let values = self.values.chunks_exact_mut(self.planes);
        for ((k, &m), values) in (0..BATCH).zip(hits).zip(values) {
            let m = m as usize;
            self.mean[0][k] = splats.means[2 * m];
            self.mean[1][k] = splats.means[2 * m + 1];
            let conic = splats.conic(m);
            self.conic[0][k] = conic.xx;
            self.conic[1][k] = conic.xy;
            self.conic[2][k] = conic.yy;
            self.opacity[k] = splats.opacities[m];
            match values.first_chunk_mut::<PLANES>() {
                Some(values) if PLANES > 0 => load_values(splats, m, values),
                _ => load_values(splats, m, values),
            }
        }
    }

    /// Prefetches the data that [`load`](Self::load) reads for the first splats of a list.
    /// Consecutive splats of a list are scattered in memory.
    #[inline(always)]
    pub(crate) fn fetch(&self, splats: &Splats<&[T]>, hits: &[u32]) {
        for &m in hits.iter().take(BATCH) {
            let m = m as usize;
            prefetch_to_read(&splats.means[2 * m..2 * m + 2]);
            prefetch_to_read(&splats.conics[3 * m..3 * m + 3]);
            prefetch_to_read(&splats.opacities[m..=m]);
            splats.fetch_features(m);
            if self.planes > splats.channels {
                prefetch_to_read(&splats.depths[m..=m]);
            }
        }
    }

    /// Returns hit `k` of the batch.
    #[inline(always)]
    pub(crate) fn hit(&self, k: usize) -> Hit<T> {
        Hit {
            mean: Vec2 {
                x: self.mean[0][k],
                y: self.mean[1][k],
            },
            conic: Sym2 {
                xx: self.conic[0][k],
                xy: self.conic[1][k],
                yy: self.conic[2][k],
            },
            opacity: self.opacity[k],
        }
    }

    /// Returns the values that hit `k` adds to the planes, before weighting.
    #[inline(always)]
    pub(crate) fn values(&self, k: usize) -> &[T] {
        &self.values[k * self.planes..(k + 1) * self.planes]
    }
}

impl<T: Scalar> Splats<&[T]> {
    /// Writes the features of splat `m` to `out`.
    #[inline(always)]
    fn load_features(&self, m: usize, out: &mut [T]) {
        let row = m * self.channels..(m + 1) * self.channels;
        if let Some(halves) = &self.half_features {
            for (out, half) in out.iter_mut().zip(&halves[row]) {
                *out = T::from_f64(half.to_f64());
            }
        } else if let ([r, g, b], [red, green, blue]) = (&mut *out, &self.features[row.clone()]) {
            // The usual number of channels, written out: a call to copy three values takes longer
            // than the copies.
            (*r, *g, *b) = (*red, *green, *blue);
        } else {
            out.copy_from_slice(&self.features[row]);
        }
    }

    /// Prefetches the features of splat `m`.
    #[inline(always)]
    fn fetch_features(&self, m: usize) {
        let row = m * self.channels..(m + 1) * self.channels;
        match &self.half_features {
            Some(halves) => prefetch_to_read(&halves[row]),
            None => prefetch_to_read(&self.features[row]),
        }
    }
}

/// Loads the values of a splat for the planes: its depth if it has a plane, then its features.
#[inline(always)]
fn load_values<T: Scalar>(splats: &Splats<&[T]>, m: usize, values: &mut [T]) {
    let channels = splats.channels;
    let (depth, features) = values.split_at_mut(values.len() - channels);
    if let [depth] = depth {
        *depth = splats.depths[m];
    }
    splats.load_features(m, features);
}

/// A splat that a tile's list contains.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hit<T: Scalar> {
    pub(crate) mean: Vec2<T>,
    pub(crate) conic: Sym2<T>,
    pub(crate) opacity: T,
}
