//! Writes the pixels of a composited tile: the images, and the saved state for the vjp.

use crate::composite::cpu::blend::Pixels;
use crate::composite::cpu::tile::{BLOCK_SIDE, MAX_LANES, ROWS_AHEAD, Row, Tile, take_row};
use crate::host::cut::cut;
use crate::host::prefetch::prefetch_to_write;
use crate::host::simd::Kernel;
use crate::scalar::Scalar;
use crate::scalar::rounding::Arithmetic;

/// The saved state of consecutive tiles, as in
/// [`Composited`](crate::composite::cpu::composited::Composited).
pub(crate) struct Saved<'a, T> {
    pub(crate) transmittance: &'a mut [T],
    pub(crate) ends: &'a mut [u32],
    pub(crate) ended: &'a mut [u32],
}

impl<'a, T> Saved<'a, T> {
    /// Cuts off the first `tiles` tiles, which have `blocks` blocks together.
    pub(crate) fn cut(&mut self, tiles: usize, blocks: usize) -> Saved<'a, T> {
        Saved {
            transmittance: cut(&mut self.transmittance, blocks * MAX_LANES),
            ends: cut(&mut self.ends, blocks * MAX_LANES),
            ended: cut(&mut self.ended, tiles),
        }
    }
}

/// Writes the pixels of a tile to the rows of a strip.
pub(crate) struct Write<'p, 'a, T: Scalar> {
    pub(crate) pixels: &'p mut Pixels<T>,
    pub(crate) tile: &'p Tile,
    /// `[C]`: the background of the view.
    pub(crate) background: &'p [T],
    /// The first column of the tile within the rows.
    pub(crate) left: usize,
    /// The rows of the feature image, to be written over the background.
    pub(crate) features: &'p mut [&'a mut [T]],
    /// The other outputs, written once the tile is complete.
    pub(crate) rest: Option<Rest<'p, 'a, T>>,
}

/// The outputs of a tile besides features.
pub(crate) struct Rest<'p, 'a, T> {
    pub(crate) transmittance: Option<&'p mut [&'a mut [T]]>,
    pub(crate) depth: Option<&'p mut [&'a mut [T]]>,
    pub(crate) saved: Saved<'p, T>,
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
        // Consecutive rows of an image are memory pages apart. The part of a row that lies in a
        // tile is too short for the hardware prefetcher.
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
        if let Some(rest) = rest {
            write_rest(pixels, tile, left, rest);
        }
    }
}

/// Saves the state of a finished tile, and writes its transmittance and depth if they are wanted.
#[inline(always)]
fn write_rest<T: Scalar>(pixels: &mut Pixels<T>, tile: &Tile, left: usize, rest: Rest<'_, '_, T>) {
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
    let to = left..left + tile.width;
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

/// Writes the rows of a row of blocks for three features per pixel. The usual number of channels is
/// written out, so that the compiler interleaves whole vectors. All four rows are assembled first,
/// because loading a vector directly after storing its quarters is slow.
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
