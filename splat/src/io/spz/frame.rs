//! The axes of an SPZ file.

use crate::io::error::FileError;
use crate::io::scene::{CHANNELS, Colours, StoredScene};

/// The type of the extension that names the axes.
const COORDINATE_SYSTEM: u32 = 0xadbe_0003;

/// The signs by which the axes of a file differ from right, down and forward, which are those of
/// 3DGS: 1 or -1 for x, y and z.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Frame([f32; 3]);

impl Frame {
    /// Right, up and back. A file without an extension has these axes.
    pub(super) const RIGHT_UP_BACK: Self = Self([1.0, -1.0, -1.0]);

    /// Reads the extensions, which are records of a type, a length and as many bytes.
    pub(super) fn of_extensions(bytes: &[u8]) -> Result<Self, FileError> {
        let (mut frame, mut rest) = (Self::RIGHT_UP_BACK, bytes);
        while !rest.is_empty() {
            let cut = || {
                let expected = "a type, a length and as many bytes";
                FileError::content("extensions", expected, format!("{} bytes", rest.len()))
            };
            let (head, after) = rest.split_first_chunk::<8>().ok_or_else(cut)?;
            let [kind, length] =
                [0, 4].map(|at| u32::from_le_bytes(std::array::from_fn(|i| head[at + i])));
            let (payload, after) = after.split_at_checked(length as usize).ok_or_else(cut)?;
            if kind == COORDINATE_SYSTEM {
                frame = Self::of_system(payload)?;
            }
            rest = after;
        }
        Ok(frame)
    }

    /// Returns the axes of a number: 1 to 8 for left or right, down or up, back or forward. Higher
    /// numbers exchange axes.
    fn of_system(payload: &[u8]) -> Result<Self, FileError> {
        let system = payload
            .first_chunk()
            .map(|bytes| u32::from_le_bytes(*bytes));
        let bits = match system {
            Some(0) => return Ok(Self::RIGHT_UP_BACK),
            Some(system @ 1..=8) => system - 1,
            _ => {
                let got = format!("\"{}\"", payload.escape_ascii());
                let expected = "x to the left or right, y down or up, z back or forward";
                return Err(FileError::content(
                    "extension, coordinate system",
                    expected,
                    got,
                ));
            }
        };
        // Bits for right, up and forward.
        let sign = |bit: u32, ours: u32| if (bits >> bit) & 1 == ours { 1.0 } else { -1.0 };
        Ok(Self([sign(0, 1), sign(1, 0), sign(2, 1)]))
    }

    /// Returns the signs of means, and of w, x, y, z of quaternions.
    pub(super) fn signs(self) -> ([f32; 3], [f32; 4]) {
        let [x, y, z] = self.0;
        // A reflection of an axis reverses the rotations about the other two axes.
        ([x, y, z], [1.0, y * z, x * z, x * y])
    }

    /// Returns the sign of the basis function `k` of the spherical harmonics, `0 <= k < 25`.
    pub(super) fn sign_of_harmonic(self, k: usize) -> f32 {
        let [x, y, z] = self.0;
        let degree = k.isqrt();
        let order = k as i32 - (degree * (degree + 1)) as i32;
        // A factor of `sin |m| phi` or `cos m phi` times one of z of the parity of l - m.
        let m = order.unsigned_abs();
        let in_z = if (degree as u32 + m) % 2 == 1 { z } else { 1.0 };
        let in_plane = match (order < 0, m % 2 == 1) {
            // Odd in y alone, or in x and y.
            (true, true) => y,
            (true, false) => x * y,
            (false, true) => x,
            (false, false) => 1.0,
        };
        in_z * in_plane
    }

    /// Changes the axes of a scene to right, down and forward. The inverse is the same.
    pub(super) fn convert(self, scene: &mut StoredScene) {
        let (means, quaternions) = self.signs();
        for mean in scene.means.as_chunks_mut::<3>().0 {
            *mean = std::array::from_fn(|axis| mean[axis] * means[axis]);
        }
        for quaternion in scene.quaternions.as_chunks_mut::<4>().0 {
            *quaternion = std::array::from_fn(|i| quaternion[i] * quaternions[i]);
        }
        if let Colours::Harmonics {
            degree,
            coefficients,
        } = &mut scene.colours
        {
            let count = (*degree as usize + 1).pow(2);
            let signs: Vec<f32> = (0..count).map(|k| self.sign_of_harmonic(k)).collect();
            for row in coefficients.chunks_exact_mut(CHANNELS * count) {
                for (coefficient, sign) in row.as_chunks_mut::<CHANNELS>().0.iter_mut().zip(&signs)
                {
                    *coefficient = coefficient.map(|x| x * sign);
                }
            }
        }
    }
}
