//! The forward compositor: for every tile, its hits front to back; for every hit, its rows in chunks of lanes.

use rayon::prelude::*;

use crate::composite::tile::{Constants, Hit, LANES, Lanes, Tile};
use crate::composite::{Image, ImageSize};
use crate::config::RenderConfig;
use crate::error::{RenderError, try_filled};
use crate::gaussians::check_len;
use crate::project::Splats;
use crate::scalar::Scalar;
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
}

/// One row of tiles of one view, and the parts of the outputs it fills.
struct Band<'a, T> {
    view: usize,
    tile_row: usize,
    features: &'a mut [T],
    transmittance: &'a mut [T],
    ends: &'a mut [u32],
    depth: Option<&'a mut [T]>,
    layers: Vec<&'a mut [T]>,
}

/// What all bands read.
struct Pass<'a, T: Scalar> {
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
    };
    let pass = Pass {
        splats,
        sorted,
        backgrounds,
        constants: composited.constants,
        cuts: &config.layers,
    };
    let arch = pulp::Arch::new();
    bands(
        &mut image,
        &mut composited,
        sorted,
        channels,
        config.layers.len(),
    )
    .into_par_iter()
    .for_each(|band| {
        // Everything below is inlined into this closure, and so compiled for the vector instructions at hand.
        arch.dispatch(
            #[inline(always)]
            || pass.run(band),
        );
    });
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

/// The pixels of a tile while it is composited, in chunks of lanes.
struct Pixels<T> {
    /// Transmittance; negated once the pixel has ended, which no further splat then passes.
    transmittance: Vec<Lanes<T>>,
    ends: Vec<Lanes<u32>>,
    depth: Vec<Lanes<T>>,
    /// By channel, then chunk.
    features: Vec<Lanes<T>>,
}

impl<T: Scalar> Pixels<T> {
    fn new(chunks: usize, channels: usize) -> Self {
        Self {
            transmittance: vec![[T::ONE; LANES]; chunks],
            ends: vec![[0; LANES]; chunks],
            depth: vec![[T::ZERO; LANES]; chunks],
            features: vec![[T::ZERO; LANES]; chunks * channels],
        }
    }

    /// A fresh tile: full transmittance inside the image; outside of it, pixels that have ended.
    fn reset(&mut self, tile: &Tile) {
        self.transmittance.fill([-T::ONE; LANES]);
        self.ends.fill([0; LANES]);
        self.depth.fill([T::ZERO; LANES]);
        self.features.fill([T::ZERO; LANES]);
        for (_, _, chunk, lane) in tile.pixels() {
            self.transmittance[chunk][lane] = T::ONE;
        }
    }

    fn all_ended(&self) -> bool {
        let ended = |lanes: &Lanes<T>| lanes.iter().fold(true, |all, &t| all & (t < T::ZERO));
        self.transmittance.iter().all(ended)
    }

    /// Adds one splat, the `place`-th of the tile's list.
    #[inline(always)]
    fn add(
        &mut self,
        tile: &Tile,
        hit: &Hit<T>,
        feature: &[T],
        place: u32,
        constants: &Constants<T>,
    ) {
        let chunks = self.transmittance.len();
        for row in hit.rows.clone() {
            let y = tile.centre_y(row);
            for k in hit.chunks.clone() {
                let x = tile.centres_x(k);
                let falloff = hit.falloff(x, &hit.offsets(x, y), constants);
                let at = row * tile.chunks_per_row + k;
                let weights = self.step(at, hit.opacity, &falloff, place, constants);
                for lane in 0..LANES {
                    self.depth[at][lane] += weights[lane] * hit.depth;
                }
                for (plane, &f) in self.features.chunks_exact_mut(chunks).zip(feature) {
                    for lane in 0..LANES {
                        plane[at][lane] += weights[lane] * f;
                    }
                }
            }
        }
    }

    /// Moves a chunk's transmittance behind a splat and returns the splat's weights.
    #[inline(always)]
    fn step(
        &mut self,
        at: usize,
        opacity: T,
        falloff: &Lanes<T>,
        place: u32,
        constants: &Constants<T>,
    ) -> Lanes<T> {
        let mut weights = [T::ZERO; LANES];
        let (transmittance, ends) = (&mut self.transmittance[at], &mut self.ends[at]);
        for lane in 0..LANES {
            let t = transmittance[lane];
            let alpha = T::alpha(opacity, falloff[lane], constants.alpha_max);
            let next = T::behind(t, alpha);
            let goes_on = next > constants.transmittance_min;
            let ended = if t < T::ZERO { t } else { -t };
            weights[lane] = if goes_on {
                T::weight(alpha, t)
            } else {
                T::ZERO
            };
            transmittance[lane] = if goes_on { next } else { ended };
            ends[lane] = if goes_on & (alpha > T::ZERO) {
                place + 1
            } else {
                ends[lane]
            };
        }
        weights
    }

    /// The feature image of everything added so far, over the background, into a band of `width` px per row.
    fn write_features(&self, tile: &Tile, background: &[T], width: usize, out: &mut [T]) {
        let (chunks, channels) = (self.transmittance.len(), background.len());
        for (row, column, chunk, lane) in tile.pixels() {
            let t = magnitude(self.transmittance[chunk][lane]);
            let pixel = (row * width + tile.x + column) * channels;
            for (channel, value) in out[pixel..pixel + channels].iter_mut().enumerate() {
                *value = self.features[channel * chunks + chunk][lane] + t * background[channel];
            }
        }
    }
}

/// The transmittance of a pixel, ended or not.
fn magnitude<T: Scalar>(t: T) -> T {
    if t < T::ZERO { -t } else { t }
}

impl<T: Scalar> Pass<'_, T> {
    #[inline(always)]
    fn run(&self, mut band: Band<'_, T>) {
        let grid = &self.sorted.grid;
        let chunks = grid.tile_width * grid.tile_height / LANES;
        let mut pixels = Pixels::new(chunks, self.splats.channels);
        for column in 0..grid.columns {
            let tile = Tile::new(grid, column, band.tile_row);
            pixels.reset(&tile);
            self.tile(&tile, column, &mut pixels, &mut band);
        }
    }

    /// The background of a view.
    fn background(&self, view: usize) -> &[T] {
        let channels = self.splats.channels;
        &self.backgrounds[view * channels..(view + 1) * channels]
    }

    #[inline(always)]
    fn tile(&self, tile: &Tile, column: usize, pixels: &mut Pixels<T>, band: &mut Band<'_, T>) {
        let (grid, channels) = (&self.sorted.grid, self.splats.channels);
        let width = grid.size.width;
        let number = band.view * grid.per_view() + band.tile_row * grid.columns + column;
        let background = self.background(band.view);
        let mut layer = 0;
        for (place, &m) in self.sorted.splats_of_tile(number).iter().enumerate() {
            let m = m as usize;
            if place % HITS_BETWEEN_STOP_TESTS == 0 && pixels.all_ended() {
                break;
            }
            let rank = self.sorted.rank_from_splat[m] as usize;
            while layer < self.cuts.len() && self.cuts[layer] <= rank {
                pixels.write_features(tile, background, width, band.layers[layer]);
                layer += 1;
            }
            let hit = Hit::load(self.splats, m, grid, tile);
            let feature = &self.splats.features[m * channels..(m + 1) * channels];
            pixels.add(tile, &hit, feature, place as u32, &self.constants);
        }
        for rest in &mut band.layers[layer..] {
            pixels.write_features(tile, background, width, rest);
        }
        pixels.write_features(tile, background, width, band.features);
        for (row, column, chunk, lane) in tile.pixels() {
            let pixel = row * width + tile.x + column;
            band.transmittance[pixel] = magnitude(pixels.transmittance[chunk][lane]);
            band.ends[pixel] = pixels.ends[chunk][lane];
            if let Some(depth) = &mut band.depth {
                depth[pixel] = pixels.depth[chunk][lane];
            }
        }
    }
}
