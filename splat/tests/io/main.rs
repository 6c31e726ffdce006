//! The readers of scene files: PLY and `NumPy` archives, whole, odd and damaged.

mod archive;
mod cases;
mod file;
mod headers;
mod meaning;
mod npz;
mod points;

use splat::io::{FileError, StoredScene, parse};

/// Reads the scene of a file that must be accepted.
#[track_caller]
fn scene(file: &[u8]) -> StoredScene {
    match parse(file) {
        Ok(file) => file.scene,
        Err(error) => panic!("{error}"),
    }
}

/// Asserts that a file is refused in one line that contains all of `words`.
#[track_caller]
fn assert_refused(file: &[u8], words: &[&str]) {
    let error = match parse(file) {
        Ok(file) => panic!("accepted: {:?}", file.scene),
        Err(error) => error,
    };
    assert!(matches!(error, FileError::Content { .. }), "{error:?}");
    let said = error.to_string();
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(!said.contains(|letter: char| letter.is_control()), "{said}");
    for word in words {
        assert!(said.contains(word), "{word}: {said}");
    }
}
