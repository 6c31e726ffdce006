//! Data that change or vanish while a run reads them.

use std::process::{Child, Stdio};

use gmae_reference::training::Checkpoint;

use crate::place::{Place, TINY, refused, succeeded, text};

/// Starts a run that never ends by itself.
fn endless(place: &Place) -> Child {
    let pretrain = ["pretrain", "--data", "data", "--output", "out"];
    let mut command = place.command(&[&pretrain, TINY, &["--epochs", "100000"]].concat());
    command.stderr(Stdio::piped()).stdout(Stdio::null());
    command.spawn().expect("running")
}

/// The folder is deleted, moved away, or emptied as by an unmounted network folder.
#[test]
fn data_that_vanish_end_the_run_with_a_sound_checkpoint() {
    for way in ["deleted", "moved", "emptied"] {
        let place = Place::new(9);
        let child = endless(&place);
        place.wait_for(5);
        let data = place.path("data");
        match way {
            "deleted" => std::fs::remove_dir_all(&data).expect("removing"),
            "moved" => std::fs::rename(&data, place.path("elsewhere")).expect("renaming"),
            _ => {
                for i in 0..9 {
                    std::fs::remove_file(data.join(format!("{i}.png"))).expect("removing");
                }
            }
        }
        let output = child.wait_with_output().expect("waiting");
        refused(&output, &["data"]);
        let step = Checkpoint::load(&place.path("out"))
            .expect("a sound checkpoint")
            .step();
        assert!(step >= 5, "{way}");
        assert_eq!(place.steps(), (1..=step).collect::<Vec<_>>(), "{way}");
        if way == "moved" {
            std::fs::rename(place.path("elsewhere"), &data).expect("renaming");
            let stop = (step + 4).to_string();
            let resume = ["pretrain", "--data", "data", "--output", "out", "--resume"];
            succeeded(&place.run(&[&resume[..], &["--stop-at", &stop]].concat()));
            assert_eq!(place.steps().len(), step + 4);
        }
    }
}

/// One file becomes unreadable while the run reads it: it is named, and the run goes on.
#[test]
fn a_file_that_fails_during_training_is_named_and_replaced() {
    let place = Place::new(9);
    let mut child = endless(&place);
    place.wait_for(5);
    std::fs::write(place.path("data/4.png"), "no picture").expect("writing");
    let steps = place.steps().len();
    place.wait_for(steps + 20);
    let status = std::process::Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status();
    assert!(status.expect("kill").success());
    assert_eq!(child.wait().expect("waiting").code(), Some(130));
    let mut errors = String::new();
    let mut stream = child.stderr.take().expect("its errors");
    std::io::Read::read_to_string(&mut stream, &mut errors).expect("text");
    let named = errors.lines().filter(|line| line.contains("4.png")).count();
    assert_eq!(named, 2, "named when found and at the end: {errors}");
}

/// Pictures of the same names and number, as in the original run, but with other sizes.
#[test]
fn other_pictures_of_the_same_names_are_refused() {
    let place = Place::new(9);
    succeeded(&place.pretrain(&["--stop-at", "4"]));
    for i in 0..9 {
        place.picture(&format!("data/{i}.png"), 30, 20);
    }
    refused(
        &place.pretrain(&["--resume"]),
        &["--data", "9 images", "--accept-other-data"],
    );
    let output = place.pretrain(&["--resume", "--accept-other-data"]);
    succeeded(&output);
    assert!(text(&output.stderr).contains("warning: --data"));
    assert_eq!(place.steps().len(), 6);
}

/// Without the check, the lines of later steps would go to a file that has no name any more.
#[test]
fn a_metrics_file_or_folder_that_vanishes_ends_the_run() {
    for way in ["file", "folder", "replaced"] {
        let place = Place::new(9);
        let child = endless(&place);
        place.wait_for(5);
        let metrics = place.path("out/metrics.jsonl");
        match way {
            "file" => std::fs::remove_file(&metrics).expect("removing"),
            "folder" => std::fs::remove_dir_all(place.path("out")).expect("removing"),
            _ => {
                std::fs::write(place.path("other"), "other lines").expect("writing");
                std::fs::rename(place.path("other"), &metrics).expect("renaming");
            }
        }
        let output = child.wait_with_output().expect("waiting");
        refused(&output, &["metrics.jsonl"]);
    }
}
