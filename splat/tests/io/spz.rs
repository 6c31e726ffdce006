//! SPZ files of every version: made by hand, and written.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use splat::check::weight;
use splat::io::{Colours, StoredScene, parse};

use crate::{scene, scene_of};

/// Returns the SPZ file of a scene.
pub(crate) fn spz(scene: &StoredScene) -> Vec<u8> {
    let mut bytes = Vec::new();
    scene.write_spz(&mut bytes).expect("a scene that SPZ holds");
    bytes
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory is writable");
    encoder.finish().expect("memory is writable")
}

pub(crate) fn unpacked(file: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    GzDecoder::new(file)
        .read_to_end(&mut bytes)
        .expect("gzip data");
    bytes
}

pub(crate) fn header(version: u32, count: u32, degree: u8, flags: u8, last: u8) -> Vec<u8> {
    let mut bytes = b"NGSP".to_vec();
    bytes.extend(version.to_le_bytes());
    bytes.extend(count.to_le_bytes());
    bytes.extend([degree, 8, flags, last]);
    bytes
}

/// The attributes of two Gaussians of degree 1. Means have 8 fractional bits.
pub(crate) fn attributes(version: u32) -> [Vec<u8>; 6] {
    let means = match version {
        1 => [1.0, -2.5, 0.0, 0.5, 3.0, -4.0]
            .iter()
            .flat_map(|&x| half::f16::from_f32(x).to_le_bytes())
            .collect(),
        _ => [256, -640, 0, 128, 768, -1024]
            .iter()
            .flat_map(|x: &i32| x.to_le_bytes()[..3].to_vec())
            .collect(),
    };
    let quaternions = match version {
        1 | 2 => vec![255, 128, 127, 0, 127, 128],
        // The greatest is w, then x. The others: 511 of 511, 0, -256 of 511; 0, 0, 0.
        _ => [(3 << 30) | (511 << 20) | (512 + 256), 0u32]
            .iter()
            .flat_map(|word| word.to_le_bytes())
            .collect(),
    };
    [
        means,
        vec![255, 51],
        vec![0, 255, 127, 128, 127, 0],
        vec![160, 176, 144, 0, 255, 160],
        quaternions,
        (0..18).map(|i| 128 + 7 * i).collect(),
    ]
}

/// Returns a file of two Gaussians.
pub(crate) fn file(version: u32, flags: u8, extensions: &[u8]) -> Vec<u8> {
    let attributes = attributes(version);
    if version < 4 {
        let parts = [
            header(version, 2, 1, flags, 0),
            attributes.concat(),
            extensions.to_vec(),
        ];
        return gzip(&parts.concat());
    }
    let table = 32 + extensions.len() as u32;
    let mut file = header(version, 2, 1, flags, 6);
    file.extend(table.to_le_bytes());
    file.extend([0; 12]);
    file.extend(extensions);
    let frames = attributes
        .each_ref()
        .map(|a| compress_to_vec(&a[..], CompressionLevel::Fastest));
    for (attribute, frame) in attributes.iter().zip(&frames) {
        file.extend((frame.len() as u64).to_le_bytes());
        file.extend((attribute.len() as u64).to_le_bytes());
    }
    [file, frames.concat()].concat()
}

#[track_caller]
fn assert_near(got: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(got.len(), expected.len());
    for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
        assert!((got - expected).abs() <= tolerance, "{i}: {got} {expected}");
    }
}

#[test]
fn every_version_gives_its_numbers() {
    for version in 1..=4 {
        let read = parse(&file(version, 1, &[])).expect("a valid file");
        assert!(read.antialiased && read.views.is_empty());
        assert!(
            !parse(&file(version, 0, &[]))
                .expect("a valid file")
                .antialiased
        );
        let read = read.scene;
        // y and z change their signs.
        assert_eq!(
            read.means,
            [1.0, 2.5, 0.0, 0.5, -3.0, 4.0],
            "version {version}"
        );
        assert_eq!(read.opacities, [1.0, 0.2]);
        let scales = [0.0, 1.0, -1.0, -10.0, 5.9375, 0.0].map(|log: f64| log.exp() as f32);
        assert_eq!(read.scales, scales);
        let quaternions: [f32; 8] = if version < 3 {
            let (one, small) = (1.0, 1.0 / 255.0);
            [0.0, one, -small, small, 0.0, -one, small, -small]
        } else {
            // x, y, z, w of the file: 0.707, 0, -0.354, w; x, 0, 0, 0.
            let third = -std::f32::consts::FRAC_1_SQRT_2 * 256.0 / 511.0;
            let w = (0.5 - third * third).sqrt();
            [
                w,
                std::f32::consts::FRAC_1_SQRT_2,
                0.0,
                -third,
                0.0,
                1.0,
                0.0,
                0.0,
            ]
        };
        assert_near(&read.quaternions, &quaternions, 1e-6);
        let Colours::Harmonics {
            degree: 1,
            coefficients,
        } = read.colours
        else {
            panic!("expected harmonics of degree 1");
        };
        let base = |byte: f32| (byte / 255.0 - 0.5) / 0.15;
        let rest = |i: usize| 7.0 * i as f32 / 128.0;
        // The basis functions y, z and x: the first two change their signs.
        let mut expected = vec![base(0.0), base(255.0), base(127.0)];
        expected.extend((0..9).map(|i| if i < 6 { -rest(i) } else { rest(i) }));
        expected.extend([base(128.0), base(127.0), base(0.0)]);
        expected.extend((9..18).map(|i| if i < 15 { -rest(i) } else { rest(i) }));
        assert_near(&coefficients, &expected, 1e-5);
    }
}

#[test]
fn a_written_scene_comes_back_within_the_stated_errors() {
    for degree in 0..=3 {
        let count = 3_000;
        let mut made = scene_of(count, degree);
        for (i, mean) in made.means.iter_mut().enumerate() {
            *mean = 40.0 * weight(i) as f32;
        }
        let read = scene(&spz(&made));
        assert_near(&read.means, &made.means, (-18f32).exp2());
        assert_near(&read.opacities, &made.opacities, 1.0 / 510.0 + 1e-6);
        for (a, b) in read.scales.iter().zip(&made.scales) {
            assert!((a / b).ln().abs() <= 1.0 / 32.0 + 1e-5, "{a} {b}");
        }
        let (mut worst, pairs) = (
            [0.0f32; 2],
            read.quaternions.chunks(4).zip(made.quaternions.chunks(4)),
        );
        for (got, expected) in pairs {
            let length = expected.iter().map(|x| x * x).sum::<f32>().sqrt();
            let greatest = (0..4).max_by(|&a, &b| expected[a].abs().total_cmp(&expected[b].abs()));
            let greatest = greatest.expect("four components");
            let sign = got[greatest].signum() * expected[greatest].signum();
            for k in 0..4 {
                let error = (got[k] - sign * expected[k] / length).abs();
                let worst = &mut worst[usize::from(k == greatest)];
                *worst = worst.max(error);
            }
        }
        assert!(worst[0] <= 0.0007 && worst[1] <= 0.0021, "{worst:?}");
        let (
            Colours::Harmonics {
                coefficients: a, ..
            },
            Colours::Harmonics {
                coefficients: b, ..
            },
        ) = (&read.colours, &made.colours)
        else {
            panic!("expected harmonics");
        };
        let row = 3 * (degree as usize + 1).pow(2);
        for (i, (a, b)) in a.iter().zip(b).enumerate() {
            let (bound, most): (f32, f32) = if i % row < 3 {
                (0.0131, 10.0 / 3.0)
            } else {
                (1.0 / 256.0, 127.0 / 128.0)
            };
            assert!(
                (a - b.clamp(-most.max(1.0), most)).abs() <= bound + 1e-6,
                "{a} {b}"
            );
        }
    }
}

#[test]
fn numbers_outside_the_range_become_the_nearest_of_the_format() {
    let mut made = scene_of(2, 1);
    made.scales
        .copy_from_slice(&[0.0, 1e-9, 1e9, 1.0, 1.0, 1.0]);
    made.opacities.copy_from_slice(&[0.0, 1.0]);
    made.means[0] = 8_388_607.0;
    let mut coefficients = vec![0.0; 24];
    coefficients[0] = 50.0;
    coefficients[1] = -50.0;
    coefficients[3] = 9.0;
    coefficients[4] = -9.0;
    made.colours = Colours::Harmonics {
        degree: 1,
        coefficients,
    };
    let read = scene(&spz(&made));
    let [least, greatest] = [-10.0, 5.9375].map(|log: f64| log.exp() as f32);
    assert_eq!(read.scales, [least, least, greatest, 1.0, 1.0, 1.0]);
    assert_eq!(read.opacities, made.opacities);
    assert_eq!(read.means[0], 8_388_607.0);
    let Colours::Harmonics { coefficients, .. } = read.colours else {
        panic!("expected harmonics");
    };
    assert_near(&coefficients[..2], &[10.0 / 3.0, -10.0 / 3.0], 1e-6);
    // The sign of the basis function y changes twice.
    assert_near(&coefficients[3..5], &[1.0, -127.0 / 128.0], 0.0);
}

#[test]
fn scenes_of_any_size_keep_their_digits() {
    for size in [1e-6f32, 0.003, 1.0, 900.0, 2047.9, 2049.0, 1e6] {
        let mut made = scene_of(50, 0);
        for (i, mean) in made.means.iter_mut().enumerate() {
            *mean = size * weight(i) as f32;
        }
        let read = scene(&spz(&made));
        // 23 bits and a sign, but no more than 24 fractional bits.
        let step = (size * (-22f32).exp2()).max((-25f32).exp2());
        assert_near(&read.means, &made.means, step);
    }
    for count in [0, 1] {
        let read = scene(&spz(&scene_of(count, 3)));
        assert_eq!((read.len(), read.is_empty()), (count, count == 0));
    }
}
