//! The forward compositor: for every tile, its hits front to back. What happens to one hit is in `blend.rs`.

use rayon::prelude::*;

use crate::arithmetic::Arithmetic;
use crate::composite::blend::{Layer, Pixels};
use crate::composite::strip::{Strip, cut_rows, strips};
use crate::composite::tile::{Constants, Hit, Tile};
use crate::composite::{Image, ImageSize};
use crate::config::RenderConfig;
use crate::error::RenderError;
use crate::gaussians::check_len;
use crate::project::Splats;
use crate::scalar::Scalar;
use crate::simd::Kernel;
use crate::sort::cpu::SortedHits;
use crate::workspace::Resources;

/// Hits between two looks at whether every pixel of the tile has ended.
const HITS_BETWEEN_STOP_TESTS: usize = 16;

/// Where every pixel ended. Read by the vjp.
#[derive(Debug, Clone)]
pub struct Composited<T> {
    /// `[B, H, W]`: the transmittance left.
    pub(crate) transmittance: Vec<T>,
    /// `[B, H, W]`: one past the place, in its tile's list, of the last splat composited; zero where there was none.
    pub(crate) ends: Vec<u32>,
    /// The size of the images.
    pub(crate) size: ImageSize,
    /// The settings they were composited with.
    pub(crate) constants: Constants<T>,
    /// How many lanes were evaluated, those that count and those that do not.
    pub(crate) evaluated: u64,
}

/// A strip and the parts of the outputs it fills, by rows of pixels.
pub struct Task<'a, T> {
    strip: Strip,
    features: Vec<&'a mut [T]>,
    transmittance: Vec<&'a mut [T]>,
    ends: Vec<&'a mut [u32]>,
    depth: Option<Vec<&'a mut [T]>>,
    layers: Vec<Vec<&'a mut [T]>>,
}

/// What all tasks read.
pub struct Forward<'a, T: Scalar> {
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
    let mut composited = Composited {
        transmittance: room("transmittance [B, H, W]", 1)?,
        ends: workspace.indices("pixel ends [B, H, W]", size.pixels())?,
        size,
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
            || Pixels::new(&sorted.grid, planes_of(splats, outputs.depth)),
            |pixels, task| T::composite_strip(simd, &pass, pixels, task),
        )
        .sum();
    if let Some(transmittance) = &mut image.transmittance {
        let rows = transmittance.par_chunks_mut(size.width);
        let rows = rows.zip(composited.transmittance.par_chunks(size.width));
        rows.for_each(|(to, from)| to.copy_from_slice(from));
    }
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
    let mut transmittance = cut_rows(&mut composited.transmittance, grid, views, 1).into_iter();
    let mut ends = cut_rows(&mut composited.ends, grid, views, 1).into_iter();
    let mut depth = image
        .depth
        .as_deref_mut()
        .map(|depth| cut_rows(depth, grid, views, 1).into_iter());
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
    let mut next = |strip, layers| {
        Some(Task {
            strip,
            features: features.next()?,
            transmittance: transmittance.next()?,
            ends: ends.next()?,
            depth: match &mut depth {
                Some(depth) => Some(depth.next()?),
                None => None,
            },
            layers,
        })
    };
    strips
        .into_iter()
        .zip(layers)
        .filter_map(|(strip, layers)| next(strip, layers))
        .collect()
}

/// The number of values per pixel.
fn planes_of<T: Scalar>(splats: &Splats<&[T]>, depth: bool) -> usize {
    splats.channels + usize::from(depth)
}

/// Fetches what a splat adds to each plane: its depth if there is room for it, then its features.
#[inline(always)]
pub(crate) fn load_values<T: Scalar>(splats: &Splats<&[T]>, m: usize, values: &mut [T]) {
    let channels = splats.channels;
    let (depth, features) = values.split_at_mut(values.len() - channels);
    if let [depth] = depth {
        *depth = splats.depths[m];
    }
    splats.load_features(m, features);
}

/// Composites one strip.
pub(crate) struct Blend<'p, 'a, T: Scalar> {
    pub(crate) pass: &'p Forward<'a, T>,
    pub(crate) pixels: &'p mut Pixels<T>,
    pub(crate) task: Task<'a, T>,
}

impl<T: Scalar> Kernel for Blend<'_, '_, T> {
    type Scalar = T;
    type Output = u64;

    #[inline(always)]
    fn run<A: Arithmetic<T>, const LANES: usize>(self) -> u64 {
        let Self { pass, pixels, task } = self;
        match pixels.planes {
            3 => pass.run::<A, LANES, 3>(pixels, task),
            4 => pass.run::<A, LANES, 4>(pixels, task),
            _ => pass.run::<A, LANES, 0>(pixels, task),
        }
    }
}

impl<T: Scalar> Forward<'_, T> {
    #[inline(always)]
    fn run<A: Arithmetic<T>, const LANES: usize, const PLANES: usize>(
        &self,
        pixels: &mut Pixels<T>,
        mut task: Task<'_, T>,
    ) -> u64 {
        let grid = &self.sorted.grid;
        let mut values = vec![T::ZERO; pixels.planes];
        pixels.evaluated = 0;
        for column in task.strip.columns.clone() {
            let tile = Tile::new(grid, column, task.strip.tile_row);
            pixels.reset(&tile);
            self.tile::<A, LANES, PLANES>(&tile, column, pixels, &mut values, &mut task);
        }
        pixels.evaluated
    }

    #[inline(always)]
    fn tile<A: Arithmetic<T>, const LANES: usize, const PLANES: usize>(
        &self,
        tile: &Tile,
        column: usize,
        pixels: &mut Pixels<T>,
        values: &mut [T],
        task: &mut Task<'_, T>,
    ) {
        let grid = &self.sorted.grid;
        let strip = task.strip.clone();
        let number = strip.tiles(grid).start + column - strip.columns.start;
        // Where the tile begins in the rows of the strip.
        let left = tile.x - strip.columns.start * grid.tile_width;
        let mut layer = 0;
        let hits = self.sorted.splats_of_tile(number);
        for (place, &m) in hits.iter().enumerate() {
            let m = m as usize;
            if place % HITS_BETWEEN_STOP_TESTS == 0 && !pixels.goes_on(tile) {
                break;
            }
            if layer < self.cuts.len() {
                let rank = self.sorted.rank_from_splat[m] as usize;
                while layer < self.cuts.len() && self.cuts[layer] <= rank {
                    self.write_features(tile, pixels, strip.view, left, &mut task.layers[layer]);
                    layer += 1;
                }
            }
            let hit = Hit::load(self.splats, m, grid, tile, &self.constants);
            load_values(self.splats, m, values);
            let add = Layer {
                place: place as u32,
                values,
            };
            pixels.add::<A, LANES, PLANES>(tile, &hit, add, &self.constants);
        }
        for rest in &mut task.layers[layer..] {
            self.write_features(tile, pixels, strip.view, left, rest);
        }
        self.write_features(tile, pixels, strip.view, left, &mut task.features);
        for row in 0..tile.height {
            let to = left..left + tile.width;
            let t = pixels.transmittance[row].iter();
            for (out, &t) in task.transmittance[row][to.clone()].iter_mut().zip(t) {
                *out = t.abs();
            }
            task.ends[row][to.clone()].copy_from_slice(&pixels.ends[row][..tile.width]);
            if let Some(depth) = &mut task.depth {
                depth[row][to].copy_from_slice(&pixels.planes(row)[0][..tile.width]);
            }
        }
    }

    /// Writes the feature image of everything added so far, over the background, into the rows of a strip.
    #[inline(always)]
    fn write_features(
        &self,
        tile: &Tile,
        pixels: &Pixels<T>,
        view: usize,
        left: usize,
        out: &mut [&mut [T]],
    ) {
        let channels = self.splats.channels;
        let background = &self.backgrounds[view * channels..(view + 1) * channels];
        for row in 0..tile.height {
            let out = &mut out[row][left * channels..(left + tile.width) * channels];
            let t = &pixels.transmittance[row];
            // The features are the last planes.
            let features = &pixels.planes(row)[pixels.planes - channels..];
            if let [r, g, b] = features {
                // The usual number, spelled out: the compiler then interleaves whole vectors.
                let (out, _) = out.as_chunks_mut::<3>();
                let (t, r) = (&t[..out.len()], &r[..out.len()]);
                let (g, b) = (&g[..out.len()], &b[..out.len()]);
                let background = [background[0], background[1], background[2]];
                for i in 0..out.len() {
                    let t = t[i].abs();
                    out[i] = [
                        r[i] + t * background[0],
                        g[i] + t * background[1],
                        b[i] + t * background[2],
                    ];
                }
            } else {
                for (column, out) in out.chunks_exact_mut(channels).enumerate() {
                    let t = t[column].abs();
                    for (c, out) in out.iter_mut().enumerate() {
                        *out = features[c][column] + t * background[c];
                    }
                }
            }
        }
    }
}
