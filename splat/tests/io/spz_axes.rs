//! The axes of SPZ files.

use splat::Projection;
use splat::check::{front_camera, weight};
use splat::io::{Colours, StoredScene};
use splat::sh::{self, Harmonics};

use crate::spz::{file, gzip, spz, unpacked};
use crate::{assert_refused, scene, scene_of};

/// A Gaussian of the file's axes and the same Gaussian of ours look the same from corresponding
/// sides, and have corresponding covariances.
#[test]
fn axes_are_converted_with_colours_and_covariances() {
    let wide = |x: &[f32]| -> Vec<f64> { x.iter().map(|&x| f64::from(x)).collect() };
    for degree in 0..=4 {
        // The writer refuses degree 4, so the coefficients are bytes without a writer.
        let mut bytes = unpacked(&spz(&scene_of(40, 0)));
        bytes[12] = degree as u8;
        let beyond = 40 * 3 * ((degree as usize + 1).pow(2) - 1);
        bytes.extend((0..beyond).map(|i| (128.0 + 40.0 * weight(i)) as u8));
        // The same bytes with an extension that says: these are the axes of 3DGS.
        let mut plain = bytes.clone();
        plain[14] |= 2;
        plain.extend(
            [0xadbe_0003u32, 4, 6]
                .iter()
                .flat_map(|word| word.to_le_bytes()),
        );
        let (ours, theirs) = (scene(&gzip(&bytes)), scene(&gzip(&plain)));
        let camera = front_camera(Projection::Pinhole, 20, 20).with_pose([
            [1.0, 0.0, 0.0, 0.1],
            [0.0, 1.0, 0.0, -0.2],
            [0.0, 0.0, 1.0, 0.3],
        ]);
        // The same camera in the file's axes.
        let turned = camera.with_pose([
            [1.0, 0.0, 0.0, 0.1],
            [0.0, -1.0, 0.0, -0.2],
            [0.0, 0.0, -1.0, 0.3],
        ]);
        let features = |scene: &StoredScene, camera| {
            let Colours::Harmonics { coefficients, .. } = &scene.colours else {
                panic!("expected harmonics");
            };
            let (means, coefficients) = (wide(&scene.means), wide(coefficients));
            let harmonics = Harmonics {
                degree,
                means: &means,
                coefficients: &coefficients,
                stored: (degree as usize + 1).pow(2),
                channels: 3,
            };
            sh::features(harmonics, camera).expect("valid shapes")
        };
        let pairs = features(&ours, &camera)
            .into_iter()
            .zip(features(&theirs, &turned));
        for (a, b) in pairs {
            assert!((a - b).abs() < 1e-12, "degree {degree}: {a} {b}");
        }
        for i in 0..ours.len() {
            let (a, b) = (covariance(&ours, i), covariance(&theirs, i));
            for row in 0..3 {
                for column in 0..3 {
                    let sign = if (row == 0) == (column == 0) {
                        1.0
                    } else {
                        -1.0
                    };
                    let (a, b) = (a[row][column], sign * b[row][column]);
                    assert!((a - b).abs() < 1e-6, "{a} {b}");
                }
            }
        }
    }
}

fn rotation([w, x, y, z]: [f64; 4]) -> [[f64; 3]; 3] {
    let s = 2.0 / (w * w + x * x + y * y + z * z);
    [
        [
            1.0 - s * (y * y + z * z),
            s * (x * y - w * z),
            s * (x * z + w * y),
        ],
        [
            s * (x * y + w * z),
            1.0 - s * (x * x + z * z),
            s * (y * z - w * x),
        ],
        [
            s * (x * z - w * y),
            s * (y * z + w * x),
            1.0 - s * (x * x + y * y),
        ],
    ]
}

fn covariance(scene: &StoredScene, i: usize) -> [[f64; 3]; 3] {
    let r = rotation(std::array::from_fn(|k| scene.quaternions[4 * i + k].into()));
    let s: [f64; 3] = std::array::from_fn(|k| scene.scales[3 * i + k].into());
    let entry = |a: usize, b: usize| (0..3).map(|k| r[a][k] * s[k] * s[k] * r[b][k]).sum();
    std::array::from_fn(|a| std::array::from_fn(|b| entry(a, b)))
}

#[test]
fn all_eight_directions_of_axes_are_known_and_others_refused() {
    let extension = |system: u32| -> Vec<u8> {
        let words = [0xadbe_0002, 12, 1, 2, 3, 0xadbe_0003, 4, system];
        words
            .iter()
            .flat_map(|word: &u32| word.to_le_bytes())
            .collect()
    };
    for version in [3, 4] {
        let means = |system: u32| scene(&file(version, 2, &extension(system))).means;
        let file_means = [1.0, -2.5, 0.0, 0.5, 3.0, -4.0];
        for system in 1..=8 {
            let bits = system - 1;
            // Right, up and forward.
            let sign = |bit: u32, wanted: u32| {
                if (bits >> bit) & 1 == wanted {
                    1.0
                } else {
                    -1.0
                }
            };
            let signs = [sign(0, 1), sign(1, 0), sign(2, 1)];
            let expected: Vec<f32> = (0..6).map(|i| file_means[i] * signs[i % 3]).collect();
            assert_eq!(means(system), expected, "system {system}");
        }
        assert_eq!(means(0), means(4));
        assert_eq!(scene(&file(version, 0, &[])).means, means(4));
        for system in [9, 16, 17, u32::MAX] {
            assert_refused(
                &file(version, 2, &extension(system)),
                &["coordinate system"],
            );
        }
        // Records that do not end, and bytes that no flag announces.
        let whole = extension(4);
        for cut in [1, 7, 19, 27] {
            assert_refused(&file(version, 2, &whole[..cut]), &["extensions"]);
        }
    }
    assert_refused(&file(3, 0, &extension(4)), &["after the attributes"]);
}
