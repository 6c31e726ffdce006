//! The forward compositor: walks the hits of every tile front to back. `blend.rs` blends one hit.

use rayon::prelude::*;

use crate::composite::cpu::blend::{Blend, Pixels};
use crate::composite::cpu::composited::{Composited, check_sorted};
use crate::composite::cpu::coverage::BatchBounds;
use crate::composite::cpu::hits::Batch;
use crate::composite::cpu::strip::SavedBlocks;
use crate::composite::cpu::tasks::{Rows, Task};
use crate::composite::cpu::tile::{Constants, MAX_LANES, Tile};
use crate::composite::cpu::write::{Rest, Write, borrowed};
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

/// The buffers of one thread.
struct Room<T> {
    pixels: Pixels<T>,
    batch: Batch<T>,
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
    let whole = Image {
        features: &mut image.features[..],
        transmittance: image.transmittance.as_deref_mut(),
        depth: image.depth.as_deref_mut(),
        layers: image.layers.as_deref_mut(),
        layer_transmittance: image.layer_transmittance.as_deref_mut(),
    };
    let resources = Resources { simd, workspace };
    let composited = composite_into(splats, sorted, backgrounds, config, resources, whole)?;
    Ok((image, composited))
}

/// Composites every view into the buffers of `image`, whose lengths fit. Returns the saved state.
///
/// # Errors
/// The errors of [`composite`].
pub(crate) fn composite_into<T: Scalar>(
    splats: &Splats<&[T]>,
    sorted: &SortedHits,
    backgrounds: &[T],
    config: &RenderConfig,
    Resources { simd, workspace }: Resources<'_, T>,
    mut image: Image<&mut [T]>,
) -> Result<Composited<T>, RenderError> {
    let (size, channels) = (sorted.grid.size, splats.channels);
    check_sorted(splats, sorted)?;
    let dims = [size.views, channels];
    check_len("backgrounds", "[B, C]", &dims, backgrounds.len())?;
    let parts = MAX_LANES / simd.lanes();
    let mut composited = unwritten(sorted, config, parts, workspace)?;
    let pass = Forward {
        splats,
        sorted,
        backgrounds,
        constants: composited.constants,
        cuts: &config.layers,
    };
    // Each thread allocates room for the channels. Without views, their number is unbounded.
    if size.views == 0 {
        return Ok(composited);
    }
    let planes = channels + usize::from(image.depth.is_some());
    let contributors = composited.contributors.is_some();
    let (memory, layers) = (workspace.memory(), config.layers.len());
    let (mut rows, rest) = Rows::new(&mut image, &mut composited, layers, channels, memory)?;
    let mut tasks = rows.tasks(rest, sorted, layers, parts, memory)?;
    let evaluated = tasks.par_drain(..).map(|task| {
        let fits = |room: &Room<T>| room.fits(planes, contributors);
        let mut room = memory.room(fits, || Room::new(planes, contributors))?;
        let evaluated = pass.strip(simd, &mut room, task);
        memory.keep_room(room);
        Ok(evaluated)
    });
    let evaluated = evaluated.sum::<Result<u64, RenderError>>()?;
    memory.keep_list::<Task<'static, 'static, T>, _>(tasks);
    rows.keep(memory);
    composited.evaluated = evaluated;
    Ok(composited)
}

/// Returns a saved state whose buffers are still to be written.
///
/// # Errors
/// Returns an error if a size overflows or an allocation fails.
fn unwritten<T: Scalar>(
    sorted: &SortedHits,
    config: &RenderConfig,
    parts: usize,
    workspace: &Workspace<T>,
) -> Result<Composited<T>, RenderError> {
    let size = sorted.grid.size;
    let saved = SavedBlocks::new(&sorted.grid).lanes("saved transmittance [B, blocks, 16]")?;
    let hit_blocks = checked_product("blocks of hits [K, parts, 2]", &[sorted.hits(), parts, 2])?;
    Ok(Composited {
        transmittance: workspace.scalars("saved transmittance [B, blocks, 16]", saved)?,
        ends: workspace.indices("pixel ends [B, blocks, 16]", saved)?,
        ended: workspace.indices(
            "tiles with ended pixels [B, tiles]",
            size.views * sorted.grid.per_view(),
        )?,
        hit_blocks: workspace.indices("blocks of hits [K, parts, 2]", hit_blocks)?,
        contributors: config
            .outputs
            .contributors
            .then(|| contributors(size, workspace))
            .transpose()?,
        grid: sorted.grid,
        offsets: try_collected("offsets of views [B + 1]", sorted.offsets.iter().copied())?,
        hits: sorted.hits(),
        constants: Constants::new(config),
        evaluated: 0,
    })
}

impl<T: Scalar> Room<T> {
    fn new(planes: usize, contributors: bool) -> Result<Self, RenderError> {
        Ok(Self {
            pixels: Pixels::new(planes, contributors)?,
            batch: Batch::new(planes)?,
        })
    }

    /// Returns whether the buffers are those of [`new`](Self::new).
    fn fits(&self, planes: usize, contributors: bool) -> bool {
        let pixels = &self.pixels;
        pixels.planes == planes && pixels.contributors.is_some() == contributors
    }
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

impl<T: Scalar> Forward<'_, T> {
    /// Composites one strip. Returns the number of lanes it evaluated.
    fn strip(
        &self,
        simd: Simd,
        Room { pixels, batch }: &mut Room<T>,
        task: Task<'_, '_, T>,
    ) -> u64 {
        let (grid, channels) = (&self.sorted.grid, self.splats.channels);
        let Task {
            strip,
            features,
            mut transmittance,
            mut depth,
            layers,
            mut layer_transmittance,
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
            // Blends the hits up to, but without, `end`.
            let mut first = 0;
            let mut blend = |pixels: &mut Pixels<T>, batch: &mut Batch<T>, end: usize| {
                simd.dispatch(Blend {
                    splats: self.splats,
                    constants: &self.constants,
                    pixels,
                    batch,
                    tile,
                    hits: &hits[first..end],
                    hit_blocks: cut(&mut hit_blocks, (end - first) * parts),
                    first,
                });
                first = end;
            };
            for (layer, &layer_end) in self.cuts.iter().enumerate() {
                let ranks = &self.sorted.rank_from_splat;
                let before = |&m: &u32| (ranks[m as usize] as usize) < layer_end;
                blend(pixels, batch, hits.partition_point(before));
                let of_layer = layer * grid.tile_height..(layer + 1) * grid.tile_height;
                simd.dispatch(Write {
                    pixels,
                    tile,
                    background,
                    left,
                    features: &mut layers[of_layer.clone()],
                    transmittance: layer_transmittance.as_deref_mut().map(|t| &mut t[of_layer]),
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
                contributors: contributors.as_mut().map(borrowed),
                first_splat: self.splats.offsets[strip.view] as u32,
                saved: saved.cut(1, tile.blocks().flatten().count()),
            });
            simd.dispatch(Write {
                pixels,
                tile,
                background,
                left,
                features,
                transmittance: transmittance.as_deref_mut(),
                rest,
            });
        }
        pixels.evaluated
    }
}
