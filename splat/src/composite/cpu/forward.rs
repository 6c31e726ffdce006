//! The forward compositor: walks the hits of every tile front to back. `blend.rs` blends one hit.

use rayon::prelude::*;

use crate::binning::grid::TileGrid;
use crate::composite::cpu::blend::{Blend, Pixels};
use crate::composite::cpu::composited::{Composited, check_sorted};
use crate::composite::cpu::coverage::{BatchBounds, SavedSet};
use crate::composite::cpu::hits::Batch;
use crate::composite::cpu::strip::{SavedBlocks, Strip, cut_rows, strips};
use crate::composite::cpu::tile::{Constants, MAX_LANES, Tile};
use crate::composite::cpu::write::{ContributorRows, Rest, Saved, Write};
use crate::config::RenderConfig;
use crate::contributors::Contributors;
use crate::error::{RenderError, checked_product, try_collected};
use crate::gaussians::check_len;
use crate::host::cut::cut;
use crate::host::simd::Simd;
use crate::host::workspace::{Resources, Workspace};
use crate::image::{Image, ImageSize};
use crate::scalar::Scalar;
use crate::sort::cpu::lists::SortedHits;
use crate::splats::Splats;

/// A strip, and its parts of the outputs as rows of pixels.
struct Task<'a, T> {
    strip: Strip,
    features: Vec<&'a mut [T]>,
    transmittance: Option<Vec<&'a mut [T]>>,
    depth: Option<Vec<&'a mut [T]>>,
    layers: Vec<Layer<'a, T>>,
    contributors: Option<ContributorRows<'a, T>>,
    saved: Saved<'a, T>,
    /// `[hits, parts]`: the sets of blocks of the strip's hits.
    hit_blocks: &'a mut [SavedSet],
}

/// A strip's rows of one prefix image.
struct Layer<'a, T> {
    features: Vec<&'a mut [T]>,
    transmittance: Option<Vec<&'a mut [T]>>,
}

/// The inputs of all tasks.
struct Forward<'a, T: Scalar> {
    splats: &'a Splats<&'a [T]>,
    sorted: &'a SortedHits,
    backgrounds: &'a [T],
    constants: Constants<T>,
    cuts: &'a [usize],
}

/// Composites every view. Returns the images and the saved state.
///
/// # Errors
/// Returns an error if `sorted` or `backgrounds` does not match `splats`, if a size overflows, or
/// if an allocation fails.
pub(crate) fn composite<T: Scalar>(
    splats: &Splats<&[T]>,
    sorted: &SortedHits,
    backgrounds: &[T],
    config: &RenderConfig,
    Resources { simd, workspace }: Resources<'_, T>,
) -> Result<(Image<Vec<T>>, Composited<T>), RenderError> {
    let size = sorted.grid.size;
    let channels = splats.channels;
    check_sorted(splats, sorted)?;
    check_len(
        "backgrounds",
        "[B, C]",
        &[size.views, channels],
        backgrounds.len(),
    )?;
    // The tasks write every pixel, so the old contents of these buffers do not matter.
    let room = |what, per_pixel| workspace.scalars(what, size.elements(what, per_pixel)?);
    let planes = channels.saturating_mul(config.layers.len());
    let wanted = |wanted: bool, what, per_pixel| wanted.then(|| room(what, per_pixel)).transpose();
    let outputs = config.outputs;
    let mut image = Image {
        features: room("image [B, H, W, C]", channels)?,
        transmittance: wanted(outputs.transmittance, "transmittance image [B, H, W]", 1)?,
        depth: wanted(outputs.depth, "depth [B, H, W]", 1)?,
        layers: wanted(planes > 0, "layers [B, L, H, W, C]", planes)?,
        layer_transmittance: wanted(
            outputs.transmittance && planes > 0,
            "transmittance of layers [B, L, H, W]",
            config.layers.len(),
        )?,
    };
    let saved = SavedBlocks::new(&sorted.grid).lanes("saved transmittance [B, blocks, 16]")?;
    let parts = MAX_LANES / simd.lanes();
    let hit_blocks = checked_product("blocks of hits [K, parts, 2]", &[sorted.hits(), parts, 2])?;
    let mut composited = Composited {
        transmittance: workspace.scalars("saved transmittance [B, blocks, 16]", saved)?,
        ends: workspace.indices("pixel ends [B, blocks, 16]", saved)?,
        ended: workspace.indices(
            "tiles with ended pixels [B, tiles]",
            size.views * sorted.grid.per_view(),
        )?,
        hit_blocks: workspace.indices("blocks of hits [K, parts, 2]", hit_blocks)?,
        contributors: outputs
            .contributors
            .then(|| contributors(size, workspace))
            .transpose()?,
        grid: sorted.grid,
        offsets: try_collected("offsets of views [B + 1]", sorted.offsets.iter().copied())?,
        hits: sorted.hits(),
        constants: Constants::new(config),
        evaluated: 0,
    };
    let pass = Forward {
        splats,
        sorted,
        backgrounds,
        constants: composited.constants,
        cuts: &config.layers,
    };
    // Each thread allocates room for the channels. Without views, their number is unbounded.
    if size.views == 0 {
        return Ok((image, composited));
    }
    composited.evaluated = tasks(&mut image, &mut composited, sorted, channels, parts)
        .into_par_iter()
        .map_init(
            || {
                let planes = channels + usize::from(outputs.depth);
                let pixels = Pixels::new(planes, outputs.contributors)?;
                Ok((pixels, Batch::new(planes)?))
            },
            |room: &mut Result<_, RenderError>, task| match room {
                Ok((pixels, batch)) => Ok(pass.strip(simd, pixels, batch, task)),
                Err(error) => Err(error.clone()),
            },
        )
        .sum::<Result<u64, RenderError>>()?;
    Ok((image, composited))
}

/// Takes buffers for the contributors of every pixel from the workspace.
///
/// # Errors
/// Returns an error if a size overflows or an allocation fails.
fn contributors<T: Scalar>(
    size: ImageSize,
    workspace: &Workspace<T>,
) -> Result<Contributors<Vec<T>, Vec<u32>>, RenderError> {
    let what = "contributors [B, H, W]";
    let pixels = size.elements(what, 1)?;
    Ok(Contributors::new(
        workspace.indices(what, pixels)?,
        workspace.scalars(what, pixels)?,
        workspace.indices(what, pixels)?,
    ))
}

/// Cuts the prefix images into the rows of each strip. Returns the layers of every strip, of all
/// views.
fn cut_layers<'a, T>(
    layers: Option<&'a mut [T]>,
    transmittance: Option<&'a mut [T]>,
    grid: &TileGrid,
    channels: usize,
    strips: usize,
) -> Vec<Vec<Layer<'a, T>>> {
    let mut of_strips = Vec::new();
    of_strips.resize_with(strips, Vec::new);
    let (Some(layers), views @ 1..) = (layers, grid.size.views) else {
        return of_strips;
    };
    // A view's layers follow one another, each in the order of its strips.
    let images = layers.len() / (grid.size.height * grid.size.width * channels);
    let per_view = strips / views;
    let rows = cut_rows(layers, grid, images, channels);
    let transmittance = transmittance.map(|buffer| cut_rows(buffer, grid, images, 1));
    let mut transmittance = transmittance.map(Vec::into_iter);
    for (i, features) in rows.into_iter().enumerate() {
        let (image, strip) = (i / per_view, i % per_view);
        of_strips[image / (images / views) * per_view + strip].push(Layer {
            features,
            transmittance: transmittance.as_mut().and_then(Iterator::next),
        });
    }
    of_strips
}

/// Splits the outputs into tasks.
fn tasks<'a, T: Scalar>(
    image: &'a mut Image<Vec<T>>,
    composited: &'a mut Composited<T>,
    sorted: &SortedHits,
    channels: usize,
    parts: usize,
) -> Vec<Task<'a, T>> {
    let grid = &sorted.grid;
    let views = grid.size.views;
    let mut features = cut_rows(&mut image.features, grid, views, channels).into_iter();
    let mut planes = [&mut image.transmittance, &mut image.depth].map(|plane| {
        let plane = plane.as_deref_mut()?;
        Some(cut_rows(plane, grid, views, 1).into_iter())
    });
    let blocks = SavedBlocks::new(grid);
    let mut saved = Saved {
        transmittance: &mut composited.transmittance,
        ends: &mut composited.ends,
        ended: &mut composited.ended,
    };
    let mut hit_blocks = composited.hit_blocks.as_chunks_mut().0;
    let strips = strips(grid);
    let layers = cut_layers(
        image.layers.as_deref_mut(),
        image.layer_transmittance.as_deref_mut(),
        grid,
        channels,
        strips.len(),
    );
    let mut contributors = composited.contributors.as_mut().map(|found| {
        (
            cut_rows(&mut found.indices, grid, views, 1).into_iter(),
            cut_rows(&mut found.weights, grid, views, 1).into_iter(),
            cut_rows(&mut found.counts, grid, views, 1).into_iter(),
        )
    });
    let mut next = |strip: Strip, layers| {
        let [transmittance, depth] = planes.each_mut().map(|plane| plane.as_mut()?.next());
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
            saved: saved.cut(strip.columns.len(), blocks.of_strip(&strip).len()),
            hit_blocks: cut(
                &mut hit_blocks,
                sorted.slots_of_tiles(strip.tiles(grid)).len() * parts,
            ),
            strip,
            features: features.next()?,
            transmittance,
            depth,
            layers,
            contributors,
        })
    };
    strips
        .into_iter()
        .zip(layers)
        .filter_map(|(strip, layers)| next(strip, layers))
        .collect()
}

impl<T: Scalar> Forward<'_, T> {
    /// Composites one strip. Returns the number of lanes it evaluated.
    fn strip(
        &self,
        simd: Simd,
        pixels: &mut Pixels<T>,
        batch: &mut Batch<T>,
        task: Task<'_, T>,
    ) -> u64 {
        let (grid, channels) = (&self.sorted.grid, self.splats.channels);
        let Task {
            strip,
            mut features,
            mut transmittance,
            mut depth,
            mut layers,
            mut contributors,
            mut saved,
            mut hit_blocks,
        } = task;
        let background = &self.backgrounds[strip.view * channels..(strip.view + 1) * channels];
        let parts = MAX_LANES / simd.lanes();
        pixels.evaluated = 0;
        for (column, number) in strip.columns.clone().zip(strip.tiles(grid)) {
            let tile = &Tile::new(grid, column, strip.tile_row);
            let left = tile.x - strip.columns.start * grid.tile_width;
            pixels.reset(tile);
            let hits = self.sorted.splats_of_tile(number);
            let mut first = 0;
            // Blends the hits up to, but without, `end`.
            let mut blend = |pixels: &mut Pixels<T>, batch: &mut Batch<T>, end: usize| {
                let hits = &hits[first..end];
                simd.dispatch(Blend {
                    splats: self.splats,
                    constants: &self.constants,
                    pixels,
                    batch,
                    tile,
                    hits,
                    hit_blocks: cut(&mut hit_blocks, hits.len() * parts),
                    first,
                });
                first = end;
            };
            for (&layer_end, layer) in self.cuts.iter().zip(&mut layers) {
                let before =
                    |&m: &u32| (self.sorted.rank_from_splat[m as usize] as usize) < layer_end;
                blend(pixels, batch, hits.partition_point(before));
                simd.dispatch(Write {
                    pixels,
                    tile,
                    background,
                    left,
                    features: &mut layer.features,
                    transmittance: layer.transmittance.as_deref_mut(),
                    rest: None,
                });
            }
            blend(pixels, batch, hits.len());
            if number + 1 < strip.tiles(grid).end {
                let next = self.sorted.splats_of_tile(number + 1);
                batch.fetch(self.splats, next);
                BatchBounds::fetch(self.splats, next);
            }
            let rest = Some(Rest {
                depth: depth.as_deref_mut(),
                contributors: contributors.as_mut(),
                first_splat: self.splats.offsets[strip.view] as u32,
                saved: saved.cut(1, tile.blocks().flatten().count()),
            });
            simd.dispatch(Write {
                pixels,
                tile,
                background,
                left,
                features: &mut features,
                transmittance: transmittance.as_deref_mut(),
                rest,
            });
        }
        pixels.evaluated
    }
}
