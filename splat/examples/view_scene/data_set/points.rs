//! A sample of a scene's means with colours, as a binary PLY file.

use std::fmt::Write;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use splat::io::{Colours, StoredScene};

use crate::common::pictures::byte;

/// Seed of the sample: the points of a scene are always the same.
const SEED: u64 = 0;
/// The harmonic of degree 0, `1 / (2 sqrt(pi))`.
const HARMONIC_0: f32 = 0.282_094_8;

/// Returns a PLY file of at most `most` finite means in coordinates of the world, drawn without
/// replacement. Colours are the constant ones, or those of degree 0 of the harmonics, and are clamped.
pub(crate) fn ply(scene: &StoredScene, most: usize) -> Vec<u8> {
    let (means, _) = scene.means.as_chunks::<3>();
    let finite = means
        .iter()
        .enumerate()
        .filter(|(_, mean)| mean.iter().all(|x| x.is_finite()));
    let finite: Vec<(usize, &[f32; 3])> = finite.collect();
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let count = finite.len().min(most);
    let drawn = rand::seq::index::sample(&mut rng, finite.len(), count);
    // Coordinates far from zero have more digits than `f32` has.
    let wide = scene.origin != [0.0; 3];
    let mut file = header(count, wide).into_bytes();
    for (i, mean) in drawn.into_iter().filter_map(|k| finite.get(k)) {
        for (x, origin) in mean.iter().zip(scene.origin) {
            if wide {
                file.extend((f64::from(*x) + origin).to_le_bytes());
            } else {
                file.extend(x.to_le_bytes());
            }
        }
        file.extend([0, 1, 2].map(|channel| byte(colour(&scene.colours, *i, channel))));
    }
    file
}

fn header(count: usize, wide: bool) -> String {
    let mut header = format!("ply\nformat binary_little_endian 1.0\nelement vertex {count}\n");
    let mut property = |kind: &str, name: &str| {
        // A string takes everything.
        let _ = writeln!(header, "property {kind} {name}");
    };
    for name in ["x", "y", "z"] {
        property(if wide { "double" } else { "float" }, name);
    }
    for name in ["red", "green", "blue"] {
        property("uchar", name);
    }
    header + "end_header\n"
}

/// Returns a channel of the colour of Gaussian `i`, relative to full brightness.
fn colour(colours: &Colours, i: usize, channel: usize) -> f32 {
    let at = |values: &[f32], row: usize| values.get(i * row + channel).copied();
    match colours {
        Colours::Constant(colours) => at(colours, 3).unwrap_or_default(),
        Colours::Harmonics {
            degree,
            coefficients,
        } => {
            let terms = (*degree as usize + 1).pow(2);
            let first = at(coefficients, 3 * terms).unwrap_or_default();
            0.5 + HARMONIC_0 * first
        }
        // The enum can grow.
        _ => 0.5,
    }
}
