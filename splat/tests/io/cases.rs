//! The files of the folder `tests/cases`: a scene of seven balls in odd forms that programs write.
//! `here.ply` is the plain form.

use splat::io::{Colours, StoredScene};

use crate::{assert_refused, scene};

macro_rules! case {
    ($name:literal) => {
        include_bytes!(concat!("../cases/", $name, ".ply"))
    };
}

fn here() -> StoredScene {
    scene(case!("here"))
}

#[track_caller]
fn assert_near(got: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(got.len(), expected.len());
    for (got, expected) in got.iter().zip(expected) {
        let equal = got == expected || got.is_nan() && expected.is_nan();
        assert!(
            equal || (got - expected).abs() <= tolerance,
            "{got} {expected}"
        );
    }
}

#[track_caller]
fn assert_same(got: &StoredScene, expected: &StoredScene, tolerance: f32) {
    assert_near(&got.means, &expected.means, tolerance);
    assert_near(&got.scales, &expected.scales, tolerance);
    assert_near(&got.quaternions, &expected.quaternions, tolerance);
    assert_near(&got.opacities, &expected.opacities, tolerance);
    let (
        Colours::Harmonics {
            coefficients: a, ..
        },
        Colours::Harmonics {
            coefficients: b, ..
        },
    ) = (&got.colours, &expected.colours)
    else {
        panic!("expected harmonics");
    };
    assert_near(a, b, tolerance);
}

#[test]
fn text_gives_the_numbers_of_its_binary_twin() {
    let (nan, inf) = (
        case!("nan_row_binary_works"),
        case!("flat_inf_binary_works"),
    );
    assert_same(&scene(case!("nan_row")), &scene(nan), 1e-7);
    assert_same(&scene(case!("flat_inf")), &scene(inf), 1e-7);
    for text in [&case!("point_at_end")[..], case!("point_at_start")] {
        assert_same(&scene(text), &here(), 1e-7);
    }
}

#[test]
fn odd_names_are_understood_or_passed_over() {
    assert_same(&scene(case!("edited")), &here(), 0.0);
    assert_same(&scene(case!("odd_name")), &here(), 0.0);
}

#[test]
fn bytes_are_colours() {
    let (read, here) = (scene(case!("gaussians_rgb")), here());
    assert_near(&read.means, &here.means, 0.0);
    assert_near(&read.scales, &here.scales, 0.0);
    let orange = [230.0 / 255.0, 102.0 / 255.0, 26.0 / 255.0].repeat(7);
    assert_eq!(read.colours, Colours::Constant(orange));

    let points = scene(case!("points_rgb"));
    let Colours::Constant(colours) = &points.colours else {
        panic!("expected constant colours");
    };
    assert_eq!((points.len(), colours.len()), (125, 375));
    assert!(colours.iter().any(|&x| x > 0.5) && colours.iter().all(|&x| (0.0..=1.0).contains(&x)));
    // A grid of equal distances: all Gaussians are round and equal.
    let first = points.scales[0];
    assert_near(&points.scales, &[first; 375], 1e-6 * first);
}

#[test]
fn surfaces_have_two_scales() {
    let (read, here) = (scene(case!("surfels")), here());
    for (read, here) in read.scales.chunks(3).zip(here.scales.chunks(3)) {
        assert_eq!(read, [here[0], here[1], 0.0]);
    }
}

#[test]
fn coordinates_of_a_survey_keep_their_digits() {
    let (read, here) = (scene(case!("utm")), here());
    assert!(read.origin[1].abs() > 1e6, "{:?}", read.origin);
    // The digits that a double has at 5.4e6.
    let shift = [0, 1, 2].map(|axis| read.means[axis] - here.means[axis]);
    for (i, (read, here)) in read.means.iter().zip(&here.means).enumerate() {
        assert!((read - here - shift[i % 3]).abs() < 1e-6, "{read} {here}");
    }
}

#[test]
fn small_and_huge_scenes_are_the_plain_one_in_other_units() {
    for (file, unit) in [(&case!("millimetres")[..], 1e-3), (case!("huge"), 1e10)] {
        let read = scene(file);
        let in_units = |x: &[f32]| -> Vec<f32> { x.iter().map(|x| x / unit).collect() };
        assert_near(&in_units(&read.means), &here().means, 1e-6);
        assert_near(&in_units(&read.scales), &here().scales, 1e-6);
    }
}

#[test]
fn headers_that_made_parsers_panic_are_refused() {
    assert_refused(case!("face_count_abort"), &["face", "4000000000000"]);
    assert_refused(
        case!("face_count_overflow"),
        &["face", "18446744073709551615"],
    );
    assert_refused(case!("list_length_huge"), &["face", "vertex_indices"]);
    assert_refused(case!("list_length_negative"), &["face", "vertex_indices"]);
    assert_refused(case!("version"), &["line 2", "99999999999999999999.0"]);
    assert_refused(case!("vertex_count"), &["vertex", "99999999999999999999"]);
    assert!(scene(case!("zero")).is_empty());
}
