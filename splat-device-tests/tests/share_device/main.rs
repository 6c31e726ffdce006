//! A device that the caller creates and shares, and pixels for its textures. The example
//! `share_device` runs as one of the tests. Without an adapter the tests are reported as ignored.
//!
//! `cargo test -p splat-device-tests --features wgpu --test share_device`

mod caller;
#[path = "../../../splat/examples/share_device/main.rs"]
#[expect(dead_code, reason = "the test calls `run`, not `main`")]
mod example;
mod memory;
mod pixels;
mod start;
mod textures;

use libtest_mimic::{Arguments, Failed, Trial};
use splat::Camera;

use caller::{Caller, ensure};

/// The example writes a picture of the right size that is not black.
fn the_example_writes_its_picture(_: &Caller) -> Result<(), Failed> {
    let folder = tempfile::TempDir::new()?;
    let file = folder.path().join("picture.png");
    example::run(&file, camera()).map_err(|error| error.to_string())?;
    let picture = image::open(&file)?.into_rgb8();
    let bright = picture.pixels().filter(|pixel| pixel.0[1] > 128).count();
    let found = (picture.dimensions(), bright);
    ensure(found.0 == (203, 150) && bright > 1000, format!("{found:?}"))
}

/// The camera of the example.
fn camera() -> Camera {
    Camera::pinhole(200.0, 200.0, 101.5, 75.0)
}

/// A camera that shows nothing is an error, and no picture is written.
fn the_example_reports_a_picture_of_nothing(_: &Caller) -> Result<(), Failed> {
    let folder = tempfile::TempDir::new()?;
    let file = folder.path().join("picture.png");
    let said = match example::run(&file, camera().with_depth_range(1e5, 1e6)) {
        Ok(()) => "a picture".to_owned(),
        Err(error) => error.to_string(),
    };
    let expected = "expected a visible Gaussian, got 600 that are culled in the picture";
    ensure(said == expected && !file.exists(), said)
}

/// A file that cannot be written is an error of one line.
fn the_example_reports_errors(_: &Caller) -> Result<(), Failed> {
    let folder = tempfile::TempDir::new()?;
    let said = match example::run(&folder.path().join("absent/picture.png"), camera()) {
        Ok(()) => "a picture".to_owned(),
        Err(error) => error.to_string(),
    };
    ensure(said.contains("absent") && !said.contains('\n'), said)
}

fn main() {
    let caller: &'static Option<Caller> = Box::leak(Box::new(Caller::plain()));
    let trial = |name: &str, run: fn(&Caller) -> Result<(), Failed>| {
        let run = move || run(caller.as_ref().ok_or("no device")?);
        Trial::test(name, run).with_ignored_flag(caller.is_none())
    };
    let mut trials = vec![
        trial(
            "the_example_writes_its_picture",
            the_example_writes_its_picture,
        ),
        trial("the_example_reports_errors", the_example_reports_errors),
        trial(
            "the_example_reports_a_picture_of_nothing",
            the_example_reports_a_picture_of_nothing,
        ),
    ];
    let all = [
        start::TRIALS,
        memory::TRIALS,
        pixels::TRIALS,
        textures::TRIALS,
    ];
    trials.extend(all.concat().into_iter().map(|(name, run)| trial(name, run)));
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
