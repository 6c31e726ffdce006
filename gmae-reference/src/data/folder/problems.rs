//! A record of the images that could not be used or were transparent.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::skipped::{NAMED_IN_WARNING, Skipped, counted};

/// The first count of unusable images that is reported after the first few names. Each later report
/// comes at twice the count of the one before.
const FIRST_REPORT: usize = 8;

/// The images that could not be used or were transparent, and the remarks about them.
#[derive(Debug, Default)]
pub(super) struct Problems {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The fault of each unusable image by its index.
    bad: BTreeMap<usize, String>,
    transparent: BTreeSet<usize>,
    remarks: Vec<String>,
}

impl Problems {
    /// Returns true if the image at `index` is known to be unusable.
    pub(super) fn knows(&self, index: usize) -> bool {
        self.state().bad.contains_key(&index)
    }

    /// Remembers an unusable image. `path` is the image and `root` the folder of the data set.
    pub(super) fn bad(&self, index: usize, path: &Path, reason: String, root: &Path) {
        let mut state = self.state();
        if state.bad.insert(index, reason.clone()).is_some() {
            return;
        }
        let count = state.bad.len();
        let file = Skipped {
            path: path.to_owned(),
            reason,
        };
        if count <= NAMED_IN_WARNING {
            let remark = format!("{file}: the next image replaces it");
            state.remarks.push(remark);
        } else if count >= FIRST_REPORT && count.is_power_of_two() {
            let root = root.display();
            state.remarks.push(format!(
                "{count} images of {root} could not be used so far; the last: {file}"
            ));
        }
    }

    /// Remembers an image with transparent pixels. The first one is reported.
    pub(super) fn transparent(&self, index: usize, path: &Path) {
        let mut state = self.state();
        if state.transparent.insert(index) && state.transparent.len() == 1 {
            let path = path.display();
            let remark = format!("{path} is transparent in part: it is shown over white");
            state.remarks.push(remark);
        }
    }

    /// Returns the remarks since the last call.
    pub(super) fn take_remarks(&self) -> Vec<String> {
        std::mem::take(&mut self.state().remarks)
    }

    /// Returns the unusable images and their faults, in the order of their indices.
    pub(super) fn all(&self) -> BTreeMap<usize, String> {
        self.state().bad.clone()
    }

    /// Returns the number of transparent images and the index of the first one.
    pub(super) fn transparent_images(&self) -> Option<(String, usize)> {
        let state = self.state();
        let first = *state.transparent.first()?;
        Some((counted(state.transparent.len(), "image"), first))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_images_are_named_and_then_the_count_must_double() {
        let problems = Problems::default();
        let root = Path::new("photos");
        let mut lines = Vec::new();
        for i in 0..20 {
            let path = root.join(format!("{i}.jpg"));
            problems.bad(i, &path, "torn".to_owned(), root);
            // A second thread found the same fault.
            problems.bad(i, &path, "torn".to_owned(), root);
            lines.extend(problems.take_remarks());
        }
        assert_eq!(
            lines,
            [
                "photos/0.jpg (torn): the next image replaces it",
                "photos/1.jpg (torn): the next image replaces it",
                "photos/2.jpg (torn): the next image replaces it",
                "8 images of photos could not be used so far; the last: photos/7.jpg (torn)",
                "16 images of photos could not be used so far; the last: photos/15.jpg (torn)",
            ]
        );
        assert!(problems.knows(19) && !problems.knows(20));
    }

    #[test]
    fn one_transparent_image_is_named() {
        let problems = Problems::default();
        for i in [4, 2, 4] {
            problems.transparent(i, Path::new("a.png"));
        }
        assert_eq!(problems.take_remarks().len(), 1);
        let (count, first) = problems.transparent_images().expect("two images");
        assert_eq!((count.as_str(), first), ("2 images", 2));
    }
}
