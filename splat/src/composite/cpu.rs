//! The forward compositor: for every tile, its hits front to back. What happens to one hit is in `blend.rs`.

use rayon::prelude::*;

use crate::arithmetic::Arithmetic;
use crate::composite::blend::{Layer, Pixels};
use crate::composite::tile::{Constants, Hit, Tile};
use crate::composite::{Image, ImageSize};
use crate::config::RenderConfig;
use crate::error::{RenderError, try_filled};
use crate::gaussians::check_len;
use crate::project::Splats;
use crate::scalar::Scalar;
use crate::simd::{Kernel, Simd};
use crate::sort::cpu::{SortedHits, cut};

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

/// One row of tiles of one view, and the parts of the outputs it fills.
pub struct Band<'a, T> {
    view: usize,
    tile_row: usize,
    features: &'a mut [T],
    transmittance: &'a mut [T],
    ends: &'a mut [u32],
    depth: Option<&'a mut [T]>,
    layers: Vec<&'a mut [T]>,
}

/// What all bands read.
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
    simd: Simd,
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
    let filled =
        |what, per_pixel: usize| try_filled(what, size.elements(what, per_pixel)?, T::ZERO);
    let planes = channels.saturating_mul(config.layers.len());
    let mut image = Image {
        features: filled("image [B, H, W, C]", channels)?,
        transmittance: None,
        depth: config
            .outputs
            .depth
            .then(|| filled("depth [B, H, W]", 1))
            .transpose()?,
        layers: (planes > 0)
            .then(|| filled("layers [B, L, H, W, C]", planes))
            .transpose()?,
    };
    let mut composited = Composited {
        transmittance: filled("transmittance [B, H, W]", 1)?,
        ends: try_filled("pixel ends [B, H, W]", size.pixels(), 0)?,
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
    composited.evaluated = bands(
        &mut image,
        &mut composited,
        sorted,
        channels,
        config.layers.len(),
    )
    .into_par_iter()
    .map(|band| T::composite_band(simd, &pass, band))
    .sum();
    if config.outputs.transmittance {
        image.transmittance = Some(composited.transmittance.clone());
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

/// Cuts the outputs into bands.
fn bands<'a, T: Scalar>(
    image: &'a mut Image<Vec<T>>,
    composited: &'a mut Composited<T>,
    sorted: &SortedHits,
    channels: usize,
    layers: usize,
) -> Vec<Band<'a, T>> {
    let (
        grid,
        ImageSize {
            views,
            height,
            width,
        },
    ) = (sorted.grid, composited.size);
    let rows_of = |tile_row: usize| grid.tile_height.min(height - tile_row * grid.tile_height);
    let mut features = image.features.as_mut_slice();
    let mut depth = image.depth.as_deref_mut();
    let mut layer_rest = image.layers.as_deref_mut().unwrap_or_default();
    let mut transmittance = composited.transmittance.as_mut_slice();
    let mut ends = composited.ends.as_mut_slice();
    let mut bands: Vec<Band<'a, T>> = Vec::with_capacity(views * grid.rows);
    for view in 0..views {
        let first = bands.len();
        for tile_row in 0..grid.rows {
            let pixels = rows_of(tile_row) * width;
            bands.push(Band {
                view,
                tile_row,
                features: cut(&mut features, pixels * channels),
                transmittance: cut(&mut transmittance, pixels),
                ends: cut(&mut ends, pixels),
                depth: depth.as_mut().map(|rest| cut(rest, pixels)),
                layers: Vec::with_capacity(layers),
            });
        }
        for _ in 0..layers {
            for band in &mut bands[first..] {
                let pixels = rows_of(band.tile_row) * width;
                band.layers.push(cut(&mut layer_rest, pixels * channels));
            }
        }
    }
    bands
}

/// Fetches what a splat adds to each plane: its depth if there is room for it, then its features.
#[inline(always)]
pub(crate) fn load_values<T: Scalar>(splats: &Splats<&[T]>, m: usize, values: &mut [T]) {
    let channels = splats.channels;
    let (depth, features) = values.split_at_mut(values.len() - channels);
    if let [depth] = depth {
        *depth = splats.depths[m];
    }
    // A loop: a call to copy three numbers takes longer than they do.
    let row = &splats.features[m * channels..(m + 1) * channels];
    for (value, &feature) in features.iter_mut().zip(row) {
        *value = feature;
    }
}

/// Composites one band.
pub(crate) struct Blend<'p, 'a, T: Scalar> {
    pub(crate) pass: &'p Forward<'a, T>,
    pub(crate) band: Band<'a, T>,
}

impl<T: Scalar> Kernel for Blend<'_, '_, T> {
    type Scalar = T;
    type Output = u64;

    #[inline(always)]
    fn run<A: Arithmetic<T>, const LANES: usize>(self) -> u64 {
        let Self { pass, band } = self;
        match pass.splats.channels + usize::from(band.depth.is_some()) {
            3 => pass.run::<A, LANES, 3>(band),
            4 => pass.run::<A, LANES, 4>(band),
            _ => pass.run::<A, LANES, 0>(band),
        }
    }
}

impl<T: Scalar> Forward<'_, T> {
    #[inline(always)]
    fn run<A: Arithmetic<T>, const LANES: usize, const PLANES: usize>(
        &self,
        mut band: Band<'_, T>,
    ) -> u64 {
        let grid = &self.sorted.grid;
        let planes = self.splats.channels + usize::from(band.depth.is_some());
        let mut values = vec![T::ZERO; planes];
        let first = Tile::new(grid, 0, band.tile_row);
        let mut pixels = Pixels::new(Tile::plane_of(grid), first.stride, planes);
        for column in 0..grid.columns {
            let tile = Tile::new(grid, column, band.tile_row);
            pixels.reset(&tile);
            self.tile::<A, LANES, PLANES>(&tile, column, &mut pixels, &mut values, &mut band);
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
        band: &mut Band<'_, T>,
    ) {
        let grid = &self.sorted.grid;
        let number = band.view * grid.per_view() + band.tile_row * grid.columns + column;
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
                    self.write_features(tile, pixels, band.view, band.layers[layer]);
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
        for rest in &mut band.layers[layer..] {
            self.write_features(tile, pixels, band.view, rest);
        }
        self.write_features(tile, pixels, band.view, band.features);
        for row in 0..tile.height {
            let from = tile.row(row);
            let start = row * grid.size.width + tile.x;
            let to = start..start + tile.width;
            let t = pixels.transmittance[from.clone()].iter();
            for (out, &t) in band.transmittance[to.clone()].iter_mut().zip(t) {
                *out = t.abs();
            }
            band.ends[to.clone()].copy_from_slice(&pixels.ends[from]);
            if let Some(depth) = &mut band.depth {
                let at = tile.row_of_plane(row, 0, pixels.planes);
                depth[to].copy_from_slice(&pixels.values[at..at + tile.width]);
            }
        }
    }

    /// Writes the feature image of everything added so far, over the background, into a band.
    #[inline(always)]
    fn write_features(&self, tile: &Tile, pixels: &Pixels<T>, view: usize, out: &mut [T]) {
        let channels = self.splats.channels;
        let background = &self.backgrounds[view * channels..(view + 1) * channels];
        for row in 0..tile.height {
            let start = (row * self.sorted.grid.size.width + tile.x) * channels;
            let out = &mut out[start..start + tile.width * channels];
            let t = &pixels.transmittance[tile.row(row)];
            // The features are the last planes.
            let values = &pixels.values[..tile.row_of_plane(row + 1, 0, pixels.planes)];
            let features = &values[values.len() - channels * tile.stride..];
            if channels == 3 {
                // The usual number, spelled out: the compiler then interleaves whole vectors.
                let (out, _) = out.as_chunks_mut::<3>();
                let (r, rest) = features.split_at(tile.stride);
                let (g, b) = rest.split_at(tile.stride);
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
                        *out = features[c * tile.stride + column] + t * background[c];
                    }
                }
            }
        }
    }
}
