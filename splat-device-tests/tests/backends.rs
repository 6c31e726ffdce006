//! Tests of every backend with every scene. Images and gradients are compared with `f64`. Repeated
//! runs, and runs in chunks of any size, must give the same bits. Scenes with invalid values must
//! be culled correctly. A backend without its device is reported as ignored, never as passed.
//!
//! `cargo test -p splat-device-tests --features wgpu --test backends`

mod backends_support;
#[path = "../../splat/tests/support/mod.rs"]
mod support;

use libtest_mimic::{Arguments, Failed, Trial};
use splat::{Projection, RenderError, Views, Wanted};

use backends_support::compare::{
    compare, compare_contributors, masked_cotangent, narrow, rounded, widen,
};
use backends_support::hostile::{
    huge_features_stay_in_their_channel, nothing_is_left, numbers_that_are_not_finite_are_culled,
    spoilt_scenes_stay_finite,
};
use backends_support::many::millions_of_gaussians;
use backends_support::scenes::{Case, cases};
use backends_support::{Entry, Outcome, entries};
use support::band::boundary_band;
use support::{World, cotangent, crowd};

/// Greatest difference between an image and the `f64` image outside the boundary band, relative to
/// the largest value. It corresponds to a few hundred roundings of 6e-8.
const IMAGE_TOLERANCE: f64 = 2e-5;

/// Greatest difference between a gradient and the `f64` gradient, relative to the largest element
/// of the buffer. The loss ignores the pixels of the boundary band.
const GRADIENT_TOLERANCE: f64 = 1e-4;

/// Greatest share of the pixels that can lie in the boundary band: one in twenty-five.
const BAND_SHARE: f64 = 0.04;

fn images_and_gradients_equal_f64(world: &World, entry: &Entry) -> Result<(), Failed> {
    let exact = rounded(world);
    let image = exact.render().0;
    let band = boundary_band(&exact);
    let near = band.iter().filter(|&&near| near).count();
    if near as f64 > BAND_SHARE * band.len() as f64 {
        return Err(format!("{near} of {} pixels in the boundary band", band.len()).into());
    }
    let v_image = masked_cotangent(&image, &band);
    let v = exact.gradients(&v_image);
    let (got, v_got, found) = entry.run(world, &v_image.map(narrow), Wanted::ALL)?;
    let channels = world.gaussians.channels;
    let pixels = world.views.width * world.views.height;
    compare(
        "image",
        &got.features,
        &image.features,
        IMAGE_TOLERANCE,
        |i| band[i / channels],
    )?;
    let planes = [
        ("transmittance", &got.transmittance, &image.transmittance, 1),
        ("depth", &got.depth, &image.depth, 1),
        ("layers", &got.layers, &image.layers, channels),
        (
            "transmittance of layers",
            &got.layer_transmittance,
            &image.layer_transmittance,
            1,
        ),
    ];
    for (name, got, expected, per_pixel) in planes {
        let (Some(got), Some(expected)) = (got, expected) else {
            if got.is_some() == expected.is_some() {
                continue;
            }
            return Err(format!("{name}: asked for or not").into());
        };
        // The band has one entry per pixel of a view. All layers of a pixel use the same entry.
        let layers = world.config.layers.len().max(1);
        compare(name, got, expected, IMAGE_TOLERANCE, |i| {
            let pixel = i / per_pixel;
            let view = pixel / pixels / if name.contains("layers") { layers } else { 1 };
            band[view * pixels + pixel % pixels]
        })?;
    }
    compare_contributors(&exact, found.as_ref(), IMAGE_TOLERANCE, &band)?;
    let (a, b) = (&v_got.gaussians, &v.gaussians);
    for (name, a, b) in [
        ("with respect to means", &a.means, &b.means),
        ("with respect to scales", &a.scales, &b.scales),
        (
            "with respect to quaternions",
            &a.quaternions,
            &b.quaternions,
        ),
        ("with respect to opacities", &a.opacities, &b.opacities),
        ("with respect to features", &a.features, &b.features),
        (
            "with respect to backgrounds",
            &v_got.backgrounds,
            &v.backgrounds,
        ),
        (
            "with respect to poses",
            &v_got.camera_from_world,
            &v.camera_from_world,
        ),
    ] {
        compare(name, a, b, GRADIENT_TOLERANCE, |_| false)?;
    }
    Ok(())
}

/// Returns all values of the images, the gradients and the contributors as bits.
fn bits((image, v, found): &Outcome) -> Vec<u32> {
    let optional = [
        &image.transmittance,
        &image.depth,
        &image.layers,
        &image.layer_transmittance,
    ];
    let g = &v.gaussians;
    let found = found.iter();
    let integers = found
        .clone()
        .flat_map(|found| [&found.indices, &found.counts]);
    let weights = found.map(|found| &found.weights);
    let all = [&image.features].into_iter();
    all.chain(optional.into_iter().flatten())
        .chain([&g.means, &g.scales, &g.quaternions, &g.opacities])
        .chain([&g.features, &v.backgrounds, &v.camera_from_world])
        .chain(weights)
        .flatten()
        .map(|x| x.to_bits())
        .chain(integers.flatten().copied())
        .collect()
}

fn same_bits_twice_and_in_any_chunks(world: &World, entry: &Entry) -> Result<(), Failed> {
    let v_image = cotangent(&world.render().0).map(narrow);
    let first = bits(&entry.run(world, &v_image, Wanted::ALL)?);
    for entry in [
        entry.clone(),
        entry.with_budget(1),
        entry.with_budget(100_000),
    ] {
        if bits(&entry.run(world, &v_image, Wanted::ALL)?) != first {
            return Err(format!("other bits with budget {:?}", entry.budget).into());
        }
    }
    Ok(())
}

/// Gradients that are not wanted are empty. The wanted gradients do not depend on the selection.
fn unwanted_gradients_are_empty(world: &World, entry: &Entry) -> Result<(), Failed> {
    let v_image = cotangent(&world.render().0).map(narrow);
    let (_, all, _) = entry.run(world, &v_image, Wanted::ALL)?;
    let none = Wanted::NONE;
    for wanted in [
        none.with_geometry(true),
        none.with_features(true),
        none.with_backgrounds(true),
        none.with_cameras(true),
        none,
    ] {
        let (_, v, _) = entry.run(world, &v_image, wanted)?;
        for (name, wanted, got, expected) in [
            (
                "means",
                wanted.geometry,
                &v.gaussians.means,
                &all.gaussians.means,
            ),
            (
                "opacities",
                wanted.geometry,
                &v.gaussians.opacities,
                &all.gaussians.opacities,
            ),
            (
                "features",
                wanted.features,
                &v.gaussians.features,
                &all.gaussians.features,
            ),
            (
                "backgrounds",
                wanted.backgrounds,
                &v.backgrounds,
                &all.backgrounds,
            ),
            (
                "poses",
                wanted.cameras,
                &v.camera_from_world,
                &all.camera_from_world,
            ),
        ] {
            let empty = Vec::new();
            let expected = if wanted { expected } else { &empty };
            let expected: Vec<f64> = widen(expected);
            compare(name, got, &expected, 1e-6, |_| false)?;
        }
    }
    Ok(())
}

/// The hits fill the smallest chunk several times: each splat touches all 20 tiles.
fn same_bits_in_chunks_of_many_hits(entry: &Entry) -> Result<(), Failed> {
    let mut world = crowd(23, 1, 700, [80, 64], Projection::Orthographic);
    world.gaussians.scales.fill(2.0);
    world.gaussians.opacities.fill(0.02);
    same_bits_twice_and_in_any_chunks(&world, entry)
}

/// Renders more views, of one pixel each, than a grid has workgroups along one side.
fn seventy_thousand_views(entry: &Entry) -> Result<(), Failed> {
    const VIEWS: usize = 70_000;
    let mut world = crowd(21, 1, 3, [1, 1], Projection::Orthographic);
    world.gaussians.scales.fill(0.5);
    world.views = Views {
        cameras: vec![world.views.cameras[0]; VIEWS],
        ranges: (0..VIEWS).map(|view| 0..view % 4).collect(),
        ..world.views
    };
    world.backgrounds = (0..3 * VIEWS)
        .map(|i| (i / 3) as f64 / VIEWS as f64)
        .collect();
    images_and_gradients_near_cpu(&world, entry)
}

/// Compares image and gradients with the CPU at `f32`, for scenes that are too large for the
/// oracle.
fn images_and_gradients_near_cpu(world: &World, entry: &Entry) -> Result<(), Failed> {
    let v_image = cotangent(&world.render().0).map(narrow);
    let (image, v, _) = entry.run(world, &v_image, Wanted::ALL)?;
    let (expected, v_expected, _) = Entry::cpu().run(world, &v_image, Wanted::ALL)?;
    compare(
        "image",
        &image.features,
        &widen(&expected.features),
        1e-4,
        |_| false,
    )?;
    let means = widen(&v_expected.gaussians.means);
    compare(
        "with respect to means",
        &v.gaussians.means,
        &means,
        1e-3,
        |_| false,
    )?;
    let backgrounds = widen(&v_expected.backgrounds);
    compare(
        "with respect to backgrounds",
        &v.backgrounds,
        &backgrounds,
        1e-4,
        |_| false,
    )
}

/// Inconsistent shapes are errors on every backend.
fn wrong_shapes_are_errors(entry: &Entry) -> Result<(), Failed> {
    let world = crowd(22, 1, 4, [8, 8], Projection::Pinhole);
    let v_image = cotangent(&world.render().0).map(narrow);
    let mut wrong = world.clone();
    wrong.gaussians.scales.pop();
    match entry.run(&wrong, &v_image, Wanted::ALL) {
        Err(RenderError::Shape {
            argument: "gaussians.scales",
            ..
        }) => {}
        other => return Err(format!("{:?}", other.map(|_| "an image")).into()),
    }
    let mut wrong = v_image.clone();
    wrong.features.pop();
    match entry.run(&world, &wrong, Wanted::ALL) {
        Err(RenderError::Shape {
            argument: "v_image.features",
            ..
        }) => Ok(()),
        other => Err(format!("{:?}", other.map(|_| "gradients")).into()),
    }
}

/// Checks that the comparison rejects wrong values.
fn comparison_rejects_wrong_numbers() -> Result<(), Failed> {
    let expected = [1.0, -2.0, 0.5];
    let accepts = |got: &[f32]| compare("numbers", got, &expected, 1e-4, |_| false).is_ok();
    let right = accepts(&[1.0, -2.0, 0.5]);
    let wrong = [
        accepts(&[1.0, -2.0, 0.501]),
        accepts(&[1.0, f32::NAN, 0.5]),
        accepts(&[1.0, -2.0]),
    ];
    if right && wrong == [false; 3] {
        return Ok(());
    }
    Err(format!("right {right}, wrong {wrong:?}").into())
}

fn main() {
    let cases: &'static [Case] = cases().leak();
    let entries: &'static [Entry] = entries().leak();
    let mut trials = vec![Trial::test(
        "comparison_rejects_wrong_numbers",
        comparison_rejects_wrong_numbers,
    )];
    for entry in entries {
        let mut add = |name: String, run: Box<dyn FnOnce() -> Result<(), Failed> + Send>| {
            let trial = Trial::test(format!("{}::{name}", entry.name), run);
            trials.push(trial.with_ignored_flag(!entry.available()));
        };
        for case in cases {
            let world = &case.world;
            add(
                format!("equals_f64::{}", case.name),
                Box::new(move || images_and_gradients_equal_f64(world, entry)),
            );
            add(
                format!("same_bits::{}", case.name),
                Box::new(move || same_bits_twice_and_in_any_chunks(world, entry)),
            );
        }
        let world = &cases[0].world;
        add(
            "unwanted_gradients_are_empty".to_owned(),
            Box::new(move || unwanted_gradients_are_empty(world, entry)),
        );
        for (name, run) in [
            (
                "huge_features_stay_in_their_channel",
                huge_features_stay_in_their_channel as fn(&Entry) -> Result<(), Failed>,
            ),
            ("spoilt_scenes_stay_finite", spoilt_scenes_stay_finite),
            (
                "numbers_that_are_not_finite_are_culled",
                numbers_that_are_not_finite_are_culled,
            ),
            ("nothing_is_left", nothing_is_left),
            (
                "same_bits_in_chunks_of_many_hits",
                same_bits_in_chunks_of_many_hits,
            ),
            ("seventy_thousand_views", seventy_thousand_views),
            ("wrong_shapes_are_errors", wrong_shapes_are_errors),
        ] {
            // Grids and shape checks do not depend on subgroups, and the many views are slow.
            let of_twins = !name.starts_with("seventy") && !name.starts_with("wrong");
            if of_twins || !entry.name.ends_with("planes") {
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
