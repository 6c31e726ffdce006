//! The validation part of the training images. Settings of a probe are chosen on it, so that the
//! test images are used once.

use super::features::{Labelled, fault};
use crate::error::Error;

/// One image in this many goes to the validation part.
const TENTH: usize = 10;

/// The rows of two parts of a set of images, each in ascending order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Split {
    /// The rows to which a probe is fitted.
    pub fit: Vec<usize>,
    /// The rows on which its settings are chosen.
    pub validation: Vec<usize>,
}

/// Splits images class by class. Every tenth image of a class goes to the validation part. A class
/// of two to nine images gives its last image. A class of one image gives none. The split depends
/// on the labels only.
///
/// # Errors
///
/// [`Error::Argument`] if no class has two images.
pub fn hold_out(images: &Labelled) -> Result<Split, Error> {
    let mut counts = vec![0; images.classes()];
    images.labels().iter().for_each(|&label| counts[label] += 1);
    let mut seen = vec![0; images.classes()];
    let (validation, fit): (Vec<usize>, Vec<usize>) =
        (0..images.labels().len()).partition(|&row| {
            let label = images.labels()[row];
            seen[label] += 1;
            let (number, count): (usize, usize) = (seen[label], counts[label]);
            number.is_multiple_of(TENTH) || (number == count && (2..TENTH).contains(&count))
        });
    if validation.is_empty() {
        let got = format!("{} images, each of another class", fit.len());
        let argument = "labels of the training images";
        return Err(fault(argument, "a class with two images", got));
    }
    Ok(Split { fit, validation })
}

#[cfg(test)]
mod tests {
    use super::super::features::Features;
    use super::*;

    fn images(labels: Vec<usize>, classes: usize) -> Labelled {
        let features = Features::new(vec![0.5; labels.len()], 1).expect("rows");
        Labelled::new(features, labels, classes).expect("labels")
    }

    /// Class 0 has 21 images, class 1 has 10, class 2 has 9, class 3 has 2, class 4 has 1.
    #[test]
    fn every_class_gives_a_tenth() {
        let counts = [21, 10, 9, 2, 1];
        let labels: Vec<usize> = (0..21)
            .flat_map(|i| (0..5).filter(move |&class| i < counts[class]))
            .collect();
        let images = images(labels.clone(), 6);
        let split = hold_out(&images).expect("classes with two images");
        let held: Vec<usize> = split.validation.iter().map(|&row| labels[row]).collect();
        let of = |class| held.iter().filter(|&&held| held == class).count();
        assert_eq!([0, 1, 2, 3, 4, 5].map(of), [2, 1, 1, 1, 0, 0]);
        // The tenth image of class 0 comes in round 9. Before it there are nine rounds of at most
        // five images.
        let before: usize = (0..9)
            .map(|i| counts.iter().filter(|&&n| i < n).count())
            .sum();
        assert!(split.validation.contains(&before));
        let mut all = [split.fit.clone(), split.validation.clone()].concat();
        all.sort_unstable();
        assert_eq!(all, (0..labels.len()).collect::<Vec<_>>());
        assert!(split.fit.is_sorted() && split.validation.is_sorted());
    }

    #[test]
    fn classes_of_one_image_cannot_be_split() {
        let error = hold_out(&images(vec![2, 0, 1], 3)).expect_err("single images");
        let expected = "labels of the training images: expected a class with two images, got 3";
        assert!(error.to_string().starts_with(expected), "{error}");
        let split = hold_out(&images(vec![1, 1], 2)).expect("two images");
        assert_eq!((split.fit, split.validation), (vec![0], vec![1]));
    }
}
