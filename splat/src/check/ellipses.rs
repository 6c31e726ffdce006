//! The checks of renders without a projection.

use super::compare::compare;
use super::expected::{gradient_tolerance, image_tolerance};
use super::image::cotangent;
use super::named::crowd;
use super::report::Failure;
use super::scene::OwnedScene;
use super::transfer::Transfer;
use crate::camera::Projection;
use crate::ellipse::{Ellipses, EllipsesGradient, Shapes};
use crate::gradients::Wanted;
use crate::image::Image;
use crate::planar::{EllipseScene, render_ellipses, render_ellipses_vjp};
use crate::splats::Splats;

/// Image and gradients on the host.
type Outcome = (Vec<f64>, EllipsesGradient<Vec<f64>>);

/// Renders the splats of a scene as ellipses of both kinds.
pub(super) fn all<B: Transfer>(backend: &B) -> Vec<(&'static str, Result<(), Failure>)> {
    vec![
        ("conics", equals(backend, Shapes::Conics)),
        ("covariances", equals(backend, Shapes::Covariances)),
    ]
}

/// The image is that of the scene. The gradients are those of the stages, with the rule of the
/// inverse for covariances.
fn equals<B: Transfer>(backend: &B, kind: Shapes) -> Result<(), Failure> {
    let mut scene = crowd(31, 2, 60, [33, 27], Projection::Pinhole);
    // Wide splats, whose inverses are accurate.
    scene
        .gaussians
        .scales
        .iter_mut()
        .for_each(|scale| *scale = scale.max(0.1));
    let scene = scene.with_rounding(|x| backend.round(x));
    let image = scene.oracle()?;
    let v_image = cotangent(&image).without_layers();
    let reference = crate::backends::cpu::Cpu::<f64>::new();
    let (_, saved) = scene.render()?;
    let splats = saved.splats;
    let shapes = match kind {
        Shapes::Conics => splats.conics.clone(),
        Shapes::Covariances => inverses(&splats.conics),
    };
    let expected = run(&reference, &scene, &splats, &shapes, kind, &v_image)?;
    compare(
        "reference",
        &expected.0,
        &image.features,
        image_tolerance(&reference),
        |_| false,
    )?;
    let got = run(backend, &scene, &splats, &shapes, kind, &v_image)?;
    let band = super::band::boundary_band(&scene, super::band::BAND)?;
    let near = |i: usize| band[i / 3];
    compare(
        "features",
        &got.0,
        &expected.0,
        image_tolerance(backend),
        near,
    )?;
    let (got, expected) = (got.1, expected.1);
    for (name, got, expected) in [
        ("means", &got.means, &expected.means),
        ("shapes", &got.shapes, &expected.shapes),
        ("opacities", &got.opacities, &expected.opacities),
        ("depths", &got.depths, &expected.depths),
        ("features", &got.features, &expected.features),
        ("backgrounds", &got.backgrounds, &expected.backgrounds),
    ] {
        compare(name, got, expected, gradient_tolerance(backend), |_| false)?;
    }
    Ok(())
}

fn run<B: Transfer>(
    backend: &B,
    scene: &OwnedScene,
    splats: &Splats<Vec<f64>>,
    shapes: &[f64],
    kind: Shapes,
    v_image: &Image<Vec<f64>>,
) -> Result<Outcome, Failure> {
    let up = |numbers: &[f64]| backend.upload(numbers);
    let [means, shapes, opacities] = [&splats.means, shapes, &splats.opacities].map(up);
    let [depths, features] = [&splats.depths, &splats.features].map(|x| up(x));
    let (means, shapes, opacities) = (means?, shapes?, opacities?);
    let (depths, features, backgrounds) = (depths?, features?, up(&scene.backgrounds)?);
    let input = EllipseScene {
        ellipses: Ellipses {
            means: B::view(&means),
            shapes: B::view(&shapes),
            kind,
            opacities: B::view(&opacities),
            depths: B::view(&depths),
            features: B::view(&features),
            offsets: &splats.offsets,
            channels: splats.channels,
        },
        backgrounds: B::view(&backgrounds),
        width: scene.views.width,
        height: scene.views.height,
    };
    let (image, saved) = render_ellipses(backend, &input, &scene.config)?;
    let v_image = v_image.try_map(|buffer| backend.upload(buffer))?;
    let wanted = Wanted::ALL.with_statistics(true);
    let v = render_ellipses_vjp(backend, &input, &saved, &v_image.map(B::view), wanted)?;
    let down = |buffer: &B::Buffer| backend.download(buffer);
    let gradient = EllipsesGradient {
        means: down(&v.means)?,
        shapes: down(&v.shapes)?,
        opacities: down(&v.opacities)?,
        depths: down(&v.depths)?,
        features: down(&v.features)?,
        backgrounds: down(&v.backgrounds)?,
        statistics: match &v.statistics {
            Some(statistics) => Some(statistics.try_map(down)?),
            None => None,
        },
    };
    Ok((down(&image.features)?, gradient))
}

/// The inverses of conics. That of a culled splat is zero.
fn inverses(conics: &[f64]) -> Vec<f64> {
    let (rows, _) = conics.as_chunks::<3>();
    let inverse = |&[xx, xy, yy]: &[f64; 3]| {
        let det = xx * yy - xy * xy;
        if det > 0.0 {
            [yy / det, -xy / det, xx / det]
        } else {
            [0.0; 3]
        }
    };
    rows.iter().flat_map(inverse).collect()
}
