//! The outcome of a check: what was checked, and what failed.

use std::fmt;

use crate::error::RenderError;

/// The reason why one check failed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// A number is not the expected one.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
    /// A buffer has another length than expected.
    #[error("{buffer}: expected {expected} numbers, got {got}")]
    Length {
        /// The name of the buffer.
        buffer: String,
        /// The expected length.
        expected: usize,
        /// The actual length.
        got: usize,
    },
    /// A call returned an error.
    #[error(transparent)]
    Error(#[from] RenderError),
    /// A property does not hold.
    #[error("expected {expected}, got {got}")]
    Property {
        /// The property.
        expected: String,
        /// What was found instead.
        got: String,
    },
}

impl Failure {
    pub(super) fn property(expected: impl Into<String>, got: impl Into<String>) -> Self {
        Self::Property {
            expected: expected.into(),
            got: got.into(),
        }
    }
}

/// A number that is not the expected one.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[error("{buffer}[{index}]: expected {expected:e} within {bound:e}, got {got:e}{}", near(*threshold))]
pub struct Mismatch {
    /// The name of the buffer.
    pub buffer: String,
    /// The place in the buffer.
    pub index: usize,
    /// The value under test.
    pub got: f64,
    /// The value that was expected.
    pub expected: f64,
    /// The greatest allowed difference.
    pub bound: f64,
    /// The relative distance from the nearest threshold that can affect the number, if it is known.
    /// A small distance means that a difference quotient can cross the threshold.
    pub threshold: Option<f64>,
}

/// The part of a message about the nearest threshold.
fn near(threshold: Option<f64>) -> String {
    let text = |distance| format!(" (the nearest threshold is {distance:.1e} away)");
    threshold
        .filter(|x| x.is_finite())
        .map_or_else(String::new, text)
}

/// One check and its outcome.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Finding {
    /// What was checked.
    pub check: &'static str,
    /// The name of the scene, or an empty text.
    pub scene: String,
    /// The first failure.
    pub outcome: Result<(), Failure>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.check)?;
        if !self.scene.is_empty() {
            write!(f, ", scene {}", self.scene)?;
        }
        match &self.outcome {
            Ok(()) => write!(f, ": passed"),
            Err(failure) => write!(f, ": {failure}"),
        }
    }
}

/// The outcome of several checks. Its text has one line per failure, and the number of checks.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
#[must_use = "a report says whether the checks passed"]
pub struct Report {
    /// Every check, in the order in which they ran.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Returns true if there is a check, and no check failed.
    pub fn passed(&self) -> bool {
        !self.findings.is_empty() && self.failures().next().is_none()
    }

    /// The checks that failed.
    pub fn failures(&self) -> impl Iterator<Item = &Finding> {
        self.findings
            .iter()
            .filter(|finding| finding.outcome.is_err())
    }

    /// Returns an error with this report unless it [passed](Self::passed).
    ///
    /// # Errors
    /// The report itself.
    pub fn into_result(self) -> Result<Self, Self> {
        if self.passed() { Ok(self) } else { Err(self) }
    }

    pub(super) fn add(
        &mut self,
        check: &'static str,
        scene: impl Into<String>,
        outcome: Result<(), Failure>,
    ) {
        let scene = scene.into();
        self.findings.push(Finding {
            check,
            scene,
            outcome,
        });
    }
}

impl std::error::Error for Report {}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for failure in self.failures() {
            writeln!(f, "{failure}")?;
        }
        let (all, failed) = (self.findings.len(), self.failures().count());
        write!(f, "{} of {all} checks passed", all - failed)
    }
}
