//! Loads the initial state of a tile's pixels for the backward pass: the saved state of the forward
//! pass, and the gradient of the image.

use std::ops::Range;

use crate::composite::cpu::blend::NEVER;
use crate::composite::cpu::pass::Backward;
use crate::composite::cpu::replay::Pixels;
use crate::composite::cpu::tile::{
    BLOCK_SIDE, Block, MAX_LANES, ROWS_AHEAD, Row, Tile, put_row, take_row,
};
use crate::host::prefetch::prefetch_to_read;
use crate::host::simd::Kernel;
use crate::image::ImageSize;
use crate::scalar::Scalar;
use crate::scalar::rounding::Arithmetic;

/// Loads the pixels of a tile, and computes the tile's gradient with respect to the background.
pub(super) struct Read<'p, 'a, T: Scalar> {
    pub(super) pass: &'p Backward<'a, T>,
    pub(crate) pixels: &'p mut Pixels<T>,
    pub(crate) tile: &'p Tile,
    pub(crate) view: usize,
    /// The index of the tile among the tiles of all views.
    pub(crate) number: usize,
    /// The indices of the tile's saved blocks.
    pub(crate) saved: Range<usize>,
    /// `[C]`: buffer for a row of the image's gradient.
    pub(crate) v_row: &'p mut [Row<T>],
    /// `[C]`: the gradient with respect to the background.
    pub(crate) v_background: &'p mut [T],
}

impl<T: Scalar> Kernel for Read<'_, '_, T> {
    type Scalar = T;
    type Output = ();

    #[inline(always)]
    fn run<A: Arithmetic<T>, const LANES: usize>(self) {
        let Self {
            pixels,
            tile,
            v_background,
            ..
        } = self;
        let ImageSize { height, width, .. } = self.pass.composited.grid.size;
        let (planes, channels) = (self.pass.planes(), self.pass.splats.channels);
        let background = &self.pass.backgrounds[self.view * channels..(self.view + 1) * channels];
        pixels.centres.set(tile);
        self.pass.load_state(pixels, tile, self.number, self.saved);
        if tile.cuts_blocks() {
            // Lanes outside the image are computed too. Their values from the previous tile may be
            // NaN.
            pixels.v_values.fill(Block::all(T::ZERO));
            self.v_row.fill([T::ZERO; _]);
        }
        v_background.fill(T::ZERO);
        let mut t: Row<T> = [T::ZERO; _];
        let (mut v_rest, mut v_depth) = ([T::ZERO; _], [T::ZERO; _]);
        let v_row = self.v_row;
        let start_of = |row: usize| (self.view * height + tile.y + row) * width + tile.x;
        // Consecutive rows of an image are memory pages apart. The part of a row that lies in a
        // tile is too short for the hardware prefetcher.
        let fetch = |row: usize| {
            let start = start_of(row);
            let v_pixels = &self.pass.v_image.features[start * channels..][..tile.width * channels];
            prefetch_to_read(v_pixels);
        };
        for row in 0..tile.height.min(ROWS_AHEAD) {
            fetch(row);
        }
        for row in 0..tile.height {
            if row + ROWS_AHEAD < tile.height {
                fetch(row + ROWS_AHEAD);
            }
            let start = start_of(row);
            let (from, to) = (start..start + tile.width, ..tile.width);
            if let (Some(v), 1..) = (self.pass.v_image.depth, self.pass.depths()) {
                v_depth[to].copy_from_slice(&v[from.clone()]);
                put_row(row, &v_depth, &mut pixels.v_values, planes);
            }
            match self.pass.v_image.transmittance {
                Some(v) => v_rest[to].copy_from_slice(&v[from.clone()]),
                None => v_rest[to].fill(T::ZERO),
            }
            let v_pixels = &self.pass.v_image.features[start * channels..][..tile.width * channels];
            take_apart(v_pixels, v_row);
            for (c, (&background, v_plane)) in background.iter().zip(&*v_row).enumerate() {
                let plane = self.pass.depths() + c;
                put_row(row, v_plane, &mut pixels.v_values[plane..], planes);
                for (rest, &v) in v_rest[to].iter_mut().zip(v_plane) {
                    *rest += v * background;
                }
            }
            put_row(row, &v_rest, &mut *pixels.v_rest, 1);
            if self.pass.wanted.backgrounds {
                let blocks = tile.blocks_of_row(row / BLOCK_SIDE);
                take_row(&pixels.transmittance[blocks], row, &mut t[to], 1);
                for (sum, v_plane) in v_background.iter_mut().zip(&*v_row) {
                    for (&v, &t) in v_plane[to].iter().zip(&t) {
                        *sum += v * t;
                    }
                }
            }
        }
    }
}

impl<T: Scalar> Backward<'_, T> {
    /// Loads the saved state of tile `number`, whose blocks are `saved`.
    #[inline(always)]
    fn load_state(&self, pixels: &mut Pixels<T>, tile: &Tile, number: usize, saved: Range<usize>) {
        let ended = self.composited.ended[number] > 0;
        let lanes = saved.start * MAX_LANES..saved.end * MAX_LANES;
        let saved = self.composited.transmittance[lanes.clone()].as_chunks().0;
        for (block, &saved) in tile.blocks().flatten().zip(saved) {
            pixels.transmittance[block].0 = saved;
        }
        if ended {
            let saved = self.composited.ends[lanes].as_chunks().0;
            for (block, &saved) in tile.blocks().flatten().zip(saved) {
                pixels.ends[block].0 = saved;
            }
        } else {
            for blocks in tile.blocks() {
                pixels.ends[blocks].fill(Block::all(NEVER));
            }
        }
    }
}

/// Splits a row of pixels, `[W, C]`, into C planes.
#[inline(always)]
fn take_apart<T: Scalar>(pixels: &[T], planes: &mut [Row<T>]) {
    if let [r, g, b] = planes {
        // The usual number of channels, written out: the compiler then shuffles whole vectors.
        let (pixels, _) = pixels.as_chunks::<3>();
        let n = pixels.len();
        let (r, g, b) = (&mut r[..n], &mut g[..n], &mut b[..n]);
        for i in 0..n {
            [r[i], g[i], b[i]] = pixels[i];
        }
    } else {
        for (column, pixel) in pixels.chunks_exact(planes.len()).enumerate() {
            for (plane, &v) in planes.iter_mut().zip(pixel) {
                plane[column] = v;
            }
        }
    }
}
