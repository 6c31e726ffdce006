//! Unusable content of a data folder is skipped and named. Only a folder without a usable image is
//! rejected.

use crate::place::{Place, refused, succeeded, text};

#[cfg(unix)]
fn link(place: &Place, target: &str, name: &str) {
    std::os::unix::fs::symlink(target, place.path(name)).expect("a link");
}

#[cfg(unix)]
#[test]
fn links_that_lead_nowhere_are_skipped_and_named() {
    let place = Place::new(4);
    std::fs::create_dir(place.path("data/deep")).expect("a folder");
    link(&place, "/nowhere/notes.txt", "data/notes.txt");
    link(&place, "gone.png", "data/deep/gone.png");
    // A link to a parent folder, and two links to each other.
    link(&place, "..", "data/deep/loop");
    link(&place, "b", "data/a");
    link(&place, "a", "data/b");
    let output = place.pretrain(&["--stop-at", "1"]);
    succeeded(&output);
    let errors = text(&output.stderr);
    let warning = errors.lines().find(|line| line.contains("5 paths"));
    let warning = warning.unwrap_or_else(|| panic!("no warning: {errors}"));
    // Three paths are named, the others are counted.
    assert!(warning.contains("and 2 more"), "{warning}");
    assert!(warning.contains("data/a ("), "{warning}");
    assert!(errors.contains("4 images"), "{errors}");
}

#[cfg(unix)]
#[test]
fn hidden_links_are_ignored_like_hidden_files() {
    let place = Place::new(4);
    link(&place, "gone.png", "data/.gone.png");
    let output = place.pretrain(&["--stop-at", "1"]);
    succeeded(&output);
    assert!(
        !text(&output.stderr).contains("gone"),
        "{}",
        text(&output.stderr)
    );
}

#[cfg(unix)]
#[test]
fn a_folder_with_nothing_but_dead_links_is_refused_and_says_why() {
    let place = Place::new(0);
    link(&place, "/nowhere/one.png", "data/one.png");
    refused(&place.pretrain(&[]), &["data", "image", "one.png"]);
    assert!(!place.path("out").exists());
}

/// Only content of the folder is skipped. The folder itself must exist.
#[cfg(unix)]
#[test]
fn a_data_folder_that_is_a_dead_link_is_refused() {
    let place = Place::new(0);
    link(&place, "/nowhere", "lost");
    refused(&place.run(&["pretrain", "--data", "lost"]), &["lost"]);
}

#[test]
fn files_of_other_kinds_are_counted_by_kind_and_a_few_are_named() {
    let place = Place::new(1);
    for i in 0..9 {
        std::fs::write(place.path(&format!("data/{i}.txt")), "a note").expect("writing");
    }
    for name in ["x.heic", "y.HEIC", "LICENSE"] {
        std::fs::write(place.path(&format!("data/{name}")), "more").expect("writing");
    }
    let output = place.pretrain(&["--stop-at", "1"]);
    succeeded(&output);
    let errors = text(&output.stderr);
    let expected = "warning: skipped 12 files of other kinds in data: \
        9 .txt (0.txt, 1.txt, 2.txt), 2 .heic (x.heic, y.HEIC), 1 without extension (LICENSE)";
    assert!(errors.lines().any(|line| line == expected), "{errors}");
}

#[test]
fn archives_are_trained_on_and_other_kinds_than_jpeg_and_png_are_read() {
    let place = Place::new(0);
    let mut archive = tar::Builder::new(Vec::new());
    for (i, name) in ["a.webp", "b.gif", "c.bmp", "d.tiff"]
        .into_iter()
        .enumerate()
    {
        place.picture(name, 12, 10);
        let path = place.path(name);
        archive
            .append_path_with_name(path, format!("{i}/{name}"))
            .expect("a member");
    }
    let archive = archive.into_inner().expect("an archive");
    std::fs::write(place.path("data/train.tar"), archive).expect("writing");
    let output = place.pretrain(&[]);
    succeeded(&output);
    let errors = text(&output.stderr);
    assert!(errors.contains("4 images"), "{errors}");
    for name in ["a.webp", "b.gif", "c.bmp", "d.tiff"] {
        succeeded(&place.run(&[
            "reconstruct",
            "--checkpoint",
            "out",
            "--image",
            name,
            "--output",
            &format!("pictures-{name}"),
        ]));
    }
    place.picture("data/beside.png", 12, 10);
    let both = ["pretrain", "--data", "data", "--output", "new"];
    refused(&place.run(&both), &["image files: 1", "archives: 1"]);
}
