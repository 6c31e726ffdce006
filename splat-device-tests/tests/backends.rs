//! Tests of every backend: the checks of `splat::check::check_backend`, the same bits in chunks of
//! any size, and sizes that exceed a grid or a buffer of a device. A backend without its device is
//! reported as ignored, never as passed.
//!
//! `cargo test -p splat-device-tests --features wgpu --test backends`

mod backends_support;

use libtest_mimic::{Arguments, Failed, Trial};
use splat::check::{NamedScene, OwnedScene, Tolerance, compare, cotangent, crowd, named_scenes};
use splat::{Projection, Views, Wanted};

use backends_support::many::millions_of_gaussians;
use backends_support::{Entry, entries};

fn passes_the_checks_of_a_backend(entry: &Entry) -> Result<(), Failed> {
    let report = entry.check()?;
    if report.passed() {
        println!("{}: {report}", entry.name);
        return Ok(());
    }
    Err(report.to_string().into())
}

fn same_bits_in_any_chunks(scene: &OwnedScene, entry: &Entry) -> Result<(), Failed> {
    let v_image = cotangent(&scene.render()?.0);
    let first = entry.run(scene, &v_image, Wanted::ALL)?.bits();
    for entry in [entry.with_budget(1), entry.with_budget(100_000)] {
        if entry.run(scene, &v_image, Wanted::ALL)?.bits() != first {
            return Err(format!("other bits with budget {:?}", entry.budget).into());
        }
    }
    Ok(())
}

/// The hits fill the smallest chunk several times: each splat touches all 20 tiles.
fn same_bits_in_chunks_of_many_hits(entry: &Entry) -> Result<(), Failed> {
    let mut scene = crowd(23, 1, 700, [80, 64], Projection::Orthographic);
    scene.gaussians.scales.fill(2.0);
    scene.gaussians.opacities.fill(0.02);
    same_bits_in_any_chunks(&scene, entry)
}

/// Renders more views, of one pixel each, than a grid has workgroups along one side. The scene is
/// too large for the oracle, and is compared with the CPU at `f32`.
fn seventy_thousand_views(entry: &Entry) -> Result<(), Failed> {
    const VIEWS: usize = 70_000;
    let mut scene = crowd(21, 1, 3, [1, 1], Projection::Orthographic);
    scene.gaussians.scales.fill(0.5);
    scene.views = Views {
        cameras: vec![scene.views.cameras[0]; VIEWS],
        ranges: (0..VIEWS).map(|view| 0..view % 4).collect(),
        ..scene.views
    };
    scene.backgrounds = (0..3 * VIEWS)
        .map(|i| (i / 3) as f64 / VIEWS as f64)
        .collect();
    let v_image = cotangent(&scene.render()?.0);
    let got = entry.run(&scene, &v_image, Wanted::ALL)?;
    let expected = Entry::cpu().run(&scene, &v_image, Wanted::ALL)?;
    let (v, right) = (&got.gradients, &expected.gradients);
    for (name, got, expected, tolerance) in [
        ("image", &got.image.features, &expected.image.features, 1e-4),
        ("means", &v.gaussians.means, &right.gaussians.means, 1e-3),
        ("backgrounds", &v.backgrounds, &right.backgrounds, 1e-4),
    ] {
        let tolerance = Tolerance::of_largest(tolerance).with_floor(1e-3);
        compare(name, got, expected, tolerance, |_| false)?;
    }
    Ok(())
}

fn main() {
    let scenes: &'static [NamedScene] = named_scenes().leak();
    let entries: &'static [Entry] = entries().leak();
    let mut trials = Vec::new();
    for entry in entries {
        let mut add = |name: String, run: Box<dyn FnOnce() -> Result<(), Failed> + Send>| {
            let trial = Trial::test(format!("{}::{name}", entry.name), run);
            trials.push(trial.with_ignored_flag(!entry.available()));
        };
        for NamedScene { name, scene, .. } in scenes {
            add(
                format!("same_bits_in_any_chunks::{name}"),
                Box::new(move || same_bits_in_any_chunks(scene, entry)),
            );
        }
        for (name, run) in [
            (
                "passes_the_checks_of_a_backend",
                passes_the_checks_of_a_backend as fn(&Entry) -> Result<(), Failed>,
            ),
            (
                "same_bits_in_chunks_of_many_hits",
                same_bits_in_chunks_of_many_hits,
            ),
            ("seventy_thousand_views", seventy_thousand_views),
        ] {
            // Grids do not depend on subgroups, and the many views are slow.
            if !name.starts_with("seventy") || !entry.name.ends_with("planes") {
                add(name.to_owned(), Box::new(move || run(entry)));
            }
        }
    }
    for entry in entries
        .iter()
        .filter(|entry| entry.name.ends_with("_large"))
    {
        let name = format!("{}::millions_of_gaussians", entry.name);
        let trial = Trial::test(name, move || millions_of_gaussians(entry));
        trials.push(trial.with_ignored_flag(true));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
