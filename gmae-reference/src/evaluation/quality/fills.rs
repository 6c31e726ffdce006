//! Baselines that fill the masked patches of an image from its visible patches.

use crate::config::Config;
use crate::error::{Error, check_len};
use crate::model::{Batch, Mask, check_batch, patch_rows};

/// Red, green and blue.
type Colour = [f64; 3];

/// A fill of one image: [`mean_colour_fill`], [`bilinear_fill`] or a function of the same form.
pub type Fill = fn(&Config, &[f32], &Mask) -> Result<Vec<f32>, Error>;

/// Fills every image of `batch`. The result has the shape `[B, H, W, 3]`.
///
/// # Errors
///
/// All errors of [`Batch::check`] and of `fill`. [`Error::Length`] if `fill` returns an image of
/// another size.
pub fn fill_batch(config: &Config, batch: &Batch, fill: Fill) -> Result<Vec<f32>, Error> {
    let mut filled = Vec::with_capacity(batch.pixels.len());
    for (image, mask) in batch.images(config)? {
        let pixels = fill(config, image, mask)?;
        check_len("pixels of a filled image", image.len(), pixels.len())?;
        filled.extend(pixels);
    }
    Ok(filled)
}

/// Paints the masked patches of one image, `[H, W, 3]`, with the mean colour of its visible pixels.
/// The visible patches are unchanged.
///
/// # Errors
///
/// [`Error::Setting`] if `config` is invalid. [`Error::Length`] if `image` does not have the
/// configured size. [`Error::Argument`] if `mask` does not split the patches of the image or no
/// patch is visible.
pub fn mean_colour_fill(config: &Config, image: &[f32], mask: &Mask) -> Result<Vec<f32>, Error> {
    check(config, image, mask)?;
    let colour = mean_colour(config, image, &mask.visible);
    Ok(painted(config, image, mask, |_, _| colour))
}

/// Paints the masked patches of one image, `[H, W, 3]`, by linear interpolation between the mean
/// colours of patches. The visible patches are unchanged.
///
/// 1. The colour of a visible patch is the mean of its pixels.
/// 2. The colour of a masked patch is the mean of two estimates, one along its row of patches and
///    one along its column. An estimate interpolates linearly between the nearest visible patches
///    on both sides. If only one side has a visible patch, the estimate is the colour of that
///    patch. If neither side has one, there is no estimate, and the other estimate is the colour.
/// 3. Patches without any estimate get their colour by a second pass of step 2, in which the
///    patches with a colour count as visible. Every patch has a colour after the second pass.
/// 4. A pixel of a masked patch interpolates bilinearly between the colours of the four patches
///    whose centres surround it. Beyond the outermost centres the colour is that of the nearest
///    point between centres.
///
/// # Errors
///
/// [`Error::Setting`] if `config` is invalid. [`Error::Length`] if `image` does not have the
/// configured size. [`Error::Argument`] if `mask` does not split the patches of the image or no
/// patch is visible.
pub fn bilinear_fill(config: &Config, image: &[f32], mask: &Mask) -> Result<Vec<f32>, Error> {
    check(config, image, mask)?;
    let grid = config.grid();
    let mut colours = vec![None; grid * grid];
    for &patch in &mask.visible {
        colours[patch] = Some(mean_colour(config, image, &[patch]));
    }
    // The first pass colours the row and the column of a visible patch. The second pass therefore
    // finds a colour in every row.
    for _ in 0..2 {
        colours = estimated(&colours, grid);
    }
    let colours: Vec<Colour> = colours.into_iter().map(Option::unwrap_or_default).collect();
    let side = config.patch_size as f64;
    // The two nearest centres along one axis, and the weight of the second.
    let between = |pixel: usize| {
        let last = grid - 1;
        let position = ((pixel as f64 + 0.5) / side - 0.5).clamp(0.0, last as f64);
        let first = position as usize;
        (first, (first + 1).min(last), position - first as f64)
    };
    Ok(painted(config, image, mask, |x, y| {
        let (left, right, along_x) = between(x);
        let (top, bottom, along_y) = between(y);
        let row = |y: usize| mix(colours[y * grid + left], colours[y * grid + right], along_x);
        mix(row(top), row(bottom), along_y)
    }))
}

fn check(config: &Config, image: &[f32], mask: &Mask) -> Result<(), Error> {
    config.validate()?;
    check_batch(config, image, std::slice::from_ref(mask))?;
    if mask.visible.is_empty() {
        return Err(Error::Argument {
            argument: "mask of a fill",
            expected: "at least one visible patch".to_owned(),
            got: "none".to_owned(),
        });
    }
    Ok(())
}

/// Returns the mean colour of the pixels of `patches`.
fn mean_colour(config: &Config, image: &[f32], patches: &[usize]) -> Colour {
    let mut sum = Colour::default();
    for run in patches.iter().flat_map(|&patch| patch_rows(config, patch)) {
        for pixel in image[run].chunks(3) {
            sum.iter_mut()
                .zip(pixel)
                .for_each(|(s, &v)| *s += f64::from(v));
        }
    }
    let pixels = patches.len() * config.patch_size * config.patch_size;
    sum.map(|s| s / pixels as f64)
}

/// Returns `image` with `colour(x, y)` at the pixels of the masked patches.
fn painted(
    config: &Config,
    image: &[f32],
    mask: &Mask,
    colour: impl Fn(usize, usize) -> Colour,
) -> Vec<f32> {
    let mut painted = image.to_vec();
    for run in mask
        .masked
        .iter()
        .flat_map(|&patch| patch_rows(config, patch))
    {
        let first = run.start / 3;
        for (i, pixel) in painted[run].chunks_mut(3).enumerate() {
            let (x, y) = (
                (first + i) % config.image_size,
                (first + i) / config.image_size,
            );
            pixel.copy_from_slice(&colour(x, y).map(|v| v as f32));
        }
    }
    painted
}

/// Returns the colours of a `grid` x `grid` grid of patches. A patch without a colour gets the mean
/// of its estimates along its row and its column, if there are any.
fn estimated(colours: &[Option<Colour>], grid: usize) -> Vec<Option<Colour>> {
    let estimate = |patch: usize| {
        let row = along(colours, patch, 1, patch % grid, grid);
        let column = along(colours, patch, grid, patch / grid, grid);
        match (row, column) {
            (Some(row), Some(column)) => Some(mix(row, column, 0.5)),
            (row, column) => row.or(column),
        }
    };
    (0..colours.len())
        .map(|patch| colours[patch].or_else(|| estimate(patch)))
        .collect()
}

/// Interpolates between the nearest colours on both sides of `patch` along a line of the grid.
/// `place` is the patch's place among the `grid` patches of the line, whose indices differ by
/// `stride`.
fn along(
    colours: &[Option<Colour>],
    patch: usize,
    stride: usize,
    place: usize,
    grid: usize,
) -> Option<Colour> {
    let at = |distance: usize, other: usize| colours[other].map(|colour| (distance, colour));
    let before = (1..=place).find_map(|d| at(d, patch - d * stride));
    let after = (1..grid - place).find_map(|d| at(d, patch + d * stride));
    match (before, after) {
        (Some((d, a)), Some((e, b))) => Some(mix(a, b, d as f64 / (d + e) as f64)),
        (one, other) => one.or(other).map(|(_, colour)| colour),
    }
}

/// Returns `(1 - weight) a + weight b`.
fn mix(a: Colour, b: Colour, weight: f64) -> Colour {
    [0, 1, 2].map(|c| (1.0 - weight) * a[c] + weight * b[c])
}

#[cfg(test)]
mod tests {
    use super::super::examples;
    use super::*;

    /// Returns an image with the value `f(x, y, channel)` at the centre of each pixel.
    fn image(config: &Config, f: impl Fn(f64, f64, usize) -> f64) -> Vec<f32> {
        let size = config.image_size;
        let value = |i: usize| {
            let (x, y) = (i / 3 % size, i / 3 / size);
            f(x as f64 + 0.5, y as f64 + 0.5, i % 3) as f32
        };
        (0..config.image_len()).map(value).collect()
    }

    /// Linear interpolation is exact for linear colours. The mask hides patches inside the image
    /// that have visible patches on all sides, with gaps of two patches and different distances.
    #[test]
    fn linear_colours_are_restored() {
        let config = examples::config(28, 4);
        let image = image(&config, |x, y, c| 0.1 + 0.01 * x * c as f64 + 0.005 * y);
        let hidden = [8, 9, 16, 24, 31, 32, 33, 40, 39];
        let mask = examples::mask(&config, |patch| !hidden.contains(&patch));
        let filled = bilinear_fill(&config, &image, &mask).expect("a valid image");
        let worst = filled.iter().zip(&image).map(|(a, b)| (a - b).abs());
        let worst = worst.fold(0.0, f32::max);
        assert!(worst < 1e-6, "{worst}");
        let flat = mean_colour_fill(&config, &image, &mask).expect("a valid image");
        let worst = flat.iter().zip(&image).map(|(a, b)| (a - b).abs());
        assert!(worst.fold(0.0, f32::max) > 0.05);
    }

    /// Four patches of 1 px in a row, of which the middle two are hidden: the weights are 1/3, 2/3.
    /// The patches of the other rows are hidden too and repeat the first row.
    #[test]
    fn distances_along_a_row_are_weights() {
        let config = examples::config(4, 1);
        let colours = [0.0, 9.0, 9.0, 1.0];
        let image = image(&config, |x, _, _| colours[x as usize]);
        let mask = examples::mask(&config, |patch| patch == 0 || patch == 3);
        let filled = bilinear_fill(&config, &image, &mask).expect("a valid image");
        for (i, &got) in filled.iter().enumerate() {
            let expected = (i / 3 % 4) as f32 / 3.0;
            assert!((got - expected).abs() < 1e-6, "{i}: {got}");
        }
    }

    /// Red is visible in the patch above, green to the left, blue far below. The rows of the
    /// patch's column weigh by distance: 2/3 red and 1/3 blue. The row has one side only: green.
    #[test]
    fn row_and_column_have_equal_weights() {
        let config = examples::config(4, 1);
        let mut image = vec![9.0; config.image_len()];
        for (patch, channel) in [(1, 0), (4, 1), (13, 2)] {
            image[patch * 3..patch * 3 + 3].fill(0.0);
            image[patch * 3 + channel] = 1.0;
        }
        let mask = examples::mask(&config, |patch| [1, 4, 13].contains(&patch));
        let filled = bilinear_fill(&config, &image, &mask).expect("a valid image");
        for (got, expected) in filled[5 * 3..].iter().zip([1.0 / 3.0, 0.5, 1.0 / 6.0]) {
            assert!((got - expected).abs() < 1e-6, "{got} and {expected}");
        }
        // Patch 10 has a visible patch neither in its row nor in its column. In the second pass its
        // row has patch 8 and 9 to the left and nothing to the right; its column has patch 6 above
        // and patch 14 below.
        let of = |patch: usize| [0, 1, 2].map(|c| filled[patch * 3 + c]);
        let ([left, above], below) = ([of(9), of(6)], of(14));
        for (c, got) in of(10).into_iter().enumerate() {
            let expected = 0.5 * left[c] + 0.25 * (above[c] + below[c]);
            assert!((got - expected).abs() < 1e-6, "{got} and {expected}");
        }
    }

    /// Two patches of 4 px, one hidden, have one colour. A hidden patch between two visible ones
    /// has ramps towards both.
    #[test]
    fn pixels_interpolate_between_the_centres_of_patches() {
        let config = examples::config(12, 4);
        let image = image(&config, |x, _, _| if x < 8.0 { 0.0 } else { 1.0 });
        let mask = examples::mask(&config, |patch| patch % 3 != 1);
        let filled = bilinear_fill(&config, &image, &mask).expect("a valid image");
        // The centres are at x = 2, 6 and 10 with the values 0, 1/2 and 1.
        for x in 4..8 {
            let expected = (x as f32 + 0.5 - 2.0) / 8.0;
            for y in [0, 5, 11] {
                let got = filled[(y * 12 + x) * 3];
                assert!((got - expected).abs() < 1e-6, "{x} {y}: {got}");
            }
        }
    }

    #[test]
    fn the_mean_colour_is_that_of_the_visible_pixels() {
        let config = examples::config(8, 4);
        let image = image(&config, |x, y, c| (x + 8.0 * y) / 64.0 + c as f64);
        let mask = examples::mask(&config, |patch| patch == 1 || patch == 2);
        let filled = mean_colour_fill(&config, &image, &mask).expect("a valid image");
        // The visible patches are symmetric about the centre of the image, (4, 4).
        for (i, got) in filled[..3].iter().enumerate() {
            assert!((got - (36.0 / 64.0 + i as f32)).abs() < 1e-6, "{got}");
        }
        assert_eq!(filled[12..24], image[12..24]);
        assert_eq!(filled[..3], filled[filled.len() - 3..]);
    }

    #[test]
    fn fills_see_only_the_visible_patches() {
        let config = examples::config(16, 4);
        let image = examples::random(7, config.image_len());
        for keep in [1, 3, 7, 16] {
            let mask = examples::mask(&config, |patch| patch % keep == 0);
            let is_masked = examples::is_masked(&config, &mask);
            let mut other = image.clone();
            for (i, pixel) in other.chunks_mut(3).enumerate() {
                if is_masked(i % 16, i / 16) {
                    pixel.fill(f32::NAN);
                }
            }
            for fill in [mean_colour_fill as Fill, bilinear_fill] {
                let filled = fill(&config, &image, &mask).expect("a valid image");
                assert_eq!(filled, fill(&config, &other, &mask).expect("a valid image"));
                let pixels = filled.chunks(3).zip(image.chunks(3)).enumerate();
                for (i, (got, original)) in pixels {
                    let same = got == original;
                    assert_eq!(same, !is_masked(i % 16, i / 16), "{i}");
                }
            }
        }
    }

    #[test]
    fn wrong_input_is_refused_by_name() {
        let config = examples::config(8, 4);
        let image = vec![0.5; config.image_len()];
        let hidden = examples::mask(&config, |_| false);
        for fill in [mean_colour_fill as Fill, bilinear_fill] {
            let words = |error: Result<Vec<f32>, Error>| error.expect_err("refused").to_string();
            let message = words(fill(&config, &image, &hidden));
            assert!(message.contains("at least one visible patch"), "{message}");
            assert!(words(fill(&config, &image[1..], &Mask::none(4))).contains("expected 192"));
            assert!(words(fill(&config, &image, &Mask::none(3))).contains("mask"));
            let config = examples::config(10, 4);
            let image = vec![0.5; 300];
            let message = words(fill(&config, &image, &Mask::none(4)));
            assert!(message.contains("patch-size"), "{message}");
        }
        let batch = Batch {
            pixels: [image.clone(), image.clone()].concat(),
            masks: vec![Mask::none(4); 2],
        };
        let filled = fill_batch(&config, &batch, bilinear_fill).expect("a valid batch");
        assert_eq!(filled, batch.pixels);
        let short: Fill = |_, image, _| Ok(image[3..].to_vec());
        let error = fill_batch(&config, &batch, short).expect_err("a short image");
        assert!(error.to_string().contains("filled image"), "{error}");
    }
}
