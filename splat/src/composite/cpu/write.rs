//! Writes the pixels of a composited tile: the images, and the saved state for the vjp.

use crate::composite::cpu::blend::Pixels;
use crate::composite::cpu::tile::{BLOCK_SIDE, Block, MAX_LANES, ROWS_AHEAD, Row, Tile, take_row};
use crate::contributors::{Contributors, NO_CONTRIBUTOR};
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
    /// The rows of the transmittance, if it is wanted.
    pub(crate) transmittance: Option<&'p mut [&'a mut [T]]>,
    /// The other outputs, written once the tile is complete.
    pub(crate) rest: Option<Rest<'p, 'a, T>>,
}

/// The outputs of a tile besides features and transmittance.
pub(crate) struct Rest<'p, 'a, T> {
    pub(crate) depth: Option<&'p mut [&'a mut [T]]>,
    pub(crate) contributors: Option<ContributorRows<'p, 'a, T>>,
    /// The index of the view's first splat.
    pub(crate) first_splat: u32,
    pub(crate) saved: Saved<'p, T>,
}

/// The rows of the three buffers of contributors.
pub(crate) type ContributorRows<'r, 'a, T> =
    Contributors<&'r mut [&'a mut [T]], &'r mut [&'a mut [u32]]>;

/// Borrows rows of contributors for a shorter time.
pub(crate) fn borrowed<'s, 'a, T>(
    rows: &'s mut ContributorRows<'_, 'a, T>,
) -> ContributorRows<'s, 'a, T> {
    Contributors::new(&mut *rows.indices, &mut *rows.weights, &mut *rows.counts)
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
            transmittance,
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
        if let Some(rows) = transmittance {
            // The transmittance of a pixel that has ended is negated.
            take_rows(&pixels.transmittance[..], 1, rows, tile, left, T::abs);
        }
        if let Some(rest) = rest {
            write_rest(pixels, tile, left, rest);
        }
    }
}

/// Saves the state of a finished tile, and writes its depth and contributors if they are wanted.
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
    if let Some(rows) = rest.depth {
        take_rows(&pixels.values, pixels.planes, rows, tile, left, |z| z);
    }
    if let (Some(rows), Some(found)) = (rest.contributors, &pixels.contributors) {
        let Contributors {
            indices,
            weights,
            counts,
        } = rows;
        let in_view = |index| match index {
            NO_CONTRIBUTOR => NO_CONTRIBUTOR,
            index => index - rest.first_splat,
        };
        take_rows(&found.indices[..], 1, indices, tile, left, in_view);
        take_rows(&found.weights[..], 1, weights, tile, left, |w| w);
        take_rows(&found.counts[..], 1, counts, tile, left, |n| n);
    }
}

/// Writes one plane of a tile to the rows of a strip, after applying `to` to each value.
/// Consecutive blocks of the plane are `stride` elements apart.
#[inline(always)]
fn take_rows<T: Copy>(
    blocks: &[Block<T>],
    stride: usize,
    rows: &mut [&mut [T]],
    tile: &Tile,
    left: usize,
    to: impl Fn(T) -> T,
) {
    let columns = left..left + tile.width;
    let rows = &mut rows[..tile.height];
    for row in rows.iter().take(ROWS_AHEAD) {
        prefetch_to_write(&row[columns.clone()]);
    }
    for row in 0..rows.len() {
        if let Some(ahead) = rows.get(row + ROWS_AHEAD) {
            prefetch_to_write(&ahead[columns.clone()]);
        }
        let first = tile.blocks_of_row(row / BLOCK_SIDE).start * stride;
        let out = &mut rows[row][columns.clone()];
        take_row(&blocks[first..], row, out, stride);
        for value in out {
            *value = to(*value);
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
