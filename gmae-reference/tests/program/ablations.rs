//! `ablate`: every row once, also after an interruption.

use std::collections::BTreeMap;
use std::process::{Output, Stdio};

use serde_json::Value;

use crate::kills::signal;
use crate::labelled::{DATA, labelled, row};
use crate::place::{Place, refused, succeeded, text};

/// Two rows with one seed.
pub(crate) const TABLE: &str = r#"
title = "Two methods"
config = "nano"
seeds = [3]
measures = ["masked_mse", "ridge", "fine_tune"]
[settings]
image_size = 8
encoder_width = 16
encoder_depth = 1
encoder_heads = 2
decoder_width = 8
decoder_depth = 1
decoder_heads = 2
gaussians = 4
batch_size = 4
micro_batch = 2
epochs = 20
[finetuning]
batch_size = 4
epochs = 4
[[group]]
name = "method"
[[group.row]]
name = "Gaussians"
[[group.row]]
name = "patches"
settings = { method = "mae" }
"#;

fn ablate<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["ablate", "table.toml"], &DATA[..], more].concat()
}

fn place() -> Place {
    let place = labelled();
    std::fs::write(place.path("table.toml"), TABLE).expect("writing");
    place
}

/// The result files in a folder by name, without the times and the checksums.
fn results(place: &Place, folder: &str) -> BTreeMap<String, Value> {
    let folder = format!("{folder}/results");
    let read = |name: String| {
        let value: Value =
            serde_json::from_str(&place.read(&format!("{folder}/{name}"))).expect("JSON");
        (name, value["measures"].clone())
    };
    place.files(&folder).into_iter().map(read).collect()
}

#[test]
fn a_table_runs_once_and_gives_the_same_numbers_with_any_threads() {
    let place = place();
    let plan = place.run(&ablate(&["--output", "out", "--plan"]));
    succeeded(&plan);
    let lines = text(&plan.stdout);
    assert!(
        lines.contains("to run  method: Gaussians, seed 3"),
        "{lines}"
    );
    assert!(lines.contains("0 of 2 runs done"), "{lines}");
    assert!(!place.path("out").exists());
    let run = |output: &str, threads: &str| -> Output {
        let mut command = place.command(&ablate(&["--output", output]));
        let output = command.env("RAYON_NUM_THREADS", threads).output();
        output.expect("running")
    };
    let first = run("out", "1");
    succeeded(&first);
    assert!(text(&first.stdout).contains("2 of 2 runs done"));
    assert!(text(&first.stderr).contains("run 2 of 2: method: patches, seed 3"));
    let table = place.read("out/table.md");
    for name in ["Gaussians", "patches"] {
        let cells = row(&table, name);
        assert!(
            cells[1..4]
                .iter()
                .all(|cell| cell.contains(char::is_numeric)),
            "{table}"
        );
    }
    let found = results(&place, "out");
    assert_eq!(found.len(), 2);
    for measures in found.values() {
        let measures = measures.as_object().expect("measures");
        let names: Vec<&String> = measures.keys().collect();
        assert_eq!(names, ["fine_tune", "masked_mse", "ridge"]);
        assert!(measures.values().all(Value::is_number), "{measures:?}");
    }
    // Nothing runs again.
    let files = |folder: &str| {
        place
            .files(folder)
            .into_iter()
            .map(|name| std::fs::read(place.path(folder).join(name)).expect("a file"))
            .collect::<Vec<_>>()
    };
    let before = files("out/results");
    let second = run("out", "2");
    succeeded(&second);
    assert!(
        !text(&second.stderr).contains("run "),
        "{}",
        text(&second.stderr)
    );
    assert!(files("out/results") == before);
    // Other threads, and other results that are only read.
    succeeded(&run("other", "2"));
    assert_eq!(results(&place, "other"), found);
    let read = place.run(&ablate(&["--output", "third", "--results", "out/results"]));
    succeeded(&read);
    assert!(
        !text(&read.stderr).contains("run "),
        "{}",
        text(&read.stderr)
    );
}

#[test]
fn an_interrupted_sweep_goes_on_where_it_stopped() {
    let place = place();
    let mut command = place.command(&ablate(&["--output", "out"]));
    let child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn();
    let child = child.expect("running");
    let deadline = std::time::Instant::now() + std::time::Duration::from_mins(1);
    let started = |folder: &std::path::Path| {
        let metrics = folder.join("pretraining/metrics.jsonl");
        std::fs::read_to_string(metrics).is_ok_and(|text| text.lines().count() > 3)
    };
    let begun = || {
        let runs = std::fs::read_dir(place.path("out/runs"))
            .into_iter()
            .flatten();
        runs.filter(|entry| started(&entry.as_ref().expect("an entry").path()))
            .count()
    };
    while begun() == 0 {
        assert!(
            std::time::Instant::now() < deadline,
            "the run makes no progress"
        );
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    signal(&child, "-INT");
    let output = child.wait_with_output().expect("waiting");
    assert_eq!(output.status.code(), Some(130), "{}", text(&output.stderr));
    let done = place.files("out/results").len();
    assert!(done < 2, "{done}");
    assert!(
        place
            .read("out/table.md")
            .contains(&format!("{done} of 2 runs are done"))
    );
    let second = place.run(&ablate(&["--output", "out"]));
    succeeded(&second);
    succeeded(&place.run(&ablate(&["--output", "whole"])));
    assert_eq!(results(&place, "out"), results(&place, "whole"));
}

#[test]
fn wrong_tables_are_refused_by_name() {
    let place = place();
    let write = |text: String| std::fs::write(place.path("table.toml"), text).expect("writing");
    let output = ["--output", "out"];
    for (from, to, words) in [
        (
            "\"ridge\"",
            "\"rigde\"",
            ["measures", "expected some of masked_mse", "got rigde"],
        ),
        (
            "epochs = 20",
            "epochs = 0",
            ["table.toml", "epochs", "got 0"],
        ),
        (
            "epochs = 20",
            "epoch = 1",
            ["table.toml", "settings.epoch", "epochs"],
        ),
        (
            "seeds = [3]",
            "seeds = []",
            ["table.toml", "seeds", "got none"],
        ),
        (
            "seeds = [3]",
            "seeds = [3]\nimages = 0",
            ["table.toml", "images", "got 0"],
        ),
        (
            "seeds = [3]",
            "seeds = [3]\nimages = 13",
            ["train", "13", "12"],
        ),
        ("title =", "titel =", ["table.toml", "line 2", "titel"]),
        (
            "method = \"mae\"",
            "method = \"beit\"",
            ["row \"patches\"", "method", "beit"],
        ),
        (
            "epochs = 4\n",
            "epochs = 4\nencoder_depth = 2\n",
            ["table.toml", "finetuning", "shape"],
        ),
        (
            "method = \"mae\"",
            "method = \"mae\", loss = \"masked-norm-both\"",
            ["row \"patches\"", "setting loss", "expected all or masked"],
        ),
    ] {
        assert!(TABLE.contains(from), "{from}");
        write(TABLE.replace(from, to));
        for more in [&output[..], &["--output", "out", "--plan"]] {
            refused(&place.run(&ablate(more)), &words);
        }
        assert!(!place.path("out").exists(), "{to}");
    }
    write(TABLE.to_owned());
    let missing = [&["ablate", "nowhere.toml"], &DATA[..], &output].concat();
    refused(&place.run(&missing), &["nowhere.toml"]);
    let folder = [&["ablate", "train"], &DATA[..], &output].concat();
    refused(&place.run(&folder), &["train", "expected a regular file"]);
    let results = ablate(&["--output", "out", "--results", "nowhere"]);
    refused(&place.run(&results), &["--results", "nowhere"]);
    std::fs::create_dir(place.path("out")).expect("a folder");
    std::fs::write(place.path("out/table.md"), "another table").expect("writing");
    refused(&place.run(&ablate(&output)), &["--output", "table.md"]);
    assert_eq!(place.read("out/table.md"), "another table");
}
