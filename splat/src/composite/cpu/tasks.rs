//! The tasks of the forward compositor: strips, each with its parts of the outputs.

use crate::composite::cpu::composited::Composited;
use crate::composite::cpu::coverage::SavedSet;
use crate::composite::cpu::strip::{SavedBlocks, Strip, Strips};
use crate::composite::cpu::write::{ContributorRows, Saved};
use crate::contributors::Contributors;
use crate::error::RenderError;
use crate::host::cut::cut;
use crate::host::memory::Memory;
use crate::image::Image;
use crate::scalar::Scalar;
use crate::sort::cpu::lists::SortedHits;

/// Rows of pixels of consecutive strips. Every strip has as many rows as a tile is high; those beyond
/// the image are empty.
type StripRows<'a, T> = Vec<&'a mut [T]>;

/// A strip, and its parts of the outputs as rows of pixels.
pub(super) struct Task<'r, 'a, T> {
    pub(super) strip: Strip,
    pub(super) features: &'r mut [&'a mut [T]],
    pub(super) transmittance: Option<&'r mut [&'a mut [T]]>,
    pub(super) depth: Option<&'r mut [&'a mut [T]]>,
    /// The rows of every prefix image, one image after the other.
    pub(super) layers: &'r mut [&'a mut [T]],
    pub(super) layer_transmittance: Option<&'r mut [&'a mut [T]]>,
    pub(super) contributors: Option<ContributorRows<'r, 'a, T>>,
    pub(super) saved: Saved<'a, T>,
    /// `[hits, parts]`: the sets of blocks of the strip's hits.
    pub(super) hit_blocks: &'a mut [SavedSet],
}

/// The rows of all outputs, strip by strip.
pub(super) struct Rows<'a, T> {
    features: StripRows<'a, T>,
    transmittance: Option<StripRows<'a, T>>,
    depth: Option<StripRows<'a, T>>,
    layers: Option<StripRows<'a, T>>,
    layer_transmittance: Option<StripRows<'a, T>>,
    contributors: Option<Contributors<StripRows<'a, T>, StripRows<'a, u32>>>,
}

/// The other outputs, which tasks share.
pub(super) struct Rest<'a, T> {
    saved: Saved<'a, T>,
    hit_blocks: &'a mut [SavedSet],
}

impl<'a, T: Scalar> Rows<'a, T> {
    /// Cuts the outputs of a render with `layers` prefix images into rows, and returns the rest of
    /// them.
    pub(super) fn new(
        image: &'a mut Image<&mut [T]>,
        composited: &'a mut Composited<T>,
        layers: usize,
        channels: usize,
        memory: &Memory,
    ) -> Result<(Self, Rest<'a, T>), RenderError> {
        let strips = Strips::new(&composited.grid);
        let (views, per_view) = (composited.grid.size.views, strips.per_view());
        let in_order = |image: usize, strip: usize| image * per_view + strip;
        // The prefix images of a view follow one another, but those of a strip belong together.
        let by_strip = |image: usize, strip: usize| {
            (in_order(image / layers, strip)) * layers + image % layers
        };
        let cut = |buffer: &'a mut [T], per_pixel: usize| {
            let mut rows = rows_of(memory, views * per_view, &strips)?;
            strips.cut_rows(buffer, views, per_pixel, in_order, &mut rows);
            Ok::<_, RenderError>(rows)
        };
        let cut_indices = |buffer: &'a mut [u32]| {
            let mut rows = rows_of(memory, views * per_view, &strips)?;
            strips.cut_rows(buffer, views, 1, in_order, &mut rows);
            Ok::<_, RenderError>(rows)
        };
        let cut_layers = |buffer: &'a mut [T], per_pixel: usize| {
            let mut rows = rows_of(memory, views * per_view * layers, &strips)?;
            strips.cut_rows(buffer, views * layers, per_pixel, by_strip, &mut rows);
            Ok::<_, RenderError>(rows)
        };
        let contributors = match &mut composited.contributors {
            None => None,
            Some(found) => Some(Contributors::new(
                cut_indices(&mut found.indices)?,
                cut(&mut found.weights, 1)?,
                cut_indices(&mut found.counts)?,
            )),
        };
        let plane = |plane: &'a mut Option<&mut [T]>| {
            let plane = plane.as_deref_mut();
            plane.map(|buffer| cut(buffer, 1)).transpose()
        };
        let rows = Self {
            features: cut(&mut *image.features, channels)?,
            transmittance: plane(&mut image.transmittance)?,
            depth: plane(&mut image.depth)?,
            layers: match image.layers.as_deref_mut() {
                None => None,
                Some(buffer) => Some(cut_layers(buffer, channels)?),
            },
            layer_transmittance: match image.layer_transmittance.as_deref_mut() {
                None => None,
                Some(buffer) => Some(cut_layers(buffer, 1)?),
            },
            contributors,
        };
        let rest = Rest {
            saved: Saved {
                transmittance: &mut composited.transmittance,
                ends: &mut composited.ends,
                ended: &mut composited.ended,
            },
            hit_blocks: composited.hit_blocks.as_chunks_mut().0,
        };
        Ok((rows, rest))
    }

    /// Returns one task per strip. `parts` is the number of parts of a block in the saved state.
    pub(super) fn tasks<'r>(
        &'r mut self,
        mut rest: Rest<'a, T>,
        sorted: &SortedHits,
        layers: usize,
        parts: usize,
        memory: &Memory,
    ) -> Result<Vec<Task<'r, 'a, T>>, RenderError> {
        let grid = &sorted.grid;
        let (strips, blocks) = (Strips::new(grid), SavedBlocks::new(grid));
        let mut tasks = memory.list::<Task<'static, 'static, T>, _>("strips", strips.len())?;
        let height = grid.tile_height;
        let mut features = self.features.chunks_mut(height);
        let mut transmittance = self
            .transmittance
            .as_mut()
            .map(|rows| rows.chunks_mut(height));
        let mut depth = self.depth.as_mut().map(|rows| rows.chunks_mut(height));
        let of_layers = (height * layers).max(1);
        let mut layers = [&mut self.layers, &mut self.layer_transmittance]
            .map(|rows| rows.as_mut().map(|rows| rows.chunks_mut(of_layers)));
        let mut contributors = self.contributors.as_mut().map(|found| {
            (
                found.indices.chunks_mut(height),
                found.weights.chunks_mut(height),
                found.counts.chunks_mut(height),
            )
        });
        let task = |strip: Strip| {
            let hits = sorted.slots_of_tiles(strip.tiles(grid)).len();
            let [layers, layer_transmittance] = layers.each_mut().map(|rows| rows.as_mut()?.next());
            let contributors = contributors
                .as_mut()
                .and_then(|(indices, weights, counts)| {
                    Some(Contributors::new(
                        indices.next()?,
                        weights.next()?,
                        counts.next()?,
                    ))
                });
            Some(Task {
                saved: rest
                    .saved
                    .cut(strip.columns.len(), blocks.of_strip(&strip).len()),
                hit_blocks: cut(&mut rest.hit_blocks, hits * parts),
                strip,
                features: features.next()?,
                transmittance: transmittance.as_mut().and_then(Iterator::next),
                depth: depth.as_mut().and_then(Iterator::next),
                layers: layers.unwrap_or_default(),
                layer_transmittance,
                contributors,
            })
        };
        tasks.extend(strips.iter().filter_map(task));
        Ok(tasks)
    }

    /// Gives the lists back to `memory`.
    pub(super) fn keep(self, memory: &Memory) {
        let planes = [
            Some(self.features),
            self.transmittance,
            self.depth,
            self.layers,
            self.layer_transmittance,
        ];
        for rows in planes.into_iter().flatten() {
            memory.keep_list::<&'static mut [T], _>(rows);
        }
        if let Some(found) = self.contributors {
            memory.keep_list::<&'static mut [u32], _>(found.indices);
            memory.keep_list::<&'static mut [T], _>(found.weights);
            memory.keep_list::<&'static mut [u32], _>(found.counts);
        }
    }
}

/// Returns an empty list of the rows of `strips` strips.
fn rows_of<'a, U: Send + 'static>(
    memory: &Memory,
    count: usize,
    strips: &Strips,
) -> Result<StripRows<'a, U>, RenderError> {
    let rows = count * strips.tile_height();
    memory.list::<&'static mut [U], _>("rows of strips", rows)
}
