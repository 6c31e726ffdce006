//! `.splat` files: 32 bytes for each Gaussian and nothing else.

use super::error::FileError;
use super::scene::{CHANNELS, Colours, StoredScene};

/// The bytes of a Gaussian: three means and three standard deviations of 32 bits, then red, green,
/// blue and opacity, then the quaternion as w, x, y, z.
const GAUSSIAN: usize = 32;

/// Reads the scene of a file.
pub(super) fn parse(file: &[u8]) -> Result<StoredScene, FileError> {
    let (rows, rest) = file.as_chunks::<GAUSSIAN>();
    if !rest.is_empty() {
        let expected = format!("a multiple of {GAUSSIAN} bytes");
        return Err(FileError::content("length", expected, file.len()));
    }
    let count = rows.len();
    let mut means = Vec::with_capacity(3 * count);
    let mut scales = Vec::with_capacity(3 * count);
    let mut quaternions = Vec::with_capacity(4 * count);
    let mut opacities = Vec::with_capacity(count);
    let mut colours = Vec::with_capacity(CHANNELS * count);
    for row in rows {
        let (floats, bytes) = row.split_at(24);
        let float = |bytes: &[u8; 4]| f32::from_le_bytes(*bytes);
        let floats = floats.as_chunks::<4>().0;
        means.extend(floats[..3].iter().map(float));
        scales.extend(floats[3..].iter().map(float));
        let share = |&byte: &u8| f32::from(byte) / 255.0;
        colours.extend(bytes[..CHANNELS].iter().map(share));
        opacities.push(share(&bytes[CHANNELS]));
        let component = |&byte: &u8| (f32::from(byte) - 128.0) / 128.0;
        quaternions.extend(bytes[4..].iter().map(component));
    }
    Ok(StoredScene {
        means,
        origin: [0.0; 3],
        scales,
        quaternions,
        opacities,
        colours: Colours::Constant(colours),
    })
}
