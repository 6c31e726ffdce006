//! The errors of files.

use std::fmt::{Display, Write};
use std::io;
use std::path::{Path, PathBuf};

/// The reason why a file is no scene, or why a scene cannot be written. The message has one line. It
/// names the place, what was expected there and what the file or the scene has.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The file cannot be opened or read.
    #[error("cannot be read")]
    Unreadable(#[source] io::Error),
    /// The file cannot be written.
    #[error("cannot be written")]
    Unwritable(#[source] io::Error),
    /// The contents break a rule of the file format, or are not those of a scene.
    #[error("{place}: expected {expected}, got {got}")]
    Content {
        /// The line, the element, the property or the array.
        place: String,
        /// What a valid file has there.
        expected: String,
        /// What this file has there.
        got: String,
    },
    /// The format cannot hold the scene.
    #[error("{place}: expected {expected}, got {got}")]
    Scene {
        /// The buffer and the Gaussian.
        place: String,
        /// What the format can hold there.
        expected: String,
        /// What the scene has there.
        got: String,
    },
    /// The error of a file with a name. Its message contains the one of the inner error.
    #[error("{}", named(path, error))]
    InFile {
        /// The path of the file.
        path: PathBuf,
        /// What is wrong with it.
        error: Box<FileError>,
    },
}

impl FileError {
    /// Returns a [`FileError::Content`]. Control characters that come from the file are escaped.
    pub(crate) fn content(place: impl Display, expected: impl Display, got: impl Display) -> Self {
        Self::Content {
            place: clean(place),
            expected: clean(expected),
            got: clean(got),
        }
    }

    /// Returns a [`FileError::Scene`].
    pub(crate) fn scene(place: impl Display, expected: impl Display, got: impl Display) -> Self {
        Self::Scene {
            place: clean(place),
            expected: clean(expected),
            got: clean(got),
        }
    }

    /// Returns the error with the path of the file.
    pub(crate) fn in_file(self, path: &Path) -> Self {
        Self::InFile {
            path: path.to_owned(),
            error: Box::new(self),
        }
    }
}

/// Returns the message of an error with the path of its file.
fn named(path: &Path, error: &FileError) -> String {
    let path = clean(path.display());
    match error {
        FileError::Unreadable(reason) | FileError::Unwritable(reason) => {
            format!("{path}: {error}: {}", clean(reason))
        }
        _ => format!("{path}: {error}"),
    }
}

/// Text of one line, of which a text keeps the beginning.
#[derive(Default)]
struct Line {
    text: String,
    letters: usize,
}

impl Write for Line {
    fn write_str(&mut self, part: &str) -> std::fmt::Result {
        const LONGEST: usize = 240;
        for letter in part.chars() {
            if self.letters == LONGEST {
                self.text.push_str(" ...");
                return Err(std::fmt::Error);
            }
            self.letters += 1;
            if letter.is_control() || ['\u{2028}', '\u{2029}'].contains(&letter) {
                self.text.extend(letter.escape_default());
            } else {
                self.text.push(letter);
            }
        }
        Ok(())
    }
}

/// Returns the text without control characters and not longer than a line.
fn clean(text: impl Display) -> String {
    let mut line = Line::default();
    // Writing ends with an error where the line is full.
    let _ = write!(line, "{text}");
    line.text
}
