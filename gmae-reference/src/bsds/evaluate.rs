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
    method: Method,
    tasks: Vec<Task>,
    problems: Vec<BsdsError>,
}

/// An image, the origin of its map, and its counts if the cache has them.
#[derive(Debug)]
struct Task {
    image: Annotated,
    map: Option<PathBuf>,
    key: Key,
    counts: Option<Vec<Counts>>,
}

impl Protocol<'_> {
    /// Reads all files of a method and looks for counts in the cache. `go_on` is asked before each
    /// image. If it returns false, the result is `None`.
    ///
    /// # Errors
    ///
    /// [`BsdsError`] with the first file at fault. If faults are left out, only if no image is left.
    pub(crate) fn prepare(
        &self,
        method: Method,
        go_on: &(dyn Fn() -> bool + Sync),
    ) -> Result<Option<Prepared>, BsdsError> {
        let (images, mut problems) = self.images(&method)?;
        self.tolerate(&mut problems)?;
        let tasks = images.into_par_iter().map(|(image, map)| {
            let task = go_on().then(|| self.task(&method, image, map));
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
        Ok(Some(Prepared {
            method,
            tasks,
            problems,
        }))
    }

    /// Counts the pixels of all images and computes the scores. `watch` is called with the number of
    /// thresholds done and the number of all thresholds. If it returns false, the result is `None`,
    /// and the cache keeps the images that are complete.
    ///
    /// # Errors
    ///
    /// [`Error::Bsds`] if a file has changed and is at fault now. [`Error::File`] if counts cannot be
    /// stored.
    pub(crate) fn evaluate(
        &self,
        prepared: Prepared,
        watch: &(dyn Fn(usize, usize) -> bool + Sync),
    ) -> Result<Option<Evaluated>, Error> {
        let Prepared {
            method,
            tasks,
            problems,
        } = prepared;
        let missing = tasks.iter().filter(|task| task.counts.is_none());
        let total = self.thresholds.count() * missing.count();
        let done = AtomicUsize::new(0);
        let step = || watch(done.fetch_add(1, Ordering::Relaxed), total);
        let counts = tasks.par_iter().map(|task| match &task.counts {
            Some(counts) => Ok(Some(counts.clone())),
            None => self.count(&method, task, &step),
        });
        let counts: Vec<Option<Vec<Counts>>> = counts.collect::<Result<_, Error>>()?;
        let counts: Option<Vec<Vec<Counts>>> = counts.into_iter().collect();
        Ok(counts.map(|counts| Evaluated {
            names: tasks.into_iter().map(|task| task.image.name).collect(),
            scores: Scores::new(self.thresholds, &counts),
            problems,
        }))
    }

    /// The images, with the files of their maps, and the files that are missing.
    fn images(
        &self,
        method: &Method,
    ) -> Result<(Vec<(Annotated, Option<PathBuf>)>, Vec<BsdsError>), BsdsError> {
        match method {
            Method::Maps(folder) => {
                let (found, problems) = self.split.maps(folder)?;
                let found = found.into_iter().map(|(image, map)| (image, Some(map)));
                Ok((found.collect(), problems))
            }
            Method::Baseline(_) => {
                let images = self.split.images.iter().cloned();
                Ok((images.map(|image| (image, None)).collect(), Vec::new()))
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
    fn task(
        &self,
        method: &Method,
        image: Annotated,
        map: Option<PathBuf>,
    ) -> Result<Task, BsdsError> {
        let values = edge_map(method, &image, map.as_deref())?;
        let path = &image.ground_truth;
        let bytes = read_file(path).map_err(|fault| fault.of_truth(path))?;
        let key = Key::new(&values, &bytes, self.thresholds);
        let counts = self.cache.load(&key, self.thresholds);
        if counts.is_none() {
            let annotations = Annotations::from_bytes(&bytes).map_err(|f| f.of_truth(path))?;
            check_sizes(
                &values,
                &annotations,
                map.as_deref().unwrap_or(&image.image),
            )?;
        }
        Ok(Task {
            image,
            map,
            key,
            counts,
        })
    }

    /// Counts the pixels of an image and stores the counts. The files are read again, so that only
    /// the images that are being evaluated are in memory.
    fn count(
        &self,
        method: &Method,
        task: &Task,
        go_on: &dyn Fn() -> bool,
    ) -> Result<Option<Vec<Counts>>, Error> {
        let map = edge_map(method, &task.image, task.map.as_deref())?;
        let annotations = Annotations::read(&task.image.ground_truth)?;
        let file = task.map.as_deref().unwrap_or(&task.image.image);
        check_sizes(&map, &annotations, file)?;
        let counts = count(&map, &annotations, self.thresholds, go_on);
        if let Some(counts) = &counts {
            self.cache.store(&task.key, counts)?;
        }
        Ok(counts)
    }
}

/// Reads the map of an image, or makes that of a baseline.
fn edge_map(method: &Method, image: &Annotated, map: Option<&Path>) -> Result<EdgeMap, BsdsError> {
    match (method, map) {
        (Method::Baseline(baseline), _) => baseline.read(&image.image),
        (Method::Maps(_), Some(path)) => EdgeMap::read(path),
        (Method::Maps(folder), None) => Err(Fault::new("a map", "none").of_map(folder)),
    }
}

/// Checks that a map has the size of its ground truth.
fn check_sizes(map: &EdgeMap, annotations: &Annotations, file: &Path) -> Result<(), BsdsError> {
    let (expected, got) = (
        (annotations.width(), annotations.height()),
        (map.width(), map.height()),
    );
    if expected == got {
        return Ok(());
    }
    let expected = format!(
        "{} x {} pixels, the size of the ground truth",
        expected.0, expected.1
    );
    Err(Fault::new(expected, format!("{} x {}", got.0, got.1)).of_map(file))
}

/// The error of an evaluation whose images are all at fault: the first fault.
fn none_left(problems: Vec<BsdsError>) -> BsdsError {
    let none = || Fault::new("at least one image", "none").of_folder(Path::new("images"));
    problems.into_iter().next().unwrap_or_else(none)
}
