//! The examples reject unusual input with a message that names it, or read it correctly.

use std::fs;
use std::path::{Path, PathBuf};

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder, RgbaImage};
use tempfile::TempDir;

use crate::files::{photo, scene};
use crate::{assert_refused, run, text};

/// Returns paths that hold no valid file.
fn no_files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let path = |name: &str| folder.join(format!("{name}.{extension}"));
    fs::write(path("empty"), "").expect("the temporary folder is writable");
    fs::create_dir(path("folder")).expect("the temporary folder is writable");
    vec![path("empty"), path("folder"), path("absent")]
}

#[test]
fn paths_that_hold_no_file_are_refused_by_name() {
    let folder = TempDir::new().expect("a temporary folder");
    for (example, extension) in [
        ("fit_image", "png"),
        ("fit_image", "jpg"),
        ("render_points", "ply"),
        ("render_points", "npz"),
    ] {
        let folder = folder.path().join(format!("{example}-{extension}"));
        fs::create_dir(&folder).expect("the temporary folder is writable");
        let out = folder.join("out");
        for path in no_files(&folder, extension) {
            let name = path.file_name().and_then(|name| name.to_str());
            let name = name.expect("temporary paths are UTF-8");
            assert_refused(example, &[text(&path), "--out", text(&out)], &[name]);
        }
        assert!(!out.exists(), "{example} made a folder for nothing");
    }
    #[cfg(unix)]
    for example in ["fit_image", "render_points"] {
        assert_refused(example, &["/dev/null"], &["/dev/null"]);
    }
}

#[test]
fn absurd_arguments_are_refused_by_name() {
    let folder = TempDir::new().expect("a temporary folder");
    let (path, out) = (folder.path().join("photo.png"), folder.path().join("out"));
    photo()
        .save(&path)
        .expect("the temporary folder is writable");
    let absurd = ["0", "-1", "NaN", "inf", "1.5", "", "99999999999999999999"];
    for flag in ["--gaussians", "--iterations"] {
        for value in absurd {
            let argument = format!("{flag}={value}");
            let arguments = [text(&path), &argument, "--out", text(&out)];
            assert_refused("fit_image", &arguments, &[flag]);
        }
    }
    for value in &absurd[1..] {
        let argument = format!("--seed={value}");
        assert_refused("fit_image", &[text(&path), &argument], &["--seed"]);
    }
    assert_refused(
        "fit_image",
        &[text(&path), "--gaussians=10000001"],
        &["--gaussians"],
    );
    assert!(!out.exists());
}

#[test]
fn output_that_cannot_be_written_is_refused_by_name() {
    let folder = TempDir::new().expect("a temporary folder");
    let (picture, ply) = (folder.path().join("p.png"), folder.path().join("s.ply"));
    photo()
        .save(&picture)
        .expect("the temporary folder is writable");
    fs::write(&ply, scene(10, 0)).expect("the temporary folder is writable");
    let few = ["--gaussians=3", "--iterations=1"];
    for (example, input, more, last) in [
        ("fit_image", &picture, &few[..], "gaussians.png"),
        ("render_points", &ply, &[], "view_07.png"),
    ] {
        // A file where a folder should be, at the end of the path and within it.
        for out in [ply.clone(), ply.join("deeper")] {
            let arguments = [&[text(input), "--out", text(&out)], more].concat();
            assert_refused(example, &arguments, &[text(&out)]);
        }
        // A folder where a picture should be.
        let out = folder.path().join(example);
        fs::create_dir_all(out.join(last)).expect("the temporary folder is writable");
        let arguments = [&[text(input), "--out", text(&out)], more].concat();
        assert_refused(example, &arguments, &[text(&out.join(last))]);
        for entry in fs::read_dir(&out).expect("the folder is there") {
            let name = entry.expect("an entry").file_name();
            assert!(
                !name.to_string_lossy().contains("partial"),
                "{name:?} is left"
            );
        }
    }
}

#[test]
fn a_photograph_is_painted_upright() {
    let folder = TempDir::new().expect("a temporary folder");
    let (path, out) = (folder.path().join("turned.png"), folder.path().join("out"));
    let photo = photo();
    // A TIFF directory with one entry: the orientation, a quarter turn to the right.
    let exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    let file = fs::File::create(&path).expect("the temporary folder is writable");
    let mut encoder = PngEncoder::new(file);
    encoder
        .set_exif_metadata(exif.to_vec())
        .expect("PNG has EXIF");
    let (width, height) = photo.dimensions();
    encoder
        .write_image(&photo, width, height, ExtendedColorType::Rgb8)
        .expect("the temporary folder is writable");
    let arguments = ["--gaussians=40", "--iterations=40", "--out", text(&out)];
    let output = run("fit_image", &[&[text(&path)], &arguments[..]].concat());
    assert!(output.status.success(), "{output:?}");
    let fit = image::open(out.join("fit.png")).expect("the picture is whole");
    let fit = fit.into_rgb8();
    assert_eq!(fit.dimensions(), (height, width));
    // The turn moves the dark upper left corner of the file to the upper right, and the blue lower
    // left corner to the upper left.
    let [left, right] = [fit.get_pixel(3, 3).0, fit.get_pixel(height - 4, 3).0];
    assert!(left[2] > 100 && right[2] < 100, "{left:?} {right:?}");
}

#[test]
fn colours_of_transparent_pixels_are_not_painted() {
    let folder = TempDir::new().expect("a temporary folder");
    let (path, out) = (folder.path().join("clear.png"), folder.path().join("out"));
    let noise = |x: u32, y: u32| ((x * 97 + y * 57) % 251) as u8;
    RgbaImage::from_fn(24, 20, |x, y| image::Rgba([noise(x, y), noise(y, x), 0, 0]))
        .save(&path)
        .expect("the temporary folder is writable");
    let arguments = ["--gaussians=5", "--iterations=3", "--out", text(&out)];
    let output = run("fit_image", &[&[text(&path)], &arguments[..]].concat());
    assert!(output.status.success(), "{output:?}");
    let fit = image::open(out.join("fit.png")).expect("the picture is whole");
    let white = |pixel: &image::Rgb<u8>| pixel.0.iter().all(|&byte| byte > 250);
    assert!(fit.into_rgb8().pixels().all(white));
}

/// Asserts that a scene of ten Gaussians with a changed header is rejected, with a message that
/// contains all of `words`.
fn assert_header_refused(from: &str, to: &str, words: &[&str]) {
    let folder = TempDir::new().expect("a temporary folder");
    let path = folder.path().join("scene.ply");
    let whole = scene(10, 0);
    let end = whole.windows(10).position(|bytes| bytes == b"end_header");
    let (header, payload) = whole.split_at(end.expect("the header ends"));
    let header = String::from_utf8(header.to_vec()).expect("headers are text");
    assert!(header.contains(from), "{from:?} in {header}");
    let file = [header.replacen(from, to, 1).as_bytes(), payload].concat();
    fs::write(&path, file).expect("the temporary folder is writable");
    assert_refused(
        "render_points",
        &[text(&path)],
        &[&["scene.ply"], words].concat(),
    );
}

#[test]
fn numbers_of_a_ply_header_that_no_type_holds_are_refused() {
    let huge = "99999999999999999999";
    let refused = assert_header_refused;
    refused("vertex 10", &format!("vertex {huge}"), &["vertex", huge]);
    refused("vertex 10", "vertex 18446744073709551615", &["vertex"]);
    refused("vertex 10", "vertex -1", &["vertex", "-1"]);
    refused("vertex 10", "vertex ten", &["vertex", "ten"]);
    refused("endian 1.0", &format!("endian {huge}.0"), &["1.0", huge]);
    refused("endian 1.0", "endian 2.0", &["1.0", "2.0"]);
}

#[test]
fn lists_of_a_vertex_are_refused() {
    let list = "property list uint float x";
    assert_header_refused("property float x", list, &["vertex", "x", "list"]);
}

/// Returns the exit code and the error output for a scene with another element after its vertices.
fn with_element(endian: &str, element: &str, bytes: &[u8]) -> (Option<i32>, String) {
    let folder = TempDir::new().expect("a temporary folder");
    let (path, out) = (folder.path().join("scene.ply"), folder.path().join("out"));
    let whole = scene(10, 0);
    let end = whole.windows(10).position(|bytes| bytes == b"end_header");
    let (header, payload) = whole.split_at(end.expect("the header ends"));
    let header = String::from_utf8_lossy(header).replace("little", endian);
    let (end, vertices) = payload.split_at(b"end_header\n".len());
    let mut vertices = vertices.to_vec();
    if endian == "big" {
        vertices
            .as_chunks_mut::<4>()
            .0
            .iter_mut()
            .for_each(|number| number.reverse());
    }
    let parts = [header.as_bytes(), element.as_bytes(), end, &vertices, bytes];
    fs::write(&path, parts.concat()).expect("the temporary folder is writable");
    let output = run("render_points", &[text(&path), "--out", text(&out)]);
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

#[test]
fn elements_behind_the_vertices_are_passed_over_if_they_are_whole() {
    let faces = |count: &str, index: &str| {
        format!("element face {count}\nproperty list {index} short v\nproperty uchar flag\n")
    };
    for (endian, element, bytes) in [
        ("little", faces("2", "uchar"), vec![1, 7, 7, 9, 0, 9]),
        ("little", faces("1", "int"), vec![1, 0, 0, 0, 7, 7, 9]),
        ("big", faces("1", "int"), vec![0, 0, 0, 1, 7, 7, 9]),
        ("little", faces("0", "int"), vec![]),
        (
            "little",
            "element none 18446744073709551615\n".to_owned(),
            vec![],
        ),
    ] {
        let (code, said) = with_element(endian, &element, &bytes);
        assert_eq!(code, Some(0), "{element}: {said}");
    }
    for (count, index, bytes) in [
        ("2", "uchar", vec![1, 7, 7, 9]),
        ("1", "uchar", vec![2, 7, 7, 9]),
        ("1", "int", vec![u8::MAX; 4]),
        ("1", "int", vec![u8::MAX, u8::MAX, u8::MAX, 0x7f]),
        ("1", "float", vec![0; 8]),
        ("4000000000000", "uchar", vec![0; 8]),
        ("18446744073709551615", "uchar", vec![0; 8]),
    ] {
        let (code, said) = with_element("little", &faces(count, index), &bytes);
        let one_line = said.lines().count() == 1 && said.contains("face: ");
        assert!(
            code == Some(2) && one_line,
            "{count} {index}: {code:?} {said}"
        );
    }
}

#[test]
fn scenes_of_which_nothing_is_visible_are_errors() {
    let folder = TempDir::new().expect("a temporary folder");
    let (path, out) = (folder.path().join("scene.ply"), folder.path().join("out"));
    let refused = |file: &[u8], words: &[&str]| {
        fs::write(&path, file).expect("the temporary folder is writable");
        let arguments = [text(&path), "--out", text(&out)];
        assert_refused(
            "render_points",
            &arguments,
            &[&["scene.ply"], words].concat(),
        );
    };
    refused(&scene(0, 0), &["at least one Gaussian"]);
    // All quaternions are zero, so all Gaussians are culled.
    let mut culled = scene(10, 0);
    let length = culled.len();
    for vertex in 0..10 {
        let end = length - vertex * 14 * 4;
        culled[end - 16..end].fill(0);
    }
    refused(&culled, &["10", "culled"]);
}
