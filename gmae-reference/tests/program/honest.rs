//! Results that would be wrong without a word: each is refused and named.

use crate::ablations::TABLE;
use crate::labelled::{DATA, labelled, pretrained, row};
use crate::place::{Place, refused, succeeded, text};

/// Flags of a short training of a classifier.
const SHORT: [&str; 4] = ["--batch-size", "4", "--epochs", "1"];

/// An image that cannot be decoded would be replaced by the next, which would count twice.
#[test]
fn an_unusable_image_of_an_evaluation_is_named() {
    for folder in ["test/red/1.png", "train/green/2.png"] {
        let place = pretrained();
        std::fs::write(place.path(folder), "no picture").expect("writing");
        let probe = [&["probe", "--checkpoint", "gmae"][..], &DATA].concat();
        refused(&place.run(&probe), &[folder, "every image is evaluated"]);
        let part = folder.split('/').next().expect("a folder");
        let reconstruct = ["reconstruct", "--checkpoint", "gmae", "--data", part];
        refused(&place.run(&reconstruct), &[folder]);
    }
    // An augmented training image is replaced, with a warning.
    let place = pretrained();
    std::fs::write(place.path("train/green/2.png"), "no picture").expect("writing");
    let finetune = [&["finetune", "--checkpoint", "gmae"][..], &DATA, &SHORT].concat();
    let output = place.run(&finetune);
    succeeded(&output);
    assert!(
        text(&output.stderr).contains("train/green/2.png"),
        "{output:?}"
    );
}

/// The checkpoint is trained further between the two commands, in the same folder.
#[test]
fn a_classifier_is_not_continued_from_other_weights() {
    let place = pretrained();
    let finetune = [&["finetune", "--checkpoint", "gmae"][..], &DATA, &SHORT].concat();
    succeeded(&place.run(&finetune));
    let resumed = [&finetune[..], &["--resume"]].concat();
    succeeded(&place.run(&resumed));
    let more = [
        "pretrain", "--data", "train", "--output", "gmae", "--resume",
    ];
    succeeded(&place.run(&more));
    refused(&place.run(&resumed), &["began with the weights"]);
}

#[test]
fn resume_replaces_no_report_of_another_command() {
    let place = pretrained();
    let probe = [
        &["probe", "--checkpoint", "gmae", "--output", "out"][..],
        &DATA,
    ]
    .concat();
    succeeded(&place.run(&[&probe[..], &["--probes", "ridge"]].concat()));
    let before = place.read("out/table.md");
    let finetune = [
        "finetune",
        "--checkpoint",
        "gmae",
        "--output",
        "out",
        "--resume",
    ];
    refused(
        &place.run(&[&finetune[..], &DATA, &SHORT].concat()),
        &["--output", "table.md"],
    );
    assert_eq!(place.read("out/table.md"), before);
}

#[test]
fn a_probe_is_asked_for_once() {
    let place = pretrained();
    let probe = [&["probe", "--checkpoint", "gmae"][..], &DATA].concat();
    let twice = [&probe[..], &["--probes", "ridge,knn,ridge"]].concat();
    refused(&place.run(&twice), &["--probes", "each probe once"]);
}

fn table(place: &Place, name: &str, text: &str) {
    std::fs::write(place.path(name), text).expect("writing");
}

#[test]
fn a_sweep_replaces_no_report_of_another_table() {
    let place = labelled();
    table(&place, "one.toml", TABLE);
    table(
        &place,
        "two.toml",
        &TABLE.replace("Two methods", "Another title"),
    );
    let ablate = |name: &str| place.run(&[&["ablate", name][..], &DATA].concat());
    succeeded(&ablate("one.toml"));
    refused(&ablate("two.toml"), &["--output", "Two methods"]);
    succeeded(&ablate("one.toml"));
}

#[test]
fn results_are_found_in_the_output_of_another_sweep() {
    let place = labelled();
    table(&place, "table.toml", TABLE);
    let ablate = [&["ablate", "table.toml"][..], &DATA].concat();
    succeeded(&place.run(&ablate));
    for folder in ["out/ablate", "out/ablate/results"] {
        let plan = [
            &ablate[..],
            &["--output", "new", "--plan", "--results", folder],
        ]
        .concat();
        let output = place.run(&plan);
        succeeded(&output);
        assert!(
            text(&output.stdout).contains("2 of 2 runs done"),
            "{output:?}"
        );
    }
    let nothing = [&ablate[..], &["--output", "new", "--results", "train"]].concat();
    refused(&place.run(&nothing), &["--results", "train"]);
}

/// A row that was trained with another mask ratio sees as many patches as the others.
#[test]
fn all_rows_are_measured_with_one_mask_ratio() {
    let place = labelled();
    let rows = |ratio: &str| {
        format!(
            "{}\n[[group.row]]\nname = \"untrained\"\nmodel = \"mean-colour\"\nsettings = {{ mask_ratio = {ratio} }}\n\
             [[group.row]]\nname = \"trained\"\nsettings = {{ mask_ratio = {ratio} }}\n",
            TABLE.replace("\"ridge\", \"fine_tune\"", "\"masked_psnr\"")
        )
    };
    let measured = |ratio: &str, output: &str| {
        table(&place, "table.toml", &rows(ratio));
        let ablate = [&["ablate", "table.toml", "--output", output][..], &DATA].concat();
        succeeded(&place.run(&ablate));
        row(
            &place.read(&format!("{output}/table.md")),
            "baseline: untrained",
        )[1..3]
            .to_vec()
    };
    assert_eq!(measured("0.75", "one"), measured("0.5", "two"));
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_is_noticed_before_the_work() {
    let place = pretrained();
    for output in ["/proc/nothing", "/dev/null/folder"] {
        let probe = [
            &["probe", "--checkpoint", "gmae", "--output", output][..],
            &DATA,
        ]
        .concat();
        refused(&place.run(&probe), &["creating a file in"]);
    }
}
