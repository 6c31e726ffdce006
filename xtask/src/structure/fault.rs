//! The result of a check.

use std::fmt;

/// A place where the sources break a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// Path of the file, relative to the root of the workspace.
    pub file: String,
    /// The line, if the fault has one.
    pub line: Option<usize>,
    /// Description of the fault and of the rule.
    pub message: String,
}

impl Fault {
    /// Creates a fault in `file`.
    pub fn new(file: &str, line: Option<usize>, message: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line,
            message: message.into(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.message),
            None => write!(f, "{}: {}", self.file, self.message),
        }
    }
}
