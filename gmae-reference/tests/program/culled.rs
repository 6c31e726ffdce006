//! Every command that renders warns if an image shows none of its Gaussians.

use std::fs;

use image::{GrayImage, Luma};

#[cfg(unix)]
use crate::ablations::TABLE;
use crate::labelled::in_one_line;
#[cfg(unix)]
use crate::labelled::{DATA, labelled};
use crate::place::{Place, TINY, succeeded, text};

/// Settings of a model whose Gaussians are all culled: their footprints have no area.
const NOTHING: [&str; 4] = ["--gaussian-scale", "1e-30", "--blur", "0"];
const WARNING: &str = "warning: an image shows none of its 4 Gaussians";

/// Asserts that a command succeeds, and that it warns once or not at all.
fn warns(place: &Place, arguments: &[&str], expected: bool) {
    let output = place.run(arguments);
    succeeded(&output);
    let said = in_one_line(&text(&output.stderr));
    assert_eq!(
        said.matches(WARNING).count(),
        usize::from(expected),
        "{arguments:?}: {said}"
    );
}

/// Runs of a model that shows nothing, `none`, and of a usual one, `some`.
fn place() -> Place {
    let place = Place::new(6);
    for (output, settings) in [("none", &NOTHING[..]), ("some", &[])] {
        let pretrain = ["pretrain", "--data", "data", "--output", output];
        let arguments = [&pretrain[..], TINY, &["--stop-at", "2"], settings].concat();
        warns(&place, &arguments, output == "none");
    }
    fs::create_dir_all(place.path("marked/rgb")).expect("a folder");
    fs::create_dir_all(place.path("marked/figure_ground")).expect("a folder");
    for i in 0..2 {
        place.picture(&format!("marked/rgb/{i}.png"), 24, 16);
        let mask =
            |x, y| Luma([255 * u8::from((6..14).contains(&x) && (2 + i..9 + i).contains(&y))]);
        GrayImage::from_fn(24, 16, mask)
            .save(place.path(&format!("marked/figure_ground/{i}.png")))
            .expect("saving");
    }
    place
}

#[test]
fn every_command_that_renders_a_checkpoint_warns() {
    let place = place();
    for run in ["none", "some"] {
        for (i, command) in [
            &["reconstruct", "--image", "data/0.png"][..],
            &["reconstruct", "--data", "data"],
            &["layers", "--size", "30", "--image", "data/0.png"],
            &["figure-ground", "--data", "marked"],
            &["detect", "--data", "marked"],
            &["edges", "--data", "data"],
            &["evaluate", "--shapes", "2"],
        ]
        .into_iter()
        .enumerate()
        {
            let output = format!("{run}-{i}");
            let more = ["--checkpoint", run, "--output", &output];
            warns(&place, &[command, &more].concat(), run == "none");
        }
    }
}

#[test]
fn the_demo_warns() {
    let place = Place::new(6);
    for (run, settings) in [("none", &NOTHING[..]), ("some", &[])] {
        let output = format!("demo-{run}");
        let demo = ["demo", "--seconds", "0.2", "--output", &output];
        warns(&place, &[&demo[..], TINY, settings].concat(), run == "none");
    }
}

#[test]
#[cfg(unix)]
fn ablations_warn() {
    let place = labelled();
    for run in ["none", "some"] {
        let mut table = TABLE.replace("epochs = 20", "epochs = 1");
        if run == "none" {
            let none = "gaussians = 4\ngaussian_scale = 1e-30\nblur = 0.0";
            table = table.replace("gaussians = 4", none);
        }
        fs::write(place.path("table.toml"), table).expect("writing");
        let ablate = [&["ablate", "table.toml"], &DATA[..], &["--output", run]].concat();
        warns(&place, &ablate, run == "none");
    }
}
