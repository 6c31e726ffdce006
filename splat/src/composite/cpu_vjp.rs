//! The backward compositor: for every tile, its hits back to front. Each hit's gradient is summed over the tile's pixels in
//! lanes and stored in the hit's own slot; then each splat adds up its hits in order. Nothing is ever added from two threads.

use rayon::prelude::*;

use crate::backend::Wanted;
use crate::composite::cpu::{Composited, check_sorted};
use crate::composite::replay::{Chunk, GEOMETRY, HitSums, Pixels};
use crate::composite::tile::{Hit, LANES, Tile};
use crate::composite::{Image, ImageSize};
use crate::error::{RenderError, checked_product, try_filled};
use crate::gaussians::check_len;
use crate::project::Splats;
use crate::scalar::Scalar;
use crate::sort::cpu::{SortedHits, cut};

/// What all bands read.
struct Pass<'a, T: Scalar> {
    splats: &'a Splats<&'a [T]>,
    sorted: &'a SortedHits,
    backgrounds: &'a [T],
    composited: &'a Composited<T>,
    v_image: &'a Image<&'a [T]>,
    wanted: Wanted,
}

/// One row of tiles of one view, and the gradients of its hits, `[hits, stride]`.
struct Band<'a, T> {
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
    let pass = Pass {
        splats,
        sorted,
        backgrounds,
        composited,
        v_image,
        wanted,
    };
    let stride = pass.stride();
    let elements = checked_product("gradients of hits", &[sorted.hits(), stride])?;
    let mut partials = try_filled("gradients of hits [K, 7 + C]", elements, T::ZERO)?;
    let arch = pulp::Arch::new();
    let background_parts: Vec<Vec<T>> = pass
        .bands(&mut partials)
        .into_par_iter()
        .map(|band| {
            // As in the forward pass: inlined, for the vector instructions at hand.
            arch.dispatch(
                #[inline(always)]
                || pass.run(band),
            )
        })
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

impl<T: Scalar> Pass<'_, T> {
    /// Numbers per hit.
    fn stride(&self) -> usize {
        let features = if self.wanted.features {
            self.splats.channels
        } else {
            0
        };
        self.geometry() + features
    }

    fn geometry(&self) -> usize {
        if self.wanted.splat_geometry() {
            GEOMETRY
        } else {
            0
        }
    }

    fn bands<'a>(&self, partials: &'a mut [T]) -> Vec<Band<'a, T>> {
        let (grid, mut rest) = (self.sorted.grid, partials);
        let mut bands = Vec::with_capacity(grid.size.views * grid.rows);
        for view in 0..grid.size.views {
            for tile_row in 0..grid.rows {
                let first = view * grid.per_view() + tile_row * grid.columns;
                let slots = self.sorted.slots_of_tile(first).start
                    ..self.sorted.slots_of_tile(first + grid.columns - 1).end;
                let partials = cut(&mut rest, slots.len() * self.stride());
                bands.push(Band {
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
    fn run(&self, band: Band<'_, T>) -> Vec<T> {
        let grid = &self.sorted.grid;
        let chunks = grid.tile_width * grid.tile_height / LANES;
        let mut pixels = Pixels::new(chunks, self.splats.channels);
        let mut v_background = vec![T::ZERO; self.splats.channels];
        let mut rest = band.partials;
        for column in 0..grid.columns {
            let tile = Tile::new(grid, column, band.tile_row);
            let number = band.view * grid.per_view() + band.tile_row * grid.columns + column;
            let hits = self.sorted.splats_of_tile(number);
            let partials = cut(&mut rest, hits.len() * self.stride());
            let background =
                &self.backgrounds[band.view * v_background.len()..][..v_background.len()];
            let end = self.load(&tile, band.view, background, &mut pixels, &mut v_background);
            let hits = &hits[..end.min(hits.len())];
            if self.wanted.splat_geometry() {
                self.walk::<true>(&tile, hits, &mut pixels, partials);
            } else if self.wanted.features {
                self.walk::<false>(&tile, hits, &mut pixels, partials);
            }
        }
        v_background
    }

    /// Loads a tile's pixels and adds to the gradient by the background; returns the greatest end of any pixel.
    fn load(
        &self,
        tile: &Tile,
        view: usize,
        background: &[T],
        pixels: &mut Pixels<T>,
        v_background: &mut [T],
    ) -> usize {
        let ImageSize { height, width, .. } = self.composited.size;
        let (chunks, channels) = (pixels.ends.len(), background.len());
        pixels.clear();
        let mut greatest = 0;
        for (row, column, chunk, lane) in tile.pixels() {
            let pixel = (view * height + tile.y + row) * width + tile.x + column;
            let t = self.composited.transmittance[pixel];
            let v_features = &self.v_image.features[pixel * channels..(pixel + 1) * channels];
            let mut beyond = plane_value(self.v_image.transmittance, pixel);
            for (channel, &v) in v_features.iter().enumerate() {
                pixels.v_features[channel * chunks + chunk][lane] = v;
                beyond += v * background[channel];
                v_background[channel] += v * t;
            }
            pixels.v_depth[chunk][lane] = plane_value(self.v_image.depth, pixel);
            pixels.transmittance[chunk][lane] = t;
            pixels.beyond[chunk][lane] = t * beyond;
            pixels.ends[chunk][lane] = self.composited.ends[pixel];
            greatest = greatest.max(self.composited.ends[pixel]);
        }
        greatest as usize
    }

    /// Walks a tile's hits back to front.
    #[inline(always)]
    fn walk<const GEOMETRY: bool>(
        &self,
        tile: &Tile,
        hits: &[u32],
        pixels: &mut Pixels<T>,
        partials: &mut [T],
    ) {
        let (channels, stride) = (self.splats.channels, self.stride());
        let mut sums = HitSums::new(if self.wanted.features { channels } else { 0 });
        for (place, &m) in hits.iter().enumerate().rev() {
            let m = m as usize;
            let hit = Hit::load(self.splats, m, &self.sorted.grid, tile);
            let feature = &self.splats.features[m * channels..(m + 1) * channels];
            sums.clear();
            for row in hit.rows.clone() {
                let y = tile.centre_y(row);
                for k in hit.chunks.clone() {
                    let chunk = Chunk {
                        at: row * tile.chunks_per_row + k,
                        x: tile.centres_x(k),
                        y,
                    };
                    let constants = &self.composited.constants;
                    let live = pixels.live(chunk.at, place as u32);
                    pixels.step::<GEOMETRY>(chunk, live, &hit, feature, constants, &mut sums);
                }
            }
            sums.store(
                &mut partials[place * stride..(place + 1) * stride],
                self.geometry(),
            );
        }
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
                *depth += hit[6];
            }
        });
        let rows = v.features.par_chunks_exact_mut(channels).with_min_len(256);
        rows.enumerate().for_each(|(m, row)| {
            for hit in self.partials_of(m, partials, stride) {
                for (sum, &part) in row.iter_mut().zip(&hit[self.geometry()..]) {
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

/// The value of an optional gradient plane.
fn plane_value<T: Scalar>(plane: Option<&[T]>, pixel: usize) -> T {
    plane.map_or(T::ZERO, |plane| plane[pixel])
}
