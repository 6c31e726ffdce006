//! Renders of ellipses: gradients against differences, culling, and arguments.

use splat::check::{difference, max_difference, max_magnitude, weight};
use splat::ellipses::{
    EllipseScene, Ellipses, EllipsesGradient, Shapes, render_ellipses, render_ellipses_vjp,
};
use splat::{Cpu, Image, Outputs, RenderConfig, RenderError, Wanted};

const COUNT: usize = 7;
const SIZE: [usize; 2] = [19, 15];
const OFFSETS: [usize; 3] = [0, 4, COUNT];

/// Owned buffers: means, shapes, opacities, depths, features, backgrounds.
type Buffers = [Vec<f64>; 6];

/// Wide ellipses of low opacity, which reach `alpha_min` outside the image only.
fn buffers(kind: Shapes) -> Buffers {
    let means = (0..COUNT).flat_map(|i| [9.0 + 4.0 * weight(2 * i), 7.0 + 3.0 * weight(2 * i + 1)]);
    let shapes = (0..COUNT).flat_map(|i| {
        let [xx, yy] = [150.0 + 30.0 * weight(i), 200.0 + 40.0 * weight(i + 3)];
        let xy = 40.0 * weight(i + 5);
        let det = xx * yy - xy * xy;
        match kind {
            Shapes::Covariances => [xx, xy, yy],
            Shapes::Conics => [yy / det, -xy / det, xx / det],
        }
    });
    [
        means.collect(),
        shapes.collect(),
        (0..COUNT).map(|i| 0.3 + 0.1 * weight(i)).collect(),
        (0..COUNT).map(|i| ((5 * i) % COUNT) as f64).collect(),
        (0..3 * COUNT).map(weight).collect(),
        (0..6).map(|i| 0.5 + 0.3 * weight(i)).collect(),
    ]
}

fn scene(buffers: &Buffers, kind: Shapes) -> EllipseScene<'_, &[f64]> {
    let [means, shapes, opacities, depths, features, backgrounds] = buffers;
    EllipseScene {
        ellipses: Ellipses {
            means,
            shapes,
            kind,
            opacities,
            depths,
            features,
            offsets: &OFFSETS,
            channels: 3,
        },
        backgrounds,
        width: SIZE[0],
        height: SIZE[1],
    }
}

fn config() -> RenderConfig {
    RenderConfig::default().with_outputs(Outputs::NONE.with_transmittance(true).with_depth(true))
}

fn ramp(image: &Image<Vec<f64>>) -> Image<Vec<f64>> {
    image.map(|x| (0..x.len()).map(weight).collect())
}

fn gradient(buffers: &Buffers, kind: Shapes) -> (Image<Vec<f64>>, EllipsesGradient<Vec<f64>>) {
    let scene = scene(buffers, kind);
    let (image, saved) = render_ellipses(&Cpu::new(), &scene, &config()).expect("valid");
    let v_image = ramp(&image);
    let v = render_ellipses_vjp(
        &Cpu::new(),
        &scene,
        &saved,
        &v_image.as_slices(),
        Wanted::ALL,
    );
    (image, v.expect("valid"))
}

#[test]
fn gradients_match_differences() {
    for kind in [Shapes::Covariances, Shapes::Conics] {
        let buffers = buffers(kind);
        let (_, v) = gradient(&buffers, kind);
        let parts = [
            v.means,
            v.shapes,
            v.opacities,
            v.depths,
            v.features,
            v.backgrounds,
        ];
        for (part, got) in parts.iter().enumerate() {
            let loss = |x: &[f64]| {
                let mut moved = buffers.clone();
                moved[part] = x.to_vec();
                let scene = scene(&moved, kind);
                let (image, _) = render_ellipses(&Cpu::new(), &scene, &config()).expect("valid");
                let v = ramp(&image);
                let sum = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
                sum(&image.features, &v.features)
                    + sum(&image.transmittance.unwrap(), &v.transmittance.unwrap())
                    + sum(&image.depth.unwrap(), &v.depth.unwrap())
            };
            let x = &buffers[part];
            let size = max_magnitude(x);
            let numeric: Vec<f64> = (0..x.len())
                .map(|i| difference(x, i, 1e-5 * size, loss))
                .collect();
            let off = max_difference(got, &numeric);
            let most = 1e-6 * max_magnitude(&numeric);
            assert!(off <= most, "{kind:?}, buffer {part}: {off:e} of {most:e}");
        }
    }
}

/// An ellipse with a value that cannot be drawn is culled: image and gradients are those without
/// it.
#[test]
fn ellipses_that_cannot_be_drawn_are_culled() {
    for kind in [Shapes::Covariances, Shapes::Conics] {
        let whole = buffers(kind);
        let mut without = whole.clone();
        without[2][1] = 0.0;
        let expected = gradient(&without, kind);
        let spoils: [fn(&mut Buffers); 10] = [
            |b| b[0][2] = f64::NAN,
            |b| b[0][3] = f64::INFINITY,
            |b| b[1][3] = 0.0,
            |b| b[1][3] = -1.0,
            |b| b[1][4] = 1e6,
            |b| b[1][5] = f64::NAN,
            |b| b[2][1] = f64::NAN,
            |b| b[2][1] = -0.3,
            |b| b[3][1] = f64::NEG_INFINITY,
            |b| b[4][5] = f64::NAN,
        ];
        for (i, spoil) in spoils.into_iter().enumerate() {
            let mut spoilt = whole.clone();
            spoil(&mut spoilt);
            assert!(gradient(&spoilt, kind) == expected, "{kind:?}, spoil {i}");
        }
    }
}

#[test]
fn wrong_arguments_are_errors_that_name_them() {
    let whole = buffers(Shapes::Conics);
    let refused = |change: fn(&mut Buffers), part: &str| {
        let mut wrong = whole.clone();
        change(&mut wrong);
        let scene = scene(&wrong, Shapes::Conics);
        let error = render_ellipses(&Cpu::new(), &scene, &config()).expect_err("wrong");
        assert!(error.to_string().contains(part), "{error}");
    };
    refused(|b| b[0].truncate(3), "ellipses.means");
    refused(|b| b[1].truncate(3), "ellipses.shapes");
    refused(|b| b[2].push(0.0), "ellipses.opacities");
    refused(|b| b[3].clear(), "ellipses.depths");
    refused(|b| b[4].clear(), "ellipses.features");
    refused(|b| b[5].clear(), "backgrounds");
    let offset = |offsets: &[usize]| {
        let mut scene = scene(&whole, Shapes::Conics);
        scene.ellipses.offsets = offsets;
        let error = render_ellipses(&Cpu::new(), &scene, &config()).expect_err("wrong");
        assert!(error.to_string().contains("ellipses.offsets"), "{error}");
    };
    offset(&[]);
    offset(&[1, COUNT]);
    offset(&[0, 5, 4]);
    let mut flat = scene(&whole, Shapes::Conics);
    flat.height = 0;
    let error = render_ellipses(&Cpu::new(), &flat, &config()).expect_err("no height");
    assert!(error.to_string().starts_with("height: "), "{error}");
    let mut odd = scene(&whole, Shapes::Conics);
    odd.ellipses.channels = 0;
    render_ellipses(&Cpu::new(), &odd, &config()).expect_err("no channels");
    let valid = scene(&whole, Shapes::Conics);
    let (image, saved) = render_ellipses(&Cpu::new(), &valid, &config()).expect("valid");
    let v_image = ramp(&image);
    let changes: [fn(&mut EllipseScene<'_, &[f64]>); 4] = [
        |scene| scene.ellipses.kind = Shapes::Covariances,
        |scene| (scene.width, scene.height) = (scene.height, scene.width),
        |scene| scene.ellipses.offsets = &[0, 3, COUNT],
        |scene| scene.ellipses.channels = 1,
    ];
    for change in changes {
        let mut other = valid;
        change(&mut other);
        let v = render_ellipses_vjp(
            &Cpu::new(),
            &other,
            &saved,
            &v_image.as_slices(),
            Wanted::ALL,
        );
        assert!(matches!(v, Err(RenderError::Shape { .. })), "{v:?}");
    }
}
