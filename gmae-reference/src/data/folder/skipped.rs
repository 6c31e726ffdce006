//! Unusable content of a folder, for warnings.

use std::fmt::{self, Display, Formatter};
use std::path::PathBuf;

/// Number of items that a warning names. Further items are only counted.
pub(super) const NAMED_IN_WARNING: usize = 3;

/// A file or folder that cannot be used, and the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The file or folder.
    pub path: PathBuf,
    /// The fault, in words.
    pub reason: String,
}

impl Display for Skipped {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        write!(f, "{} ({})", self.path.display(), self.reason)
    }
}

/// The number of items of one kind, and the names of the first few.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    count: usize,
    named: Vec<String>,
}

impl Tally {
    pub(super) fn add(&mut self, thing: impl Display) {
        self.count += 1;
        if self.named.len() < NAMED_IN_WARNING {
            self.named.push(thing.to_string());
        }
    }

    /// Adds the items of `other`, which come after those of `self`.
    pub(super) fn append(&mut self, other: Self) {
        self.count += other.count;
        self.named.extend(other.named);
        self.named.truncate(NAMED_IN_WARNING);
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Returns the names of the first few items.
    pub(super) fn named(&self) -> &[String] {
        &self.named
    }
}

impl<T: Display> FromIterator<T> for Tally {
    fn from_iter<I: IntoIterator<Item = T>>(things: I) -> Self {
        let mut tally = Self::default();
        things.into_iter().for_each(|thing| tally.add(thing));
        tally
    }
}

/// Formats the names and the number of further items.
impl Display for Tally {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        f.write_str(&self.named.join("; "))?;
        match self.count - self.named.len() {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

/// Formats a count with its noun, such as `1 path` or `2 paths`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}
