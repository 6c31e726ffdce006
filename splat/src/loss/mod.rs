//! The loss with which 3DGS is trained: L1 and structural similarity, and its vjp (MATH eq. 24).
//!
//! The functions compare images of the CPU. A loss of another kind is the caller's: a render takes any
//! gradient with respect to its image.
//!
//! ```
//! use splat::loss::{l1_ssim, l1_ssim_vjp};
//! use splat::stages::ImageSize;
//!
//! let size = ImageSize { views: 1, height: 2, width: 2 };
//! let (image, photograph) = ([0.5f32; 12], [0.25f32; 12]);
//! let loss = l1_ssim(&image, &photograph, size, 3, 0.2)?;
//! assert_eq!(loss.l1, 0.25);
//! assert!(loss.ssim > 0.0 && loss.ssim < 1.0);
//! // The gradient with respect to the image, for `render_vjp`.
//! let v_image = l1_ssim_vjp(&loss, &image, &photograph, 1.0)?;
//! assert!(v_image.iter().all(|&v| v > 0.0));
//! # Ok::<(), splat::RenderError>(())
//! ```

mod window;

use rayon::prelude::*;

use crate::error::{RenderError, checked_product, try_collected_in_parallel, try_filled};
use crate::gaussians::{check_channels, check_len};
use crate::image::ImageSize;
use crate::number::Number;
use window::{HALF, Window};

/// `C1 = (K1 L)^2` with `K1 = 0.01` and the range of values `L = 1` (Wang et al. 2004, section III-B).
const C1: f64 = 0.01 * 0.01;
/// `C2 = (K2 L)^2` with `K2 = 0.03`.
const C2: f64 = 0.03 * 0.03;
/// The number of means over a window: of the image, the target, both squares, and the product.
const MEANS: usize = 5;
/// The number of those that depend on the image: its mean, its mean square, and the mean product.
const PARTIALS: usize = 3;

/// The value of [`l1_ssim`], with the saved state for [`l1_ssim_vjp`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct L1Ssim<T> {
    /// The mean absolute difference.
    pub l1: f64,
    /// The mean structural similarity, at most 1.
    pub ssim: f64,
    /// The weight of the structural similarity in the loss.
    pub ssim_weight: f64,
    size: ImageSize,
    channels: usize,
    /// Derivatives of every pixel's similarity with respect to the three means that depend on the image,
    /// summed along rows: `[B H, 3, W C]`.
    partials: Vec<T>,
}

impl<T> L1Ssim<T> {
    /// Returns `(1 - ssim_weight) l1 + ssim_weight (1 - ssim)`.
    pub fn loss(&self) -> f64 {
        (1.0 - self.ssim_weight) * self.l1 + self.ssim_weight * (1.0 - self.ssim)
    }
}

/// Compares images with targets, both `[B, H, W, C]` with values in [0, 1]. A training of 3DGS uses a
/// `ssim_weight` of 0.2 (Kerbl et al. 2023, eq. 7).
///
/// The structural similarity is equation 13 of Wang et al. (2004), of every channel by itself. The
/// window is a Gaussian of standard deviation 1.5 px, cut off at 11 x 11 px. Pixels outside the image
/// are zeros, in the image and in the target, as in the training of 3DGS. Both means are over all
/// pixels, channels and images.
///
/// Values outside [0, 1] are compared as they are. In `f32` the similarity of values of more than about
/// ten is inexact, because the variance is a difference of means of squares.
///
/// A NaN in either argument makes the loss NaN. The sums have a fixed order, so that the result does
/// not depend on the number of threads.
///
/// # Errors
/// - [`RenderError::Shape`] if `image` or `target` has another length.
/// - [`RenderError::Config`] if a side is not within 1 to 2^22 px, `views` or `channels` is 0, or
///   `ssim_weight` is not in [0, 1].
/// - [`RenderError::Capacity`] if an allocation of the size of the images fails.
pub fn l1_ssim<T: Number>(
    image: &[T],
    target: &[T],
    size: ImageSize,
    channels: usize,
    ssim_weight: f64,
) -> Result<L1Ssim<T>, RenderError> {
    size.validate()?;
    if size.views == 0 {
        return Err(RenderError::config("size.views", "at least 1", 0));
    }
    check_channels("channels", channels)?;
    let dims = [size.views, size.height, size.width, channels];
    check_len("image", "[B, H, W, C]", &dims, image.len())?;
    check_len("target", "[B, H, W, C]", &dims, target.len())?;
    if !(0.0..=1.0).contains(&ssim_weight) {
        return Err(RenderError::config("ssim_weight", "0 to 1", ssim_weight));
    }
    let window = Window::new();
    let row = size.width * channels;
    let mean_rows = mean_rows(&window, image, target, row, channels)?;
    let what = "derivatives of the similarity [B, H, 3, W, C]";
    let count = checked_product(what, &[image.len(), PARTIALS])?;
    let mut partials = try_filled(what, count, T::ZERO)?;
    let scratch = || Scratch::new(row, channels);
    let rows = partials.par_chunks_mut(PARTIALS * row).enumerate();
    let sums = rows.map_init(scratch, |scratch, (at, partials)| {
        let (view, y) = (at / size.height, at % size.height);
        for (k, means) in scratch.means.chunks_exact_mut(row).enumerate() {
            let map = k * image.len() + view * size.height * row;
            window.down_columns(&mean_rows[map..][..size.height * row], y, means);
        }
        let pixels = at * row..(at + 1) * row;
        let similarities = scratch.similarities();
        for (sums, k) in partials.chunks_exact_mut(row).zip(0..) {
            window.along_row(scratch.padded(k), channels, sums);
        }
        [
            absolute(&image[pixels.clone()], &target[pixels]),
            similarities,
        ]
    });
    let sums = try_collected_in_parallel("sums of rows [B, H]", sums)?;
    let mean = |k: usize| sums.iter().map(|sums| sums[k]).sum::<f64>() / image.len() as f64;
    Ok(L1Ssim {
        l1: mean(0),
        ssim: mean(1),
        ssim_weight,
        size,
        channels,
        partials,
    })
}

/// Vjp of [`l1_ssim`]. Returns the gradient with respect to the image, `[B, H, W, C]` (MATH eq. 24').
///
/// `saved` is the result of [`l1_ssim`] for the same `image` and `target`, and `v_loss` is the gradient
/// with respect to [`L1Ssim::loss`]. The derivative of `|x|` at 0 is taken as 0.
///
/// # Errors
/// [`RenderError::Shape`] if `image` or `target` has not the length of the forward pass, and
/// [`RenderError::Capacity`] if an allocation of the size of the image fails.
pub fn l1_ssim_vjp<T: Number>(
    saved: &L1Ssim<T>,
    image: &[T],
    target: &[T],
    v_loss: f64,
) -> Result<Vec<T>, RenderError> {
    let (size, channels) = (saved.size, saved.channels);
    let dims = [size.views, size.height, size.width, channels];
    check_len("image", "[B, H, W, C]", &dims, image.len())?;
    check_len("target", "[B, H, W, C]", &dims, target.len())?;
    let v_mean = v_loss / image.len() as f64;
    let by_l1 = T::from_f64((1.0 - saved.ssim_weight) * v_mean);
    let by_ssim = T::from_f64(-saved.ssim_weight * v_mean);
    let window = Window::new();
    let row = size.width * channels;
    let mut v_image = try_filled("gradient of the image [B, H, W, C]", image.len(), T::ZERO)?;
    let scratch = || vec![T::ZERO; PARTIALS * row];
    let rows = v_image.par_chunks_mut(row).enumerate();
    rows.for_each_init(scratch, |scratch, (at, v_row)| {
        let (view, y) = (at / size.height, at % size.height);
        let of_view = PARTIALS * size.height * row;
        // The three derivatives of a row of pixels are one row of the buffer.
        window.down_columns(&saved.partials[view * of_view..][..of_view], y, scratch);
        let (by_mean, rest) = scratch.split_at(row);
        let (by_square, by_product) = rest.split_at(row);
        let pixels = at * row..(at + 1) * row;
        let (image, target) = (&image[pixels.clone()], &target[pixels]);
        for (i, v) in v_row.iter_mut().enumerate() {
            let (a, b) = (image[i], target[i]);
            let similarity = by_mean[i] + (a + a) * by_square[i] + b * by_product[i];
            *v = by_l1 * sign(a - b) + by_ssim * similarity;
        }
    });
    Ok(v_image)
}

/// Computes the five weighted sums along every row: `[5, B H, W C]`.
fn mean_rows<T: Number>(
    window: &Window<T>,
    image: &[T],
    target: &[T],
    row: usize,
    channels: usize,
) -> Result<Vec<T>, RenderError> {
    let what = "means along rows [5, B, H, W, C]";
    let count = checked_product(what, &[MEANS, image.len()])?;
    let mut rows = try_filled(what, count, T::ZERO)?;
    let border = HALF * channels;
    let scratch = || vec![T::ZERO; row + 2 * border];
    let outputs = rows.par_chunks_mut(row).enumerate();
    outputs.for_each_init(scratch, |padded, (at, sums)| {
        let (map, at) = (at * row / image.len(), at * row % image.len());
        let (a, b) = (&image[at..at + row], &target[at..at + row]);
        let values = &mut padded[border..border + row];
        for (i, value) in values.iter_mut().enumerate() {
            *value = match map {
                0 => a[i],
                1 => b[i],
                2 => a[i] * a[i],
                3 => b[i] * b[i],
                _ => a[i] * b[i],
            };
        }
        window.along_row(padded, channels, sums);
    });
    Ok(rows)
}

/// Memory for one row of pixels.
struct Scratch<T> {
    row: usize,
    border: usize,
    /// Means over the windows of the row, `[5, W C]`.
    means: Vec<T>,
    /// Derivatives of the similarities, each between [`HALF`] pixels of zeros: `[3, (W + 10) C]`.
    padded: Vec<T>,
}

impl<T: Number> Scratch<T> {
    fn new(row: usize, channels: usize) -> Self {
        let border = HALF * channels;
        Self {
            row,
            border,
            means: vec![T::ZERO; MEANS * row],
            padded: vec![T::ZERO; PARTIALS * (row + 2 * border)],
        }
    }

    fn padded(&self, k: usize) -> &[T] {
        let length = self.row + 2 * self.border;
        &self.padded[k * length..][..length]
    }

    /// Computes the similarity of every pixel from the means, and its derivatives. Returns the sum of
    /// the similarities.
    fn similarities(&mut self) -> f64 {
        let (row, border) = (self.row, self.border);
        let mean = |k: usize| &self.means[k * row..][..row];
        let (a, b, aa, bb, ab) = (mean(0), mean(1), mean(2), mean(3), mean(4));
        let (by_mean, rest) = self.padded.split_at_mut(row + 2 * border);
        let (by_square, by_product) = rest.split_at_mut(row + 2 * border);
        let by_mean = &mut by_mean[border..][..row];
        let by_square = &mut by_square[border..][..row];
        let by_product = &mut by_product[border..][..row];
        let mut sum = 0.0;
        for i in 0..row {
            let similarity = Similarity::of([a[i], b[i], aa[i], bb[i], ab[i]]);
            sum += similarity.value.to_f64();
            by_mean[i] = similarity.by_mean;
            by_square[i] = similarity.by_square;
            by_product[i] = similarity.by_product;
        }
        sum
    }
}

/// The structural similarity of a window, and its derivatives with respect to the image's mean, the
/// image's mean square, and the mean product of image and target.
struct Similarity<T> {
    value: T,
    by_mean: T,
    by_square: T,
    by_product: T,
}

impl<T: Number> Similarity<T> {
    /// MATH eq. 24 and 24'. The means are those of image, target, both squares, and the product.
    #[inline(always)]
    fn of([a, b, aa, bb, ab]: [T; MEANS]) -> Self {
        let [c1, c2] = [C1, C2].map(T::from_f64);
        let two = T::from_f64(2.0);
        let luminance = [two * a * b + c1, a * a + b * b + c1];
        // Rounding can make the variances of a flat window negative.
        let variances = (aa - a * a) + (bb - b * b);
        let variances = if variances < T::ZERO {
            T::ZERO
        } else {
            variances
        };
        let contrast = [two * (ab - a * b) + c2, variances + c2];
        let scale = T::ONE / (luminance[1] * contrast[1]);
        let value = luminance[0] * contrast[0] * scale;
        let by_square = -value / contrast[1];
        let by_product = two * luminance[0] * scale;
        let by_luminance = two * (b * contrast[0] * scale - a * value / luminance[1]);
        Self {
            value,
            by_mean: by_luminance - two * a * by_square - b * by_product,
            by_square,
            by_product,
        }
    }
}

fn absolute<T: Number>(image: &[T], target: &[T]) -> f64 {
    let pairs = image.iter().zip(target);
    pairs.map(|(&a, &b)| (a - b).abs().to_f64()).sum()
}

/// Returns 1, -1, or 0 for zero and NaN.
fn sign<T: Number>(x: T) -> T {
    if x > T::ZERO {
        T::ONE
    } else if x < T::ZERO {
        -T::ONE
    } else {
        T::ZERO
    }
}
