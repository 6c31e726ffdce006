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
        ("view_scene", "ply"),
        ("view_scene", "npz"),
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
    for example in ["fit_image", "view_scene"] {
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
        ("view_scene", &ply, &[], "view_07.png"),
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

#[test]
fn scenes_of_which_nothing_is_visible_are_errors() {
    let folder = TempDir::new().expect("a temporary folder");
    let (path, out) = (folder.path().join("scene.ply"), folder.path().join("out"));
    let refused = |file: &[u8], words: &[&str]| {
        fs::write(&path, file).expect("the temporary folder is writable");
        let arguments = [text(&path), "--out", text(&out)];
        assert_refused("view_scene", &arguments, &[&["scene.ply"], words].concat());
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
    refused(include_bytes!("../cases/all_culled.ply"), &["7", "culled"]);
    refused(
        include_bytes!("../cases/zero.ply"),
        &["at least one Gaussian"],
    );
}

/// Returns the eight pictures of a file.
fn pictures(file: &[u8]) -> Vec<image::RgbImage> {
    let folder = TempDir::new().expect("a temporary folder");
    let (path, out) = (folder.path().join("scene.ply"), folder.path().join("out"));
    fs::write(&path, file).expect("the temporary folder is writable");
    let output = run("view_scene", &[text(&path), "--out", text(&out)]);
    assert!(output.status.success(), "{output:?}");
    (0..8)
        .map(|i| image::open(out.join(format!("view_{i:02}.png"))).expect("a whole picture"))
        .map(image::DynamicImage::into_rgb8)
        .collect()
}

#[test]
fn pictures_do_not_depend_on_the_unit_or_the_place_of_a_scene() {
    let expected = pictures(include_bytes!("../cases/here.ply"));
    assert!(
        expected
            .iter()
            .all(|picture| picture.pixels().any(|p| p.0[0] > 200))
    );
    let others: [&[u8]; 3] = [
        include_bytes!("../cases/millimetres.ply"),
        include_bytes!("../cases/huge.ply"),
        include_bytes!("../cases/utm.ply"),
    ];
    for other in others {
        for (picture, expected) in pictures(other).iter().zip(&expected) {
            let pairs = picture.as_raw().iter().zip(expected.as_raw());
            let worst = pairs.map(|(a, b)| a.abs_diff(*b)).max();
            // The numbers of the scenes differ by rounding.
            assert!(worst <= Some(1), "{worst:?}");
        }
    }
}

#[test]
fn culled_gaussians_are_counted() {
    let folder = TempDir::new().expect("a temporary folder");
    let (path, out) = (folder.path().join("scene.ply"), folder.path().join("out"));
    fs::write(&path, include_bytes!("../cases/nan_row.ply")).expect("the folder is writable");
    let output = run("view_scene", &[text(&path), "--out", text(&out)]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("7 of 8"), "{said}");
}

#[test]
fn a_single_gaussian_is_seen_whole() {
    for picture in pictures(&scene(1, 0)) {
        let lit = picture.pixels().filter(|p| p.0[0] > 30).count();
        let corner = picture.get_pixel(2, 2).0;
        assert!(lit > 2000 && corner[0] < 30, "{lit} {corner:?}");
    }
}
