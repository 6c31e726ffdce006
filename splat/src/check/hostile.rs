//! Scenes with invalid or extreme values in every buffer of the Gaussians.

use super::compare::{Tolerance, compare};
use super::image::cotangent;
use super::named::crowd;
use super::report::Failure;
use super::run::{Outcome, run_backend};
use super::scene::OwnedScene;
use super::transfer::Transfer;
use crate::camera::Projection;
use crate::gradients::Wanted;
use crate::image::Image;

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

/// No difference at all.
const EXACT: Tolerance = Tolerance::of_largest(0.0);

/// Runs every check with a scene of hostile values.
pub(super) fn all<B: Transfer>(backend: &B) -> [(&'static str, Result<(), Failure>); 4] {
    [
        (
            "huge features stay in their channel",
            huge_features(backend),
        ),
        ("spoilt scenes stay finite", stays_finite(backend)),
        ("values that are not finite are culled", are_culled(backend)),
        (
            "a scene of culled Gaussians is the background",
            nothing_left(backend),
        ),
    ]
}

fn scene() -> OwnedScene {
    crowd(20, 1, 48, [24, 20], Projection::Pinhole)
}

/// Renders a scene with the gradient that belongs to the image of the scene without hostile values.
fn outcome<B: Transfer>(backend: &B, spoilt: &OwnedScene) -> Result<Outcome, Failure> {
    let v_image: Image<Vec<f64>> = cotangent(&scene().oracle()?);
    Ok(run_backend(backend, spoilt, &v_image, Wanted::ALL)?)
}

/// The place in `features` of the element that [`spoilt_by`] sets to value `k`. It is the first
/// channel of Gaussian `5 k + 4`.
fn spoilt_feature(k: usize) -> usize {
    3 * (5 * k + 4)
}

/// Returns the scene with each of `numbers` in five Gaussians. Each of these Gaussians has the
/// number in a different buffer.
fn spoilt_by(numbers: &[f64]) -> OwnedScene {
    let mut scene = scene();
    let g = &mut scene.gaussians;
    for (k, &x) in numbers.iter().enumerate() {
        g.means[3 * (5 * k)] = x;
        g.scales[3 * (5 * k + 1)] = x;
        g.quaternions[4 * (5 * k + 2)] = x;
        g.opacities[5 * k + 3] = x;
        g.features[spoilt_feature(k)] = x;
    }
    scene
}

/// A valid but huge feature changes only its channel of the image, and only the gradients that
/// depend on its value.
fn huge_features<B: Transfer>(backend: &B) -> Result<(), Failure> {
    let spoilt = spoilt_by(&HOSTILE);
    let mut moderate = spoilt.clone();
    for k in 3..HOSTILE.len() {
        moderate.gaussians.features[spoilt_feature(k)] = 0.5;
    }
    let (got, expected) = (outcome(backend, &spoilt)?, outcome(backend, &moderate)?);
    let others = |x: &[f64]| -> Vec<f64> {
        let pixels = x.chunks_exact(3);
        pixels.flat_map(|pixel| [pixel[1], pixel[2]]).collect()
    };
    let (image, right) = (&got.image.features, &expected.image.features);
    compare(
        "other channels",
        &others(image),
        &others(right),
        EXACT,
        |_| false,
    )?;
    if let Some(i) = image.iter().position(|x| !x.is_finite()) {
        let found = format!("image[{i}] of {}", image[i]);
        return Err(Failure::property("finite numbers", found));
    }
    if image == right {
        return Err(Failure::property(
            "the huge features in the image",
            "none of them",
        ));
    }
    let (v, right) = (&got.gradients, &expected.gradients);
    let (features, of_features) = (&v.gaussians.features, &right.gaussians.features);
    compare("features", features, of_features, EXACT, |_| false)?;
    compare(
        "backgrounds",
        &v.backgrounds,
        &right.backgrounds,
        EXACT,
        |_| false,
    )
}

/// If the Gaussians with huge features are transparent, the image and all gradients are finite.
fn stays_finite<B: Transfer>(backend: &B) -> Result<(), Failure> {
    let mut spoilt = spoilt_by(&HOSTILE);
    for k in 3..HOSTILE.len() {
        spoilt.gaussians.opacities[5 * k + 4] = 0.0;
    }
    let got = outcome(backend, &spoilt)?;
    let image = [("image", &got.image.features)];
    for (name, buffer) in image.into_iter().chain(got.gradients.buffers()) {
        if let Some(i) = buffer.iter().position(|x| !x.is_finite()) {
            let found = format!("{name}[{i}] of {}", buffer[i]);
            return Err(Failure::property("finite numbers", found));
        }
    }
    Ok(())
}

/// Gaussians with a value that is not finite are culled. The remaining Gaussians give the same
/// image and gradients as without the culled ones.
fn are_culled<B: Transfer>(backend: &B) -> Result<(), Failure> {
    let (spoilt, mut without) = (spoilt_by(&HOSTILE[..3]), scene());
    without.gaussians.opacities[..15].fill(0.0);
    let (got, expected) = (outcome(backend, &spoilt)?, outcome(backend, &without)?);
    let (image, right) = (&got.image.features, &expected.image.features);
    compare("image", image, right, EXACT, |_| false)?;
    let buffers = got.gradients.buffers().into_iter();
    for ((name, got), (_, expected)) in buffers.zip(expected.gradients.buffers()) {
        compare(name, got, expected, EXACT, |_| false)?;
    }
    Ok(())
}

/// If all Gaussians are culled, the image is the background.
fn nothing_left<B: Transfer>(backend: &B) -> Result<(), Failure> {
    for x in [f64::NAN, f64::INFINITY] {
        let mut nothing = scene();
        nothing.gaussians.means.fill(x);
        let got = outcome(backend, &nothing)?;
        let backgrounds = nothing.backgrounds.iter().map(|&x| backend.round(x));
        let pixel: Vec<f64> = backgrounds.collect();
        let expected = pixel.repeat(nothing.pixels());
        compare("image", &got.image.features, &expected, EXACT, |_| false)?;
        for (name, buffer) in got.gradients.buffers() {
            if name != "backgrounds" {
                let zeros = vec![0.0; buffer.len()];
                compare(name, buffer, &zeros, EXACT, |_| false)?;
            }
        }
        // Every pixel is the background.
        let v_image = cotangent(&scene().oracle()?).features;
        let sum = |c: usize| v_image.iter().skip(c).step_by(3).sum::<f64>();
        let sums = [sum(0), sum(1), sum(2)];
        let rounding = Tolerance::of_largest(1e-4);
        compare(
            "backgrounds",
            &got.gradients.backgrounds,
            &sums,
            rounding,
            |_| false,
        )?;
    }
    Ok(())
}
