//! The examples write a file completely or not at all.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use tempfile::TempDir;

use crate::atomic::{writable_folder, write};

/// Returns the names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
    let mut names: Vec<String> = entries
        .map(|entry| name(entry).to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn a_reader_of_the_old_file_keeps_it_whole() {
    let folder = TempDir::new().expect("a temporary folder");
    let path = folder.path().join("picture");
    write(&path, b"old and long").expect("the folder is writable");
    let mut old = File::open(&path).expect("it was written");
    write(&path, b"new").expect("the folder is writable");
    let mut kept = Vec::new();
    old.read_to_end(&mut kept)
        .expect("the old file is readable");
    assert_eq!(kept, b"old and long");
    assert_eq!(fs::read(&path).expect("it was written"), b"new");
    assert_eq!(names(folder.path()), ["picture"]);
}

#[test]
fn a_failed_write_names_the_path_and_leaves_nothing() {
    let folder = TempDir::new().expect("a temporary folder");
    let taken = folder.path().join("taken");
    fs::create_dir(&taken).expect("the folder is writable");
    for path in [taken.clone(), taken.join("absent/picture")] {
        let error = write(&path, b"new").expect_err("it cannot be written");
        assert!(error.contains(&path.display().to_string()), "{error}");
    }
    assert_eq!(names(folder.path()), ["taken"]);
    assert_eq!(names(&taken), [""; 0]);
}

#[test]
fn a_folder_is_made_and_one_that_is_a_file_is_refused() {
    let folder = TempDir::new().expect("a temporary folder");
    let deep = folder.path().join("a/b");
    writable_folder(&deep).expect("it can be made");
    assert_eq!(names(&deep), [""; 0]);
    let file = deep.join("file");
    fs::write(&file, "").expect("the folder is writable");
    for path in [&file, &file.join("below")] {
        let error = writable_folder(path).expect_err("it is no folder");
        assert!(error.contains(&path.display().to_string()), "{error}");
    }
}

/// The picture must not keep the permissions of the temporary file, which forbid other users to
/// read it.
#[cfg(unix)]
#[test]
fn a_file_has_the_permissions_of_any_new_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().expect("a temporary folder");
    let (path, plain) = (folder.path().join("picture"), folder.path().join("plain"));
    write(&path, b"new").expect("the folder is writable");
    fs::write(&plain, b"new").expect("the folder is writable");
    let mode = |path: &Path| {
        let metadata = fs::metadata(path).expect("it was written");
        metadata.permissions().mode()
    };
    assert_eq!(mode(&path), mode(&plain));
}
