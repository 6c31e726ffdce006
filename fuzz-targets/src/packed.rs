//! Valid files of packed numbers.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

/// Returns a compressed PLY file of a few vertices.
pub(crate) fn compressed_ply(first: u8) -> Vec<u8> {
    let count = usize::from(first % 4);
    let rest = [0, 9, 24, 45, 72][usize::from(first / 4) % 5];
    let chunks = count.div_ceil(256);
    let mut header = format!("ply\nformat binary_little_endian 1.0\nelement chunk {chunks}\n");
    let mut bounds = 0;
    for end in ["min", "max"] {
        for name in [
            "x", "y", "z", "scale_x", "scale_y", "scale_z", "r", "g", "b",
        ] {
            if first < 128 || name.len() != 1 || "xyz".contains(name) {
                header.extend(["property float ", end, "_", name, "\n"]);
                bounds += 1;
            }
        }
    }
    header.extend(["element vertex ", &count.to_string(), "\n"]);
    for name in ["position", "rotation", "scale", "color"] {
        header.extend(["property uint packed_", name, "\n"]);
    }
    header.extend(["element sh ", &count.to_string(), "\n"]);
    for i in 0..rest {
        header.extend(["property uchar f_rest_", &i.to_string(), "\n"]);
    }
    header.push_str("end_header\n");
    let body = 4 * bounds * chunks + (16 + rest) * count;
    [header.into_bytes(), vec![0x3f; body]].concat()
}

/// Returns an SPZ file of a few Gaussians. `change` changes the numbers of versions 1 to 3, and the
/// packed file of version 4.
pub(crate) fn spz(first: u8, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Vec<u8> {
    let (version, count) = (1 + u32::from(first >> 3) % 4, 5);
    let degree = (first >> 5) % 5;
    let beyond = usize::from(degree + 1).pow(2) - 1;
    let mean = if version == 1 { 6 } else { 9 };
    let quaternion = if version < 3 { 3 } else { 4 };
    let widths = [mean, 1, 3, 3, quaternion, 3 * beyond];
    let streams = widths.map(|width| vec![0x5a; width * count]);
    let streams = streams.iter().filter(|stream| !stream.is_empty());
    let last = if version < 4 {
        0
    } else {
        streams.clone().count() as u8
    };
    let mut file = b"NGSP".to_vec();
    file.extend(version.to_le_bytes());
    file.extend((count as u32).to_le_bytes());
    file.extend([degree, 12, 0, last]);
    if version < 4 {
        file.extend(streams.flatten());
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        let written = encoder.write_all(&change(file));
        written.expect("memory is writable");
        return encoder.finish().expect("memory is writable");
    }
    file.extend(32u32.to_le_bytes());
    file.extend([0; 12]);
    let pack = |stream: &Vec<u8>| compress_to_vec(&stream[..], CompressionLevel::Fastest);
    let frames: Vec<Vec<u8>> = streams.clone().map(pack).collect();
    for (frame, stream) in frames.iter().zip(streams) {
        file.extend((frame.len() as u64).to_le_bytes());
        file.extend((stream.len() as u64).to_le_bytes());
    }
    change([file, frames.concat()].concat())
}
