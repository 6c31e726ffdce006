//! Wrong arguments are errors that name the argument, on every backend.

use super::image::cotangent;
use super::named::crowd;
use super::report::Failure;
use super::run::run_backend;
use super::scene::OwnedScene;
use super::transfer::Transfer;
use crate::camera::Projection;
use crate::encoding::{Encoding, Features};
use crate::error::RenderError;
use crate::gaussians::Gaussians;
use crate::gradients::Wanted;
use crate::image::Image;
use crate::render::{Scene, render, render_vjp};

/// A name, a part of the argument's path in the error, and a change that makes a valid scene or the
/// gradient with respect to its image invalid.
type Wrong = (
    &'static str,
    &'static str,
    fn(&mut OwnedScene, &mut Image<Vec<f64>>),
);

const WRONG: [Wrong; 18] = [
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
    ("harmonics of degree 5", "degree", |scene, _| {
        scene.gaussians.encoding = Encoding::PLAIN.with_harmonics(5);
    }),
    ("too few harmonics", "stored", |scene, _| {
        let (degree, stored) = (2, 8);
        scene.gaussians.encoding.features = Features::Harmonics { degree, stored };
    }),
    (
        "features taken for harmonics",
        "gaussians.features",
        |scene, _| {
            scene.gaussians.encoding = Encoding::PLAIN.with_harmonics(1);
        },
    ),
    (
        "features of fewer splats",
        "gaussians.features",
        |scene, _| {
            scene.gaussians.encoding.features = Features::PerSplat;
            scene.gaussians.features.pop();
        },
    ),
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

/// A name, a part of the argument's path in the error, and a change of a scene after its forward
/// pass.
type Changed = (&'static str, &'static str, fn(&mut OwnedScene));

/// Changes after which the saved state does not belong to the scene.
const CHANGED: [Changed; 12] = [
    ("another camera", "views.cameras", |scene| {
        let camera = &mut scene.views.cameras[1];
        *camera = camera.moved([1e-6, 0.0, 0.0, 0.0, 0.0, 0.0]);
    }),
    ("another focal length", "views.cameras", |scene| {
        scene.views.cameras[0].fx *= 1.5;
    }),
    ("another projection", "views.cameras", |scene| {
        scene.views.cameras[0].projection = Projection::Hybrid;
    }),
    ("another depth range", "views.cameras", |scene| {
        scene.views.cameras[0].near *= 2.0;
    }),
    ("cameras in another order", "views.cameras", |scene| {
        scene.views.cameras.swap(0, 1);
    }),
    ("another part of the image", "views.cameras", |scene| {
        scene.views.cameras[0].whole = Some([30, 30]);
    }),
    ("another size", "scene.views", |scene| {
        (scene.views.width, scene.views.height) = (scene.views.height, scene.views.width);
    }),
    ("fewer views", "scene.views", |scene| {
        scene.views.cameras.pop();
        scene.views.ranges.pop();
    }),
    ("other ranges", "views.ranges", |scene| {
        scene.views.ranges.swap(0, 1);
    }),
    ("raw parameters", "gaussians.encoding", |scene| {
        scene.gaussians.encoding.raw = true;
    }),
    ("features of splats", "gaussians.encoding", |scene| {
        scene.gaussians.encoding.features = Features::PerSplat;
    }),
    ("more Gaussians", "scene.gaussians", |scene| {
        let g = &mut scene.gaussians;
        g.count += 1;
        g.means.extend([0.0; 3]);
        g.scales.extend([0.1; 3]);
        g.quaternions.extend([1.0, 0.0, 0.0, 0.0]);
        g.opacities.push(0.5);
        g.features.extend([0.0; 3]);
    }),
];

/// Renders with each wrong argument.
pub(super) fn all<B: Transfer>(backend: &B) -> Vec<(&'static str, Result<(), Failure>)> {
    let one = |(name, argument, change): Wrong| (name, refused(backend, argument, change));
    let changed = |(name, argument, change): Changed| {
        let outcome = saved_is_refused(backend, argument, change);
        (name, outcome)
    };
    let wrong = WRONG.into_iter().map(one);
    wrong.chain(CHANGED.into_iter().map(changed)).collect()
}

/// Renders a scene, changes it, and asks for gradients with the state of the first scene.
fn saved_is_refused<B: Transfer>(
    backend: &B,
    argument: &str,
    change: fn(&mut OwnedScene),
) -> Result<(), Failure> {
    let mut scene = crowd(23, 2, 4, [9, 8], Projection::Pinhole);
    let v_image = cotangent(&scene.oracle()?).try_map(|buffer| backend.upload(buffer))?;
    let first = uploaded(backend, &scene)?;
    let (_, saved) = render(backend, &first.scene(&scene), &scene.config)?;
    change(&mut scene);
    let second = uploaded(backend, &scene)?;
    let wanted = Wanted::ALL;
    let v_image = v_image.map(B::view);
    let outcome = render_vjp(backend, &second.scene(&scene), &saved, &v_image, wanted);
    named(argument, outcome.map(|_| ()))
}

/// The buffers of a scene on a backend.
struct Uploaded<B: Transfer> {
    gaussians: Gaussians<B::Buffer>,
    backgrounds: B::Buffer,
}

fn uploaded<B: Transfer>(backend: &B, scene: &OwnedScene) -> Result<Uploaded<B>, Failure> {
    Ok(Uploaded {
        gaussians: scene.gaussians.try_map(|buffer| backend.upload(buffer))?,
        backgrounds: backend.upload(&scene.backgrounds)?,
    })
}

impl<B: Transfer> Uploaded<B> {
    fn scene<'a>(&'a self, scene: &'a OwnedScene) -> Scene<'a, B::View<'a>> {
        Scene {
            gaussians: self.gaussians.map(B::view),
            views: &scene.views,
            backgrounds: B::view(&self.backgrounds),
        }
    }
}

fn refused<B: Transfer>(
    backend: &B,
    argument: &str,
    change: fn(&mut OwnedScene, &mut Image<Vec<f64>>),
) -> Result<(), Failure> {
    let mut scene = crowd(22, 1, 4, [8, 8], Projection::Pinhole);
    let mut v_image = cotangent(&scene.oracle()?);
    change(&mut scene, &mut v_image);
    let outcome = run_backend(backend, &scene, &v_image, Wanted::ALL);
    named(argument, outcome.map(|_| ()))
}

/// Checks that an outcome is an error about `argument`.
fn named(argument: &str, outcome: Result<(), RenderError>) -> Result<(), Failure> {
    let expected = format!("an error about {argument}");
    match outcome {
        Err(
            RenderError::Shape {
                argument: named, ..
            }
            | RenderError::Config {
                argument: named, ..
            },
        ) if named.contains(argument) => Ok(()),
        Err(other) => Err(Failure::property(expected, other.to_string())),
        Ok(()) => Err(Failure::property(expected, "a result")),
    }
}
