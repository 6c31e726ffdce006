//! Wrong arguments are errors that name the argument, on every backend.

use super::image::cotangent;
use super::named::crowd;
use super::report::Failure;
use super::run::run_backend;
use super::scene::OwnedScene;
use super::transfer::Transfer;
use crate::camera::Projection;
use crate::error::RenderError;
use crate::gradients::Wanted;
use crate::image::Image;

/// A name, a part of the argument's path in the error, and a change that makes a valid scene or the
/// gradient with respect to its image invalid.
type Wrong = (
    &'static str,
    &'static str,
    fn(&mut OwnedScene, &mut Image<Vec<f64>>),
);

const WRONG: [Wrong; 14] = [
    ("short means", "gaussians.means", |scene, _| {
        scene.gaussians.means.pop();
    }),
    ("short scales", "gaussians.scales", |scene, _| {
        scene.gaussians.scales.pop();
    }),
    ("long quaternions", "gaussians.quaternions", |scene, _| {
        scene.gaussians.quaternions.push(0.0);
    }),
    ("short opacities", "gaussians.opacities", |scene, _| {
        scene.gaussians.opacities.pop();
    }),
    ("short features", "gaussians.features", |scene, _| {
        scene.gaussians.features.pop();
    }),
    ("no channels", "channels", |scene, _| {
        scene.gaussians.channels = 0;
    }),
    ("short backgrounds", "backgrounds", |scene, _| {
        scene.backgrounds.pop();
    }),
    ("a range beyond the Gaussians", "ranges", |scene, _| {
        scene.views.ranges[0] = 0..99;
    }),
    ("more cameras than ranges", "cameras", |scene, _| {
        scene.views.cameras.push(scene.views.cameras[0]);
    }),
    ("no width", "width", |scene, _| {
        scene.views.width = 0;
    }),
    ("a negative blur", "blur", |scene, _| {
        scene.config.blur = -1.0;
    }),
    (
        "a short gradient of features",
        "v_image.features",
        |_, v| {
            v.features.pop();
        },
    ),
    ("a short gradient of depth", "v_image.depth", |_, v| {
        v.depth = Some(vec![0.0; 3]);
    }),
    ("a gradient of layers", "v_image.layers", |_, v| {
        v.layers = Some(vec![0.0; 3]);
    }),
];

/// Renders with each wrong argument.
pub(super) fn all<B: Transfer>(backend: &B) -> Vec<(&'static str, Result<(), Failure>)> {
    let one = |(name, argument, change): Wrong| (name, refused(backend, argument, change));
    WRONG.into_iter().map(one).collect()
}

fn refused<B: Transfer>(
    backend: &B,
    argument: &str,
    change: fn(&mut OwnedScene, &mut Image<Vec<f64>>),
) -> Result<(), Failure> {
    let mut scene = crowd(22, 1, 4, [8, 8], Projection::Pinhole);
    let mut v_image = cotangent(&scene.oracle()?);
    change(&mut scene, &mut v_image);
    let expected = format!("an error about {argument}");
    match run_backend(backend, &scene, &v_image, Wanted::ALL) {
        Err(
            RenderError::Shape {
                argument: named, ..
            }
            | RenderError::Config {
                argument: named, ..
            },
        ) if named.contains(argument) => Ok(()),
        Err(other) => Err(Failure::property(expected, other.to_string())),
        Ok(_) => Err(Failure::property(expected, "a result")),
    }
}
