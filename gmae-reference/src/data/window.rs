//! The part of a stored picture that becomes the input of the model.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// Ratio of the shorter side of a picture to the side of its central crop: 256 to 224.
const EVALUATION_MARGIN: f64 = 256.0 / 224.0;
/// Number of random crops that are tried before the central crop is used.
const CROP_TRIES: usize = 10;

/// A window of a stored picture, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Number of pixels to the left of the window.
    pub left: u32,
    /// Number of pixels above the window.
    pub top: u32,
    /// Width of the window, at least 1.
    pub width: u32,
    /// Height of the window, at least 1.
    pub height: u32,
    /// Whether the content is mirrored left to right.
    pub mirrored: bool,
}

impl Window {
    /// Returns the central square with 224/256 of the shorter side, or the whole picture if it has
    /// `size` x `size` pixels. `width` and `height` must be at least 1.
    pub(super) fn central(width: u32, height: u32, size: u32) -> Self {
        if (width, height) == (size, size) {
            return Self::unmirrored([0, 0, width, height]);
        }
        let side = f64::from(width.min(height)) / EVALUATION_MARGIN;
        let side = (side.round() as u32).max(1);
        Self::unmirrored([(width - side) / 2, (height - side) / 2, side, side])
    }

    fn unmirrored([left, top, width, height]: [u32; 4]) -> Self {
        Self {
            left,
            top,
            width,
            height,
            mirrored: false,
        }
    }
}

/// The distribution of random windows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Augment {
    /// Smallest and largest area of the crop, as fractions of the area of the picture.
    pub(super) scale: (f64, f64),
    /// Smallest and largest ratio of width to height of the crop.
    pub(super) ratio: (f64, f64),
}

impl Augment {
    /// Draws a window inside `width` x `height` pixels, mirrored with probability 1/2. `width` and
    /// `height` must be at least 1.
    pub(super) fn window(&self, width: u32, height: u32, rng: &mut ChaCha8Rng) -> Window {
        let window = self.place(width, height, rng);
        Window {
            mirrored: rng.random_bool(0.5),
            ..Window::unmirrored(window)
        }
    }

    /// Returns left, top, width and height.
    fn place(&self, width: u32, height: u32, rng: &mut ChaCha8Rng) -> [u32; 4] {
        let area = f64::from(width) * f64::from(height);
        for _ in 0..CROP_TRIES {
            let target = area * rng.random_range(self.scale.0..=self.scale.1);
            let ratio = rng
                .random_range(self.ratio.0.ln()..=self.ratio.1.ln())
                .exp();
            let w = (target * ratio).sqrt().round() as u32;
            let h = (target / ratio).sqrt().round() as u32;
            if (1..=width).contains(&w) && (1..=height).contains(&h) {
                let x = rng.random_range(0..=width - w);
                let y = rng.random_range(0..=height - h);
                return [x, y, w, h];
            }
        }
        self.largest_central(width, height)
    }

    /// Returns the largest central window with an allowed ratio of width to height.
    fn largest_central(&self, width: u32, height: u32) -> [u32; 4] {
        let (full_w, full_h) = (f64::from(width), f64::from(height));
        let w = full_w.min(full_h * self.ratio.1).round().max(1.0) as u32;
        let h = full_h.min(full_w / self.ratio.0).round().max(1.0) as u32;
        [(width - w) / 2, (height - h) / 2, w, h]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn windows_keep_to_scale_and_ratio() {
        let augment = Augment {
            scale: (0.5, 0.6),
            ratio: (3.0 / 4.0, 4.0 / 3.0),
        };
        for seed in 0..300 {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let window = augment.window(400, 300, &mut rng);
            assert!(window.left + window.width <= 400 && window.top + window.height <= 300);
            let scale = f64::from(window.width * window.height) / 120_000.0;
            assert!((0.495..0.605).contains(&scale), "{scale}");
            let ratio = f64::from(window.width) / f64::from(window.height);
            assert!((0.745..1.345).contains(&ratio), "{ratio}");
        }
    }

    /// The windows of runs that began with earlier versions. A resumed run must continue with the
    /// same ones.
    #[test]
    fn the_draws_never_change() {
        let augment = Augment {
            scale: (0.08, 1.0),
            ratio: (3.0 / 4.0, 4.0 / 3.0),
        };
        let draw = |width, height, seed| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let Window {
                left,
                top,
                width,
                height,
                mirrored,
            } = augment.window(width, height, &mut rng);
            (left, top, width, height, mirrored, rng.random::<u16>())
        };
        assert_eq!(draw(500, 375, 1), DRAWN[0]);
        assert_eq!(draw(37, 53, 2), DRAWN[1]);
        assert_eq!(draw(90, 1, 3), DRAWN[2]);
    }

    const DRAWN: [(u32, u32, u32, u32, bool, u16); 3] = [
        (51, 28, 258, 328, true, 52197),
        (1, 29, 25, 22, true, 62688),
        (44, 0, 1, 1, false, 34472),
    ];
}
