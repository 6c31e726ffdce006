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
