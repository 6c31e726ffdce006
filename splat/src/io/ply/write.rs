//! Writes a scene as a PLY file, with the properties and their order of 3DGS but without normals.

use std::fmt::Write as _;
use std::io::Write;

use crate::io::error::FileError;
use crate::io::scene::{CHANNELS, StoredScene};
use crate::io::storable::Harmonics;
use crate::math::exp;

/// Writes a scene.
pub(crate) fn write(scene: &StoredScene, to: &mut impl Write) -> Result<(), FileError> {
    let harmonics = Harmonics::of(scene)?;
    let wide = scene.origin != [0.0; 3];
    let mut put = |bytes: &[u8]| to.write_all(bytes).map_err(FileError::Unwritable);
    put(header(scene.len(), wide, harmonics.count).as_bytes())?;
    let mut row = Vec::new();
    for i in 0..scene.len() {
        row.clear();
        for (x, origin) in scene.means[3 * i..3 * i + 3].iter().zip(scene.origin) {
            if wide {
                row.extend((f64::from(*x) + origin).to_le_bytes());
            } else {
                row.extend(x.to_le_bytes());
            }
        }
        let mut float = |x: f32| row.extend(x.to_le_bytes());
        for channel in 0..CHANNELS {
            float(harmonics.coefficient(i, 0, channel));
        }
        // The scene orders these values by coefficient, the file by channel.
        for channel in 0..CHANNELS {
            for k in 1..harmonics.count {
                float(harmonics.coefficient(i, k, channel));
            }
        }
        float(logit(scene.opacities[i]));
        for &scale in &scene.scales[3 * i..3 * i + 3] {
            float(log(scale));
        }
        for &component in &scene.quaternions[4 * i..4 * i + 4] {
            float(component);
        }
        put(&row)?;
    }
    Ok(())
}

/// Returns the header of a file of `count` Gaussians with `coefficients` coefficients of a channel.
fn header(count: usize, wide: bool, coefficients: usize) -> String {
    let mut header = format!("ply\nformat binary_little_endian 1.0\nelement vertex {count}\n");
    let mut property = |kind: &str, name: &str, index: Option<usize>| {
        let index = index.map_or(String::new(), |index| index.to_string());
        // A string takes everything.
        let _ = writeln!(header, "property {kind} {name}{index}");
    };
    for name in ["x", "y", "z"] {
        property(if wide { "double" } else { "float" }, name, None);
    }
    for (name, count) in [
        ("f_dc_", CHANNELS),
        ("f_rest_", CHANNELS * (coefficients - 1)),
    ] {
        (0..count).for_each(|i| property("float", name, Some(i)));
    }
    property("float", "opacity", None);
    for (name, count) in [("scale_", 3), ("rot_", 4)] {
        (0..count).for_each(|i| property("float", name, Some(i)));
    }
    header + "end_header\n"
}

/// Returns the logit that a reader turns into this opacity.
fn logit(opacity: f32) -> f32 {
    stored(opacity, exp::logit(f64::from(opacity)), exp::sigmoid)
}

/// Returns the logarithm that a reader turns into this standard deviation.
fn log(scale: f32) -> f32 {
    stored(scale, exp::ln_f64(f64::from(scale)), exp::exponential)
}

/// Returns the `f32` near `inverse` whose activation is `value`, or else the one whose activation is
/// nearest to it.
fn stored(value: f32, inverse: f64, activation: impl Fn(f64) -> f64) -> f32 {
    let first = inverse as f32;
    let error = |x: f32| (activation(f64::from(x)) as f32 - value).abs();
    let (mut best, mut least) = (first, error(first));
    if least == 0.0 {
        return first;
    }
    for x in [first.next_up(), first.next_down()] {
        let error = error(x);
        if error < least {
            (best, least) = (x, error);
        }
    }
    best
}
