//! Tests of all probes, and the data of their own tests.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::head::normal;
use super::*;
use crate::error::Error;
pub(super) use crate::evaluation::examples::{go_on, on_threads};

/// Multiples of 1/16 in `[-2, 2)`, from the linear congruential generator of the C standard. The
/// numbers that tests compare with were computed in numpy from the same values.
pub(super) fn pattern(seed: u64, len: usize) -> Vec<f32> {
    let mut state = seed;
    let next = |_| {
        state = (state * 1_103_515_245 + 12_345) % (1 << 31);
        ((state >> 16) % 64) as f32 / 16.0 - 2.0
    };
    (0..len).map(next).collect()
}

/// Images of four classes with 150 columns of noise. Column k of the images of class k is 1.5
/// larger.
pub(super) fn shifted(seed: u64, images: usize) -> Labelled {
    let mut values = pattern(seed, 150 * images);
    let labels: Vec<usize> = (0..images).map(|i| i * 7 % 4).collect();
    for (row, &label) in values.chunks_exact_mut(150).zip(&labels) {
        row[label] += 1.5;
    }
    let features = Features::new(values, 150).expect("rows");
    Labelled::new(features, labels, 4).expect("labels")
}

/// Images around one random centre per class. The centres are about 24 apart, and the noise has
/// deviation 1. The centres are those of `seed`.
fn clusters(seed: u64, classes: usize, images: usize, part: u64) -> Labelled {
    const D: usize = 32;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let centres: Vec<f64> = (0..classes * D).map(|_| 3.0 * normal(&mut rng)).collect();
    rng.set_stream(part);
    let labels: Vec<usize> = (0..images).map(|i| i % classes).collect();
    let mut values = Vec::new();
    for &label in &labels {
        let centre = &centres[label * D..][..D];
        values.extend(centre.iter().map(|x| (x + normal(&mut rng)) as f32));
    }
    let features = Features::new(values, D).expect("rows");
    Labelled::new(features, labels, classes).expect("labels")
}

/// The same images with their labels in random order.
fn shuffled(images: &Labelled, seed: u64) -> Labelled {
    let mut labels = images.labels().to_vec();
    labels.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    Labelled::new(images.features().clone(), labels, images.classes()).expect("labels")
}

fn recipe() -> LinearRecipe {
    LinearRecipe {
        epochs: 20,
        warmup_epochs: 2,
        batch: 64,
        ..LinearRecipe::default()
    }
}

/// A progress callback.
type Callback<'a> = &'a mut dyn FnMut(usize, usize) -> bool;

/// The accuracies on the test images of all three probes.
fn all(
    train: &Labelled,
    test: &Labelled,
    progress: Callback,
) -> [Result<Option<Accuracy>, Error>; 3] {
    let neighbours = NeighbourRecipe::default();
    [
        ridge_probe(train, test, progress).map(|found| found.map(|found| found.test)),
        linear_probe(train, test, &recipe(), progress).map(|found| found.map(|found| found.test)),
        nearest_neighbours(train, test, &neighbours, progress),
    ]
}

#[test]
fn separated_classes_are_told_apart() {
    let (train, test) = (clusters(1, 8, 400, 1), clusters(1, 8, 200, 2));
    for found in all(&train, &test, &mut go_on) {
        let found = found.expect("valid arguments").expect("not stopped");
        assert_eq!(
            found,
            Accuracy {
                correct: 200,
                images: 200
            }
        );
    }
    let ridge = ridge_probe(&train, &test, &mut go_on).expect("valid arguments");
    assert_eq!(
        ridge.expect("not stopped").validation,
        Accuracy {
            correct: 40,
            images: 40
        }
    );
    let linear = linear_probe(&train, &test, &recipe(), &mut go_on).expect("valid arguments");
    assert_eq!(
        linear.expect("not stopped").validation,
        Accuracy {
            correct: 40,
            images: 40
        }
    );
}

/// With random labels, 400 test images of four classes are a binomial number with mean 100 and
/// deviation 8.7. The bounds are four deviations away.
#[test]
fn random_labels_are_guessed() {
    let train = shuffled(&clusters(2, 4, 400, 1), 5);
    let test = shuffled(&clusters(2, 4, 400, 2), 6);
    for (probe, found) in all(&train, &test, &mut go_on).into_iter().enumerate() {
        let found = found.expect("valid arguments").expect("not stopped");
        assert!((66..=134).contains(&found.correct), "{probe}: {found:?}");
    }
}

/// The calls of `progress` count up to the total, and each of them can stop the probe.
#[test]
fn every_call_of_progress_can_stop_a_probe() {
    let (train, test) = (clusters(3, 3, 60, 1), clusters(3, 3, 30, 2));
    for probe in 0..3 {
        let run = |progress: Callback| {
            let mut found = all(&train, &test, progress);
            std::mem::replace(&mut found[probe], Ok(None))
        };
        let mut calls = Vec::new();
        // Each of the three probes counts from 1.
        let complete = run(&mut |done, total| {
            calls.push((done, total));
            true
        });
        assert!(complete.expect("valid arguments").is_some());
        let starts: Vec<usize> = (0..calls.len()).filter(|&k| calls[k].0 == 1).collect();
        assert_eq!(starts.len(), 3);
        let end = starts.get(probe + 1).copied().unwrap_or(calls.len());
        let own = &calls[starts[probe]..end];
        let total = own.len();
        for (k, call) in own.iter().enumerate() {
            assert_eq!(*call, (k + 1, total), "probe {probe}");
        }
        for stop in [1, total.div_ceil(2), total] {
            let stopped = run(&mut |done, of| !(done == stop && of == total));
            assert_eq!(stopped.expect("valid arguments"), None, "{probe} at {stop}");
        }
    }
}

#[test]
fn other_test_images_are_refused_by_name() {
    let train = clusters(4, 3, 30, 1);
    let narrow = Features::new(vec![0.0; 4], 2).expect("rows");
    let narrow = Labelled::new(narrow, vec![0, 1], 3).expect("labels");
    let other = Labelled::new(train.features().clone(), train.labels().to_vec(), 4);
    for (test, name) in [
        (narrow, "columns of the test features: expected 32, got 2"),
        (
            other.expect("labels"),
            "classes of the test images: expected 3, got 4",
        ),
    ] {
        for found in all(&train, &test, &mut go_on) {
            let message = found.expect_err("other images").to_string();
            assert_eq!(message, name);
        }
    }
}

/// Two images per class, one class without images, huge and tiny values, constant columns.
#[test]
fn extreme_features_give_an_answer() {
    let values = [
        f32::MAX,
        f32::MIN_POSITIVE,
        -f32::MAX,
        0.0,
        1e-45,
        1.0,
        1e30,
        -1e-30,
    ];
    let values: Vec<f32> = (0..6 * 5).map(|k| values[k * k % 8]).collect();
    let features = Features::new(values, 5).expect("rows");
    let images = Labelled::new(features, vec![0, 1, 3, 3, 1, 0], 4).expect("labels");
    for found in all(&images, &images, &mut go_on) {
        let found = found.expect("valid arguments").expect("not stopped");
        assert_eq!(found.images, 6);
    }
    let single = images.select(&[0, 1, 2]).expect("rows");
    let [ridge, linear, nearest] = all(&single, &images, &mut go_on);
    for found in [ridge, linear] {
        let message = found.expect_err("nothing to hold out").to_string();
        assert!(
            message.starts_with("labels of the training images"),
            "{message}"
        );
    }
    assert!(nearest.expect("valid arguments").is_some());
}

#[test]
fn invalid_settings_of_the_linear_probe_are_refused_by_name() {
    let images = shifted(1, 20);
    let with = |change: fn(&mut LinearRecipe)| {
        let mut recipe = LinearRecipe::default();
        change(&mut recipe);
        let result = linear_probe(&images, &images, &recipe, &mut go_on);
        result.expect_err("an invalid recipe").to_string()
    };
    assert!(with(|r| r.epochs = 0).starts_with("epochs of the linear probe"));
    assert!(with(|r| r.batch = 0).starts_with("batch of the linear probe"));
    assert!(with(|r| r.rates.clear()).starts_with("number of rates"));
    assert!(with(|r| r.rates[1] = f64::NAN).ends_with("numbers, got NaN"));
    assert!(with(|r| r.rates[0] = 0.0).starts_with("rates of the linear probe"));
    assert!(with(|r| r.weight_decay = -1.0).starts_with("weight decay"));
    assert!(with(|r| r.weight_decay = f64::INFINITY).starts_with("weight decay"));
}
