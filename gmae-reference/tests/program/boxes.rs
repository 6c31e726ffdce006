//! Boxes from frozen and from fine-tuned tokens.

use std::fs;

use gmae_reference::training::Checkpoint;
use image::{Rgb, RgbImage};

use crate::labelled::{in_one_line, pretrained, row};
use crate::place::{Place, RUN, refused, succeeded, text};

/// The runs of two checkpoints, by folder and by row.
const RUNS: [(&str, &str); 6] = [
    ("1-gmae-frozen-tokens", "gmae, frozen tokens"),
    ("1-gmae-fine-tuned-tokens", "gmae, fine-tuned tokens"),
    ("2-mae-frozen-tokens", "mae, frozen tokens"),
    ("2-mae-fine-tuned-tokens", "mae, fine-tuned tokens"),
    (
        "1-random-encoder-frozen-tokens",
        "baseline: random encoder, 16 x 1, images of 8 px, frozen tokens",
    ),
    (
        "1-random-encoder-fine-tuned-tokens",
        "baseline: random encoder, 16 x 1, images of 8 px, fine-tuned tokens",
    ),
];

const COMMAND: [&str; 12] = [
    "finetune",
    "--task",
    "box",
    "--checkpoint",
    "gmae",
    "mae",
    "--batch-size",
    "4",
    "--epochs",
    "2",
    "--output",
    "out",
];

/// Two pre-trained runs, and ten pictures of 20 x 10 px in `boxes`: a bright box of 8 x 5 px, a
/// fifth of the picture, in ten places.
fn place() -> Place {
    let place = pretrained();
    let mut lines = vec!["path\tx0\ty0\tx1\ty1".to_owned()];
    fs::create_dir_all(place.path("boxes")).expect("a folder");
    for i in 0..10_u32 {
        let (left, top) = (i % 5 * 3, i / 5 * 5);
        let colour = |x, y| {
            let inside = (left..left + 8).contains(&x) && (top..top + 5).contains(&y);
            Rgb([if inside { 240 } else { 20 }, 60, 90])
        };
        let name = format!("{i}.png");
        let picture = RgbImage::from_fn(20, 10, colour);
        picture
            .save(place.path("boxes").join(&name))
            .expect("saving");
        lines.push(format!("{name}\t{left}\t{top}\t{}\t{}", left + 7, top + 4));
    }
    fs::write(place.path("boxes/val_boxes.tsv"), lines.join("\n")).expect("writing");
    place
}

fn with(more: &[&'static str]) -> Vec<&'static str> {
    [
        &COMMAND[..],
        &["--data", "boxes", "--largest-box", "1"],
        more,
    ]
    .concat()
}

#[test]
fn boxes_have_a_row_for_every_run_and_baseline() {
    let place = place();
    let output = place.run(&with(&[]));
    succeeded(&output);
    let table = place.read("out/table.md");
    assert!(
        table.starts_with("# Boxes from tokens: a proxy for detection on COCO"),
        "{table}"
    );
    let words = "Boxes, boxes: 5 images to learn from, 5 test images";
    assert!(in_one_line(&table).contains(words), "{table}");
    for (folder, name) in RUNS {
        let cells = row(&table, name);
        let numbers: Vec<f64> = [1, 3, 5]
            .map(|i| cells[i].parse().expect("a number"))
            .to_vec();
        assert!((0.0..=100.0).contains(&numbers[0]), "{cells:?}");
        assert!(
            numbers[2] <= numbers[1],
            "fewer boxes pass a higher threshold: {cells:?}"
        );
        assert!(cells[2].contains(" to "), "{cells:?}");
        let recipe = "steps 2: epochs 2, batch 4, ";
        assert!(cells[10].starts_with(recipe), "{cells:?}");
        assert_eq!(
            cells[10].contains("drop path"),
            name.contains("fine-tuned"),
            "{cells:?}"
        );
        assert_eq!(place.files(&format!("out/{folder}")), RUN);
        let checkpoint = Checkpoint::load(&place.path("out").join(folder)).expect("a run");
        // Five images are one step of four in each epoch.
        assert_eq!(checkpoint.step(), 2);
    }
    // Every box is a fifth of its picture.
    assert_eq!(
        row(&table, "baseline: whole image")[1..3],
        ["20.00", "20.0 to 20.0"]
    );
    assert_eq!(row(&table, "baseline: whole image")[3], "0.00");
    assert!(table.contains("baseline: centred box with 0."), "{table}");
    row(&table, "baseline: mean box of the images to learn from");
    let published = row(&table, "published: COCO, ViTDet, ViT-B: GMAE");
    assert_eq!(
        (published[1].as_str(), published[7].as_str()),
        ("-", "50.2")
    );
    let csv = place.read("out/table.csv");
    assert!(csv.contains("whole image,mean IoU,%,"), "{csv}");
    let report = place.read("out/report.html");
    for words in [
        "proxy for detection on COCO",
        "best: ",
        "median: ",
        "worst: ",
    ] {
        assert!(report.contains(words), "{words} is not in the report");
    }
    // No report is replaced. A finished run is tested again, and not trained again.
    refused(&place.run(&with(&[])), &["--output", "table.md"]);
    let state = || {
        RUNS.map(|(folder, _)| {
            fs::read(place.path("out").join(folder).join("metrics.jsonl")).expect("metrics")
        })
    };
    let before = state();
    succeeded(&place.run(&with(&["--resume"])));
    assert!(state() == before);
    assert_eq!(place.read("out/table.md"), table);
}

#[test]
fn a_run_is_continued_with_its_own_data_and_task() {
    let place = place();
    succeeded(&place.run(&with(&[])));
    refused(
        &place.run(&with(&["--resume", "--split-seed", "1"])),
        &[
            "1-gmae-frozen-tokens",
            "expected a run of 5 annotated images",
        ],
    );
    refused(
        &place.run(&with(&["--resume", "--drop-path", "0.1"])),
        &[
            "1-gmae-fine-tuned-tokens",
            "drop_path: 0.1",
            "drop_path: 0.2",
        ],
    );
    // A classifier in the place of a model of boxes.
    let classes = [
        "finetune",
        "--checkpoint",
        "gmae",
        "--data",
        "train",
        "--test",
        "test",
    ];
    let short = ["--batch-size", "4", "--epochs", "2", "--output", "classes"];
    succeeded(&place.run(&[&classes[..], &short].concat()));
    let run = place.path("out/1-gmae-frozen-tokens");
    fs::remove_dir_all(&run).expect("removing");
    fs::rename(place.path("classes/1-gmae"), &run).expect("one file system");
    refused(
        &place.run(&with(&["--resume"])),
        &["expected a run of a model of boxes, got one of a classifier"],
    );
    // The report of classifiers is not replaced.
    let other = [
        "finetune",
        "--task",
        "box",
        "--checkpoint",
        "gmae",
        "--data",
        "boxes",
    ];
    refused(
        &place.run(&[&other[..], &["--largest-box", "1", "--output", "classes"]].concat()),
        &["--output", "table.md"],
    );
}

#[test]
fn a_model_of_boxes_is_probed_and_its_encoder_exported() {
    let place = place();
    succeeded(&place.run(&with(&[])));
    let checkpoint = ["--checkpoint", "out/1-gmae-fine-tuned-tokens"];
    let probe = [
        "probe", "--probes", "ridge", "--data", "train", "--test", "test",
    ];
    succeeded(&place.run(&[&probe[..], &checkpoint, &["--output", "probed"]].concat()));
    assert_eq!(
        row(&place.read("probed/table.md"), "1-gmae-fine-tuned-tokens")[4],
        "model of boxes"
    );
    let export = [
        &["export", "--output", "weights.safetensors"],
        &checkpoint[..],
    ]
    .concat();
    refused(&place.run(&export), &["--encoder-only", "a model of boxes"]);
    succeeded(&place.run(&[&export[..], &["--encoder-only"]].concat()));
}

#[test]
fn procedural_scenes_need_no_folder() {
    let place = pretrained();
    succeeded(&place.run(&[&COMMAND[..], &["--shapes", "6"]].concat()));
    let table = in_one_line(&place.read("out/table.md"));
    let words = "Boxes, procedural scenes: 3 images to learn from, 3 test images";
    assert!(table.contains(words), "{table}");
}

#[test]
fn flags_of_the_other_task_are_named() {
    let place = place();
    for (flag, value) in [
        ("--mixup", "0.8"),
        ("--cutmix", "0"),
        ("--label-smoothing", "0.1"),
        ("--test", "test"),
        ("--test-images", "3"),
        ("--crop-scale", "0.5"),
    ] {
        let words = [flag, "no such flag with --task box", value];
        refused(&place.run(&with(&[flag, value])), &words);
    }
    let classes = [
        "finetune",
        "--checkpoint",
        "gmae",
        "--data",
        "train",
        "--test",
        "test",
        "--output",
        "out",
    ];
    for (flag, value) in [
        ("--layout", "box-table"),
        ("--list", "list.txt"),
        ("--photographs", "train"),
        ("--largest-box", "0.5"),
        ("--split-seed", "1"),
    ] {
        let words = [flag, "no such flag with --task class", value];
        refused(&place.run(&[&classes[..], &[flag, value]].concat()), &words);
    }
    let untested = ["finetune", "--checkpoint", "gmae", "--data", "train"];
    let output = place.run(&untested);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("--test"), "{output:?}");
    refused(
        &place.run(&[&untested[..], &["--task", "class"]].concat()),
        &["--test", "a folder of labelled images"],
    );
    for (more, words) in [
        (&["--images", "1"][..], ["--images", "2 to 10 images"]),
        (&["--images", "11"], ["--images", "2 to 10 images"]),
        (&["--drop-path", "1"], ["drop-path", "in [0, 1)"]),
        (
            &["--mask-ratio", "0.5"],
            ["mask-ratio", "0 for a model of boxes"],
        ),
        (
            &["--encoder-depth", "2"],
            ["encoder_depth is 1", "expected 2"],
        ),
    ] {
        refused(&place.run(&with(more)), &words);
    }
    for share in ["NaN", "0", "-1", "inf"] {
        let more = ["--data", "boxes", "--largest-box", share];
        let words = ["--largest-box", "a number above 0", share];
        refused(&place.run(&[&COMMAND[..], &more].concat()), &words);
    }
    let help = place.run(&["finetune", "--help"]);
    assert!(in_one_line(&text(&help.stdout)).contains("a proxy for detection on COCO"));
}
