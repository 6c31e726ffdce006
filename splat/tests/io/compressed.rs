//! The compressed PLY files of `SuperSplat`, made by hand.

use splat::io::{Colours, StoredScene};

use crate::file::{ENCODINGS, Encoding, Ply};
use crate::{assert_refused, scene};

const BOUNDS: [&str; 18] = [
    "float min_x",
    "float min_y",
    "float min_z",
    "float max_x",
    "float max_y",
    "float max_z",
    "float min_scale_x",
    "float min_scale_y",
    "float min_scale_z",
    "float max_scale_x",
    "float max_scale_y",
    "float max_scale_z",
    "float min_r",
    "float min_g",
    "float min_b",
    "float max_r",
    "float max_g",
    "float max_b",
];
const PACKED: [&str; 4] = [
    "uint packed_position",
    "uint packed_rotation",
    "uint packed_scale",
    "uint packed_color",
];

/// The bounds of chunk `i`.
fn chunk(i: usize, columns: usize) -> Vec<f64> {
    let mut row = vec![
        0.0, -1.0, 2.0, 4.0, 1.0, 2.0, -3.0, -2.0, -1.0, 0.0, 0.0, 1.0,
    ];
    row.extend([-0.5, 0.0, 0.25, 1.5, 1.0, 0.75]);
    row[0] += i as f64;
    row.truncate(columns);
    row
}

fn word(a: u32, b: u32, c: u32) -> f64 {
    f64::from((a << 21) | (b << 11) | c)
}

/// The words of vertex `i`: its mean is in the middle of y, its greatest component is `i % 4`.
fn vertex(i: usize) -> Vec<f64> {
    let which = (i % 4) as u32;
    let rotation = (which << 30) | (1023 << 20) | (512 << 10);
    vec![
        word(0, 1023, 2047),
        f64::from(rotation),
        word(2047, 0, 1024),
        f64::from(u32::from_be_bytes([255, 0, 51, (i % 256) as u8])),
    ]
}

/// The bytes of the harmonics of vertex `i`.
fn harmonics(i: usize, count: usize) -> Vec<f64> {
    (0..count)
        .map(|k| ((i * 7 + k * 11) % 256) as f64)
        .collect()
}

/// Returns a file of `count` vertices with the bounds of colours or without them, and with `rest`
/// harmonics or without the element.
fn packed(encoding: Encoding, count: usize, columns: usize, rest: Option<usize>) -> Ply {
    let rows =
        |length: usize, row: &dyn Fn(usize) -> Vec<f64>| (0..length).map(row).collect::<Vec<_>>();
    let chunks = rows(count.div_ceil(256), &|i| chunk(i, columns));
    let file = Ply::new(encoding)
        .element("chunk", &BOUNDS[..columns], &chunks)
        .element("vertex", &PACKED, &rows(count, &vertex));
    let Some(rest) = rest else {
        return file;
    };
    let names: Vec<String> = (0..rest).map(|k| format!("uchar f_rest_{k}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    file.element("sh", &names, &rows(count, &|i| harmonics(i, rest)))
}

fn coefficients(scene: &StoredScene) -> (usize, &[f32]) {
    match &scene.colours {
        Colours::Harmonics {
            degree,
            coefficients,
        } => ((*degree as usize + 1).pow(2), coefficients),
        other => panic!("expected harmonics, got {other:?}"),
    }
}

#[test]
fn every_number_lies_between_the_bounds_of_its_chunk() {
    let near = |got: f32, expected: f64| {
        assert!((f64::from(got) - expected).abs() < 1e-6, "{got} {expected}");
    };
    for (encoding, columns) in ENCODINGS.into_iter().flat_map(|e| [(e, 18), (e, 12)]) {
        for rest in [None, Some(0), Some(9), Some(24), Some(45), Some(72)] {
            let read = scene(&packed(encoding, 600, columns, rest).bytes());
            assert_eq!(read.len(), 600);
            let (count, coefficients) = coefficients(&read);
            assert_eq!(3 * (count - 1), rest.unwrap_or(0));
            for i in 0..600 {
                let at = (i / 256) as f64;
                let mean = [at, 1.0, 2.0];
                let log: [f64; 3] = [0.0, -2.0, -1.0 + 2.0 * 1024.0 / 2047.0];
                for axis in 0..3 {
                    near(read.means[3 * i + axis], mean[axis]);
                    near(read.scales[3 * i + axis], log[axis].exp());
                }
                near(read.opacities[i], (i % 256) as f64 / 255.0);
                // The others in their order: the greatest, nearly 0, and the least.
                let most = std::f64::consts::FRAC_1_SQRT_2;
                let middle = (512.0 / 1023.0 - 0.5) * std::f64::consts::SQRT_2;
                let mut expected = vec![most, middle, -most];
                expected.insert(i % 4, 0.0);
                for (k, expected) in expected.into_iter().enumerate() {
                    near(read.quaternions[4 * i + k], expected);
                }
                let shares = [1.0, 0.0, 0.2];
                let bounds = if columns == 18 {
                    [[-0.5, 1.5], [0.0, 1.0], [0.25, 0.75]]
                } else {
                    [[0.0, 1.0]; 3]
                };
                for c in 0..3 {
                    let colour = bounds[c][0] + shares[c] * (bounds[c][1] - bounds[c][0]);
                    let base = coefficients[3 * count * i + c];
                    near(0.5 + 0.282_094_79 * base, colour);
                }
                let bytes = harmonics(i, 3 * (count - 1));
                for k in 1..count {
                    for c in 0..3 {
                        let got = coefficients[3 * (count * i + k) + c];
                        let byte = bytes[c * (count - 1) + k - 1];
                        let expected = match byte {
                            0.0 => -4.0,
                            255.0 => 4.0,
                            byte => (byte + 0.5) / 32.0 - 4.0,
                        };
                        assert_eq!(f64::from(got), expected, "{i} {k} {c}");
                    }
                }
            }
        }
    }
}

#[test]
fn any_number_of_vertices_has_its_chunks() {
    for count in [0, 1, 255, 256, 257, 513] {
        let file = packed(Encoding::Little, count, 18, Some(9));
        assert_eq!(scene(&file.bytes()).len(), count);
        for wrong in [count.div_ceil(256) + 1, count.div_ceil(256).wrapping_sub(1)] {
            let mut file = file.clone();
            let chunks = format!("chunk {}", count.div_ceil(256));
            file.header = file.header.replace(&chunks, &format!("chunk {wrong}"));
            assert_refused(&file.bytes(), &["chunk"]);
        }
    }
}

#[test]
fn files_that_are_not_packed_as_expected_are_refused_by_name() {
    let refused = |from: &str, to: &str, words: &[&str]| {
        let mut file = packed(Encoding::Little, 300, 18, Some(9));
        assert!(file.header.contains(from), "{from}");
        file.header = file.header.replacen(from, to, 1);
        assert_refused(&file.bytes(), words);
    };
    refused("element chunk", "element chunks", &["chunk", "packed"]);
    refused("float min_x", "float minimum_x", &["chunk", "min_x"]);
    refused(
        "float max_scale_z",
        "float max_scale",
        &["chunk", "max_scale_z"],
    );
    refused("float max_g", "float most_g", &["chunk", "max_g"]);
    refused(
        "uint packed_scale",
        "float packed_scale",
        &["packed_scale", "32 bits"],
    );
    refused(
        "uint packed_scale",
        "uint scale",
        &["vertex", "packed_scale"],
    );
    refused("uchar f_rest_3", "char f_rest_3", &["f_rest_3", "bytes"]);
    refused("f_rest_3", "f_rest_9", &["sh", "f_rest_3"]);
    refused("property uchar f_rest_8\n", "", &["f_rest_", "8"]);
    refused("element sh 300", "element sh 299", &["sh", "299"]);
    for huge in ["4000000000", "18446744073709551615"] {
        let mut file = packed(Encoding::Little, 300, 18, Some(9));
        let count: u64 = huge.parse().expect("a number");
        let chunks = count.div_ceil(256).to_string();
        for (from, to) in [("vertex 300", huge), ("sh 300", huge), ("chunk 2", &chunks)] {
            let name = from.split(' ').next().expect("a name");
            file.header = file.header.replace(from, &format!("{name} {to}"));
        }
        assert_refused(&file.bytes(), &["vertex", huge]);
    }
    // Another order of the elements.
    let chunks = [chunk(0, 18)];
    let file = Ply::new(Encoding::Little)
        .element("vertex", &PACKED, &[vertex(0)])
        .element("chunk", &BOUNDS, &chunks);
    assert_refused(&file.bytes(), &["first chunk", "vertex, chunk"]);
    let whole = packed(Encoding::Little, 3, 18, Some(9)).bytes();
    for length in 0..whole.len() {
        assert_refused(&whole[..length], &[]);
    }
    assert_refused(&[&whole[..], b"more"].concat(), &["after the last element"]);
}
