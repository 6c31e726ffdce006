//! Valid files of packed numbers.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use crate::file::{Encoding, Ply};

/// The number of Gaussians.
const COUNT: usize = 20;

/// Bytes without a pattern.
fn noise(length: usize) -> impl Iterator<Item = u8> {
    let byte = |i: usize| (i.wrapping_mul(2_654_435_761) >> 13) as u8;
    (0..length).map(byte)
}

/// A compressed PLY file of degree 1.
pub(crate) fn compressed(encoding: Encoding) -> Ply {
    let axes = ["min_x", "min_y", "min_z", "max_x", "max_y", "max_z"];
    let scales = axes.map(|name| name.replace('_', "_scale_"));
    let colours = ["min_r", "min_g", "min_b", "max_r", "max_g", "max_b"].map(String::from);
    let names = axes
        .map(String::from)
        .into_iter()
        .chain(scales)
        .chain(colours);
    let names: Vec<String> = names.map(|name| format!("float {name}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let bounds: Vec<f64> = (0..18).map(f64::from).collect();
    let packed = ["position", "rotation", "scale", "color"].map(|x| format!("uint packed_{x}"));
    let packed = packed.each_ref().map(String::as_str);
    let rest: Vec<String> = (0..9).map(|i| format!("uchar f_rest_{i}")).collect();
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    let bytes: Vec<f64> = noise(COUNT * 9).map(f64::from).collect();
    let words: Vec<f64> = noise(COUNT * 4)
        .map(|byte| f64::from(byte) * 16_777_216.0)
        .collect();
    let rows = |numbers: &[f64], width: usize| numbers.chunks(width).map(<[f64]>::to_vec).collect();
    let words: Vec<Vec<f64>> = rows(&words, 4);
    let bytes: Vec<Vec<f64>> = rows(&bytes, 9);
    Ply::new(encoding)
        .element("chunk", &names, &[bounds])
        .element("vertex", &packed, &words)
        .element("sh", &rest, &bytes)
}

/// An SPZ file of degree 1.
pub(crate) fn spz(version: u32) -> Vec<u8> {
    let mean = if version == 1 { 6 } else { 9 };
    let quaternion = if version < 3 { 3 } else { 4 };
    let widths = [mean, 1, 3, 3, quaternion, 9];
    let mut header = b"NGSP".to_vec();
    header.extend(version.to_le_bytes());
    header.extend((COUNT as u32).to_le_bytes());
    header.extend([1, 12, 0, if version < 4 { 0 } else { 6 }]);
    if version < 4 {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        let bytes: Vec<u8> = noise(COUNT * widths.iter().sum::<usize>()).collect();
        let written = encoder.write_all(&[header, bytes].concat());
        written.expect("memory is writable");
        return encoder.finish().expect("memory is writable");
    }
    let mut file = header;
    file.extend(32u32.to_le_bytes());
    file.extend([0; 12]);
    let streams = widths.map(|width| noise(width * COUNT).collect::<Vec<u8>>());
    let frames = streams
        .each_ref()
        .map(|bytes| compress_to_vec(&bytes[..], CompressionLevel::Fastest));
    for (frame, stream) in frames.iter().zip(&streams) {
        file.extend((frame.len() as u64).to_le_bytes());
        file.extend((stream.len() as u64).to_le_bytes());
    }
    [file, frames.concat()].concat()
}

/// A `.splat` file.
pub(crate) fn splat() -> Vec<u8> {
    noise(32 * COUNT).collect()
}
