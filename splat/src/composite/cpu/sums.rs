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

/// The gradients of consecutive splats that are wanted: with respect to geometry and features.
type Sums<'a, T> = (Option<GeometrySums<'a, T>>, Option<&'a mut [T]>);

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
        let is_wanted = geometry > 0 || features > 0;
        let tasks = if is_wanted {
            m.div_ceil(SPLATS_PER_TASK)
        } else {
            0
        };
        let memory = workspace.memory();
        let mut list = memory.list::<Sums<'static, T>, _>("tasks of splats", tasks)?;
        let mut parts = (
            v.means.as_chunks_mut().0.chunks_mut(SPLATS_PER_TASK),
            v.conics.as_chunks_mut().0.chunks_mut(SPLATS_PER_TASK),
            v.opacities.chunks_mut(SPLATS_PER_TASK),
            v.depths.chunks_mut(SPLATS_PER_TASK),
        );
        let mut features = v
            .features
            .chunks_mut(channels.saturating_mul(SPLATS_PER_TASK));
        // Gradients that are not wanted have no parts.
        list.extend((0..tasks).map(|_| {
            let (means, conics, opacities, depths) = &mut parts;
            let geometry = match (means.next(), conics.next(), opacities.next(), depths.next()) {
                (Some(means), Some(conics), Some(opacities), Some(depths)) => {
                    Some((means, conics, opacities, depths))
                }
                _ => None,
            };
            (geometry, features.next())
        }));
        let parts = list.par_drain(..).enumerate();
        parts.for_each(|(task, (geometry, features))| {
            let first = task * SPLATS_PER_TASK;
            let splats = first..m.min(first + SPLATS_PER_TASK);
            self.sum_hits_of(splats, partials, geometry, features);
        });
        memory.keep_list::<Sums<'static, T>, _>(list);
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
