//! `bsds-eval`: scores, files, the cache, and rejected input.

use image::{DynamicImage, RgbImage};

use crate::annotated::{NAMES, SIZE, annotated, ground_truth, map, write};
use crate::labelled::row;
use crate::place::{Place, refused, succeeded, text};

/// The files that an evaluation writes.
const FILES: [&str; 9] = [
    ".lock",
    "counts",
    "curves.png",
    "curves.svg",
    "images.csv",
    "report.html",
    "table.csv",
    "table.md",
    "thresholds.csv",
];

fn evaluate<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["bsds-eval", "--data", "bsds", "--output", "out"], more].concat()
}

#[test]
fn maps_and_baselines_are_rows_of_one_table() {
    let place = annotated();
    let all = evaluate(&[
        "exact",
        "shifted",
        "--baseline",
        "grid,sobel,gaussian,canny",
    ]);
    let output = place.run(&all);
    succeeded(&output);
    assert_eq!(place.files("out"), FILES);
    let table = place.read("out/table.md");
    assert!(text(&output.stdout).contains(table.trim_end()));
    // One of two annotators has drawn every edge, so that nothing is missing. At high thresholds
    // the map is empty: precision and recall grow from 0 to 1 together.
    assert_eq!(row(&table, "exact")[1..4], ["1.000", "1.000", "0.505"]);
    assert_eq!(row(&table, "exact")[7], "3");
    let shifted: f64 = row(&table, "shifted")[1].parse().expect("a number");
    // Parts of the horizontal lines lie on each other.
    assert!((0.3..0.8).contains(&shifted), "{shifted}");
    for baseline in [
        "20-px grid",
        "Sobel",
        "Gaussian derivative, 2 px, with NMS",
        "Canny, 2 px",
    ] {
        let name = format!("baseline: {baseline}");
        let score = table
            .lines()
            .find(|line| line.contains(baseline))
            .expect(&name);
        assert!(score.contains("0."), "{score}");
    }
    for published in [
        "published: Sobel | 0.539 | - | -",
        "published: GMAE | 0.515 | 0.524 | 0.248",
    ] {
        assert!(table.contains(published), "{table}");
    }
    let images = place.read("out/images.csv");
    assert_eq!(images.lines().count(), 1 + 6 * 3);
    assert!(images.starts_with("method,image,threshold,recall,precision,f\nexact,1001,"));
    assert_eq!(place.read("out/thresholds.csv").lines().count(), 1 + 6 * 99);
    let report = place.read("out/report.html");
    assert!(report.contains("<h2>Precision and recall</h2>") && !report.contains("http"));
    assert!(place.read("out/curves.svg").starts_with("<svg"));
    image::open(place.path("out/curves.png")).expect("a picture");
}

/// An evaluation reads the counts of an earlier one, unless a file or the thresholds have changed.
#[test]
fn counts_are_kept() {
    let place = annotated();
    let count = |more: &[&str]| {
        succeeded(&place.run(&evaluate(&[&["exact", "--thresholds", "9"], more].concat())));
        place.files("out/counts").len()
    };
    assert_eq!(count(&[]), 3);
    let before = place.read("out/table.md");
    assert_eq!(count(&[]), 3);
    assert_eq!(place.read("out/table.md"), before);
    // Counts that are changed on disk change the scores.
    for name in place.files("out/counts") {
        let path = format!("out/counts/{name}");
        let counts = place
            .read(&path)
            .replace("\"matched_edges\":", "\"matched_edges\":0");
        std::fs::write(place.path(&path), counts).expect("writing");
    }
    // A number with a leading zero is damage. The images are counted again.
    assert_eq!(count(&[]), 3);
    assert_eq!(place.read("out/table.md"), before);
    for name in place.files("out/counts") {
        let path = format!("out/counts/{name}");
        let counts = place.read(&path).replace("\"edges\":", "\"edges\":9");
        std::fs::write(place.path(&path), counts).expect("writing");
    }
    assert_eq!(count(&[]), 3);
    assert_ne!(place.read("out/table.md"), before);
    // Another map has counts of its own.
    map(&place.path("exact/1001.png"), SIZE, |x, _| x as u8);
    assert_eq!(count(&[]), 4);
    assert_eq!(count(&["shifted"]), 7);
    // The folder belongs to this title.
    refused(
        &place.run(&evaluate(&["exact"])),
        &["--output", "9 thresholds"],
    );
}

/// Checks that `change` makes the evaluation fail with all of `words`, and that the other images
/// are evaluated with `--keep-going`.
fn faulty(change: impl Fn(&Place), words: &[&str]) {
    let place = annotated();
    change(&place);
    refused(&place.run(&evaluate(&["exact"])), words);
    assert!(!place.path("out/report.html").exists());
    let output = place.run(&evaluate(&["exact", "--keep-going"]));
    refused(&output, &["1 at fault", "out/report.html"]);
    let errors = text(&output.stderr);
    let table = place.read("out/table.md");
    for word in words {
        assert!(errors.contains(word), "{word}: {errors}");
    }
    let report = place.read("out/report.html");
    assert!(report.contains("left out"), "the report names the file");
    assert!(
        ["2", "3"].contains(&row(&table, "exact")[7].as_str()),
        "{table}"
    );
}

#[test]
fn damaged_and_missing_ground_truth_is_named() {
    let truth = "bsds/groundTruth/test/2002.mat";
    faulty(
        |place| write(&place.path(truth), b"damaged"),
        &["ground truth", "2002.mat", "MATLAB 5"],
    );
    let cut = |place: &Place| {
        let bytes = std::fs::read(place.path(truth)).expect("a file");
        write(&place.path(truth), &bytes[..bytes.len() / 2]);
    };
    faulty(cut, &["2002.mat", "truncated"]);
    let remove = |place: &Place| std::fs::remove_file(place.path(truth)).expect("removing");
    faulty(remove, &["2002.mat", "no file"]);
    let other = |place: &Place| {
        write(&place.path("bsds/groundTruth/test/4004.mat"), b"");
    };
    faulty(other, &["4004.mat", "an image of that name"]);
    let turned = |place: &Place| {
        let file = ground_truth((SIZE.1, SIZE.0), |x, y| x == y);
        write(&place.path(truth), &file);
    };
    faulty(turned, &["exact/2002.png", "40 x 60", "60 x 40"]);
}

#[test]
fn maps_of_other_kinds_are_named() {
    let save = |place: &Place, image: &DynamicImage| {
        image.save(place.path("exact/2002.png")).expect("saving");
    };
    let (width, height) = SIZE;
    for (image, words) in [
        (DynamicImage::new_luma16(width, height), "16 bits"),
        (DynamicImage::new_luma_a8(width, height), "transparency"),
        (DynamicImage::from(RgbImage::new(width, height)), "colours"),
        (DynamicImage::new_luma8(width, height + 1), "60 x 41"),
    ] {
        faulty(
            |place| save(place, &image),
            &["edge map", "exact/2002.png", words],
        );
    }
    let palette = include_bytes!("../data/made/palette.png");
    let write_map =
        |bytes: &'static [u8]| move |place: &Place| write(&place.path("exact/2002.png"), bytes);
    faulty(
        write_map(palette),
        &["exact/2002.png", "8-bit grey", "a palette"],
    );
    faulty(write_map(b"text"), &["exact/2002.png", "signature of PNG"]);
    faulty(
        write_map(b"\x89PNG\r\n\x1a\n"),
        &["exact/2002.png", "a whole PNG file"],
    );
    let remove = |place: &Place| {
        std::fs::remove_file(place.path("exact/2002.png")).expect("removing");
    };
    faulty(remove, &["exact/2002.png", "the map of", "no file"]);
    let unknown = |place: &Place| map(&place.path("exact/photo.png"), SIZE, |_, _| 0);
    faulty(unknown, &["exact/photo.png", "the name of an image"]);
}

#[test]
fn unusable_folders_and_arguments_are_named() {
    let place = annotated();
    std::fs::create_dir(place.path("empty")).expect("a folder");
    for (arguments, words) in [
        (
            vec!["empty"],
            vec!["\"empty\"", "at least one .png file", "none"],
        ),
        (vec!["nowhere"], vec!["\"nowhere\""]),
        (vec!["exact/1001.png"], vec!["exact/1001.png"]),
        (vec!["exact", "--split", "val"], vec!["bsds/images/val"]),
        (vec!["exact", "--data", "exact"], vec!["exact/images/test"]),
        (
            vec!["exact", "--thresholds", "0"],
            vec!["--thresholds", "1 to 999", "0"],
        ),
        (
            vec!["exact", "--thresholds", "1000"],
            vec!["--thresholds", "1000"],
        ),
        (
            vec!["--baseline", "grid,grid"],
            vec!["--baseline", "once", "20-px grid"],
        ),
        // The files of all methods are checked before the first is evaluated.
        (vec!["exact", "empty"], vec!["\"empty\""]),
    ] {
        refused(&place.run(&evaluate(&arguments)), &words);
        refused(
            &place.run(&evaluate(&[&arguments[..], &["--keep-going"]].concat())),
            &words,
        );
        assert!(!place.path("out/report.html").exists());
        assert!(!place.path("out/counts").exists() || place.files("out/counts").is_empty());
    }
    let neither = place.run(&evaluate(&[]));
    assert_eq!(neither.status.code(), Some(2));
    assert!(text(&neither.stderr).contains("MAPS"));
    // Nothing is left if every map is damaged.
    for name in NAMES {
        write(&place.path(&format!("exact/{name}.png")), b"text");
    }
    let all = evaluate(&["exact", "--keep-going"]);
    refused(&place.run(&all), &["exact/1001.png", "signature"]);
}

/// Ctrl-C gives exit code 130. The counts of complete images are kept.
#[cfg(unix)]
#[test]
fn an_interrupted_evaluation_goes_on() {
    use crate::kills::signal;
    use std::time::{Duration, Instant};

    let place = Place::new(0);
    let size = (200, 150);
    let noise =
        |x: u32, y: u32| (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503) >> 3) % 251;
    for i in 0..40 {
        let name = 100 + i;
        let value = |x: u32, y: u32| noise(x + 7 * i, y) as u8;
        map(
            &place.path(&format!("bsds/images/test/{name}.png")),
            size,
            value,
        );
        map(&place.path(&format!("maps/{name}.png")), size, value);
        let truth = ground_truth(size, |x, y| noise(x, y + i) % 7 == 0);
        write(
            &place.path(&format!("bsds/groundTruth/test/{name}.mat")),
            &truth,
        );
    }
    let arguments = evaluate(&["maps", "--thresholds", "50"]);
    let mut child = place.command(&arguments).spawn().expect("running");
    let deadline = Instant::now() + Duration::from_mins(2);
    let stored = || {
        let folder = place.path("out/counts");
        let files = || place.files("out/counts");
        let complete = |name: &String| !name.starts_with(".gmae-");
        if folder.exists() {
            files().into_iter().filter(complete).count()
        } else {
            0
        }
    };
    while stored() < 2 {
        assert!(Instant::now() < deadline, "no image is complete");
        std::thread::sleep(Duration::from_millis(5));
    }
    signal(&child, "-INT");
    assert_eq!(child.wait().expect("waiting").code(), Some(130));
    let before = stored();
    assert!((2..40).contains(&before), "{before} images");
    assert!(!place.path("out/report.html").exists());
    let kept: Vec<_> = place.files("out/counts");
    let times = |names: &[String]| -> Vec<_> {
        let path = |name: &String| place.path(&format!("out/counts/{name}"));
        let time = |name| {
            path(name)
                .metadata()
                .expect("a file")
                .modified()
                .expect("a time")
        };
        names.iter().map(time).collect()
    };
    let old = times(&kept);
    succeeded(&place.run(&arguments));
    assert_eq!(stored(), 40);
    assert_eq!(times(&kept), old, "complete images are not counted again");
}
