//! What comes after the walk over tiles: every splat adds up the gradients of its hits, in their
//! order.

use std::ops::Range;

use rayon::prelude::*;

use crate::composite::cpu::pass::Backward;
use crate::composite::cpu::replay::GEOMETRY;
use crate::error::RenderError;
use crate::host::prefetch::prefetch_to_read;
use crate::host::workspace::Workspace;
use crate::scalar::Scalar;
use crate::splats::Splats;

/// Splats whose hits one task adds up.
const SPLATS_PER_TASK: usize = 512;

/// Hits between those whose gradients are fetched and the one that is added: they lie in the order
/// of the tiles' lists.
const HITS_AHEAD: usize = 16;

/// Gradients of neighbouring splats: by mean, conic, opacity and depth.
type GeometrySums<'a, T> = (&'a mut [[T; 2]], &'a mut [[T; 3]], &'a mut [T], &'a mut [T]);

impl<T: Scalar> Backward<'_, T> {
    /// Adds up every splat's hits, in the order of its tiles (MATH eq. 17).
    pub(super) fn sum_hits(
        &self,
        partials: &[T],
        workspace: &Workspace<T>,
    ) -> Result<Splats<Vec<T>>, RenderError> {
        let (m, channels) = (self.splats.len(), self.splats.channels);
        let geometry = if self.wanted.splat_geometry() { m } else { 0 };
        let features = if self.wanted.features {
            m * channels
        } else {
            0
        };
        // Every number is written: what was in these buffers before does not matter.
        let mut v = Splats {
            means: workspace.scalars("gradient by splat means", 2 * geometry)?,
            conics: workspace.scalars("gradient by conics", 3 * geometry)?,
            opacities: workspace.scalars("gradient by splat opacities", geometry)?,
            depths: workspace.scalars("gradient by depths", geometry)?,
            features: workspace.scalars("gradient by splat features", features)?,
            half_features: None,
            extents: Vec::new(),
            offsets: self.splats.offsets.clone(),
            channels,
        };
        let by_geometry = (
            v.means.as_chunks_mut().0.par_chunks_mut(SPLATS_PER_TASK),
            v.conics.as_chunks_mut().0.par_chunks_mut(SPLATS_PER_TASK),
            v.opacities.par_chunks_mut(SPLATS_PER_TASK),
            v.depths.par_chunks_mut(SPLATS_PER_TASK),
        );
        let mut geometry = by_geometry.into_par_iter().map(Some).collect::<Vec<_>>();
        let mut features = v
            .features
            .par_chunks_mut(channels.saturating_mul(SPLATS_PER_TASK))
            .map(Some)
            .collect::<Vec<_>>();
        // What is not wanted has no tasks of its own.
        let tasks = geometry.len().max(features.len());
        geometry.resize_with(tasks, || None);
        features.resize_with(tasks, || None);
        let tasks = geometry.into_par_iter().zip(features).enumerate();
        tasks.for_each(|(task, (geometry, features))| {
            let first = task * SPLATS_PER_TASK;
            self.sum_hits_of(
                first..m.min(first + SPLATS_PER_TASK),
                partials,
                geometry,
                features,
            );
        });
        Ok(v)
    }

    /// Adds up the hits of some splats: by mean, conic, opacity and depth, and by features, each
    /// where it is wanted.
    fn sum_hits_of(
        &self,
        splats: Range<usize>,
        partials: &[T],
        mut geometry: Option<GeometrySums<'_, T>>,
        mut features: Option<&mut [T]>,
    ) {
        let (channels, stride) = (self.splats.channels, self.stride());
        let slots = &self.sorted.slot_from_hit;
        let partial = |slot: u32| &partials[slot as usize * stride..(slot as usize + 1) * stride];
        for (k, offsets) in self.sorted.hits_from_splat[splats.start..=splats.end]
            .windows(2)
            .enumerate()
        {
            let (mut sum, mut depth) = ([T::ZERO; GEOMETRY], T::ZERO);
            let mut row = features
                .as_mut()
                .map(|rows| &mut rows[k * channels..(k + 1) * channels]);
            if let Some(row) = &mut row {
                row.fill(T::ZERO);
            }
            for hit in offsets[0] as usize..offsets[1] as usize {
                if let Some(&ahead) = slots.get(hit + HITS_AHEAD) {
                    // Hardly longer than a cache line, and across the end of one as often as not.
                    let (first, rest) = partial(ahead).split_at(self.geometry());
                    prefetch_to_read(first);
                    prefetch_to_read(rest);
                }
                let (by_geometry, by_planes) = partial(slots[hit]).split_at(self.geometry());
                for (sum, &part) in sum.iter_mut().zip(by_geometry) {
                    *sum += part;
                }
                let (by_depth, by_features) = by_planes.split_at(self.depths());
                if let [part] = by_depth {
                    depth += *part;
                }
                if let Some(row) = &mut row {
                    for (sum, &part) in row.iter_mut().zip(by_features) {
                        *sum += part;
                    }
                }
            }
            if let Some((means, conics, opacities, depths)) = &mut geometry {
                [
                    means[k][0],
                    means[k][1],
                    conics[k][0],
                    conics[k][1],
                    conics[k][2],
                    opacities[k],
                ] = sum;
                depths[k] = depth;
            }
        }
    }
}
