//! The commands of the program: the files and lines that they write.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::place::{Place, RUN, TINY, refused, succeeded, text};
use gmae_reference::training::Checkpoint;

#[test]
fn pretrain_writes_a_checkpoint_and_metrics_and_nothing_else() {
    let place = Place::new(9);
    succeeded(&place.pretrain(&[]));
    assert_eq!(place.files("out"), RUN);
    assert_eq!(place.steps(), (1..=6).collect::<Vec<_>>());
    let checkpoint = Checkpoint::load(&place.path("out")).expect("a checkpoint");
    assert_eq!(checkpoint.step(), 6);
    assert_eq!(checkpoint.config.gaussians, 4);
}

#[test]
fn a_run_goes_on_where_it_stopped_and_is_not_begun_again_by_accident() {
    let place = Place::new(9);
    succeeded(&place.pretrain(&["--stop-at", "4"]));
    let before = place.checkpoint();
    refused(&place.pretrain(&[]), &["--output", "--resume"]);
    assert_eq!(place.checkpoint(), before);
    succeeded(&place.pretrain(&["--resume"]));
    assert_eq!(place.steps(), (1..=6).collect::<Vec<_>>());
    // If neither a preset nor settings are given, the settings of the checkpoint are used.
    succeeded(&place.run(&["pretrain", "--data", "data", "--output", "out", "--resume"]));
}

/// Every setting has a flag with its full name. The value in the checkpoint is accepted, and every
/// other value is rejected.
#[test]
fn every_setting_is_a_flag_of_that_name() {
    let place = Place::new(9);
    succeeded(&place.pretrain(&["--stop-at", "1"]));
    let checkpoint = Checkpoint::load(&place.path("out")).expect("a checkpoint");
    let entries = checkpoint.config.entries();
    let flag = |name: &str| format!("--{}", name.replace('_', "-"));
    let base = "pretrain --data data --output out --resume --stop-at 1";
    let mut arguments: Vec<String> = base.split(' ').map(str::to_owned).collect();
    arguments.extend(
        entries
            .iter()
            .flat_map(|(name, value)| [flag(name), value.clone()]),
    );
    let whole: Vec<&str> = arguments.iter().map(String::as_str).collect();
    succeeded(&place.run(&whole));
    for (name, value) in &entries {
        let other = match name.as_str() {
            "camera" => "perspective".to_owned(),
            "loss" => "all".to_owned(),
            "method" => "mae".to_owned(),
            "freeze_z" | "random_depth_order" | "norm_pix" => "on".to_owned(),
            // These values keep widths multiples of heads, and patches divisors of images.
            "encoder_heads" | "decoder_heads" | "micro_batch" | "patch_size" => "1".to_owned(),
            "mask_ratio" | "beta1" | "beta2" | "crop_scale" => "0.25".to_owned(),
            _ => (2.0 * value.parse::<f64>().expect("a number") + 8.0).to_string(),
        };
        let flag = flag(name);
        let changed = [whole.as_slice(), &[flag.as_str(), &other]].concat();
        // The base of the test predicts Gaussians.
        let words = match name.as_str() {
            "norm_pix" => ["setting norm-pix", "--method gmae"],
            name => ["another configuration", name],
        };
        refused(&place.run(&changed), &words);
    }
    for shortened in ["--conf", "--gaussian", "--dat"] {
        let output = place.run(&["pretrain", "--data", "data", shortened, "4"]);
        assert_eq!(output.status.code(), Some(2), "{shortened}");
    }
}

#[test]
fn reconstruct_writes_four_pictures() {
    let place = Place::new(4);
    succeeded(&place.pretrain(&["--stop-at", "1"]));
    place.picture("image.png", 30, 20);
    let arguments = [
        "reconstruct",
        "--checkpoint",
        "out",
        "--image",
        "image.png",
        "--output",
        "pictures",
    ];
    let output = place.run(&arguments);
    succeeded(&output);
    assert!(text(&output.stdout).contains("mean squared error"));
    assert_eq!(
        place.files("pictures"),
        [
            "masked.png",
            "original.png",
            "pasted.png",
            "reconstruction.png"
        ]
    );
    let open = |name: &str| {
        image::open(place.path("pictures").join(name))
            .expect("a picture")
            .into_rgb8()
    };
    let (original, masked, pasted, render) = (
        open("original.png"),
        open("masked.png"),
        open("pasted.png"),
        open("reconstruction.png"),
    );
    assert_eq!(original.dimensions(), (8, 8));
    let visible = |x: u32, y: u32| masked.get_pixel(x, y) == original.get_pixel(x, y);
    for (x, y, pixel) in pasted.enumerate_pixels() {
        let source = if visible(x, y) { &original } else { &render };
        assert_eq!(pixel, source.get_pixel(x, y));
    }
}

#[test]
fn demo_writes_a_report() {
    let place = Place::new(0);
    let output = place.run(&[&["demo", "--seconds", "1", "--output", "demo"], TINY].concat());
    succeeded(&output);
    assert!(text(&output.stdout).contains("held-out masked loss"));
    assert_eq!(
        place.files("demo"),
        [&[".demo"], &RUN[..5], &["report.html", "state.safetensors"]].concat()
    );
    let report = std::fs::read_to_string(place.path("demo/report.html")).expect("the report");
    for plot in [
        "Density of Gaussians against image detail",
        "Size of Gaussians against depth",
    ] {
        assert!(report.contains(&format!("<h2>{plot}</h2>")), "{plot}");
    }
    // Four cells of 64 held-out pictures.
    assert!(report.contains("(256 cells)"));
    refused(&place.run(&["demo", "--seconds", "nan"]), &["--seconds"]);
}

/// The settings are valid but probably a mistake.
#[test]
fn doubtful_settings_are_pointed_out() {
    let place = Place::new(4);
    let output = place.pretrain(&[
        "--batch-size",
        "9",
        "--warmup-epochs",
        "7",
        "--stop-at",
        "1",
    ]);
    succeeded(&output);
    let errors = text(&output.stderr);
    for words in ["4 images do not fill a batch of 9", "warm-up of 7 epochs"] {
        assert!(errors.contains(words), "{words}: {errors}");
    }
}

/// The bits of the images depend on the way in which they are decoded.
#[test]
fn a_run_is_resumed_with_the_same_decoding() {
    let place = Place::new(9);
    succeeded(&place.pretrain(&["--stop-at", "2", "--reduced-jpeg"]));
    refused(&place.pretrain(&["--resume"]), &["--data", "reduced JPEG"]);
    succeeded(&place.pretrain(&["--resume", "--reduced-jpeg"]));
}

/// A device without kernels in this build is rejected.
#[cfg(not(feature = "wgpu"))]
#[test]
fn a_device_left_out_of_the_build_is_refused() {
    let place = Place::new(4);
    refused(
        &place.pretrain(&["--device", "wgpu"]),
        &["--device", "--features wgpu"],
    );
}

/// Blanks and percent signs in a path must not be changed.
#[test]
fn paths_are_taken_literally() {
    let place = Place::new(4);
    std::fs::rename(place.path("data"), place.path("da ta%20")).expect("renaming");
    let output = place.run(
        &[
            &["pretrain", "--data", "da ta%20", "--output", "o ut/deep"],
            TINY,
        ]
        .concat(),
    );
    succeeded(&output);
    assert!(Path::new(&place.path("o ut/deep/model.safetensors")).exists());
}

/// Ctrl-C during a run gives exit code 130. The resumed run continues with the next step.
#[cfg(unix)]
#[test]
fn an_interrupted_run_can_go_on() {
    let place = Place::new(9);
    // The last value of a flag wins.
    let long = ["pretrain", "--data", "data", "--output", "out"];
    let arguments = [&long, TINY, &["--epochs", "100000"]].concat();
    let mut child = place
        .command(&arguments)
        .stderr(Stdio::null())
        .spawn()
        .expect("running");
    place.wait_for(5);
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .expect("kill")
            .success()
    );
    assert_eq!(child.wait().expect("waiting").code(), Some(130));
    let step = Checkpoint::load(&place.path("out"))
        .expect("a checkpoint")
        .step();
    assert!(step >= 5);
    assert_eq!(place.steps(), (1..=step).collect::<Vec<_>>());
    let more = (step + 3).to_string();
    let resumed = [
        "pretrain",
        "--data",
        "data",
        "--output",
        "out",
        "--resume",
        "--stop-at",
        &more,
    ];
    succeeded(&place.run(&resumed));
    assert_eq!(place.steps(), (1..=step + 3).collect::<Vec<_>>());
}
