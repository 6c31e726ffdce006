//! Writes a scene as an SPZ file of version 3.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::codec;
use super::frame::Frame;
use super::header::{MAGIC, MOST_FRACTIONAL_BITS};
use crate::io::error::FileError;
use crate::io::scene::{CHANNELS, StoredScene};
use crate::io::storable::Harmonics;

/// The version whose readers are the most widely spread.
const VERSION: u32 = 3;
/// The greatest degree of harmonics that all readers of this version know.
const MOST_DEGREE: u32 = 3;
/// The number of Gaussians of which an attribute is packed at a time.
const BLOCK: usize = 1 << 14;

/// Writes a scene.
pub(crate) fn write(scene: &StoredScene, to: &mut impl Write) -> Result<(), FileError> {
    let harmonics = Harmonics::of(scene)?;
    let header = header(scene, &harmonics)?;
    let bits = header[13];
    let quaternions = packed_quaternions(scene)?;
    let (means, _) = Frame::RIGHT_UP_BACK.signs();
    let mut output = Packer {
        encoder: GzEncoder::new(to, Compression::default()),
        block: Vec::new(),
    };
    output.put(&header)?;
    let n = scene.len();
    output.rows(n, |i, row| {
        for (mean, sign) in scene.means[3 * i..3 * i + 3].iter().zip(means) {
            row.extend(codec::pack_mean(sign * mean, bits));
        }
    })?;
    output.rows(n, |i, row| {
        row.push(codec::pack_opacity(scene.opacities[i]));
    })?;
    output.rows(n, |i, row| {
        let colour = |channel| codec::pack_colour(harmonics.coefficient(i, 0, channel));
        row.extend((0..CHANNELS).map(colour));
    })?;
    output.rows(n, |i, row| {
        let scales = scene.scales[3 * i..3 * i + 3].iter();
        row.extend(scales.map(|&scale| codec::pack_scale(scale)));
    })?;
    output.put(&quaternions)?;
    let signs: Vec<f32> = (0..harmonics.count)
        .map(|k| Frame::RIGHT_UP_BACK.sign_of_harmonic(k))
        .collect();
    output.rows(n, |i, row| {
        for (k, sign) in signs.iter().enumerate().skip(1) {
            let harmonic = |c| codec::pack_harmonic(sign * harmonics.coefficient(i, k, c));
            row.extend((0..CHANNELS).map(harmonic));
        }
    })?;
    let finished = output.encoder.finish().map_err(FileError::Unwritable)?;
    finished.flush().map_err(FileError::Unwritable)
}

/// Returns the header.
fn header(scene: &StoredScene, harmonics: &Harmonics) -> Result<[u8; 16], FileError> {
    if scene.origin != [0.0; 3] {
        let expected = "zero, because SPZ has 24 bits for a coordinate";
        let got = format!("{:?}", scene.origin);
        return Err(FileError::scene("origin", expected, got));
    }
    if harmonics.degree > MOST_DEGREE {
        let expected = "0 to 3 in SPZ, version 3";
        return Err(FileError::scene("degree", expected, harmonics.degree));
    }
    let count = u32::try_from(scene.len())
        .map_err(|_| FileError::scene("scene", "fewer than 2^32 Gaussians", scene.len()))?;
    let size = |(i, x): (usize, &f32)| (i, x.abs());
    let sizes = scene.means.iter().enumerate().map(size);
    let (at, greatest) = sizes.max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or_default();
    let Some(bits) = codec::fractional_bits(greatest, MOST_FRACTIONAL_BITS) else {
        let place = format!("means, Gaussian {}", at / 3);
        let expected = "coordinates of less than 2^23";
        return Err(FileError::scene(place, expected, scene.means[at]));
    };
    let mut header = [0; 16];
    header[..4].copy_from_slice(&MAGIC);
    header[4..8].copy_from_slice(&VERSION.to_le_bytes());
    header[8..12].copy_from_slice(&count.to_le_bytes());
    header[12] = harmonics.degree as u8;
    header[13] = bits;
    Ok(header)
}

/// Packs all quaternions, before anything is written: one can have no direction.
fn packed_quaternions(scene: &StoredScene) -> Result<Vec<u8>, FileError> {
    let (_, signs) = Frame::RIGHT_UP_BACK.signs();
    let mut packed = Vec::with_capacity(4 * scene.len());
    for (i, quaternion) in scene.quaternions.as_chunks::<4>().0.iter().enumerate() {
        let turned = std::array::from_fn(|k| quaternion[k] * signs[k]);
        let bytes = codec::pack_quaternion(turned).ok_or_else(|| {
            let place = format!("quaternions, Gaussian {i}");
            FileError::scene(place, "a quaternion that is not zero", "zero")
        })?;
        packed.extend(bytes);
    }
    Ok(packed)
}

/// Packs attributes in blocks of Gaussians.
struct Packer<W: Write> {
    encoder: GzEncoder<W>,
    block: Vec<u8>,
}

impl<W: Write> Packer<W> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        self.encoder.write_all(bytes).map_err(FileError::Unwritable)
    }

    /// Packs an attribute. `row` appends the bytes of Gaussian i.
    fn rows(&mut self, count: usize, row: impl Fn(usize, &mut Vec<u8>)) -> Result<(), FileError> {
        for start in (0..count).step_by(BLOCK) {
            self.block.clear();
            for i in start..count.min(start + BLOCK) {
                row(i, &mut self.block);
            }
            let written = self.encoder.write_all(&self.block);
            written.map_err(FileError::Unwritable)?;
        }
        Ok(())
    }
}
