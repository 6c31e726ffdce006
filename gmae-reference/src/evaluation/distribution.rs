//! The distribution of Gaussians over an image: local image detail, density of Gaussians, and rank
//! correlation. Two plots of the paper (arXiv 2501.03229) need them: the density of Gaussians in xy
//! against image detail, and the size of Gaussians against their depth.

use crate::data::Image;
use crate::error::{Error, check_len};

/// Weights of red, green and blue in the luminance (ITU-R BT.709).
const LUMINANCE: [f64; 3] = [0.2126, 0.7152, 0.0722];
/// Largest number of cells in a grid.
const MAX_CELLS: usize = 1 << 26;

/// One number for each square cell of an image.
///
/// The first cell is at the top left. The last column and the last row are narrower if `cell` does
/// not divide the size of the image.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    width: usize,
    height: usize,
    cell: usize,
    values: Vec<f64>,
}

impl Grid {
    /// Creates a grid of zeros for an image of `width` x `height` pixels.
    fn zeros(width: usize, height: usize, cell: usize) -> Result<Self, Error> {
        let fail = |argument, expected: &str, got: String| {
            Err(Error::Argument {
                argument,
                expected: expected.to_owned(),
                got,
            })
        };
        if cell == 0 {
            return fail("cell of a grid", "at least 1 pixel", cell.to_string());
        }
        let cells = width.div_ceil(cell).checked_mul(height.div_ceil(cell));
        let Some(cells) = cells.filter(|cells| (1..=MAX_CELLS).contains(cells)) else {
            let got = format!("{width} x {height} pixels in cells of {cell}");
            return fail("size of a grid", "1 to 67108864 cells", got);
        };
        Ok(Self {
            width,
            height,
            cell,
            values: vec![0.0; cells],
        })
    }

    /// Width of the image in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height of the image in pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Side of a cell in pixels.
    pub fn cell(&self) -> usize {
        self.cell
    }

    /// Number of columns of cells: `width / cell`, rounded up.
    pub fn columns(&self) -> usize {
        self.width.div_ceil(self.cell)
    }

    /// Number of rows of cells: `height / cell`, rounded up.
    pub fn rows(&self) -> usize {
        self.height.div_ceil(self.cell)
    }

    /// The numbers, `[rows, columns]`, row by row.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Index of the cell with the pixel in column `x` and row `y`.
    fn index(&self, x: usize, y: usize) -> usize {
        y / self.cell * self.columns() + x / self.cell
    }
}

/// Computes the detail of an image: the mean over each cell of the length of the luminance
/// gradient, per pixel.
///
/// The luminance has the weights of ITU-R BT.709 and is taken from the stored colours in `[0, 1]`.
/// The gradient has central differences inside the image and one-sided differences at its border.
/// It is 0 along a side of one pixel.
///
/// # Errors
///
/// [`Error::Argument`] if `cell` is 0, or the grid has no cell or more than 2^26 cells.
/// [`Error::Length`] if the pixels of `image` do not match its size.
pub fn detail_map(image: &Image, cell: usize) -> Result<Grid, Error> {
    let (width, height) = (image.width, image.height);
    let mut grid = Grid::zeros(width, height, cell)?;
    let expected = width.saturating_mul(height).saturating_mul(3);
    check_len("pixels of an image", expected, image.pixels.len())?;
    let luminance: Vec<f64> = image
        .pixels
        .chunks(3)
        .map(|colour| {
            let parts = colour.iter().zip(LUMINANCE);
            parts.map(|(&c, weight)| weight * f64::from(c)).sum()
        })
        .collect();
    let mut counts = vec![0_usize; grid.values.len()];
    for y in 0..height {
        for x in 0..width {
            let dx = difference(x, width, |x| luminance[y * width + x]);
            let dy = difference(y, height, |y| luminance[y * width + x]);
            let at = grid.index(x, y);
            grid.values[at] += (dx * dx + dy * dy).sqrt();
            counts[at] += 1;
        }
    }
    for (value, count) in grid.values.iter_mut().zip(counts) {
        *value /= count as f64;
    }
    Ok(grid)
}

/// Returns the derivative of `value` at `at`, for `value` known at 0 to `len - 1`.
fn difference(at: usize, len: usize, value: impl Fn(usize) -> f64) -> f64 {
    let (low, high) = (at.saturating_sub(1), (at + 1).min(len - 1));
    if low == high {
        return 0.0;
    }
    (value(high) - value(low)) / (high - low) as f64
}

/// Computes the density of Gaussians: the sum over each cell of the weights of the Gaussians with
/// their centre in it.
///
/// `centres` are x and y in pixels: the centre of the first pixel is at (0.5, 0.5). `weights` are
/// the opacities. Gaussians with a centre outside the image, or a centre that is not finite, count
/// nowhere. Narrower cells at the right and at the bottom are not rescaled.
///
/// # Errors
///
/// [`Error::Argument`] if `cell` is 0, the grid has no cell or more than 2^26 cells, or a weight is
/// negative or not finite. [`Error::Length`] if the numbers of centres and weights differ.
pub fn density_map(
    centres: &[[f32; 2]],
    weights: &[f32],
    width: usize,
    height: usize,
    cell: usize,
) -> Result<Grid, Error> {
    let mut grid = Grid::zeros(width, height, cell)?;
    check_len("weights of Gaussians", centres.len(), weights.len())?;
    for (&[x, y], &weight) in centres.iter().zip(weights) {
        if !(weight >= 0.0 && weight.is_finite()) {
            return Err(Error::Argument {
                argument: "weights of Gaussians",
                expected: "finite numbers of at least 0".to_owned(),
                got: weight.to_string(),
            });
        }
        let inside = |v: f32, size: usize| v >= 0.0 && f64::from(v) < size as f64;
        if inside(x, width) && inside(y, height) {
            let at = grid.index(x as usize, y as usize);
            grid.values[at] += f64::from(weight);
        }
    }
    Ok(grid)
}

/// Computes Spearman's rank correlation: Pearson's correlation of the ranks (Spearman 1904). Equal
/// values have the mean of their ranks.
///
/// Pairs with a value that is not finite are left out. The result is in `[-1, 1]`. It is `None` if
/// fewer than two pairs remain, or if all first or all second values are equal.
pub fn spearman(pairs: &[(f64, f64)]) -> Option<f64> {
    let finite = |p: &&(f64, f64)| p.0.is_finite() && p.1.is_finite();
    let (first, second): (Vec<f64>, Vec<f64>) = pairs.iter().filter(finite).copied().unzip();
    let (first, second) = (centred_ranks(&first), centred_ranks(&second));
    // Sums of integers are exact.
    let product = |a: &[i128], b: &[i128]| a.iter().zip(b).map(|(a, b)| a * b).sum::<i128>() as f64;
    let scale = (product(&first, &first) * product(&second, &second)).sqrt();
    (scale > 0.0).then(|| (product(&first, &second) / scale).clamp(-1.0, 1.0))
}

/// Returns twice the difference of each rank to the mean rank: an integer, also for tied ranks.
fn centred_ranks(values: &[f64]) -> Vec<i128> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    // Adding zero makes -0 equal to 0.
    order.sort_by(|&a, &b| (values[a] + 0.0).total_cmp(&(values[b] + 0.0)));
    let mut ranks = vec![0; values.len()];
    let mut start = 0;
    for tied in order.chunk_by(|&a, &b| values[a] == values[b]) {
        // The ranks start + 1 to start + len have the mean (2 start + len + 1) / 2.
        let twice = (2 * start + tied.len() + 1) as i128;
        for &i in tied {
            ranks[i] = twice - (values.len() as i128 + 1);
        }
        start += tied.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A grey image from rows of luminances.
    fn grey(rows: &[&[f32]]) -> Image {
        Image {
            width: rows[0].len(),
            height: rows.len(),
            pixels: rows
                .iter()
                .flat_map(|row| row.iter().flat_map(|&v| [v; 3]))
                .collect(),
        }
    }

    fn assert_near(got: &[f64], want: &[f64]) {
        assert_eq!(got.len(), want.len());
        for (g, w) in got.iter().zip(want) {
            assert!((g - w).abs() < 1e-7, "{got:?} against {want:?}");
        }
    }

    /// The expected values are those of `numpy.gradient`.
    #[test]
    fn detail_is_the_mean_gradient_of_each_cell() {
        let image = grey(&[
            &[0.0, 0.25, 1.0, 0.5, 0.125],
            &[0.5, 0.5, 0.75, 0.0, 1.0],
            &[0.25, 1.0, 0.375, 0.625, 0.875],
        ]);
        let grid = detail_map(&image, 2).unwrap();
        assert_eq!((grid.columns(), grid.rows()), (3, 2));
        assert_near(
            grid.values(),
            &[
                0.409_579_674,
                0.370_960_531,
                1.009_986_053,
                0.647_230_262,
                0.546_204_173,
                0.279_508_497,
            ],
        );
    }

    #[test]
    fn detail_of_ramps_and_of_flat_images() {
        // A ramp of 1/8 per column has this gradient everywhere, also at the border.
        let row: Vec<f32> = (0..8).map(|x| x as f32 / 8.0).collect();
        let ramp = grey(&[&row, &row, &row, &row]);
        assert_near(detail_map(&ramp, 4).unwrap().values(), &[0.125; 2]);
        let flat = Image::filled(5, 3, [0.2, 0.9, 0.4]);
        assert_near(detail_map(&flat, 2).unwrap().values(), &[0.0; 6]);
        assert_near(detail_map(&grey(&[&[0.7]]), 3).unwrap().values(), &[0.0]);
        // Only green changes, from 0 to 1.
        let green = Image {
            width: 2,
            height: 1,
            pixels: vec![0.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        };
        assert_near(detail_map(&green, 2).unwrap().values(), &[0.7152]);
    }

    #[test]
    fn density_sums_the_weights_in_each_cell() {
        let centres = [
            [0.0, 0.0],
            [1.99, 1.99],
            [2.0, 0.5],
            [4.9, 2.9],
            // Outside.
            [5.0, 1.0],
            [-0.1, 1.0],
            [1.0, 3.0],
            [f32::NAN, 1.0],
            [1.0, f32::INFINITY],
        ];
        let weights = [0.5, 0.25, 1.0, 0.75, 9.0, 9.0, 9.0, 9.0, 9.0];
        let grid = density_map(&centres, &weights, 5, 3, 2).unwrap();
        assert_eq!(grid.values(), [0.75, 1.0, 0.0, 0.0, 0.0, 0.75]);
        assert_eq!((grid.width(), grid.height(), grid.cell()), (5, 3, 2));
    }

    #[test]
    fn malformed_arguments_are_named() {
        let image = grey(&[&[0.0, 1.0]]);
        let mut short = image.clone();
        short.pixels.pop();
        let empty = Image::filled(0, 3, [0.0; 3]);
        let centres = [[0.5, 0.5]];
        let cases = [
            (detail_map(&image, 0), "cell of a grid"),
            (detail_map(&short, 1), "pixels of an image"),
            (detail_map(&empty, 1), "size of a grid"),
            (density_map(&centres, &[], 2, 1, 1), "weights of Gaussians"),
            (density_map(&centres, &[-0.5], 2, 1, 1), "got -0.5"),
            (density_map(&centres, &[f32::NAN], 2, 1, 1), "got NaN"),
            (
                density_map(&centres, &[1.0], usize::MAX, usize::MAX, 1),
                "size of a grid",
            ),
        ];
        for (result, words) in cases {
            let error = result.unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }

    /// The expected values are those of `scipy.stats.spearmanr`.
    #[test]
    fn spearman_is_that_of_scipy() {
        let none: [(f64, f64); 8] = [
            (0.1, 2.0),
            (0.4, 1.5),
            (0.35, 3.5),
            (0.8, 3.0),
            (0.65, 5.0),
            (1.2, 4.0),
            (0.9, 7.0),
            (2.0, 6.5),
        ];
        let ties = [
            (1.0, 3.0),
            (2.0, 1.0),
            (2.0, 1.0),
            (3.0, 4.0),
            (3.0, 1.0),
            (3.0, 5.0),
            (4.0, 4.0),
            (0.0, -0.0),
            (-0.0, 9.0),
        ];
        for (pairs, want) in [
            (&none[..], 0.690_476_190_476_191),
            (&ties[..], 0.227_076_400_883_692),
        ] {
            let got = spearman(pairs).unwrap();
            assert!((got - want).abs() < 1e-12, "{got} against {want}");
            let swapped: Vec<_> = pairs.iter().map(|&(x, y)| (y, x)).collect();
            assert_eq!(spearman(&swapped), Some(got));
        }
    }

    #[test]
    fn spearman_of_odd_pairs() {
        let rising: Vec<_> = (0..1000)
            .map(|i| (f64::from(i), f64::from(i).powi(3)))
            .collect();
        let falling: Vec<_> = rising.iter().map(|&(x, y)| (-x, y)).collect();
        assert_eq!(spearman(&rising), Some(1.0));
        assert_eq!(spearman(&falling), Some(-1.0));
        assert_eq!(spearman(&[]), None);
        assert_eq!(spearman(&[(1.0, 2.0)]), None);
        assert_eq!(spearman(&[(1.0, 2.0), (1.0, 3.0)]), None);
        assert_eq!(spearman(&[(1.0, 2.0), (f64::NAN, 3.0)]), None);
        let mut gaps = rising.clone();
        gaps.insert(7, (f64::INFINITY, -3.0));
        gaps.insert(3, (0.5, f64::NAN));
        assert_eq!(spearman(&gaps), Some(1.0));
    }
}
