//! Files by their names: which name means which format, and odd kinds of files.

use std::fs;
use std::path::{Path, PathBuf};

use splat::io::{self, Colours, Format, parse, parse_as};
use zip::CompressionMethod::Stored;

use crate::archive::{archive, arrays};
use crate::file::{ENCODINGS, Encoding, Ply, gaussians};
use crate::{scene, scene_of, spz};

/// A `.splat` file of three Gaussians.
fn splat_file() -> Vec<u8> {
    let mut bytes = Vec::new();
    for i in 0..3 {
        let i = i as f32;
        for x in [i, -1.0, 2.5, 0.5, 0.25 + i, 0.125] {
            bytes.extend(x.to_le_bytes());
        }
        bytes.extend([255, 0, 51, 102, 255, 128, 0, 64]);
    }
    bytes
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, bytes).expect("the folder is writable");
    path
}

#[test]
fn a_splat_file_has_32_bytes_for_a_gaussian() {
    let read = parse_as(&splat_file(), Format::Splat)
        .expect("whole rows")
        .scene;
    assert_eq!(read.means, [0.0, -1.0, 2.5, 1.0, -1.0, 2.5, 2.0, -1.0, 2.5]);
    assert_eq!(
        read.scales,
        [0.5, 0.25, 0.125, 0.5, 1.25, 0.125, 0.5, 2.25, 0.125]
    );
    assert_eq!(read.quaternions, [127.0 / 128.0, 0.0, -1.0, -0.5].repeat(3));
    assert_eq!(read.opacities, [0.4; 3]);
    assert_eq!(read.colours, Colours::Constant([1.0, 0.0, 0.2].repeat(3)));
    assert!(
        parse_as(&[], Format::Splat)
            .expect("no rows")
            .scene
            .is_empty()
    );
    for length in [1, 31, 33, 95] {
        let error = parse_as(&splat_file()[..length.min(95)], Format::Splat);
        let said = error.expect_err("no whole rows").to_string();
        assert!(
            said.contains("multiple of 32") && said.contains("length"),
            "{said}"
        );
    }
}

#[test]
fn the_name_decides_only_where_the_bytes_do_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str, bytes: &[u8]| write(folder.path(), name, bytes);
    let ply = gaussians(Encoding::Little, 3).bytes();
    let npz = archive(&arrays(), Stored);
    let files = [
        (&ply, 3),
        (&npz, 4),
        (&spz::file(3, 0, &[]), 2),
        (&spz::file(4, 0, &[]), 2),
    ];
    for (bytes, count) in files {
        for name in ["a.ply", "a.npz", "a.spz", "a.SPLAT", "a.txt", "a"] {
            let read = io::read(path(name, bytes)).expect("a known beginning");
            assert_eq!(read.scene.len(), count, "{name}");
            assert_eq!(read, parse(bytes).expect("a known beginning"));
        }
    }
    for name in ["a.splat", "a.b.SPLAT", "A.Splat"] {
        assert_eq!(
            io::read(path(name, &splat_file()))
                .expect("whole rows")
                .scene
                .len(),
            3
        );
    }
    let error = io::read(path("a.txt", &splat_file()))
        .expect_err("unknown")
        .to_string();
    assert!(
        error.contains(".splat") && error.contains("first bytes"),
        "{error}"
    );
    let error = parse(&splat_file()).expect_err("unknown").to_string();
    assert!(error.contains(".splat"), "{error}");
    // Means whose lowest bytes are the beginnings of other formats.
    for beginning in [
        &b"PK"[..],
        b"\x1f\x8b",
        b"ply",
        b"PK\x05\x06",
        b"\x1f\x8b\x08\xff",
        b"ply0",
    ] {
        let mut bytes = splat_file();
        bytes[..beginning.len()].copy_from_slice(beginning);
        assert_eq!(
            io::read(path("a.splat", &bytes))
                .expect("whole rows")
                .scene
                .len(),
            3
        );
    }
    for (name, format) in [
        ("x.ply", Some(Format::Ply)),
        ("x.compressed.PLY", Some(Format::Ply)),
        ("x.Npz", Some(Format::Npz)),
        ("x.spz", Some(Format::Spz)),
        ("x.splat", Some(Format::Splat)),
        ("splat", None),
        ("x.ksplat", None),
        (".ply", None),
    ] {
        assert_eq!(Format::of_name(name), format, "{name}");
    }
}

/// `read` takes the rows of a file in blocks, and `parse` all at once.
#[test]
fn a_file_gives_the_scene_of_its_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let check = |name: &str, bytes: &[u8]| {
        let path = write(folder.path(), "a.ply", bytes);
        match (io::read(&path), parse(bytes)) {
            (Ok(read), Ok(parsed)) => assert_eq!(read, parsed, "{name}"),
            (Err(read), Err(parsed)) => {
                let expected = format!("{}: {parsed}", path.display());
                assert_eq!(read.to_string(), expected, "{name}");
            }
            (read, parsed) => panic!("{name}: {read:?} {parsed:?}"),
        }
    };
    for encoding in ENCODINGS {
        // More rows than a block and than a thread's part, of many sizes.
        for count in [0, 1, 2_047, 2_048, 2_049, 200_001] {
            if encoding != Encoding::Ascii || count < 10_000 {
                check("Gaussians", &gaussians(encoding, count).bytes());
            }
        }
        let points: Vec<Vec<f64>> = (0..5_000)
            .map(|i| vec![f64::from(i) / 7.0, 1e6, -3.0])
            .collect();
        let properties = ["double x", "float y", "short z"];
        let faces = [vec![1.0, 2.0], vec![3.0, 4.0]];
        let file = Ply::new(encoding)
            .element("face", &["int a", "uchar b"], &faces)
            .element("vertex", &properties, &points)
            .element("edge", &["int a", "uchar b"], &faces);
        let whole = file.bytes();
        check("points", &whole);
        check("cut", &whole[..whole.len() - 4]);
        check("cut far", &whole[..whole.len() / 2]);
        check("white space", &[&whole[..], b" \n\t\n"].concat());
        check("trailing", &[&whole[..], b"\n\0\n"].concat());
        let listed = Ply::new(encoding).element("face", &["list uchar int v"], &[vec![1.0, 2.0]]);
        let listed = listed.element("vertex", &properties, &points);
        check("lists", &listed.bytes());
        let wide = format!("comment {}\n", "x".repeat(100_000));
        let mut commented = gaussians(encoding, 5);
        commented.header = wide + &commented.header;
        check("a long header", &commented.bytes());
        let mut none = gaussians(encoding, 5);
        none.header = none.header.replace("vertex", "point");
        check("no vertex", &none.bytes());
    }
    let mut made = Vec::new();
    scene_of(3_000, 3)
        .write_ply(&mut made)
        .expect("memory is writable");
    check("degree 3", &made);
    assert_eq!(scene(&made).len(), 3_000);
    check("no header", b"ply\nformat ascii 1.0\n");
    check("three bytes", b"ply");
}

#[cfg(unix)]
#[test]
fn files_that_are_no_files_are_refused_in_one_line() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let refused = |path: &Path, words: &[&str]| {
        let said = io::read(path).expect_err("no scene").to_string();
        assert_eq!(said.lines().count(), 1, "{said}");
        for word in words {
            assert!(said.contains(word), "{word}: {said}");
        }
    };
    for name in ["d.ply", "d.splat", "d.spz"] {
        let path = folder.path().join(name);
        fs::create_dir(&path).expect("the folder is writable");
        refused(&path, &[name, "cannot be read", "directory"]);
        let pipe = folder.path().join(format!("pipe.{name}"));
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.expect("mkfifo starts").success());
        refused(&pipe, &["a pipe", "parse"]);
    }
    for name in ["e.ply", "e.spz", "e.npz", "e"] {
        refused(&write(folder.path(), name, b""), &[name, "an empty file"]);
    }
    let dangling = folder.path().join("link.ply");
    std::os::unix::fs::symlink("nowhere.ply", &dangling).expect("the folder is writable");
    refused(&dangling, &["link.ply", "cannot be read"]);
    let linked = folder.path().join("good.ply");
    write(
        folder.path(),
        "real.bin",
        &gaussians(Encoding::Little, 3).bytes(),
    );
    std::os::unix::fs::symlink("real.bin", &linked).expect("the folder is writable");
    assert_eq!(io::read(&linked).expect("a link to a file").scene.len(), 3);
    // Root reads everything.
    let closed = write(
        folder.path(),
        "closed.ply",
        &gaussians(Encoding::Little, 3).bytes(),
    );
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).expect("our file");
    if fs::read(&closed).is_err() {
        refused(&closed, &["closed.ply", "cannot be read"]);
    }
}
