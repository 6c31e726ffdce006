//! Files that other programs wrote. See `tests/peer_files/README.md`.

use splat::io::{Colours, Format, StoredScene, parse_as};

use crate::scene;

macro_rules! file {
    ($name:literal) => {
        include_bytes!(concat!("../peer_files/", $name))
    };
}

/// The scene from which the other programs made their files.
fn original() -> StoredScene {
    scene(file!("scene.ply"))
}

/// The greatest differences that a format may make.
struct Errors {
    mean: f32,
    log_scale: f32,
    quaternion: f32,
    opacity: f32,
    /// The first coefficient of each channel.
    base: f32,
    rest: f32,
}

/// Compares each Gaussian with the one of the original that has the nearest mean: a program may
/// reorder them.
#[track_caller]
fn assert_near(read: &StoredScene, errors: &Errors) {
    let original = original();
    assert_eq!(read.len(), original.len());
    let (
        Colours::Harmonics {
            degree: 3,
            coefficients,
        },
        Colours::Harmonics {
            coefficients: expected,
            ..
        },
    ) = (&read.colours, &original.colours)
    else {
        panic!("expected harmonics of degree 3, got {:?}", read.colours);
    };
    let near = |name: &str, got: &[f32], expected: &[f32], error: f32| {
        for (got, expected) in got.iter().zip(expected) {
            assert!((got - expected).abs() <= error, "{name}: {got} {expected}");
        }
    };
    let row = |buffer: &[f32], width: usize, i: usize| buffer[width * i..width * (i + 1)].to_vec();
    let mut found = vec![false; original.len()];
    for i in 0..read.len() {
        let mean = row(&read.means, 3, i);
        let distance = |j: &usize| {
            let other = row(&original.means, 3, *j);
            let squares = mean.iter().zip(&other).map(|(a, b)| (a - b).powi(2));
            squares.sum::<f32>()
        };
        let nearest = (0..original.len()).min_by(|a, b| distance(a).total_cmp(&distance(b)));
        let j = nearest.expect("a Gaussian");
        found[j] = true;
        near("mean", &mean, &row(&original.means, 3, j), errors.mean);
        let logs = |scales: Vec<f32>| -> Vec<f32> { scales.iter().map(|s| s.ln()).collect() };
        let (a, b) = (row(&read.scales, 3, i), row(&original.scales, 3, j));
        near("scale", &logs(a), &logs(b), errors.log_scale);
        near(
            "opacity",
            &[read.opacities[i]],
            &[original.opacities[j]],
            errors.opacity,
        );
        // The negative quaternion is the same rotation.
        let (a, mut b) = (
            row(&read.quaternions, 4, i),
            row(&original.quaternions, 4, j),
        );
        let product: f32 = a.iter().zip(&b).map(|(a, b)| a * b).sum();
        for x in &mut b {
            *x *= product.signum();
        }
        near("quaternion", &a, &b, errors.quaternion);
        let (a, b) = (row(coefficients, 48, i), row(expected, 48, j));
        near("coefficient", &a[..3], &b[..3], errors.base);
        near("harmonic", &a[3..], &b[3..], errors.rest);
    }
    assert!(found.iter().all(|&found| found), "{found:?}");
}

/// The default of Niantic's writer keeps five bits of degree 1 and four of the others.
const SPZ: Errors = Errors {
    mean: 1.3e-4,
    log_scale: 0.0313,
    quaternion: 0.0021,
    opacity: 0.002,
    base: 0.0131,
    rest: 0.067,
};

#[test]
fn spz_files_of_splat_transform_are_the_original_within_their_steps() {
    assert_near(&scene(file!("transform_v3.spz")), &SPZ);
    assert_near(&scene(file!("transform_v4.spz")), &SPZ);
}

#[test]
fn compressed_ply_files_are_the_original_within_their_steps() {
    let errors = Errors {
        mean: 0.006,
        log_scale: 0.003,
        quaternion: 0.003,
        opacity: 0.003,
        base: 0.03,
        rest: 0.0157,
    };
    assert_near(&scene(file!("transform.compressed.ply")), &errors);
    assert_near(&scene(file!("gsply.compressed.ply")), &errors);
}

/// A `.splat` file has constant colours. The scene's harmonics of degree 0 are compared with them.
#[test]
fn a_splat_file_is_the_original_within_its_steps() {
    let read = parse_as(file!("gsplat.splat"), Format::Splat).expect("whole rows");
    let (read, original) = (read.scene, original());
    assert_eq!(read.means, original.means);
    for (a, b) in read.scales.iter().zip(&original.scales) {
        assert!((a / b - 1.0).abs() < 1e-6, "{a} {b}");
    }
    let near = |got: &[f32], expected: &[f32], error: f32| {
        assert_eq!(got.len(), expected.len());
        for (got, expected) in got.iter().zip(expected) {
            assert!((got - expected).abs() <= error, "{got} {expected}");
        }
    };
    // A byte may be cut off instead of rounded.
    near(&read.opacities, &original.opacities, 1.0 / 255.0);
    near(&read.quaternions, &original.quaternions, 1.0 / 128.0);
    let (Colours::Constant(colours), Colours::Harmonics { coefficients, .. }) =
        (&read.colours, &original.colours)
    else {
        panic!("expected constant colours, got {:?}", read.colours);
    };
    let expected: Vec<f32> = coefficients
        .chunks(48)
        .flat_map(|row| &row[..3])
        .map(|x| (0.5 + 0.282_094_79 * x).clamp(0.0, 1.0))
        .collect();
    near(colours, &expected, 1.0 / 255.0);
}
