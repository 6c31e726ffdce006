//! Colours: textures of shapes and the background behind them. Outlines are in `outline.rs`.
//!
//! Patterns are functions of the position in the unit square. They are softened over one pixel, so
//! that a single sample per pixel does not alias. They use only operations that every machine
//! rounds the same way: additions, products, quotients, square roots and comparisons.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::outline::{Point, direction, dot, sub};

/// Red, green and blue in `[0, 1]`.
pub(super) type Colour = [f32; 3];

/// Strong colours for shapes, as 0xRRGGBB.
const STRONG: [u32; 18] = [
    0xE4_57_2E, 0xF2_A5_41, 0xF7_D0_54, 0x8F_B3_39, 0x3B_8E_5A, 0x1F_9E_9A, 0x2D_7D_D2, 0x3B_4B_A3,
    0x6C_4A_B6, 0xA6_4A_C9, 0xD6_45_8C, 0xB8_2E_3C, 0xF4_F1_E8, 0x27_2D_38, 0x7A_4B_2A, 0x66_C7_F4,
    0xFF_9B_A8, 0xA8_E0_C0,
];

/// Muted colours for backgrounds, as 0xRRGGBB. Colours `2 k` and `2 k + 1` form a matching pair.
const QUIET: [u32; 16] = [
    0xF3_E9_DC, 0xD9_C7_B0, 0xDC_E8_EF, 0xB4_CB_DB, 0xE5_E9_D6, 0xBF_CB_A8, 0xEB_DD_E6, 0xC9_B2_C6,
    0x2B_36_4A, 0x51_66_80, 0x33_40_3B, 0x5F_75_67, 0x46_39_4A, 0x7B_65_7C, 0x8E_97_A3, 0xC8_CD_D2,
];

/// The pattern of a texture.
#[derive(Clone, Copy, Debug)]
enum Pattern {
    /// A slow change from one colour to the other.
    Gradient,
    /// Bands of equal width.
    Stripes,
    /// A chessboard.
    Checks,
    /// Discs on a grid.
    Dots,
    /// Irregular patches.
    Blobs,
}

const PATTERNS: [Pattern; 5] = [
    Pattern::Gradient,
    Pattern::Stripes,
    Pattern::Checks,
    Pattern::Dots,
    Pattern::Blobs,
];

/// The surface of one shape: a pattern of two colours under soft light from above.
#[derive(Clone, Debug)]
pub(super) struct Texture {
    pattern: Pattern,
    origin: Point,
    axis: Point,
    /// Length after which the pattern repeats, as a fraction of the side of the picture.
    period: f32,
    /// Half the extent of the shape, as a fraction of the side of the picture.
    reach: f32,
    noise_seed: u32,
    colours: [Colour; 2],
}

impl Texture {
    /// Draws a random texture whose main colour differs from each of `avoid`.
    pub(super) fn random(
        rng: &mut ChaCha8Rng,
        origin: Point,
        reach: f32,
        avoid: &[Colour],
    ) -> Self {
        let base = distinct_colour(rng, avoid);
        let accent = distinct_colour(rng, &[base]);
        // The second colour is moved towards the first, so that the texture looks like one shape.
        let pull = rng.random_range(0.15..0.5);
        Self {
            pattern: PATTERNS[rng.random_range(0..PATTERNS.len())],
            origin,
            axis: direction(rng.random_range(0.0..1.0)),
            period: rng.random_range(0.1..0.18),
            reach,
            noise_seed: rng.random(),
            colours: [base, mix(accent, base, pull)],
        }
    }

    /// The colour that covers most of the shape.
    pub(super) fn base(&self) -> Colour {
        self.colours[0]
    }

    /// Returns the colour at `p`, softened over `pixel`, the side of one pixel as a fraction of the
    /// side of the picture.
    pub(super) fn colour(&self, p: Point, pixel: f32) -> Colour {
        let from = sub(p, self.origin);
        let along = [
            dot(from, self.axis),
            dot(from, [-self.axis[1], self.axis[0]]),
        ];
        let flat = mix(self.colours[0], self.colours[1], self.share(along, pixel));
        let light = 1.0 - 0.14 * (from[1] + 0.5 * from[0]) / self.reach;
        flat.map(|v| (v * light).clamp(0.0, 1.0))
    }

    /// Returns the share of the second colour at a point in the axes of the texture, in `[0, 1]`.
    fn share(&self, along: Point, pixel: f32) -> f32 {
        let cell = along.map(|v| v / self.period);
        let soft = pixel / self.period;
        match self.pattern {
            Pattern::Gradient => (along[0] / (2.0 * self.reach) + 0.5).clamp(0.0, 1.0),
            Pattern::Stripes => 0.5 + 0.5 * soft_square(cell[0], soft),
            Pattern::Checks => {
                0.5 + 0.5 * soft_square(cell[0] * 0.7, soft) * soft_square(cell[1] * 0.7, soft)
            }
            Pattern::Dots => {
                let local = cell.map(|v| v - v.floor() - 0.5);
                ((0.32 - dot(local, local).sqrt()) / soft + 0.5).clamp(0.0, 1.0)
            }
            Pattern::Blobs => {
                let level = noise(cell, self.noise_seed);
                ((level - 0.5) * 6.0 + 0.5).clamp(0.0, 1.0)
            }
        }
    }
}

/// A smooth gradient between four corner colours, mixed with a fifth colour by smooth noise.
#[derive(Clone, Debug)]
pub(super) struct Background {
    /// Top left, top right, bottom left, bottom right.
    corners: [Colour; 4],
    drift: Colour,
    noise_seed: u32,
}

impl Background {
    /// Draws a random background: two corner colours in half of the scenes, four in the others.
    pub(super) fn random(rng: &mut ChaCha8Rng) -> Self {
        let pair = 2 * rng.random_range(0..QUIET.len() / 2);
        let light = jitter(rng, rgb(QUIET[pair]), 0.03);
        let dark = jitter(rng, rgb(QUIET[pair + 1]), 0.03);
        let tint = rgb(STRONG[rng.random_range(0..STRONG.len())]);
        let corners = match rng.random_range(0..4) {
            0 => [light, light, dark, dark],
            1 => [dark, light, dark, light],
            2 => [light, mix(light, dark, 0.5), mix(light, tint, 0.25), dark],
            _ => [dark, mix(dark, tint, 0.25), mix(light, dark, 0.4), light],
        };
        Self {
            corners,
            drift: mix(light, tint, 0.35),
            noise_seed: rng.random(),
        }
    }

    /// The colour at the centre, from which shapes must differ.
    pub(super) fn typical(&self) -> Colour {
        self.colour([0.5, 0.5])
    }

    /// Returns the colour at `p`.
    pub(super) fn colour(&self, p: Point) -> Colour {
        let [x, y] = p.map(|v| smooth(v.clamp(0.0, 1.0)));
        let top = mix(self.corners[0], self.corners[1], x);
        let bottom = mix(self.corners[2], self.corners[3], x);
        let level = noise(p.map(|v| v * 2.5), self.noise_seed);
        mix(mix(top, bottom, y), self.drift, 0.3 * level)
    }
}

fn rgb(hex: u32) -> Colour {
    [hex >> 16, hex >> 8, hex].map(|v| (v & 0xFF) as f32 / 255.0)
}

fn mix(a: Colour, b: Colour, share: f32) -> Colour {
    [0, 1, 2].map(|i| a[i] + (b[i] - a[i]) * share)
}

fn jitter(rng: &mut ChaCha8Rng, colour: Colour, by: f32) -> Colour {
    colour.map(|v| (v + rng.random_range(-by..by)).clamp(0.0, 1.0))
}

/// Draws a strong colour that differs from each of `avoid`. If none of sixteen colours differs
/// enough, the one with the largest difference is returned.
fn distinct_colour(rng: &mut ChaCha8Rng, avoid: &[Colour]) -> Colour {
    let mut best = ([0.5; 3], -1.0);
    for _ in 0..16 {
        let strong = rgb(STRONG[rng.random_range(0..STRONG.len())]);
        let colour = jitter(rng, strong, 0.04);
        let gap = avoid
            .iter()
            .map(|other| (0..3).map(|i| (colour[i] - other[i]).powi(2)).sum::<f32>())
            .fold(f32::INFINITY, f32::min);
        if gap > best.1 {
            best = (colour, gap);
        }
        if gap > 0.2 {
            break;
        }
    }
    best.0
}

/// Computes `3 t^2 - 2 t^3`, which rises from 0 to 1 with slope 0 at both ends.
fn smooth(t: f32) -> f32 {
    t * t * (3.0 - 2.0 * t)
}

/// Computes a square wave of period 1 between -1 and 1 with transitions of width `soft`.
fn soft_square(u: f32, soft: f32) -> f32 {
    let triangle = 1.0 - 4.0 * (u - u.floor() - 0.5).abs();
    (triangle / (2.0 * soft)).clamp(-1.0, 1.0)
}

/// Computes two octaves of value noise in `[0, 1]`. Features are about one unit wide.
fn noise(p: Point, seed: u32) -> f32 {
    let fine = value_noise(p.map(|v| v * 2.0 + 17.0), seed ^ 0x5bd1_e995);
    0.7 * value_noise(p, seed) + 0.3 * fine
}

fn value_noise(p: Point, seed: u32) -> f32 {
    let [x0, y0] = p.map(f32::floor);
    let (x, y) = (smooth(p[0] - x0), smooth(p[1] - y0));
    let at = |dx: i32, dy: i32| lattice(x0 as i32 + dx, y0 as i32 + dy, seed);
    let top = at(0, 0) + (at(1, 0) - at(0, 0)) * x;
    let bottom = at(0, 1) + (at(1, 1) - at(0, 1)) * x;
    top + (bottom - top) * y
}

/// Returns a fixed pseudo-random value in `[0, 1)` for each lattice point.
fn lattice(x: i32, y: i32, seed: u32) -> f32 {
    let mut bits =
        seed ^ (x as u32).wrapping_mul(0x9E37_79B1) ^ (y as u32).wrapping_mul(0x85EB_CA77);
    bits = (bits ^ (bits >> 15)).wrapping_mul(0x2C1B_3C6D);
    bits = (bits ^ (bits >> 12)).wrapping_mul(0x297A_2D39);
    bits ^= bits >> 15;
    (bits >> 8) as f32 / (1 << 24) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn every_pattern_stays_in_range_and_uses_both_colours() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        for pattern in PATTERNS {
            let mut texture = Texture::random(&mut rng, [0.5, 0.5], 0.5, &[]);
            texture.pattern = pattern;
            let shares: Vec<f32> = (0..4096)
                .map(|i| [(i % 64) as f32 / 64.0 - 0.5, (i / 64) as f32 / 64.0 - 0.5])
                .map(|p| texture.share(p, 1.0 / 64.0))
                .collect();
            assert!(
                shares.iter().all(|s| (0.0..=1.0).contains(s)),
                "{pattern:?}"
            );
            assert!(shares.iter().any(|&s| s < 0.2), "{pattern:?}");
            assert!(shares.iter().any(|&s| s > 0.8), "{pattern:?}");
        }
    }

    #[test]
    fn noise_is_smooth_and_differs_between_seeds() {
        let step = 1.0 / 64.0;
        for i in 0..500 {
            let p = [i as f32 * 0.013, i as f32 * 0.007];
            let jump = noise([p[0] + step, p[1]], 1) - noise(p, 1);
            assert!(jump.abs() < 4.0 * step, "{p:?} jumps by {jump}");
        }
        assert_ne!(noise([0.3, 0.4], 1), noise([0.3, 0.4], 2));
    }
}
