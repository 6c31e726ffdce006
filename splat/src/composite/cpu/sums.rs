//! The last step of the backward compositor: sums the gradients of the hits of each splat, in
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

/// Number of splats per task.
const SPLATS_PER_TASK: usize = 512;

/// Prefetch distance, in hits. The gradients are stored in the order of the tiles' lists, so the
/// hits of one splat are scattered in memory.
const HITS_AHEAD: usize = 16;

/// Gradients of consecutive splats with respect to mean, conic, opacity and depth.
type GeometrySums<'a, T> = (&'a mut [[T; 2]], &'a mut [[T; 3]], &'a mut [T], &'a mut [T]);

impl<T: Scalar> Backward<'_, T> {
    /// Sums the gradients of every splat's hits, in the order of its tiles (MATH eq. 17).
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
        // The tasks write every element, so the old contents of these buffers do not matter.
        let mut v = Splats {
            means: workspace.scalars("gradient with respect to splat means", 2 * geometry)?,
            conics: workspace.scalars("gradient with respect to conics", 3 * geometry)?,
            opacities: workspace.scalars("gradient with respect to splat opacities", geometry)?,
            depths: workspace.scalars("gradient with respect to depths", geometry)?,
            features: workspace.scalars("gradient with respect to splat features", features)?,
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
        // Gradients that are not wanted have no tasks: the longer list gives the number of tasks.
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

    /// Sums the gradients of the hits of some splats with respect to geometry and features, each if
    /// it is wanted.
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
                    // A partial is about a cache line long and often spans two.
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
