//! The backward compositor: for every tile, its hits back to front. Each hit's gradient is summed over the tile's pixels in
//! lanes and stored in the hit's own slot; then each splat adds up its hits in order. Nothing is ever added from two threads.

use rayon::prelude::*;

use crate::arithmetic::Arithmetic;
use crate::backend::Wanted;
use crate::composite::blend::Layer;
use crate::composite::cpu::{Composited, check_sorted, load_values};
use crate::composite::replay::{GEOMETRY, Pixels};
use crate::composite::tile::{Hit, Tile};
use crate::composite::{Image, ImageSize};
use crate::error::{RenderError, checked_product, try_filled};
use crate::gaussians::check_len;
use crate::project::Splats;
use crate::scalar::Scalar;
use crate::simd::{Kernel, Simd};
use crate::sort::cpu::{SortedHits, cut};

/// What all bands read.
pub struct Backward<'a, T: Scalar> {
    splats: &'a Splats<&'a [T]>,
    sorted: &'a SortedHits,
    backgrounds: &'a [T],
    composited: &'a Composited<T>,
    v_image: &'a Image<&'a [T]>,
    wanted: Wanted,
}

/// One row of tiles of one view, and the gradients of its hits, `[hits, stride]`.
pub struct BandVjp<'a, T> {
    view: usize,
    tile_row: usize,
    partials: &'a mut [T],
}

/// Vjp of the compositor.
pub(crate) fn composite_vjp<T: Scalar>(
    splats: &Splats<&[T]>,
    sorted: &SortedHits,
    backgrounds: &[T],
    composited: &Composited<T>,
    v_image: &Image<&[T]>,
    wanted: Wanted,
    simd: Simd,
) -> Result<(Splats<Vec<T>>, Vec<T>), RenderError> {
    let (size, channels) = (sorted.grid.size, splats.channels);
    check_sorted(splats, sorted)?;
    check_len(
        "backgrounds",
        "[B, C]",
        &[size.views, channels],
        backgrounds.len(),
    )?;
    if composited.size != size {
        let got = format!("{:?}", composited.size);
        return Err(RenderError::shape("composited", format!("{size:?}"), got));
    }
    v_image.validate_gradient(size, channels, |buffer| buffer.len())?;
    let pass = Backward {
        splats,
        sorted,
        backgrounds,
        composited,
        v_image,
        wanted,
    };
    let stride = pass.stride();
    let elements = checked_product("gradients of hits", &[sorted.hits(), stride])?;
    let mut partials = try_filled("gradients of hits [K, 6 + C]", elements, T::ZERO)?;
    let background_parts: Vec<Vec<T>> = pass
        .bands(&mut partials)
        .into_par_iter()
        .map(|band| T::composite_band_vjp(simd, &pass, band))
        .collect();
    let v_splats = pass.sum_hits(&partials)?;
    let mut v_backgrounds = Vec::new();
    if wanted.backgrounds {
        v_backgrounds = try_filled(
            "gradient by backgrounds [B, C]",
            size.views * channels,
            T::ZERO,
        )?;
        for (band, part) in background_parts.iter().enumerate() {
            let view = band / sorted.grid.rows;
            for (sum, &p) in v_backgrounds[view * channels..].iter_mut().zip(part) {
                *sum += p;
            }
        }
    }
    Ok((v_splats, v_backgrounds))
}

/// Replays one band.
pub(crate) struct Replay<'p, 'a, T: Scalar> {
    pub(crate) pass: &'p Backward<'a, T>,
    pub(crate) band: BandVjp<'a, T>,
}

impl<T: Scalar> Kernel for Replay<'_, '_, T> {
    type Scalar = T;
    type Output = Vec<T>;

    #[inline(always)]
    fn run<A: Arithmetic<T>, const LANES: usize>(self) -> Vec<T> {
        let Self { pass, band } = self;
        if !pass.wanted.splat_geometry() {
            return pass.run::<A, LANES, 0, false>(band);
        }
        match pass.planes() {
            3 => pass.run::<A, LANES, 3, true>(band),
            4 => pass.run::<A, LANES, 4, true>(band),
            _ => pass.run::<A, LANES, 0, true>(band),
        }
    }
}

impl<T: Scalar> Backward<'_, T> {
    /// Numbers per hit: the geometry's, then the depth's and the features'.
    fn stride(&self) -> usize {
        let features = if self.wanted.features {
            self.splats.channels
        } else {
            0
        };
        self.geometry() + self.depths() + features
    }

    fn geometry(&self) -> usize {
        if self.wanted.splat_geometry() {
            GEOMETRY
        } else {
            0
        }
    }

    /// Planes of depth: one where the loss depends on it.
    fn depths(&self) -> usize {
        usize::from(self.v_image.depth.is_some())
    }

    /// Values per pixel.
    fn planes(&self) -> usize {
        self.depths() + self.splats.channels
    }

    fn bands<'a>(&self, partials: &'a mut [T]) -> Vec<BandVjp<'a, T>> {
        let (grid, mut rest) = (self.sorted.grid, partials);
        let mut bands = Vec::with_capacity(grid.size.views * grid.rows);
        for view in 0..grid.size.views {
            for tile_row in 0..grid.rows {
                let first = view * grid.per_view() + tile_row * grid.columns;
                let slots = self.sorted.slots_of_tile(first).start
                    ..self.sorted.slots_of_tile(first + grid.columns - 1).end;
                let partials = cut(&mut rest, slots.len() * self.stride());
                bands.push(BandVjp {
                    view,
                    tile_row,
                    partials,
                });
            }
        }
        bands
    }

    /// Fills a band's hits and returns its share of the gradient by the background, `[C]`.
    #[inline(always)]
    fn run<A: Arithmetic<T>, const LANES: usize, const PLANES: usize, const GEOM: bool>(
        &self,
        band: BandVjp<'_, T>,
    ) -> Vec<T> {
        let (grid, channels) = (&self.sorted.grid, self.splats.channels);
        let first = Tile::new(grid, 0, band.tile_row);
        let mut pixels = Pixels::new(Tile::plane_of(grid), first.stride, self.planes());
        let mut values = vec![T::ZERO; self.planes()];
        let mut v_background = vec![T::ZERO; channels];
        let mut rest = band.partials;
        for column in 0..grid.columns {
            let tile = Tile::new(grid, column, band.tile_row);
            let number = band.view * grid.per_view() + band.tile_row * grid.columns + column;
            let hits = self.sorted.splats_of_tile(number);
            let partials = cut(&mut rest, hits.len() * self.stride());
            let end = self.load(&tile, band.view, &mut pixels, &mut v_background);
            if self.stride() == 0 {
                continue;
            }
            let reached = hits[..end.min(hits.len())].iter().enumerate().rev();
            for (place, &m) in reached {
                let m = m as usize;
                let hit = Hit::load(self.splats, m, grid, &tile, &self.composited.constants);
                load_values(self.splats, m, &mut values);
                let layer = Layer {
                    place: place as u32,
                    values: &values,
                };
                pixels.remove::<A, LANES, PLANES, GEOM>(
                    &tile,
                    &hit,
                    layer,
                    &self.composited.constants,
                    &mut partials[place * self.stride()..(place + 1) * self.stride()],
                );
            }
        }
        v_background
    }

    /// Loads a tile's pixels and adds to the gradient by the background; returns the greatest end of any pixel.
    #[inline(always)]
    fn load(
        &self,
        tile: &Tile,
        view: usize,
        pixels: &mut Pixels<T>,
        v_background: &mut [T],
    ) -> usize {
        let ImageSize { height, width, .. } = self.composited.size;
        let (planes, channels) = (self.planes(), self.splats.channels);
        let background = &self.backgrounds[view * channels..(view + 1) * channels];
        tile.centres_x(&mut pixels.centres);
        pixels.row_ends.fill(0);
        for row in 0..tile.height {
            let start = (view * height + tile.y + row) * width + tile.x;
            let (from, to) = (start..start + tile.width, tile.row(row));
            let t = &self.composited.transmittance[from.clone()];
            pixels.transmittance[to.clone()].copy_from_slice(t);
            let ends = &self.composited.ends[from.clone()];
            pixels.ends[to.clone()].copy_from_slice(ends);
            pixels.row_ends[row] = ends.iter().fold(0, |greatest, &end| greatest.max(end));
            if let Some(v) = self.v_image.depth {
                let at = tile.row_of_plane(row, 0, planes);
                pixels.v_values[at..at + tile.width].copy_from_slice(&v[from.clone()]);
            }
            let v_rest = &mut pixels.v_rest[to.clone()];
            match self.v_image.transmittance {
                Some(v) => v_rest.copy_from_slice(&v[from.clone()]),
                None => v_rest.fill(T::ZERO),
            }
            let v_pixels = &self.v_image.features[start * channels..][..tile.width * channels];
            let at = tile.row_of_plane(row, self.depths(), planes);
            let v_planes = &mut pixels.v_values[at..at + channels * tile.stride];
            take_apart(v_pixels, v_planes, tile.stride, channels);
            for (channel, v_plane) in v_planes.chunks_exact(tile.stride).enumerate() {
                let mut sum = T::ZERO;
                for ((rest, &v), &t) in v_rest.iter_mut().zip(v_plane).zip(t) {
                    *rest += v * background[channel];
                    sum += v * t;
                }
                v_background[channel] += sum;
            }
        }
        pixels
            .row_ends
            .iter()
            .fold(0, |greatest, &end| greatest.max(end)) as usize
    }

    /// Adds up every splat's hits, in the order of its tiles (MATH eq. 17).
    fn sum_hits(&self, partials: &[T]) -> Result<Splats<Vec<T>>, RenderError> {
        let (m, channels, stride) = (self.splats.len(), self.splats.channels, self.stride());
        let geometry = if self.wanted.splat_geometry() { m } else { 0 };
        let features = if self.wanted.features {
            m * channels
        } else {
            0
        };
        let mut v = Splats {
            means: try_filled("gradient by splat means", 2 * geometry, T::ZERO)?,
            conics: try_filled("gradient by conics", 3 * geometry, T::ZERO)?,
            opacities: try_filled("gradient by splat opacities", geometry, T::ZERO)?,
            depths: try_filled("gradient by depths", geometry, T::ZERO)?,
            features: try_filled("gradient by splat features", features, T::ZERO)?,
            extents: Vec::new(),
            offsets: self.splats.offsets.clone(),
            channels,
        };
        let by_geometry = (
            v.means.par_chunks_exact_mut(2),
            v.conics.par_chunks_exact_mut(3),
            v.opacities.par_iter_mut(),
            v.depths.par_iter_mut(),
        );
        let by_geometry = by_geometry.into_par_iter().with_min_len(256).enumerate();
        by_geometry.for_each(|(m, (mean, conic, opacity, depth))| {
            for hit in self.partials_of(m, partials, stride) {
                mean[0] += hit[0];
                mean[1] += hit[1];
                conic[0] += hit[2];
                conic[1] += hit[3];
                conic[2] += hit[4];
                *opacity += hit[5];
                if self.depths() > 0 {
                    *depth += hit[GEOMETRY];
                }
            }
        });
        let rows = v.features.par_chunks_exact_mut(channels).with_min_len(256);
        rows.enumerate().for_each(|(m, row)| {
            for hit in self.partials_of(m, partials, stride) {
                for (sum, &part) in row.iter_mut().zip(&hit[self.geometry() + self.depths()..]) {
                    *sum += part;
                }
            }
        });
        Ok(v)
    }

    /// The gradients of a splat's hits.
    fn partials_of<'a>(
        &'a self,
        m: usize,
        partials: &'a [T],
        stride: usize,
    ) -> impl Iterator<Item = &'a [T]> {
        let offsets = &self.sorted.hits_from_splat;
        self.sorted.slot_from_hit[offsets[m] as usize..offsets[m + 1] as usize]
            .iter()
            .map(move |&slot| &partials[slot as usize * stride..(slot as usize + 1) * stride])
    }
}

/// Sorts a row of pixels, `[W, C]`, into planes of `stride`.
#[inline(always)]
fn take_apart<T: Scalar>(pixels: &[T], planes: &mut [T], stride: usize, channels: usize) {
    if channels == 3 {
        // The usual number, spelled out: the compiler then takes whole vectors apart.
        let (pixels, _) = pixels.as_chunks::<3>();
        let (r, rest) = planes.split_at_mut(stride);
        let (g, b) = rest.split_at_mut(stride);
        let n = pixels.len();
        let (r, g, b) = (&mut r[..n], &mut g[..n], &mut b[..n]);
        for i in 0..n {
            [r[i], g[i], b[i]] = pixels[i];
        }
    } else {
        for (column, pixel) in pixels.chunks_exact(channels).enumerate() {
            for (channel, &v) in pixel.iter().enumerate() {
                planes[channel * stride + column] = v;
            }
        }
    }
}
