//! Scenes with invalid or extreme values in every buffer of the Gaussians.

use libtest_mimic::Failed;
use splat::{Image, Projection, Wanted};

use super::Entry;
use super::compare::{compare, narrow, widen};
use crate::support::{World, cotangent, crowd};

/// Invalid or extreme values. The first three are not finite.
const HOSTILE: [f64; 7] = [
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    1e30,
    -1e30,
    1e-30,
    3e38,
];

fn world() -> World {
    crowd(20, 1, 48, [24, 20], Projection::Pinhole)
}

fn v_image() -> Image<Vec<f32>> {
    cotangent(&world().render().0).map(narrow)
}

/// The index in `features` of the element that [`spoilt_by`] sets to value `k`. It is the first
/// channel of Gaussian `5 k + 4`.
fn spoilt_feature(k: usize) -> usize {
    3 * (5 * k + 4)
}

/// Returns the world with each of `numbers` in five Gaussians. Each of these Gaussians has the
/// number in a different buffer.
fn spoilt_by(numbers: &[f64]) -> World {
    let mut world = world();
    let g = &mut world.gaussians;
    for (k, &x) in numbers.iter().enumerate() {
        g.means[3 * (5 * k)] = x;
        g.scales[3 * (5 * k + 1)] = x;
        g.quaternions[4 * (5 * k + 2)] = x;
        g.opacities[5 * k + 3] = x;
        g.features[spoilt_feature(k)] = x;
    }
    world
}

/// A valid but huge feature changes only its channel of the image, and only the gradients that
/// depend on its value.
pub fn huge_features_stay_in_their_channel(entry: &Entry) -> Result<(), Failed> {
    let spoilt = spoilt_by(&HOSTILE);
    let mut moderate = spoilt.clone();
    for k in 3..HOSTILE.len() {
        moderate.gaussians.features[spoilt_feature(k)] = 0.5;
    }
    let (image, v, _) = entry.run(&spoilt, &v_image(), Wanted::ALL)?;
    let (expected, v_expected, _) = entry.run(&moderate, &v_image(), Wanted::ALL)?;
    let others = |x: &[f32]| -> Vec<f32> {
        let pixels = x.chunks_exact(3);
        pixels.flat_map(|pixel| [pixel[1], pixel[2]]).collect()
    };
    let rest = widen(&others(&expected.features));
    compare(
        "other channels",
        &others(&image.features),
        &rest,
        0.0,
        |_| false,
    )?;
    let by_features = widen(&v_expected.gaussians.features);
    let got = &v.gaussians.features;
    compare("with respect to features", got, &by_features, 0.0, |_| {
        false
    })?;
    let by_backgrounds = widen(&v_expected.backgrounds);
    compare(
        "with respect to backgrounds",
        &v.backgrounds,
        &by_backgrounds,
        0.0,
        |_| false,
    )?;
    if image.features == expected.features {
        return Err("the huge features are not in the image".into());
    }
    Ok(())
}

/// If the Gaussians with huge features are transparent, the image and all gradients are finite.
pub fn spoilt_scenes_stay_finite(entry: &Entry) -> Result<(), Failed> {
    let mut spoilt = spoilt_by(&HOSTILE);
    for k in 3..HOSTILE.len() {
        spoilt.gaussians.opacities[5 * k + 4] = 0.0;
    }
    let (image, v, _) = entry.run(&spoilt, &v_image(), Wanted::ALL)?;
    let g = &v.gaussians;
    for (name, buffer) in [
        ("image", &image.features),
        ("with respect to means", &g.means),
        ("with respect to scales", &g.scales),
        ("with respect to quaternions", &g.quaternions),
        ("with respect to opacities", &g.opacities),
        ("with respect to features", &g.features),
        ("with respect to backgrounds", &v.backgrounds),
        ("with respect to poses", &v.camera_from_world),
    ] {
        if let Some(i) = buffer.iter().position(|x| !x.is_finite()) {
            return Err(format!("{name}[{i}] is {}", buffer[i]).into());
        }
    }
    Ok(())
}

/// Gaussians with a value that is not finite are culled. The remaining Gaussians give the same
/// image and gradients as without the culled ones.
pub fn numbers_that_are_not_finite_are_culled(entry: &Entry) -> Result<(), Failed> {
    let (spoilt, mut without) = (spoilt_by(&HOSTILE[..3]), world());
    without.gaussians.opacities[..15].fill(0.0);
    let (image, v, _) = entry.run(&spoilt, &v_image(), Wanted::ALL)?;
    let (expected, v_expected, _) = entry.run(&without, &v_image(), Wanted::ALL)?;
    let same =
        |name, got, expected: &Vec<f32>| compare(name, got, &widen(expected), 0.0, |_| false);
    same("image", &image.features, &expected.features)?;
    let (g, v_expected) = (&v.gaussians, &v_expected.gaussians);
    same("with respect to means", &g.means, &v_expected.means)?;
    same(
        "with respect to opacities",
        &g.opacities,
        &v_expected.opacities,
    )
}

/// If all Gaussians are culled, the image is the background.
pub fn nothing_is_left(entry: &Entry) -> Result<(), Failed> {
    for x in [f64::NAN, f64::INFINITY] {
        let mut nothing = world();
        nothing.gaussians.means.fill(x);
        let (image, _, _) = entry.run(&nothing, &v_image(), Wanted::ALL)?;
        let backgrounds = (0..24 * 20).flat_map(|_| nothing.backgrounds.clone());
        let expected: Vec<f64> = backgrounds.collect();
        compare("image", &image.features, &expected, 1e-6, |_| false)?;
    }
    Ok(())
}
