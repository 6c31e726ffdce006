//! The readers and writers of scene files: whole, odd and damaged files.

mod archive;
mod cases;
mod compressed;
mod file;
mod headers;
mod meaning;
mod names;
mod npz;
mod peers;
mod points;
mod spz;
mod spz_axes;
mod spz_damage;
mod writing;
mod written_files;

use splat::check::weight;
use splat::io::{Colours, FileError, StoredScene, parse};

/// Reads the scene of a file that must be accepted.
#[track_caller]
fn scene(file: &[u8]) -> StoredScene {
    match parse(file) {
        Ok(file) => file.scene,
        Err(error) => panic!("{error}"),
    }
}

/// Asserts that a file is refused in one line that contains all of `words`.
#[track_caller]
fn assert_refused(file: &[u8], words: &[&str]) {
    let error = match parse(file) {
        Ok(file) => panic!("accepted: {:?}", file.scene),
        Err(error) => error,
    };
    assert!(matches!(error, FileError::Content { .. }), "{error:?}");
    let said = error.to_string();
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(!said.contains(|letter: char| letter.is_control()), "{said}");
    for word in words {
        assert!(said.contains(word), "{word}: {said}");
    }
}

/// Makes a scene of Gaussians whose numbers are all different and within the range of every format.
fn scene_of(count: usize, degree: u32) -> StoredScene {
    let coefficients = (degree as usize + 1).pow(2);
    let numbers = |width: usize, shift: usize, number: fn(f64) -> f64| -> Vec<f32> {
        let number = |i: usize| number(weight(i + shift)) as f32;
        (0..width * count).map(number).collect()
    };
    let colours = Colours::Harmonics {
        degree,
        coefficients: numbers(3 * coefficients, 5, |x| 0.99 * x),
    };
    StoredScene::new(
        numbers(3, 1, |x| 3.0 * x),
        numbers(3, 2, |x| (3.0 * x - 2.0).exp()),
        numbers(4, 3, |x| x),
        numbers(1, 4, |x| 0.5 + 0.49 * x),
        colours,
    )
    .expect("whole rows")
}
