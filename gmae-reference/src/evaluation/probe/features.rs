//! Features of images and their labels.

use crate::error::{Error, check_len};

/// The greatest number of classes. ImageNet-21k has 21,841.
pub const MAX_CLASSES: usize = 1 << 16;

/// One row of features per image, `[rows, columns]`. All values are finite, and there is at least
/// one row and one column.
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    values: Vec<f32>,
    columns: usize,
}

impl Features {
    /// Creates features from `values`, `[rows, columns]`, row by row.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if `columns` is 0, if `values` is empty, if its length is no multiple of
    /// `columns`, or if a value is not finite.
    pub fn new(values: Vec<f32>, columns: usize) -> Result<Self, Error> {
        if columns == 0 {
            return Err(fault("columns of the features", "at least 1", columns));
        }
        if values.is_empty() || !values.len().is_multiple_of(columns) {
            let expected = format!("whole rows of {columns}, at least one");
            return Err(fault("values of the features", expected, values.len()));
        }
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            let (row, column) = (at / columns, at % columns);
            let got = format!("{} in row {row}, column {column}", values[at]);
            return Err(fault("values of the features", "finite numbers", got));
        }
        Ok(Self { values, columns })
    }

    /// Number of images.
    pub fn rows(&self) -> usize {
        self.values.len() / self.columns
    }

    /// Number of features of an image.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// All values, row by row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The features of image `row`.
    pub(super) fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.columns..][..self.columns]
    }
}

/// Features and the class of every image.
#[derive(Clone, Debug, PartialEq)]
pub struct Labelled {
    features: Features,
    labels: Vec<usize>,
    classes: usize,
}

impl Labelled {
    /// Joins features with one label per row. A label is a class, counted from 0.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if there is not one label per row. [`Error::Argument`] if `classes` is 0
    /// or above [`MAX_CLASSES`], or if a label is not below `classes`.
    pub fn new(features: Features, labels: Vec<usize>, classes: usize) -> Result<Self, Error> {
        check_len("labels", features.rows(), labels.len())?;
        if classes == 0 || classes > MAX_CLASSES {
            return Err(fault("classes", format!("1 to {MAX_CLASSES}"), classes));
        }
        if let Some(row) = labels.iter().position(|label| *label >= classes) {
            let got = format!("{} in row {row}", labels[row]);
            return Err(fault("labels", format!("classes below {classes}"), got));
        }
        Ok(Self {
            features,
            labels,
            classes,
        })
    }

    /// The features.
    pub fn features(&self) -> &Features {
        &self.features
    }

    /// The class of every image.
    pub fn labels(&self) -> &[usize] {
        &self.labels
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Copies the images `rows`, in that order.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if `rows` is empty or if a row does not exist.
    pub fn select(&self, rows: &[usize]) -> Result<Self, Error> {
        let count = self.labels.len();
        if rows.is_empty() {
            return Err(fault("selected rows", "at least one", "none"));
        }
        if let Some(row) = rows.iter().find(|row| **row >= count) {
            return Err(fault("selected rows", format!("rows below {count}"), row));
        }
        let columns = self.features.columns;
        let values = rows.iter().flat_map(|&row| self.features.row(row));
        Ok(Self {
            features: Features {
                values: values.copied().collect(),
                columns,
            },
            labels: rows.iter().map(|&row| self.labels[row]).collect(),
            classes: self.classes,
        })
    }

    /// Checks that `test` can be classified by a probe of these images.
    pub(super) fn check_test(&self, test: &Self) -> Result<(), Error> {
        let columns = self.features.columns;
        check_len(
            "columns of the test features",
            columns,
            test.features.columns,
        )?;
        check_len("classes of the test images", self.classes, test.classes)
    }
}

/// Creates an [`Error::Argument`].
pub(super) fn fault(
    argument: &'static str,
    expected: impl Into<String>,
    got: impl ToString,
) -> Error {
    Error::Argument {
        argument,
        expected: expected.into(),
        got: got.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
        result.expect_err("an invalid argument").to_string()
    }

    #[test]
    fn rows_are_consecutive() {
        let features = Features::new(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2).expect("three rows");
        assert_eq!((features.rows(), features.columns()), (3, 2));
        assert_eq!(features.row(1), [3.0, 4.0]);
        let images = Labelled::new(features, vec![0, 2, 1], 3).expect("labels");
        let some = images.select(&[2, 0]).expect("rows");
        assert_eq!(some.features().values(), [5.0, 6.0, 1.0, 2.0]);
        assert_eq!((some.labels(), some.classes()), (&[1, 0][..], 3));
    }

    #[test]
    fn invalid_features_are_refused_by_name() {
        for (values, columns, expected) in [
            (vec![1.0], 0, "columns of the features: expected at least 1"),
            (
                vec![],
                3,
                "values of the features: expected whole rows of 3",
            ),
            (
                vec![1.0; 5],
                3,
                "values of the features: expected whole rows of 3",
            ),
            (
                vec![1.0; 5],
                usize::MAX,
                "values of the features: expected whole",
            ),
            (
                vec![0.0, 1.0, 2.0, f32::NAN],
                2,
                "values of the features: expected finite numbers, got NaN in row 1, column 1",
            ),
            (
                vec![f32::INFINITY, 1.0],
                2,
                "values of the features: expected finite numbers, got inf in row 0, column 0",
            ),
        ] {
            let message = message(Features::new(values, columns));
            assert!(message.starts_with(expected), "{message}");
        }
    }

    #[test]
    fn invalid_labels_are_refused_by_name() {
        for (labels, classes, expected) in [
            (vec![0], 2, "labels: expected 2, got 1"),
            (vec![0, 0], 0, "classes: expected 1 to 65536, got 0"),
            (vec![0, 0], usize::MAX, "classes: expected 1 to 65536"),
            (
                vec![0, 2],
                2,
                "labels: expected classes below 2, got 2 in row 1",
            ),
        ] {
            let features = Features::new(vec![1.0, 2.0], 1).expect("two rows");
            let message = message(Labelled::new(features, labels, classes));
            assert!(message.starts_with(expected), "{message}");
        }
        let features = Features::new(vec![1.0, 2.0], 1).expect("two rows");
        let images = Labelled::new(features, vec![0, 1], 2).expect("labels");
        assert!(message(images.select(&[])).starts_with("selected rows"));
        assert!(message(images.select(&[0, 2])).contains("rows below 2, got 2"));
    }
}
