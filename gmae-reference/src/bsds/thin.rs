//! Thinning: reduces lines to a width of one pixel.
//!
//! The two-subiteration algorithm of Guo and Hall (1989), "Parallel thinning with two-subiteration
//! algorithms", as Lam, Lee and Suen (1992), "Thinning methodologies", state it. Each subiteration
//! tests all pixels against the same picture. Here a word of 64 pixels is tested at once.

use super::bitmap::Bitmap;

/// The half of an iteration. The halves remove pixels from opposite sides.
#[derive(Clone, Copy)]
enum Half {
    First,
    Second,
}

/// Returns the thinned picture: both subiterations are repeated until neither changes a pixel.
pub fn thin(picture: &Bitmap) -> Bitmap {
    let rows = picture.height();
    let mut now = picture.clone();
    let mut next = picture.clone();
    // A row can change only if it or a neighbour has changed since the same half was last tried.
    let mut changed = [vec![true; rows + 2], vec![true; rows + 2]];
    loop {
        let mut any = false;
        for (half, kind) in [Half::First, Half::Second].into_iter().enumerate() {
            let mut fresh = vec![false; rows + 2];
            for y in 0..rows {
                let near = |flags: &[bool]| flags[y] || flags[y + 1] || flags[y + 2];
                let try_again = near(&changed[0]) || near(&changed[1]);
                if try_again {
                    fresh[y + 1] = thin_row(&now, y, kind, next.row_mut(y));
                } else {
                    next.row_mut(y).copy_from_slice(now.row(y + 1));
                }
            }
            any |= fresh.contains(&true);
            changed[half] = fresh;
            std::mem::swap(&mut now, &mut next);
        }
        if !any {
            return now;
        }
    }
}

/// Writes row `y` after one half of an iteration. Returns whether a pixel was removed.
fn thin_row(now: &Bitmap, y: usize, half: Half, to: &mut [u64]) -> bool {
    let [above, here, below] = [0, 1, 2].map(|offset| now.row(y + offset));
    let mut removed = false;
    for at in 1..here.len() - 1 {
        let pixels = here[at];
        to[at] = pixels;
        if pixels == 0 {
            continue;
        }
        let east = |row: &[u64]| row[at] >> 1 | row[at + 1] << 63;
        let west = |row: &[u64]| row[at] << 1 | row[at - 1] >> 63;
        // Counter-clockwise from the east, as in the paper.
        let neighbours = [
            east(here),
            east(above),
            above[at],
            west(above),
            west(here),
            west(below),
            below[at],
            east(below),
        ];
        let gone = pixels & removable(neighbours, half);
        to[at] = pixels & !gone;
        removed |= gone != 0;
    }
    removed
}

/// Returns the pixels that satisfy the conditions of a half, given the eight neighbours of each.
fn removable(x: [u64; 8], half: Half) -> u64 {
    let at = |i: usize| x[i % 8];
    // G1: the pixel touches one 8-connected part of its neighbours.
    let starts = [0, 2, 4, 6].map(|i| !at(i) & (at(i + 1) | at(i + 2)));
    let [one, two, ..] = at_least(starts);
    let single = one & !two;
    // G2: neither the end of a line, nor the inside of an area.
    let [_, two, _, four] = at_least([0, 2, 4, 6].map(|i| at(i) | at(i + 1)));
    let [_, also_two, _, also_four] = at_least([1, 3, 5, 7].map(|i| at(i) | at(i + 1)));
    let edge = two & also_two & !(four & also_four);
    // G3: the side from which this half removes pixels.
    let kept = match half {
        Half::First => (at(1) | at(2) | !at(7)) & at(0),
        Half::Second => (at(5) | at(6) | !at(3)) & at(4),
    };
    single & edge & !kept
}

/// Returns for each bit whether at least one, two, three or all four of `bits` are set.
fn at_least(bits: [u64; 4]) -> [u64; 4] {
    let [a, b, c, d] = bits;
    let (either, both) = (a | b, a & b);
    let (other, others) = (c | d, c & d);
    [
        either | other,
        both | others | either & other,
        both & other | either & others,
        both & others,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a picture of blobs: the majority of a pseudo-random pattern among nine pixels.
    fn blobs(width: usize, height: usize, seed: usize) -> Bitmap {
        let on = |x: usize, y: usize| (x * x * 3 + y * y * 5 + x * y * 7 + seed * x * 11) % 29 < 17;
        Bitmap::from_fn(width, height, |x, y| {
            let columns = x.saturating_sub(1)..(x + 2).min(width);
            let near = columns
                .flat_map(|x| (y.saturating_sub(1)..(y + 2).min(height)).map(move |y| (x, y)));
            near.filter(|&(x, y)| on(x, y)).count() >= 5
        })
    }

    /// CRC-32 of the pixels, row by row, eight to a byte, the first in the lowest bit.
    fn checksum(picture: &Bitmap) -> u32 {
        let mut bytes = vec![0_u8; (picture.width() * picture.height()).div_ceil(8)];
        for (x, y) in picture.pixels() {
            let at = y * picture.width() + x;
            bytes[at / 8] |= 1 << (at % 8);
        }
        crc32fast::hash(&bytes)
    }

    fn picture(rows: &[&str]) -> Bitmap {
        Bitmap::from_fn(rows[0].len(), rows.len(), |x, y| {
            rows[y].as_bytes()[x] == b'#'
        })
    }

    /// The numbers are those of `skimage.morphology.thin` (scikit-image 0.26).
    #[test]
    fn the_result_is_that_of_scikit_image() {
        for (size, before, after, sum) in [
            ((70, 40, 0), 1758, 792, 0xe7a4_58c0),
            ((130, 64, 1), 5359, 1874, 0x08b8_8fc2),
            ((64, 33, 2), 1309, 411, 0xe2d0_315f),
            ((1, 9, 3), 0, 0, 0x41d9_12ff),
            ((200, 3, 4), 241, 130, 0xc89f_05a0),
            ((321, 150, 5), 35145, 12871, 0x62c8_6e77),
        ] {
            let (width, height, seed) = size;
            let picture = blobs(width, height, seed);
            assert_eq!(picture.count(), before);
            let thinned = thin(&picture);
            assert_eq!(
                (thinned.count(), checksum(&thinned)),
                (after, sum),
                "{size:?}"
            );
            assert_eq!(thin(&thinned), thinned);
        }
    }

    /// An ellipse and two bars, thinned by `skimage.morphology.thin`.
    #[test]
    fn shapes_become_lines() {
        let shape = picture(&[
            "......#######.....................",
            "....###########..........###......",
            "...#############.........###......",
            "..############################....",
            ".#############################....",
            ".#############################....",
            ".#################.......###......",
            "..###############........###......",
            "...#############.........###......",
            "....###########..........###......",
            "......#######............###......",
            ".........................###......",
        ]);
        let lines = picture(&[
            "..................................",
            "..................................",
            "..................................",
            "..................................",
            ".................#########........",
            ".....############.........#.......",
            "..........................#.......",
            "..........................#.......",
            "..........................#.......",
            "..........................#.......",
            "..........................#.......",
            "..................................",
        ]);
        assert_eq!(thin(&shape), lines);
    }

    #[test]
    fn lines_and_empty_pictures_stay() {
        for picture in [Bitmap::new(0, 0), Bitmap::new(5, 0), Bitmap::new(70, 3)] {
            assert_eq!(thin(&picture), picture);
        }
        let diagonal = Bitmap::from_fn(100, 100, |x, y| x == y);
        assert_eq!(thin(&diagonal), diagonal);
    }
}
