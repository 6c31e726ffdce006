//! Pictures of one bit per pixel.

/// Number of zero words before the first word of a row, and after its last word.
const MARGIN: usize = 1;
/// Bits of a word.
const BITS: usize = 64;

/// A picture of one bit per pixel. Pixels outside the picture are off.
///
/// Every row is stored in words of 64 pixels, the lowest bit first. Zero words surround the rows,
/// and a zero row lies above and below the picture, so that neighbours need no special cases.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Bitmap {
    width: usize,
    height: usize,
    /// Words of a row, with its margins.
    stride: usize,
    /// Rows from -1 to `height`.
    words: Vec<u64>,
}

impl Bitmap {
    /// Creates a picture of `width` x `height` pixels that are off.
    pub fn new(width: usize, height: usize) -> Self {
        let stride = width.div_ceil(BITS) + 2 * MARGIN;
        Self {
            width,
            height,
            stride,
            words: vec![0; stride * (height + 2)],
        }
    }

    /// Creates a picture in which the pixels `(x, y)` with a true `value` are on.
    pub fn from_fn(width: usize, height: usize, value: impl Fn(usize, usize) -> bool) -> Self {
        let mut made = Self::new(width, height);
        for y in 0..height {
            let row = made.row_mut(y);
            for x in 0..width {
                row[MARGIN + x / BITS] |= u64::from(value(x, y)) << (x % BITS);
            }
        }
        made
    }

    /// Width in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Returns whether the pixel in column `x` and row `y` is on.
    pub fn get(&self, x: usize, y: usize) -> bool {
        x < self.width
            && y < self.height
            && self.row(y + 1)[MARGIN + x / BITS] >> (x % BITS) & 1 == 1
    }

    /// Switches the pixel in column `x` and row `y` on. Pixels outside the picture stay off.
    pub fn set(&mut self, x: usize, y: usize) {
        if x < self.width && y < self.height {
            self.row_mut(y)[MARGIN + x / BITS] |= 1 << (x % BITS);
        }
    }

    /// Number of pixels that are on.
    pub fn count(&self) -> usize {
        let ones = self.words.iter().map(|word| word.count_ones() as usize);
        ones.sum()
    }

    /// The pixels `(x, y)` that are on, row by row from left to right.
    pub fn pixels(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let rows = self.words.chunks_exact(self.stride).skip(1);
        rows.take(self.height).enumerate().flat_map(|(y, row)| {
            let words = row.iter().enumerate();
            words.flat_map(move |(at, &word)| {
                let start = (at * BITS).wrapping_sub(MARGIN * BITS);
                Ones(word).map(move |bit| (start + bit, y))
            })
        })
    }

    /// Words of row `row - 1`, with margins: row 0 is the empty row above the picture.
    pub(super) fn row(&self, row: usize) -> &[u64] {
        &self.words[row * self.stride..][..self.stride]
    }

    /// Words of row `y` of the picture, with margins.
    pub(super) fn row_mut(&mut self, y: usize) -> &mut [u64] {
        &mut self.words[(y + 1) * self.stride..][..self.stride]
    }

    /// Returns the pixels from column `x - radius` to column `x + radius` of row `y`, the leftmost
    /// in the lowest bit. `y` can lie outside the picture. `radius` is at most [`MAX_RADIUS`].
    pub(super) fn around(&self, x: usize, y: isize, radius: usize) -> u64 {
        if y < 0 || y >= self.height as isize || x >= self.width {
            return 0;
        }
        let row = self.row(y as usize + 1);
        let start = x + MARGIN * BITS - radius;
        let (word, shift) = (start / BITS, start % BITS);
        let wide = u128::from(row[word]) | u128::from(row[word + 1]) << BITS;
        (wide >> shift) as u64 & ((1 << (2 * radius + 1)) - 1)
    }
}

/// Largest radius of [`Bitmap::around`].
pub(super) const MAX_RADIUS: usize = 31;

/// The positions of the ones of a word, from the lowest.
pub(super) struct Ones(pub(super) u64);

impl Iterator for Ones {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        let bit = self.0.trailing_zeros() as usize;
        self.0 &= self.0 - 1;
        Some(bit)
    }
}

/// The numbers of the pixels of a picture that are on, in the order of [`Bitmap::pixels`].
#[derive(Debug)]
pub(super) struct Numbered<'a> {
    picture: &'a Bitmap,
    /// Number of pixels that are on before each word.
    before: Vec<u32>,
    /// Number of pixels that are on.
    pub(super) len: usize,
}

impl<'a> Numbered<'a> {
    /// Numbers the pixels of `picture`.
    pub(super) fn new(picture: &'a Bitmap) -> Self {
        let mut sum = 0;
        let before = picture.words.iter().map(|word| {
            let before = sum;
            sum += word.count_ones();
            before
        });
        Self {
            before: before.collect(),
            len: sum as usize,
            picture,
        }
    }

    /// The picture.
    pub(super) fn picture(&self) -> &'a Bitmap {
        self.picture
    }

    /// The number of the pixel in column `x` and row `y`, which must be on.
    pub(super) fn number(&self, x: usize, y: usize) -> u32 {
        let at = (y + 1) * self.picture.stride + MARGIN + x / BITS;
        let below = self.picture.words[at] & ((1 << (x % BITS)) - 1);
        self.before[at] + below.count_ones()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scattered(x: usize, y: usize) -> bool {
        (x * 7 + y * 13 + x * y).is_multiple_of(5)
    }

    #[test]
    fn pixels_are_stored_and_numbered() {
        for (width, height) in [(1, 1), (63, 3), (64, 2), (65, 4), (130, 5), (0, 3)] {
            let picture = Bitmap::from_fn(width, height, scattered);
            let all = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
            let on: Vec<_> = all.filter(|&(x, y)| scattered(x, y)).collect();
            assert_eq!(picture.pixels().collect::<Vec<_>>(), on);
            assert_eq!(picture.count(), on.len());
            let numbered = Numbered::new(&picture);
            assert_eq!(numbered.len, on.len());
            for (number, &(x, y)) in on.iter().enumerate() {
                assert!(picture.get(x, y));
                assert_eq!(numbered.number(x, y) as usize, number);
            }
            assert!(!picture.get(width, 0) && !picture.get(0, height));
            let mut again = Bitmap::new(width, height);
            for &(x, y) in &on {
                again.set(x, y);
            }
            again.set(width, 0);
            again.set(0, height);
            assert_eq!(again, picture);
        }
    }

    #[test]
    fn windows_are_cut_out() {
        let picture = Bitmap::from_fn(130, 4, scattered);
        for radius in [0, 1, 4, MAX_RADIUS] {
            for (x, y) in [
                (0, 0),
                (3, 1),
                (62, 3),
                (64, 2),
                (129, 0),
                (127, -1),
                (5, 4),
            ] {
                let window = picture.around(x, y, radius);
                for bit in 0..=2 * radius {
                    let column = (x + bit).checked_sub(radius);
                    let row = usize::try_from(y).ok();
                    let on = column.zip(row).is_some_and(|(x, y)| picture.get(x, y));
                    assert_eq!(window >> bit & 1 == 1, on, "{x} {y} {radius} {bit}");
                }
                assert_eq!(window >> (2 * radius) >> 1, 0);
            }
        }
    }
}
