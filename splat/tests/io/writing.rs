//! The writers: what comes back, what a file looks like, and which scenes are refused.

use splat::check::weight;
use splat::io::{Colours, FileError, StoredScene};

use crate::file::{Encoding, GAUSSIAN, Ply};
use crate::{scene, scene_of};

/// Returns the PLY file of a scene.
fn ply(scene: &StoredScene) -> Vec<u8> {
    let mut bytes = Vec::new();
    scene.write_ply(&mut bytes).expect("a scene that PLY holds");
    bytes
}

#[test]
fn the_header_is_that_of_3dgs_without_normals() {
    let text = |degree: u32, wide: bool| {
        let mut scene = scene_of(2, degree);
        if wide {
            scene.origin = [1e6, 0.0, 0.0];
        }
        let bytes = ply(&scene);
        let end = bytes.windows(11).position(|part| part == b"end_header\n");
        let (header, body) = bytes.split_at(end.expect("a header") + 11);
        let header = String::from_utf8(header.to_vec()).expect("text");
        let doubles = header.matches("property double").count();
        let floats = header.matches("property float").count();
        assert_eq!(body.len(), 2 * (8 * doubles + 4 * floats));
        header
    };
    for degree in 0..=4 {
        let beyond = 3 * ((degree as usize + 1).pow(2) - 1);
        let rest = (0..beyond).map(|i| format!("property float f_rest_{i}\n"));
        let expected = format!(
            "ply\nformat binary_little_endian 1.0\nelement vertex 2\n\
             property float x\nproperty float y\nproperty float z\n\
             property float f_dc_0\nproperty float f_dc_1\nproperty float f_dc_2\n{}\
             property float opacity\n\
             property float scale_0\nproperty float scale_1\nproperty float scale_2\n\
             property float rot_0\nproperty float rot_1\nproperty float rot_2\n\
             property float rot_3\nend_header\n",
            rest.collect::<String>()
        );
        assert_eq!(text(degree, false), expected);
        let wide = expected
            .replace("float x", "double x")
            .replace("float y", "double y")
            .replace("float z", "double z");
        assert_eq!(text(degree, true), wide);
    }
}

/// The number of different logarithms and logits is so large that a wrong rounding shows.
#[test]
fn a_scene_of_a_file_comes_back_bit_for_bit() {
    let number = |i: usize, j: usize| match GAUSSIAN[j] {
        // Every second number lies where a wrong rounding of the inverse shows most.
        "float opacity" if i.is_multiple_of(2) => weight(i * 14 + j) - 1.0,
        "float opacity" => 18.0 * weight(i * 14 + j),
        name if name.contains("scale") && i.is_multiple_of(2) => 2.0 * weight(i * 14 + j),
        name if name.contains("scale") => 20.0 * weight(i * 14 + j),
        _ => 5.0 * weight(i * 14 + j),
    };
    let row = |i: usize| (0..GAUSSIAN.len()).map(|j| number(i, j)).collect();
    let mut rows: Vec<Vec<f64>> = (0..30_000).map(row).collect();
    // Infinite and tiny numbers, and those near zero.
    for (i, special) in [
        0.0,
        f64::NEG_INFINITY,
        1e-6,
        -1e-6,
        1e-30,
        -0.5,
        -1.0,
        -2.0,
        -80.0,
    ]
    .into_iter()
    .enumerate()
    {
        rows[i][6..10].fill(special);
    }
    rows[40][6] = f64::INFINITY;
    let file = Ply::new(Encoding::Little).element("vertex", &GAUSSIAN, &rows);
    let read = scene(&file.bytes());
    let same = |a: &[f32], b: &[f32]| {
        let bits = |x: &[f32]| x.iter().map(|x| x.to_bits()).collect::<Vec<u32>>();
        assert_eq!(bits(a), bits(b));
    };
    let again = scene(&ply(&read));
    same(&again.means, &read.means);
    same(&again.scales, &read.scales);
    same(&again.quaternions, &read.quaternions);
    same(&again.opacities, &read.opacities);
    assert_eq!(again, read);
    // Coefficients of every degree keep their places.
    for degree in 0..=4 {
        let made = scene(&ply(&scene_of(9, degree)));
        assert_eq!(made.colours, scene_of(9, degree).colours);
        assert_eq!(scene(&ply(&made)), made);
    }
    // The numbers of the file itself, where the activation tells them apart.
    let body = |bytes: &[u8]| bytes[bytes.len() - file.body.len()..].to_vec();
    let (written, original) = (body(&ply(&read)), &file.body);
    let float =
        |bytes: &[u8], at: usize| f32::from_le_bytes(std::array::from_fn(|i| bytes[4 * at + i]));
    for (i, row) in rows.iter().enumerate() {
        for (j, value) in row.iter().enumerate() {
            let at = GAUSSIAN.len() * i + j;
            let (a, b) = (float(&written, at), float(original, at));
            let told_apart = match j {
                6 => (-80.0..-2.0).contains(value),
                7..10 => value.abs() >= 1.0 && value.is_finite(),
                _ => true,
            };
            assert!(
                !told_apart || a.to_bits() == b.to_bits(),
                "{i} {j}: {a} {b}"
            );
        }
    }
}

#[test]
fn other_scenes_come_back_within_the_stated_error() {
    let count = 20_000;
    let mut made = scene_of(count, 0);
    for i in 0..count {
        for axis in 0..3 {
            made.scales[3 * i + axis] = (30.0 * weight(7 * i + axis)).exp() as f32;
        }
        // Towards 0 and towards 1.
        let tail = (-10.0 * (weight(i) + 1.0)).exp() / 2.0;
        made.opacities[i] = if i % 2 == 0 { tail } else { 1.0 - tail } as f32;
    }
    let special = [
        0.0,
        1.0,
        f32::MIN_POSITIVE,
        1e-45,
        0.5,
        1.0 - f32::EPSILON / 2.0,
    ];
    made.opacities[..6].copy_from_slice(&special);
    made.scales[..6].copy_from_slice(&[0.0, 1.0, f32::MIN_POSITIVE, 1e-45, 3e38, 0.5]);
    // The nearest logarithm of the greatest number stands for infinity.
    made.scales[6] = f32::MAX;
    let read = scene(&ply(&made));
    assert!(read.scales[6].is_finite() && read.scales[6] > 3.402e38);
    made.scales[6] = read.scales[6];
    let check = |name: &str, got: &[f32], expected: &[f32], inverse: fn(f64) -> f64| {
        let mut worst = 0.0;
        for (&got, &expected) in got.iter().zip(expected) {
            let (x, y) = (f64::from(got), f64::from(expected));
            let inverse = inverse(y);
            if inverse.is_infinite() {
                assert_eq!(got, expected, "{name}");
                continue;
            }
            // Numbers below the normal ones have steps of 2^-149.
            let bound = (2.0 + inverse.abs()) * y * (-24f64).exp2() + (-149f64).exp2();
            let error = (x - y).abs() / bound;
            assert!(error <= 1.0, "{name}: {got} {expected}");
            worst = f64::max(worst, error);
        }
        assert!(worst > 0.3, "{name}: the bound is not tight: {worst}");
    };
    check("scales", &read.scales, &made.scales, f64::ln);
    check("opacities", &read.opacities, &made.opacities, |o| {
        (o / (1.0 - o)).ln()
    });
    assert_eq!(read.means, made.means);
    assert_eq!(read.quaternions, made.quaternions);
}

#[test]
fn constant_colours_become_harmonics_that_render_them() {
    let mut made = scene_of(3, 0);
    let colours = vec![0.0, 0.25, 1.0, 0.5, 2.0, 0.1, 0.9, 0.7, 0.3];
    made.colours = Colours::Constant(colours.clone());
    let Colours::Harmonics {
        degree: 0,
        coefficients,
    } = scene(&ply(&made)).colours
    else {
        panic!("expected harmonics");
    };
    for (coefficient, colour) in coefficients.iter().zip(colours) {
        let rendered = 0.5 + 0.282_094_79 * coefficient;
        assert!((rendered - colour).abs() <= 1e-6, "{rendered} {colour}");
    }
}

#[test]
fn coordinates_far_from_zero_keep_their_digits() {
    let mut made = scene_of(40, 1);
    made.origin = [5.4e6 + 0.1, -3.2e5, 1e2];
    let read = scene(&ply(&made));
    assert!(read.origin[0] > 5e6);
    for (i, (a, b)) in made.means.iter().zip(&read.means).enumerate() {
        let world = |x: f32, origin: [f64; 3]| f64::from(x) + origin[i % 3];
        let error = (world(*a, made.origin) - world(*b, read.origin)).abs();
        assert!(error < 1e-6, "{error}");
    }
}

type Change = fn(&mut StoredScene);

/// Asserts that a scene is refused in one line that contains all of `words`.
#[track_caller]
fn assert_not_written(outcome: Result<(), FileError>, words: &[&str]) {
    let error = outcome.expect_err("refused");
    assert!(matches!(error, FileError::Scene { .. }), "{error:?}");
    let said = error.to_string();
    assert_eq!(said.lines().count(), 1, "{said}");
    for word in words {
        assert!(said.contains(word), "{word}: {said}");
    }
}

#[test]
fn scenes_that_no_file_holds_are_refused_by_buffer_and_gaussian() {
    let changes: [(Change, &[&str]); 16] = [
        (|s| s.means[4] = f32::NAN, &["means", "Gaussian 1", "NaN"]),
        (
            |s| s.means[8] = f32::INFINITY,
            &["means", "Gaussian 2", "inf"],
        ),
        (|s| s.scales[7] = -1.0, &["scales", "Gaussian 2", "-1"]),
        (
            |s| s.scales[0] = f32::INFINITY,
            &["scales", "Gaussian 0", "inf"],
        ),
        (|s| s.scales[0] = f32::NAN, &["scales", "Gaussian 0", "NaN"]),
        (
            |s| s.quaternions[11] = f32::NAN,
            &["quaternions", "Gaussian 2", "NaN"],
        ),
        (
            |s| s.opacities[1] = 1.5,
            &["opacities", "Gaussian 1", "0 to 1", "1.5"],
        ),
        (
            |s| s.opacities[2] = -0.1,
            &["opacities", "Gaussian 2", "-0.1"],
        ),
        (
            |s| s.opacities[2] = f32::NAN,
            &["opacities", "Gaussian 2", "NaN"],
        ),
        (|s| s.means.truncate(8), &["means", "[N, 3]", "8"]),
        (|s| s.scales.push(1.0), &["scales", "10"]),
        (|s| s.quaternions.clear(), &["quaternions", "0"]),
        (|s| s.origin[1] = f64::NAN, &["origin", "NaN"]),
        (
            |s| s.colours = Colours::Constant(vec![0.5; 8]),
            &["colours", "8"],
        ),
        (
            |s| s.colours = Colours::Constant(vec![-0.5; 9]),
            &["colours", "Gaussian 0", "-0.5"],
        ),
        (
            |s| {
                s.colours = Colours::Harmonics {
                    degree: 5,
                    coefficients: vec![0.0; 3 * 36 * 3],
                }
            },
            &["degree", "5"],
        ),
    ];
    for (change, words) in changes {
        let mut made = scene_of(3, 1);
        change(&mut made);
        assert_not_written(made.write_ply(&mut Vec::new()), words);
        assert_not_written(made.write_spz(&mut Vec::new()), words);
    }
    let short = StoredScene::new(
        vec![0.0; 3],
        vec![1.0; 3],
        vec![],
        vec![1.0],
        Colours::Constant(vec![1.0; 3]),
    );
    assert!(
        short
            .expect_err("no quaternion")
            .to_string()
            .contains("quaternions")
    );
}

#[test]
fn scenes_that_only_spz_does_not_hold_are_refused() {
    let changes: [(Change, &[&str]); 5] = [
        (|s| *s = scene_of(3, 4), &["degree", "0 to 3", "4"]),
        (|s| s.origin[0] = 1.0, &["origin", "24 bits"]),
        (|s| s.means[5] = 1e7, &["means", "Gaussian 1", "2^23"]),
        (
            |s| s.means[5] = -8_388_608.0,
            &["means", "Gaussian 1", "2^23"],
        ),
        (
            |s| s.quaternions[4..8].fill(0.0),
            &["quaternions", "Gaussian 1", "zero"],
        ),
    ];
    for (change, words) in changes {
        let mut made = scene_of(3, 1);
        change(&mut made);
        assert_not_written(made.write_spz(&mut Vec::new()), words);
        made.write_ply(&mut Vec::new())
            .expect("PLY holds this scene");
    }
}
