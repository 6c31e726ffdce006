//! The errors of files.

use std::fmt::Display;
use std::io;
use std::path::PathBuf;

/// The reason why a file is no scene. The message has one line. It names the place in the file, what
/// was expected there and what the file has.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The file cannot be opened or read.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] io::Error),
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
    /// The error of a file with a name.
    #[error("{}: {error}", path.display())]
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
}

/// Returns the text without control characters and not longer than a line.
fn clean(text: impl Display) -> String {
    const LONGEST: usize = 200;
    let text = text.to_string();
    let mut cleaned = String::new();
    for (i, letter) in text.chars().enumerate() {
        if i == LONGEST {
            cleaned.push_str(" ...");
            break;
        }
        if letter.is_control() {
            cleaned.extend(letter.escape_default());
        } else {
            cleaned.push(letter);
        }
    }
    cleaned
}
