use super::super::tests::{go_on, on_threads, pattern, shifted};
use super::*;

/// A table of multiples of 1/8, with the constant column 2 if `flat` is set.
fn table(rows: usize, columns: usize, shift: usize, flat: bool) -> Features {
    let value = |at: usize| {
        let (i, j) = (at / columns, at % columns);
        let step = (i * 37 + j * 101 + i * j * j * 13 + shift) % 61;
        let value = (step as f32 - 30.0) / 8.0;
        if flat && j == 2 { 1.5 } else { value }
    };
    Features::new((0..rows * columns).map(value).collect(), columns).expect("a table")
}

fn system(images: &Labelled) -> System {
    let rows: Vec<usize> = (0..images.labels().len()).collect();
    let mut progress = go_on;
    System::new(images, &rows, &mut Watch::new(1, &mut progress)).expect("not stopped")
}

/// Scores and weights from `numpy.linalg.solve` with the formula of this file, lambda 0.1. The
/// second set has fewer rows than columns.
#[test]
fn scores_and_weights_are_those_of_numpy() {
    let many = (
        [12, 5],
        [
            -0.043_971_332_134_837_39,
            0.432_934_801_076_552,
            0.611_036_531_058_285_3,
            0.351_451_234_638_631,
            0.337_410_093_001_169_6,
            0.311_138_672_360_199_4,
        ],
        [
            0.045_057_149_747_427_02,
            -0.131_328_302_160_996_8,
            0.0,
            0.137_223_802_347_789_94,
        ],
    );
    let few = (
        [6, 10],
        [
            -0.239_979_696_593_547_4,
            0.800_513_227_716_458_6,
            0.439_466_468_877_088_7,
            0.448_945_017_713_671_6,
            -0.064_420_289_873_752_26,
            0.615_475_272_160_081,
        ],
        [
            0.072_213_374_413_813_31,
            0.025_244_838_296_441_94,
            0.0,
            0.210_948_931_176_372_7,
        ],
    );
    for ([rows, columns], scores, weights) in [many, few] {
        let labels = (0..rows).map(|i| 2 * i % 3).collect();
        let train = Labelled::new(table(rows, columns, 0, true), labels, 3).expect("labels");
        let system = system(&train);
        let model = system.solve(0.1).expect("positive definite");
        for (k, weight) in weights.into_iter().enumerate() {
            let got = model.weights[3 * k];
            assert!((got - weight).abs() < 1e-12, "{k}: {got} {weight}");
        }
        let got = model.scores(&table(2, columns, 7, false), &[0, 1]);
        for (got, expected) in got.iter().zip(scores) {
            assert!((got - expected).abs() < 1e-12, "{got} {expected}");
        }
    }
}

/// The whole procedure, written a second time in numpy: 150 columns, 180 fitted images, 20 held
/// out, 200 for the test. In the second set 1e-2 and 1 are equally good, in the third all up to
/// 1e-3.
#[test]
fn the_choice_of_lambda_is_that_of_numpy() {
    for (seed, validation, test, lambda) in [(4, 14, 94, 1.0), (9, 11, 91, 1.0), (11, 11, 86, 1e-3)]
    {
        let (train, held_out) = (shifted(seed, 200), shifted(seed + 1000, 200));
        let found = ridge_probe(&train, &held_out, &mut go_on).expect("valid arguments");
        let expected = RidgeProbe {
            test: Accuracy {
                correct: test,
                images: 200,
            },
            validation: Accuracy {
                correct: validation,
                images: 20,
            },
            lambda,
        };
        assert_eq!(found, Some(expected), "{seed}");
    }
}

/// The blocks of the matrix and the chunks of images do not show in the sums.
#[test]
fn more_columns_and_rows_than_a_block() {
    const D: usize = BLOCK + 3;
    let features = Features::new(pattern(1, (ROWS + 9) * D), D).expect("rows");
    let labels = (0..ROWS + 9).map(|i| i % 2).collect();
    let images = Labelled::new(features, labels, 2).expect("labels");
    let system = system(&images);
    let rows: Vec<usize> = (0..ROWS + 9).collect();
    let z: Vec<f64> = system.scaling.apply(images.features(), &rows);
    for (i, j) in [(0, 0), (200, 7), (D - 1, 5), (D - 1, BLOCK), (D - 1, D - 1)] {
        let expected: f64 = z.chunks_exact(D).map(|z| z[i] * z[j]).sum();
        let got = system.gram[(i, j)];
        assert!((got - expected).abs() < 1e-8, "{i} {j}: {got} {expected}");
    }
    for i in [0, D - 1] {
        let terms = z.chunks_exact(D).enumerate();
        let terms = terms.map(|(row, z)| z[i] * (f64::from(row % 2 == 1) - system.shares[1]));
        let (got, expected) = (system.products[(i, 1)], terms.sum::<f64>());
        assert!((got - expected).abs() < 1e-8, "{i}: {got} {expected}");
    }
}

/// The derivative of `|Z W - Y|^2 + lambda |W|^2` with respect to `W` is zero, in plain loops
/// over the images. There are more columns than a block has, and as many images.
#[test]
fn the_weights_are_a_minimum() {
    const D: usize = BLOCK + 44;
    let features = Features::new(pattern(3, D * D), D).expect("rows");
    let labels = (0..D).map(|i| i * i % 3).collect();
    let images = Labelled::new(features, labels, 3).expect("labels");
    let system = system(&images);
    let model = system.solve(0.01).expect("positive definite");
    let rows: Vec<usize> = (0..D).collect();
    let z: Vec<f64> = system.scaling.apply(images.features(), &rows);
    let lambda = 0.01 * z.iter().map(|z| z * z).sum::<f64>() / D as f64;
    let mut slope: Vec<f64> = model.weights.iter().map(|w| lambda * w).collect();
    for (z, &label) in z.chunks_exact(D).zip(images.labels()) {
        for class in 0..3 {
            let products = z.iter().zip(model.weights[class..].iter().step_by(3));
            let score = products.map(|(z, w)| z * w).sum::<f64>() + system.shares[class];
            let error = score - f64::from(u8::from(class == label));
            let slopes = slope[class..].iter_mut().step_by(3);
            slopes.zip(z).for_each(|(slope, z)| *slope += z * error);
        }
    }
    let largest = slope.iter().fold(0.0_f64, |max, x| max.max(x.abs()));
    let weight = model
        .weights
        .iter()
        .fold(0.0_f64, |max, x| max.max(x.abs()));
    assert!(weight > 1e-3, "{weight}");
    assert!(largest < 1e-9, "{largest}");
}

#[test]
fn values_above_the_diagonal_have_no_effect() {
    let images = shifted(5, 60);
    let mut system = system(&images);
    let before = system.solve(1e-2).expect("positive definite").weights;
    for column in 1..150 {
        system
            .gram
            .view_mut((0, column), (column, 1))
            .fill(f64::NAN);
    }
    let after = system.solve(1e-2).expect("positive definite").weights;
    assert_eq!(before, after);
}

#[test]
fn a_matrix_that_is_not_positive_definite_is_refused_by_name() {
    let images = shifted(6, 400);
    for row in [0, 70, 149] {
        for value in [-1e3, f64::NAN] {
            let mut system = system(&images);
            system.gram[(row, row)] = value;
            let error = system.solve(1e-6).err().expect("no factor").to_string();
            assert!(
                error.starts_with("features of the training images"),
                "{error}"
            );
            assert!(error.contains("positive definite"), "{error}");
        }
    }
}

#[test]
fn constant_features_give_the_most_frequent_class() {
    let features = |rows: usize| Features::new(vec![0.3; rows * 4], 4).expect("rows");
    let train = Labelled::new(features(5), vec![0, 1, 1, 1, 2], 3).expect("labels");
    let test = Labelled::new(features(2), vec![1, 2], 3).expect("labels");
    let found = ridge_probe(&train, &test, &mut go_on).expect("valid arguments");
    assert_eq!(found.expect("not stopped").test.correct, 1);
}

#[test]
fn threads_change_no_bit() {
    let run = || {
        let images = shifted(2, 220);
        let system = system(&images);
        let weights = system.solve(1e-3).expect("positive definite").weights;
        (weights, system.gram, system.products)
    };
    assert_eq!(on_threads(1, run), on_threads(3, run));
}

#[test]
fn too_many_columns_are_refused() {
    let features = Features::new(vec![0.0; MAX_RIDGE_COLUMNS + 1], MAX_RIDGE_COLUMNS + 1);
    let image = Labelled::new(features.expect("a row"), vec![0], 1).expect("a label");
    let error = ridge_probe(&image, &image, &mut go_on).expect_err("too many");
    assert!(
        error.to_string().starts_with("columns of the features"),
        "{error}"
    );
}
