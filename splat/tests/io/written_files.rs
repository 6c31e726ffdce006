//! Writers that fail, and files that are replaced.

use std::fs;

use splat::io::{self, FileError, Format, StoredScene};

use crate::scene_of;

#[test]
fn a_file_is_the_old_one_or_the_new_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = || fs::read_dir(folder.path()).expect("the folder").count();
    for (name, format) in [("a.ply", Format::Ply), ("a.spz", Format::Spz)] {
        let path = folder.path().join(name);
        fs::write(&path, "old").expect("the folder is writable");
        let before = files();
        let mut wrong = scene_of(3, 1);
        wrong.opacities[1] = 2.0;
        let error = io::write(&path, &wrong, format)
            .expect_err("refused")
            .to_string();
        assert!(
            error.contains(name) && error.contains("Gaussian 1"),
            "{error}"
        );
        assert_eq!(fs::read(&path).expect("the file"), b"old");
        assert_eq!(files(), before, "a temporary file is left");
        let made = scene_of(3, 1);
        io::write(&path, &made, format).expect("a scene that the format holds");
        assert_eq!(io::read(&path).expect("a whole file").scene.len(), 3);
        assert_eq!(files(), before, "a temporary file is left");
    }
    let made = scene_of(3, 1);
    for (path, format, words) in [
        (
            "none/a.ply",
            Format::Ply,
            ["none/a.ply", "cannot be written"],
        ),
        ("a.npz", Format::Npz, ["a.npz", "PLY or SPZ"]),
        ("a.splat", Format::Splat, ["a.splat", "PLY or SPZ"]),
    ] {
        let path = folder.path().join(path);
        let error = io::write(&path, &made, format)
            .expect_err("refused")
            .to_string();
        for word in words {
            assert!(error.contains(word), "{word}: {error}");
        }
        assert_eq!(error.lines().count(), 1);
        assert!(!path.exists());
    }
}

/// A writer with room for a number of bytes.
struct Room(usize);

impl std::io::Write for Room {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0 == 0 {
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        let written = bytes.len().min(self.0);
        self.0 -= written;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_writer_that_fails_at_any_byte_is_an_error() {
    let made = scene_of(20, 1);
    for (write, name) in [
        (
            (|s, to| s.write_ply(to)) as fn(&StoredScene, Room) -> Result<(), FileError>,
            "ply",
        ),
        (|s, to| s.write_spz(to), "spz"),
    ] {
        let mut room = 0;
        while write(&made, Room(room)).is_err_and(|error| matches!(error, FileError::Unwritable(_)))
        {
            room += 1;
        }
        write(&made, Room(room)).expect("enough room");
        assert!(room > 300, "{name}: {room}");
    }
}
