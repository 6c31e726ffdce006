//! Points: their sizes, and the digits of their coordinates.

use splat::io::{Colours, StoredScene};

use crate::file::{Encoding, Ply};
use crate::scene;

#[test]
fn points_become_round_gaussians_that_touch() {
    let rows: Vec<Vec<f64>> = (0..5).map(|i| vec![2.0 * f64::from(i), 1.0, 1.0]).collect();
    let properties = ["float x", "float y", "float z"];
    let read = scene(
        &Ply::new(Encoding::Ascii)
            .element("vertex", &properties, &rows)
            .bytes(),
    );
    assert_eq!(read.colours, Colours::Constant(vec![1.0; 15]));
    assert_eq!(read.quaternions, [1.0, 0.0, 0.0, 0.0].repeat(5));
    // The three nearest neighbours of the middle point are at 2, 2 and 4.
    let [x, y, z] = [6, 7, 8].map(|i| read.scales[i]);
    assert!(x == y && y == z && (x - 4.0 / 3.0).abs() < 1e-6, "{x}");
    for few in [0, 1, 2] {
        let file = Ply::new(Encoding::Little).element("vertex", &properties, &rows[..few]);
        let read = scene(&file.bytes());
        assert_eq!((read.len(), read.is_empty()), (few, few == 0));
        assert!(
            read.scales.iter().all(|&scale| scale == 1.0),
            "{:?}",
            read.scales
        );
    }
}

/// A depth camera writes NaN where it sees nothing.
#[test]
fn holes_of_an_organised_cloud_change_no_other_point() {
    let properties = ["float x", "float y", "float z"];
    let read = |rows: &[Vec<f64>]| {
        scene(
            &Ply::new(Encoding::Ascii)
                .element("vertex", &properties, rows)
                .bytes(),
        )
        .scales
    };
    let whole: Vec<Vec<f64>> = (0..40)
        .map(|i| vec![f64::from(i * i % 37), 0.5, 2.0])
        .collect();
    let expected = read(&whole);
    for hole in [
        vec![f64::NAN; 3],
        vec![0.0, f64::NAN, 1.0],
        vec![f64::INFINITY, 0.0, 0.0],
    ] {
        let (mut rows, mut scales) = (Vec::new(), Vec::new());
        for (row, scale) in whole.iter().zip(expected.as_chunks::<3>().0) {
            rows.extend([row.clone(), hole.clone(), hole.clone()]);
            scales.extend([*scale, [0.0; 3], [0.0; 3]]);
        }
        assert_eq!(read(&rows), scales.as_flattened());
    }
    // Distances whose squares `f32` does not hold.
    let huge: Vec<Vec<f64>> = whole
        .iter()
        .map(|p| vec![p[0] * 1e25, p[1], p[2]])
        .collect();
    let pairs = read(&huge).into_iter().zip(&expected);
    assert!(
        pairs
            .into_iter()
            .all(|(a, b)| (a / (b * 1e25) - 1.0).abs() < 1e-5)
    );
}

#[test]
fn neighbours_are_those_of_a_search_of_all_points() {
    let number = |i: usize| splat::check::weight(i) as f32;
    let points: Vec<f32> = (0..3 * 500)
        .map(|i| number(i) * [1.0, 0.1, 3.0][i % 3])
        .collect();
    let read = StoredScene::from_points(points.clone(), None).expect("whole points");
    let (points, _) = points.as_chunks::<3>();
    let distance = |a: &[f32; 3], b: &[f32; 3]| {
        let pairs = a.iter().zip(b);
        pairs
            .map(|(a, b)| f64::from(a - b).powi(2))
            .sum::<f64>()
            .sqrt()
    };
    let mean = |p: &[f32; 3]| {
        let mut all: Vec<f64> = points.iter().map(|q| distance(p, q)).collect();
        all.sort_by(f64::total_cmp);
        all[1..4].iter().sum::<f64>() / 3.0
    };
    let mut means: Vec<f64> = points.iter().map(mean).collect();
    let mut sorted = means.clone();
    sorted.sort_by(f64::total_cmp);
    for mean in &mut means {
        *mean = mean.min(sorted[450]) / 2.0;
    }
    for (scale, expected) in read.scales.as_chunks::<3>().0.iter().zip(means) {
        assert!(
            (f64::from(scale[0]) - expected).abs() < 1e-5 * expected,
            "{scale:?} {expected}"
        );
    }
}

#[test]
fn points_and_colours_must_be_whole() {
    let refused = |means: usize, colours: Option<usize>, word: &str| {
        let colours = colours.map(|count| vec![0.5; count]);
        let error = StoredScene::from_points(vec![0.0; means], colours).expect_err("refused");
        assert!(error.to_string().contains(word), "{error}");
    };
    refused(7, None, "means");
    refused(6, Some(5), "colours");
    refused(6, Some(8), "colours");
}

#[test]
fn coordinates_keep_their_digits_far_from_zero() {
    let far = [5.4e6 + 0.1, -3.2e5 - 0.7, 1e2];
    let near: Vec<Vec<f64>> = (0..9)
        .map(|i| vec![f64::from(i % 3), f64::from(i / 3), f64::from(i)])
        .collect();
    let moved: Vec<Vec<f64>> = near
        .iter()
        .map(|p| p.iter().zip(far).map(|(x, shift)| x + shift).collect())
        .collect();
    let properties = ["double x", "double y", "double z"];
    let read = |rows: &[Vec<f64>]| {
        scene(
            &Ply::new(Encoding::Little)
                .element("vertex", &properties, rows)
                .bytes(),
        )
    };
    let (here, there) = (read(&near), read(&moved));
    assert_eq!(here.origin, [0.0; 3]);
    for (i, (a, b)) in here.means.iter().zip(&there.means).enumerate() {
        let world = there.origin[i % 3] + f64::from(*b);
        let error = (world - f64::from(*a) - far[i % 3]).abs();
        assert!(error < 1e-6, "{error}");
    }
    // Near zero, doubles are rounded and not moved.
    let thirds: Vec<Vec<f64>> = near
        .iter()
        .map(|p| p.iter().map(|x| x / 3.0).collect())
        .collect();
    assert_eq!(read(&thirds).origin, [0.0; 3]);
    // A point that is nowhere moves nothing.
    let mut hole = moved.clone();
    hole.push(vec![f64::NAN, f64::INFINITY, 0.0]);
    assert_eq!(read(&hole).means[..27], there.means);
}
