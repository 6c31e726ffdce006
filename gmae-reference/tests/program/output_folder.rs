//! A command never overwrites files of another run or of the user in its output folder.

use std::collections::BTreeMap;
use std::process::Output;

use crate::place::{CHECKPOINT, Place, RUN, TINY, refused, succeeded, text};

/// Returns every file of a folder with its content.
fn content(place: &Place, folder: &str) -> BTreeMap<String, Vec<u8>> {
    let names = place.files(folder).into_iter();
    let read = |name: String| {
        let bytes = std::fs::read(place.path(folder).join(&name)).expect("a file");
        (name, bytes)
    };
    names.map(read).collect()
}

fn demo(place: &Place, output: &str) -> Output {
    place.run(&[&["demo", "--seconds", "0.2", "--output", output], TINY].concat())
}

fn reconstruct(place: &Place, image: &str, output: &str) -> Output {
    place.run(&[
        "reconstruct",
        "--checkpoint",
        "out",
        "--image",
        image,
        "--output",
        output,
    ])
}

#[test]
fn demo_leaves_the_run_of_pretrain_alone() {
    let place = Place::new(4);
    succeeded(&place.pretrain(&["--stop-at", "2"]));
    let before = content(&place, "out");
    refused(
        &demo(&place, "out"),
        &["--output", "model.safetensors", "out"],
    );
    assert_eq!(content(&place, "out"), before);
    // The run can still be resumed.
    succeeded(&place.pretrain(&["--resume"]));
}

/// A command keeps every existing file with a name that the command would write.
#[test]
fn files_of_others_under_the_same_names_are_kept() {
    let names = |command| match command {
        "demo" => [&CHECKPOINT[..], &["metrics.jsonl", "report.html"]].concat(),
        "pretrain" => [&CHECKPOINT[..], &["metrics.jsonl"]].concat(),
        _ => vec![
            "masked.png",
            "reconstruction.png",
            "pasted.png",
            "original.png",
        ],
    };
    let place = Place::new(4);
    succeeded(&place.pretrain(&["--stop-at", "1"]));
    for command in ["demo", "pretrain", "reconstruct"] {
        for name in names(command) {
            let folder = format!("{command}-{name}");
            std::fs::create_dir(place.path(&folder)).expect("a folder");
            std::fs::write(place.path(&folder).join(name), "precious").expect("writing");
            let output = match command {
                "demo" => demo(&place, &folder),
                "pretrain" => place
                    .run(&[&["pretrain", "--data", "data", "--output", &folder], TINY].concat()),
                _ => reconstruct(&place, "data/0.png", &folder),
            };
            refused(&output, &["--output", name, &folder]);
            let expected = BTreeMap::from([(name.to_owned(), b"precious".to_vec())]);
            assert_eq!(content(&place, &folder), expected);
        }
    }
}

#[test]
fn a_folder_with_other_files_is_a_good_folder() {
    let place = Place::new(4);
    std::fs::create_dir(place.path("out")).expect("a folder");
    std::fs::write(place.path("out/notes.txt"), "precious").expect("writing");
    succeeded(&place.pretrain(&["--stop-at", "1"]));
    assert_eq!(
        place.files("out"),
        [&RUN[..5], &["notes.txt", "state.safetensors"]].concat()
    );
}

#[test]
fn demo_replaces_what_demo_wrote_and_nothing_goes_on_from_it_by_accident() {
    let place = Place::new(4);
    succeeded(&demo(&place, "out"));
    let before = content(&place, "out");
    refused(&place.pretrain(&[]), &["--output", "model.safetensors"]);
    refused(&place.pretrain(&["--resume"]), &["--data", "4 images"]);
    assert_eq!(content(&place, "out"), before);
    let output = demo(&place, "out");
    succeeded(&output);
    assert!(
        !text(&output.stderr).contains("warning"),
        "{}",
        text(&output.stderr)
    );
    assert_ne!(content(&place, "out"), before);
}

/// An interrupted demo has written only some of its files.
#[test]
fn an_interrupted_demo_may_be_started_again() {
    let place = Place::new(4);
    succeeded(&demo(&place, "out"));
    for lost in [&["report.html"][..], &CHECKPOINT] {
        for name in lost {
            std::fs::remove_file(place.path("out").join(name)).expect("a file");
        }
        if lost.len() > 1 {
            std::fs::remove_file(place.path("out/report.html")).expect("a file");
        }
        succeeded(&demo(&place, "out"));
    }
}

/// The marker of a demo does not allow `demo` to replace a run of `pretrain` in the same folder.
#[test]
fn a_demo_leaves_a_run_in_a_folder_that_was_a_demos() {
    let place = Place::new(4);
    succeeded(&demo(&place, "out"));
    for name in [&["report.html", "metrics.jsonl"][..], &CHECKPOINT].concat() {
        std::fs::remove_file(place.path("out").join(name)).expect("a file");
    }
    succeeded(&place.pretrain(&["--stop-at", "2"]));
    refused(&demo(&place, "out"), &["--output", "model.safetensors"]);
}

#[test]
fn reconstruct_replaces_its_own_pictures_but_never_its_input() {
    let place = Place::new(4);
    succeeded(&place.pretrain(&["--stop-at", "1"]));
    succeeded(&reconstruct(&place, "data/0.png", "pictures"));
    succeeded(&reconstruct(&place, "data/1.png", "pictures"));
    let before = content(&place, "pictures");
    for input in ["pictures/original.png", "pictures/../pictures/pasted.png"] {
        refused(
            &reconstruct(&place, input, "pictures"),
            &["--output", "--image", "pictures"],
        );
    }
    assert_eq!(content(&place, "pictures"), before);
}
