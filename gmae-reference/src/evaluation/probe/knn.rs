//! The nearest-neighbour probe: the training images most similar to a test image vote on its class.
//!
//! The votes are weighted as by Wu et al. (arXiv 1805.01978). Nothing is trained.

use rayon::prelude::*;

use super::accuracy::{Accuracy, accuracy, best};
use super::features::{Features, Labelled, fault};
use super::watch::Watch;
use crate::error::Error;
use crate::ops::cpu::matrix::{Matrix, Output, multiply};

/// Test images of a block of similarities.
const QUERIES: usize = 256;
/// Training images of a block of similarities.
const KEYS: usize = 4096;

/// The settings of [`nearest_neighbours`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NeighbourRecipe {
    /// Number of neighbours that vote, at least 1.
    pub neighbours: usize,
    /// The vote of a neighbour with cosine similarity s has the weight `exp(s / temperature)`.
    pub temperature: f64,
}

impl Default for NeighbourRecipe {
    /// 20 neighbours and the temperature 0.07, as in DINO (arXiv 2104.14294).
    fn default() -> Self {
        Self {
            neighbours: 20,
            temperature: 0.07,
        }
    }
}

/// Classifies each image of `test` by its nearest neighbours in `train`. The measure is the cosine
/// similarity.
///
/// The similarity to a row of zeros is 0. Of equally similar images the first in `train` is the
/// nearer neighbour. If two classes have the same weight, the lower class wins. All images of
/// `train` vote if there are fewer than `recipe.neighbours`.
///
/// `progress` is called with the finished and the total number of blocks of similarities. If it
/// returns `false`, the result is `Ok(None)`.
///
/// # Errors
///
/// [`Error::Length`] if `test` has other columns or classes than `train`. [`Error::Argument`] if
/// the recipe is invalid.
pub fn nearest_neighbours(
    train: &Labelled,
    test: &Labelled,
    recipe: &NeighbourRecipe,
    progress: &mut dyn FnMut(usize, usize) -> bool,
) -> Result<Option<Accuracy>, Error> {
    train.check_test(test)?;
    if recipe.neighbours == 0 {
        return Err(fault("neighbours", "at least 1", 0));
    }
    if !(recipe.temperature > 0.0 && recipe.temperature.is_finite()) {
        let expected = "a positive, finite number";
        return Err(fault("temperature", expected, recipe.temperature));
    }
    let (rows, keys) = (test.labels().len(), train.labels().len());
    let blocks = rows.div_ceil(QUERIES) * keys.div_ceil(KEYS);
    let mut watch = Watch::new(blocks, progress);
    let Some(nearest) = search(train, test.features(), recipe.neighbours, &mut watch) else {
        return Ok(None);
    };
    let vote = |list: &Vec<Neighbour>| vote(list, train.classes(), recipe.temperature);
    let classes: Vec<usize> = nearest.par_iter().map(vote).collect();
    accuracy(&classes, test.labels()).map(Some)
}

/// A training image: its similarity and its class.
type Neighbour = (f32, usize);

/// Returns the `count` nearest neighbours of every test image, the nearest first. The result is
/// `None` if `watch` asks to stop.
fn search(
    train: &Labelled,
    test: &Features,
    count: usize,
    watch: &mut Watch,
) -> Option<Vec<Vec<Neighbour>>> {
    let columns = test.columns();
    let queries = unit_rows(test.values(), columns);
    let mut nearest = vec![Vec::new(); test.rows()];
    let mut similarities = vec![0.0_f32; QUERIES.min(test.rows()) * KEYS.min(train.labels().len())];
    let chunks = train.features().values().chunks(KEYS * columns);
    for (keys, labels) in chunks.zip(train.labels().chunks(KEYS)) {
        let keys = unit_rows(keys, columns);
        let keys = Matrix::new(&keys, labels.len(), columns, columns).transposed();
        let blocks = queries.chunks(QUERIES * columns);
        for (block, nearest) in blocks.zip(nearest.chunks_mut(QUERIES)) {
            let block = Matrix::new(block, nearest.len(), columns, columns);
            let output = Output::replaced(&mut similarities, labels.len());
            multiply(1.0, block, keys, output);
            let rows = similarities.par_chunks_exact(labels.len());
            let lists = nearest.par_iter_mut().zip(rows);
            lists.for_each(|(list, row)| merge(list, row, labels, count));
            watch.part()?;
        }
    }
    Some(nearest)
}

/// Divides every row by its norm. A row of zeros stays.
fn unit_rows(values: &[f32], columns: usize) -> Vec<f32> {
    let mut rows = values.to_vec();
    rows.par_chunks_exact_mut(columns).for_each(|row| {
        let square: f64 = row.iter().map(|x| f64::from(*x).powi(2)).sum();
        if square > 0.0 {
            let norm = square.sqrt();
            for x in row {
                *x = (f64::from(*x) / norm) as f32;
            }
        }
    });
    rows
}

/// Inserts the training images of a block into a list of at most `count` neighbours.
fn merge(list: &mut Vec<Neighbour>, similarities: &[f32], labels: &[usize], count: usize) {
    for (&similarity, &label) in similarities.iter().zip(labels) {
        let full = list.len() >= count;
        if full && list.last().is_some_and(|last| last.0 >= similarity) {
            continue;
        }
        if full {
            list.pop();
        }
        let at = list.partition_point(|known| known.0 >= similarity);
        list.insert(at, (similarity, label));
    }
}

/// Returns the class with the greatest weight. The weights are relative to the nearest neighbour,
/// so that they cannot overflow.
fn vote(list: &[Neighbour], classes: usize, temperature: f64) -> usize {
    let mut votes = vec![0.0_f64; classes];
    let top = list.first().map_or(0.0, |nearest| f64::from(nearest.0));
    for &(similarity, label) in list {
        votes[label] += ((f64::from(similarity) - top) / temperature).exp();
    }
    best(&votes)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{go_on, on_threads, pattern, shifted};
    use super::*;

    fn found(train: &Labelled, test: &Features, count: usize) -> Vec<Vec<Neighbour>> {
        let mut progress = go_on;
        search(train, test, count, &mut Watch::new(1, &mut progress)).expect("not stopped")
    }

    /// More images than a block in both sets.
    #[test]
    fn neighbours_are_those_of_a_double_loop() {
        const D: usize = 6;
        let labels: Vec<usize> = (0..KEYS + 50).map(|i| i * 5 % 7).collect();
        let keys = Features::new(pattern(1, (KEYS + 50) * D), D).expect("rows");
        let train = Labelled::new(keys, labels, 7).expect("labels");
        let test = Features::new(pattern(2, (QUERIES + 20) * D), D).expect("rows");
        let dot = |a: &[f32], b: &[f32]| -> f64 {
            a.iter()
                .zip(b)
                .map(|(a, b)| f64::from(*a) * f64::from(*b))
                .sum()
        };
        let lists = found(&train, &test, 20);
        for query in (0..QUERIES + 20).step_by(11).chain([QUERIES - 1, QUERIES]) {
            let row = test.row(query);
            let cosine = |key: usize| {
                let other = train.features().row(key);
                dot(row, other) / (dot(row, row) * dot(other, other)).sqrt()
            };
            let mut all: Vec<f64> = (0..KEYS + 50).map(cosine).collect();
            let nearest = &lists[query];
            all.sort_by(|a, b| b.total_cmp(a));
            assert_eq!(nearest.len(), 20);
            for (got, expected) in nearest.iter().zip(&all) {
                let distance = (f64::from(got.0) - expected).abs();
                assert!(distance < 1e-6, "{query}: {got:?} {expected}");
            }
            // The label is that of an image with this similarity.
            for &(similarity, label) in nearest {
                let same = |&key: &usize| (cosine(key) - f64::from(similarity)).abs() < 1e-6;
                let mut same = (0..KEYS + 50).filter(same);
                assert!(same.any(|key| train.labels()[key] == label), "{query}");
            }
        }
    }

    /// The whole probe against a double loop that sorts all images.
    #[test]
    fn the_accuracy_is_that_of_a_double_loop() {
        let (train, test) = (shifted(21, 200), shifted(22, 100));
        let mut correct = 0;
        for (query, &label) in test.labels().iter().enumerate() {
            let unit = |row: &[f32]| -> Vec<f64> {
                let norm = row
                    .iter()
                    .map(|x| f64::from(*x).powi(2))
                    .sum::<f64>()
                    .sqrt();
                row.iter().map(|x| f64::from(*x) / norm).collect()
            };
            let q = unit(test.features().row(query));
            let cosine = |key: usize| -> f64 {
                let k = unit(train.features().row(key));
                q.iter().zip(&k).map(|(a, b)| a * b).sum()
            };
            let mut all: Vec<(f64, usize)> = (0..200)
                .map(|key| (cosine(key), train.labels()[key]))
                .collect();
            all.sort_by(|a, b| b.0.total_cmp(&a.0));
            let mut votes = [0.0; 4];
            all[..20]
                .iter()
                .for_each(|(s, class)| votes[*class] += (s / 0.07).exp());
            let class = (0..4).max_by(|a, b| votes[*a].total_cmp(&votes[*b]));
            correct += usize::from(class == Some(label));
        }
        let recipe = NeighbourRecipe::default();
        let found = nearest_neighbours(&train, &test, &recipe, &mut go_on);
        let found = found.expect("valid arguments").expect("not stopped");
        assert_eq!(
            found,
            Accuracy {
                correct,
                images: 100
            }
        );
        assert!(correct > 25, "better than chance: {correct}");
    }

    #[test]
    fn ties_go_to_the_first_image_and_to_the_lower_class() {
        let keys = Features::new(vec![2.0, 0.0, 1.0, 0.0, 0.0, 3.0, 0.0, 0.0], 2).expect("rows");
        let train = Labelled::new(keys, vec![2, 1, 0, 3], 4).expect("labels");
        let test = Features::new(vec![5.0, 0.0, 0.0, 0.0], 2).expect("rows");
        let lists = found(&train, &test, 3);
        assert_eq!(lists[0], [(1.0, 2), (1.0, 1), (0.0, 0)]);
        assert_eq!(lists[1], [(0.0, 2), (0.0, 1), (0.0, 0)], "a row of zeros");
        assert_eq!(found(&train, &test, 1)[0], [(1.0, 2)]);
        assert_eq!(found(&train, &test, usize::MAX)[0].len(), 4);
        assert_eq!(
            vote(&lists[0], 4, 0.07),
            1,
            "classes 1 and 2 have equal weight"
        );
        assert_eq!(vote(&lists[1], 4, 1e-300), 0);
        // Two neighbours at similarity 0.5 outweigh one at 0.53, and do not outweigh one at 0.9.
        assert_eq!(vote(&[(0.53, 1), (0.5, 0), (0.5, 0)], 2, 0.07), 0);
        assert_eq!(vote(&[(0.9, 1), (0.5, 0), (0.5, 0)], 2, 0.07), 1);
    }

    #[test]
    fn threads_change_no_bit() {
        let (train, test) = (shifted(31, 300), shifted(32, 280));
        let run = || found(&train, test.features(), 20);
        assert_eq!(on_threads(1, run), on_threads(3, run));
    }

    #[test]
    fn invalid_recipes_are_refused_by_name() {
        let images = shifted(1, 20);
        for (neighbours, temperature, name) in [
            (0, 0.07, "neighbours"),
            (1, 0.0, "temperature"),
            (1, f64::NAN, "temperature"),
            (1, f64::INFINITY, "temperature"),
        ] {
            let recipe = NeighbourRecipe {
                neighbours,
                temperature,
            };
            let result = nearest_neighbours(&images, &images, &recipe, &mut go_on);
            let error = result.expect_err("an invalid recipe").to_string();
            assert!(error.starts_with(name), "{error}");
        }
    }
}
