//! Evaluates the maps of a method on all images of a split.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::annotations::Annotations;
use super::baselines::Baseline;
use super::cache::{Cache, Key};
use super::counts::{Counts, Thresholds, count};
use super::dataset::{Annotated, Split};
use super::error::{BsdsError, Fault};
use super::map::{EdgeMap, read_file};
use super::score::Scores;
use crate::error::Error;

/// The origin of the maps.
#[derive(Clone, Debug)]
pub(crate) enum Method {
    /// A folder of maps.
    Maps(PathBuf),
    /// A trivial method, applied to the images.
    Baseline(Baseline),
}

/// What the evaluations of several methods have in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Protocol<'a> {
    pub(crate) split: &'a Split,
    pub(crate) thresholds: Thresholds,
    pub(crate) cache: &'a Cache,
    /// Whether files at fault are left out. Otherwise the first of them is an error.
    pub(crate) keep_going: bool,
}

/// The result of a method.
#[derive(Debug)]
pub(crate) struct Evaluated {
    /// The names of the images that were evaluated, in the order of `scores.images`.
    pub(crate) names: Vec<String>,
    pub(crate) scores: Scores,
    /// The files at fault.
    pub(crate) problems: Vec<BsdsError>,
}

/// A method whose files have been checked.
#[derive(Debug)]
pub(crate) struct Prepared {
    tasks: Vec<Task>,
    problems: Vec<BsdsError>,
}

/// An image, and its counts if the cache has them.
#[derive(Debug)]
struct Task {
    source: Source,
    counts: Option<Vec<Counts>>,
}

/// An image and the origin of its map.
#[derive(Debug)]
struct Source {
    image: Annotated,
    map: Origin,
}

#[derive(Debug)]
enum Origin {
    File(PathBuf),
    Baseline(Baseline),
}

/// The map of an image, the content of its file of ground truth, and the key of its counts.
struct Input {
    map: EdgeMap,
    ground_truth: Vec<u8>,
    key: Key,
}

impl Protocol<'_> {
    /// Reads all files of a method and looks for counts in the cache. `go_on` is asked before each
    /// image. If it returns false, the result is `None`.
    ///
    /// # Errors
    ///
    /// [`BsdsError`] with the first file at fault. If faults are left out, only if no image is
    /// left.
    pub(crate) fn prepare(
        &self,
        method: &Method,
        go_on: &(dyn Fn() -> bool + Sync),
    ) -> Result<Option<Prepared>, BsdsError> {
        let (images, mut problems) = self.images(method)?;
        self.tolerate(&mut problems)?;
        let tasks = images.into_par_iter().map(|source| {
            let task = go_on().then(|| self.task(source));
            task.transpose()
        });
        let outcomes: Vec<Result<Option<Task>, BsdsError>> = tasks.collect();
        let (mut tasks, mut faults) = (Vec::new(), Vec::new());
        for outcome in outcomes {
            match outcome {
                Ok(Some(task)) => tasks.push(task),
                Ok(None) => return Ok(None),
                Err(fault) => faults.push(fault),
            }
        }
        self.tolerate(&mut faults)?;
        problems.append(&mut faults);
        if tasks.is_empty() {
            return Err(none_left(problems));
        }
        Ok(Some(Prepared { tasks, problems }))
    }

    /// Counts the pixels of all images and computes the scores. `watch` is called with the number
    /// of thresholds done and the number of all thresholds. If it returns false, the result is
    /// `None`, and the cache keeps the images that are complete.
    ///
    /// # Errors
    ///
    /// [`Error::Bsds`] if a file has changed and is at fault now. [`Error::File`] if counts cannot
    /// be stored.
    pub(crate) fn evaluate(
        &self,
        prepared: Prepared,
        watch: &(dyn Fn(usize, usize) -> bool + Sync),
    ) -> Result<Option<Evaluated>, Error> {
        let Prepared { tasks, problems } = prepared;
        let missing = tasks.iter().filter(|task| task.counts.is_none());
        let total = self.thresholds.count() * missing.count();
        let done = AtomicUsize::new(0);
        let step = || watch(done.fetch_add(1, Ordering::Relaxed), total);
        let counts = tasks.par_iter().map(|task| match &task.counts {
            Some(counts) => Ok(Some(counts.clone())),
            None => self.count(&task.source, &step),
        });
        let counts: Vec<Option<Vec<Counts>>> = counts.collect::<Result<_, Error>>()?;
        let counts: Option<Vec<Vec<Counts>>> = counts.into_iter().collect();
        Ok(counts.map(|counts| Evaluated {
            names: tasks
                .into_iter()
                .map(|task| task.source.image.name)
                .collect(),
            scores: Scores::new(self.thresholds, &counts),
            problems,
        }))
    }

    /// The images with the origins of their maps, and the files that are missing.
    fn images(&self, method: &Method) -> Result<(Vec<Source>, Vec<BsdsError>), BsdsError> {
        match method {
            Method::Maps(folder) => {
                let (found, problems) = self.split.maps(folder)?;
                let source = |(image, map)| Source {
                    image,
                    map: Origin::File(map),
                };
                Ok((found.into_iter().map(source).collect(), problems))
            }
            Method::Baseline(baseline) => {
                let source = |image: &Annotated| Source {
                    image: image.clone(),
                    map: Origin::Baseline(*baseline),
                };
                Ok((self.split.images.iter().map(source).collect(), Vec::new()))
            }
        }
    }

    /// Returns the first of the faults as an error, unless faults are left out.
    fn tolerate(&self, faults: &mut Vec<BsdsError>) -> Result<(), BsdsError> {
        if self.keep_going || faults.is_empty() {
            return Ok(());
        }
        Err(faults.swap_remove(0))
    }

    /// Reads the files of an image and looks for its counts in the cache. Files without counts are
    /// checked.
    fn task(&self, source: Source) -> Result<Task, BsdsError> {
        let input = source.read(self.thresholds)?;
        let counts = self.cache.load(&input.key, self.thresholds);
        if counts.is_none() {
            source.annotations(&input)?;
        }
        Ok(Task { source, counts })
    }

    /// Counts the pixels of an image and stores the counts. The files are read again, so that only
    /// the images that are being evaluated are in memory.
    fn count(
        &self,
        source: &Source,
        go_on: &dyn Fn() -> bool,
    ) -> Result<Option<Vec<Counts>>, Error> {
        let input = source.read(self.thresholds)?;
        let annotations = source.annotations(&input)?;
        let counts = count(&input.map, &annotations, self.thresholds, go_on);
        if let Some(counts) = &counts {
            self.cache.store(&input.key, counts)?;
        }
        Ok(counts)
    }
}

impl Source {
    /// Reads or makes the map, and reads the ground truth.
    fn read(&self, thresholds: Thresholds) -> Result<Input, BsdsError> {
        let map = match &self.map {
            Origin::File(path) => EdgeMap::read(path)?,
            Origin::Baseline(baseline) => baseline.read(&self.image.image)?,
        };
        let path = &self.image.ground_truth;
        let ground_truth = read_file(path).map_err(|fault| fault.of_truth(path))?;
        Ok(Input {
            key: Key::new(&map, &ground_truth, thresholds),
            map,
            ground_truth,
        })
    }

    /// Reads the annotations, and checks that they have the size of the map.
    fn annotations(&self, input: &Input) -> Result<Annotations, BsdsError> {
        let path = &self.image.ground_truth;
        let annotations = Annotations::from_bytes(&input.ground_truth);
        let annotations = annotations.map_err(|fault| fault.of_truth(path))?;
        let (width, height) = (annotations.width(), annotations.height());
        let map = &input.map;
        if (width, height) == (map.width(), map.height()) {
            return Ok(annotations);
        }
        let expected = format!("{width} x {height} pixels, the size of the ground truth");
        let got = format!("{} x {}", map.width(), map.height());
        Err(match &self.map {
            Origin::File(path) => Fault::new(expected, got).of_map(path),
            Origin::Baseline(_) => BsdsError::Image {
                path: self.image.image.clone(),
                reason: format!("expected {expected}, got {got}"),
            },
        })
    }
}

/// The error of an evaluation whose images are all at fault: the first fault.
fn none_left(problems: Vec<BsdsError>) -> BsdsError {
    let none = || Fault::new("at least one image", "none").of_folder(Path::new("images"));
    problems.into_iter().next().unwrap_or_else(none)
}
