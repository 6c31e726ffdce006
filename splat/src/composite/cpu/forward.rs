//! The forward compositor: for every tile, its hits front to back. What happens to one hit is in `blend.rs`.

use rayon::prelude::*;

use crate::binning::grid::TileGrid;
use crate::composite::cpu::blend::{Pixels, Placed};
use crate::composite::cpu::hits::{BATCH, Batch};
use crate::composite::cpu::strip::{SavedBlocks, Strip, cut_rows, strips};
use crate::composite::cpu::tile::{BLOCK_SIDE, Constants, MAX_LANES, Row, Tile, take_row};
use crate::config::RenderConfig;
use crate::error::RenderError;
use crate::gaussians::check_len;
use crate::host::cut::cut;
use crate::host::prefetch::prefetch_to_write;
use crate::host::simd::{Kernel, Simd};
use crate::host::workspace::Resources;
use crate::image::Image;
use crate::scalar::Scalar;
use crate::scalar::rounding::Arithmetic;
use crate::sort::cpu::lists::SortedHits;
use crate::splats::Splats;

/// Where every pixel ended. Read by the vjp.
#[derive(Debug, Clone)]
pub struct Composited<T> {
    /// `[B, blocks, 16]`: the transmittance left. Tile after tile, as [`SavedBlocks`] has them.
    pub(crate) transmittance: Vec<T>,
    /// The same for the place, in its tile's list, of the splat that a pixel was the first not to pass, or [`NEVER`]; 0 outside the image.
    /// Not written in tiles none of whose pixels ended.
    pub(crate) ends: Vec<u32>,
    /// `[B, tiles]`: 1 where some pixel of a tile's blocks ended, as those outside the image have from the beginning, else 0.
    pub(crate) ended: Vec<u32>,
    /// The images and the tiles they were composited by.
    pub(crate) grid: TileGrid,
    /// The settings they were composited with.
    pub(crate) constants: Constants<T>,
    /// How many lanes were evaluated, those that count and those that do not.
    pub(crate) evaluated: u64,
}

/// A strip and the parts of the outputs it fills, by rows of pixels.
struct Task<'a, T> {
    strip: Strip,
    features: Vec<&'a mut [T]>,
    transmittance: Option<Vec<&'a mut [T]>>,
    depth: Option<Vec<&'a mut [T]>>,
    layers: Vec<Vec<&'a mut [T]>>,
    saved: Saved<'a, T>,
}

/// What is saved of neighbouring tiles, tile by tile: see [`Composited`].
struct Saved<'a, T> {
    transmittance: &'a mut [T],
    ends: &'a mut [u32],
    ended: &'a mut [u32],
}

impl<'a, T> Saved<'a, T> {
    /// Cuts the first `tiles` tiles off, of `blocks` blocks together.
    fn cut(&mut self, tiles: usize, blocks: usize) -> Saved<'a, T> {
        Saved {
            transmittance: cut(&mut self.transmittance, blocks * MAX_LANES),
            ends: cut(&mut self.ends, blocks * MAX_LANES),
            ended: cut(&mut self.ended, tiles),
        }
    }
}

/// What all tasks read.
struct Forward<'a, T: Scalar> {
    splats: &'a Splats<&'a [T]>,
    sorted: &'a SortedHits,
    backgrounds: &'a [T],
    constants: Constants<T>,
    cuts: &'a [usize],
}

/// Composites every view.
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
    // Every pixel is written: what was in these buffers before does not matter.
    let room = |what, per_pixel| workspace.scalars(what, size.elements(what, per_pixel)?);
    let planes = channels.saturating_mul(config.layers.len());
    let wanted = |wanted: bool, what, per_pixel| wanted.then(|| room(what, per_pixel)).transpose();
    let outputs = config.outputs;
    let mut image = Image {
        features: room("image [B, H, W, C]", channels)?,
        transmittance: wanted(outputs.transmittance, "transmittance image [B, H, W]", 1)?,
        depth: wanted(outputs.depth, "depth [B, H, W]", 1)?,
        layers: wanted(planes > 0, "layers [B, L, H, W, C]", planes)?,
    };
    let saved = SavedBlocks::new(&sorted.grid).lanes("saved transmittance [B, blocks, 16]")?;
    let mut composited = Composited {
        transmittance: workspace.scalars("saved transmittance [B, blocks, 16]", saved)?,
        ends: workspace.indices("pixel ends [B, blocks, 16]", saved)?,
        ended: workspace.indices(
            "tiles with ended pixels [B, tiles]",
            size.views * sorted.grid.per_view(),
        )?,
        grid: sorted.grid,
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
    composited.evaluated = tasks(&mut image, &mut composited, sorted, channels)
        .into_par_iter()
        .map_init(
            || {
                let planes = channels + usize::from(outputs.depth);
                Ok((Pixels::new(planes)?, Batch::new(planes)?))
            },
            |room: &mut Result<_, RenderError>, task| match room {
                Ok((pixels, batch)) => Ok(pass.strip(simd, pixels, batch, task)),
                Err(error) => Err(error.clone()),
            },
        )
        .sum::<Result<u64, RenderError>>()?;
    Ok((image, composited))
}

/// Checks that `sorted` was made from `splats`.
pub(crate) fn check_sorted<T: Scalar>(
    splats: &Splats<&[T]>,
    sorted: &SortedHits,
) -> Result<(), RenderError> {
    if sorted.rank_from_splat.len() == splats.len()
        && sorted.grid.size.views + 1 == splats.offsets.len()
    {
        return Ok(());
    }
    Err(RenderError::shape(
        "sorted",
        format!("the hits of these {} splats", splats.len()),
        format!("the hits of {} splats", sorted.rank_from_splat.len()),
    ))
}

/// Cuts the outputs into tasks.
fn tasks<'a, T: Scalar>(
    image: &'a mut Image<Vec<T>>,
    composited: &'a mut Composited<T>,
    sorted: &SortedHits,
    channels: usize,
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
    let strips = strips(grid);
    let mut layers: Vec<Vec<Vec<&'a mut [T]>>> = Vec::new();
    layers.resize_with(strips.len(), Vec::new);
    if let (Some(buffer), 1..) = (&mut image.layers, views) {
        // Layer after layer of a view, each in the order of its strips.
        let images = buffer.len() / (grid.size.height * grid.size.width * channels);
        let per_view = strips.len() / views;
        let rows = cut_rows(buffer, grid, images, channels);
        for (i, rows) in rows.into_iter().enumerate() {
            let (image, strip) = (i / per_view, i % per_view);
            layers[image / (images / views) * per_view + strip].push(rows);
        }
    }
    let mut next = |strip: Strip, layers| {
        let [transmittance, depth] = planes.each_mut().map(|plane| plane.as_mut()?.next());
        Some(Task {
            saved: saved.cut(strip.columns.len(), blocks.of_strip(&strip).len()),
            strip,
            features: features.next()?,
            transmittance,
            depth,
            layers,
        })
    };
    strips
        .into_iter()
        .zip(layers)
        .filter_map(|(strip, layers)| next(strip, layers))
        .collect()
}

/// Rows of pixels between what is fetched to be written or read, and what is.
pub(crate) const ROWS_AHEAD: usize = 2 * BLOCK_SIDE;

/// Blends some neighbours of a tile's list into its pixels. A kernel by itself, and not one with [`Write`]: the compiler then has
/// registers enough for it.
struct Blend<'p, 'a, T: Scalar> {
    pub(crate) pass: &'p Forward<'a, T>,
    pub(crate) pixels: &'p mut Pixels<T>,
    pub(crate) batch: &'p mut Batch<T>,
    pub(crate) tile: &'p Tile,
    pub(crate) hits: &'p [u32],
    /// The place of the first hit in the tile's list.
    pub(crate) first: usize,
}

impl<T: Scalar> Kernel for Blend<'_, '_, T> {
    type Scalar = T;
    type Output = ();

    #[inline(always)]
    fn run<A: Arithmetic<T>, const LANES: usize>(self) {
        match self.pixels.planes {
            3 => self.hits::<A, LANES, 3>(),
            4 => self.hits::<A, LANES, 4>(),
            _ => self.hits::<A, LANES, 0>(),
        }
    }
}

impl<T: Scalar> Blend<'_, '_, T> {
    #[inline(always)]
    fn hits<A: Arithmetic<T>, const LANES: usize, const PLANES: usize>(self) {
        let Self {
            pixels,
            batch,
            tile,
            ..
        } = self;
        let constants = &self.pass.constants;
        let mut to_come = self.hits;
        for (first, hits) in (self.first..).step_by(BATCH).zip(self.hits.chunks(BATCH)) {
            if !pixels.goes_on() {
                return;
            }
            to_come = &to_come[hits.len()..];
            batch.fetch(self.pass.splats, to_come);
            batch.load::<PLANES>(self.pass.splats, hits, tile, constants);
            for k in 0..hits.len() {
                let placed = Placed {
                    place: (first + k) as u32,
                    values: batch.values(k),
                };
                pixels.add::<A, LANES, PLANES>(tile, &batch.hit(k), placed, constants);
            }
        }
    }
}

/// Writes the pixels of a tile to the rows of a strip.
struct Write<'p, 'a, T: Scalar> {
    pub(crate) pixels: &'p mut Pixels<T>,
    pub(crate) tile: &'p Tile,
    /// `[C]`
    pub(crate) background: &'p [T],
    /// Where the tile begins in the rows.
    pub(crate) left: usize,
    /// The feature image of everything added so far, over the background.
    pub(crate) features: &'p mut [&'a mut [T]],
    /// Everything else, once the tile is done.
    pub(crate) rest: Option<Rest<'p, 'a, T>>,
}

/// What is written of a tile besides features.
struct Rest<'p, 'a, T> {
    transmittance: Option<&'p mut [&'a mut [T]]>,
    depth: Option<&'p mut [&'a mut [T]]>,
    saved: Saved<'p, T>,
}

impl<T: Scalar> Kernel for Write<'_, '_, T> {
    type Scalar = T;
    type Output = ();

    #[inline(always)]
    fn run<A: Arithmetic<T>, const LANES: usize>(self) {
        let Self {
            pixels,
            tile,
            background,
            left,
            features,
            rest,
        } = self;
        let channels = background.len();
        // Rows of images are pages apart, and a tile's share of one is too short for the machine to see it coming.
        let of_row = |per_pixel| left * per_pixel..(left + tile.width) * per_pixel;
        let fetch = |rows: &[&mut [T]]| {
            for row in rows {
                prefetch_to_write(&row[of_row(channels)]);
            }
        };
        let features = &mut features[..tile.height];
        fetch(&features[..tile.height.min(ROWS_AHEAD)]);
        let mut planes = [[[T::ZERO; _]; _]; _];
        for row in tile.block_rows() {
            let first = row * BLOCK_SIDE;
            let last = tile.height.min(first + BLOCK_SIDE);
            let ahead = |row| tile.height.min(row + ROWS_AHEAD);
            fetch(&features[ahead(first)..ahead(last)]);
            let rows = &mut features[first..last];
            if let [red, green, blue] = *background {
                rgb(
                    pixels,
                    tile,
                    row,
                    [red, green, blue],
                    left,
                    &mut planes,
                    rows,
                );
            } else {
                for (y, out) in rows.iter_mut().enumerate() {
                    let out = out[left * channels..(left + tile.width) * channels]
                        .chunks_mut(BLOCK_SIDE * channels);
                    for (block, out) in tile.blocks_of_row(row).zip(out) {
                        let t = pixels.transmittance[block].quad(y);
                        let values = pixels.features(block, channels).iter().zip(background);
                        for (c, (value, &background)) in values.enumerate() {
                            let quad = value.quad(y).iter().zip(t);
                            for ((&value, t), out) in quad.zip(out.chunks_exact_mut(channels)) {
                                out[c] = value + t.abs() * background;
                            }
                        }
                    }
                }
            }
        }
        let Some(rest) = rest else { return };
        let ended = pixels.ended(tile);
        rest.saved.ended.fill(u32::from(ended));
        let blocks = tile.blocks().flatten();
        let saved = rest.saved.transmittance.as_chunks_mut().0;
        for (number, saved) in blocks.clone().zip(saved) {
            let t = &mut pixels.transmittance[number].0;
            *t = t.map(T::abs);
            *saved = *t;
        }
        if ended {
            let saved = rest.saved.ends.as_chunks_mut().0;
            for (number, saved) in blocks.zip(saved) {
                *saved = pixels.ends[number].0;
            }
        }
        let to = of_row(1);
        if let Some(rows) = rest.transmittance {
            for (row, out) in rows[..tile.height].iter_mut().enumerate() {
                let blocks = tile.blocks_of_row(row / BLOCK_SIDE);
                take_row(&pixels.transmittance[blocks], row, &mut out[to.clone()], 1);
            }
        }
        if let Some(rows) = rest.depth {
            for (row, out) in rows[..tile.height].iter_mut().enumerate() {
                let first = tile.blocks_of_row(row / BLOCK_SIDE).start * pixels.planes;
                let blocks = &pixels.values[first..];
                take_row(blocks, row, &mut out[to.clone()], pixels.planes);
            }
        }
    }
}

/// Writes the rows of a row of blocks, three features a pixel: the usual number, spelled out, so that the compiler interleaves whole
/// vectors. The rows are put together first, all four of them: what was just stored in quarters is slow to load whole.
#[inline(always)]
fn rgb<T: Scalar>(
    pixels: &Pixels<T>,
    tile: &Tile,
    block_row: usize,
    background: [T; 3],
    left: usize,
    planes: &mut [[Row<T>; BLOCK_SIDE]; 4],
    rows: &mut [&mut [T]],
) {
    for (column, block) in tile.blocks_of_row(block_row).enumerate() {
        let [r, g, b] = pixels.features(block, 3) else {
            return;
        };
        let blocks = [&pixels.transmittance[block], r, g, b];
        for (plane, block) in planes.iter_mut().zip(blocks) {
            for (y, row) in plane.iter_mut().enumerate() {
                row.as_chunks_mut().0[column] = *block.quad(y);
            }
        }
    }
    let [t, r, g, b] = planes;
    for (y, out) in rows.iter_mut().enumerate() {
        let (out, _) = out[left * 3..(left + tile.width) * 3].as_chunks_mut::<3>();
        let (t, r) = (&t[y][..out.len()], &r[y][..out.len()]);
        let (g, b) = (&g[y][..out.len()], &b[y][..out.len()]);
        for i in 0..out.len() {
            let t = t[i].abs();
            out[i] = [
                r[i] + t * background[0],
                g[i] + t * background[1],
                b[i] + t * background[2],
            ];
        }
    }
}

impl<T: Scalar> Forward<'_, T> {
    /// Composites one strip; returns how many lanes it evaluated.
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
            mut saved,
        } = task;
        let background = &self.backgrounds[strip.view * channels..(strip.view + 1) * channels];
        pixels.evaluated = 0;
        for (column, number) in strip.columns.clone().zip(strip.tiles(grid)) {
            let tile = &Tile::new(grid, column, strip.tile_row);
            let left = tile.x - strip.columns.start * grid.tile_width;
            pixels.reset(tile);
            let hits = self.sorted.splats_of_tile(number);
            let mut first = 0;
            for (&cut, layer) in self.cuts.iter().zip(&mut layers) {
                let before = |&m: &u32| (self.sorted.rank_from_splat[m as usize] as usize) < cut;
                let end = hits.partition_point(before);
                let hits = &hits[first..end];
                simd.dispatch(Blend {
                    pass: self,
                    pixels,
                    batch,
                    tile,
                    hits,
                    first,
                });
                first = end;
                simd.dispatch(Write {
                    pixels,
                    tile,
                    background,
                    left,
                    features: layer,
                    rest: None,
                });
            }
            let hits = &hits[first..];
            simd.dispatch(Blend {
                pass: self,
                pixels,
                batch,
                tile,
                hits,
                first,
            });
            if number + 1 < strip.tiles(grid).end {
                batch.fetch(self.splats, self.sorted.splats_of_tile(number + 1));
            }
            let rest = Some(Rest {
                transmittance: transmittance.as_deref_mut(),
                depth: depth.as_deref_mut(),
                saved: saved.cut(1, tile.blocks().flatten().count()),
            });
            simd.dispatch(Write {
                pixels,
                tile,
                background,
                left,
                features: &mut features,
                rest,
            });
        }
        pixels.evaluated
    }
}
