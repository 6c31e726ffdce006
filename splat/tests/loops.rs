//! Compares the loops that sum gradients with the formulas, and with one Gaussian at a time. There
//! are more Gaussians than a block of lanes or a task holds.

mod support;

use splat::check::{
    Tolerance, compare, cotangent, crowd, directional, front_camera, gradient_row, linear_loss,
    smooth, weight,
};
use splat::formulas::COMPENSATION_FLOOR;
use splat::formulas::{GaussianShape, ProjectConstants, Splat, double};
use splat::formulas::{Sym2, Vec2, Vec3};
use splat::sh::{self, Harmonics};
use splat::{Backend, Camera, Cpu, Gaussians, Projection, RenderConfig, Splats, Views, Wanted};
use support::Valid;

/// More Gaussians than two tasks of 256 hold. The last block of lanes is not full.
const COUNT: usize = 2 * 256 + 64 + 3;

/// Tolerance between sums of the same values in different orders, relative to the greatest value.
const ROUNDING: Tolerance = Tolerance::of_largest(1e-13);

/// Asserts that a gradient equals a sum, relative to the greatest entry.
fn assert_close(name: &str, got: &[f64], expected: &[f64]) {
    let outcome = compare(name, got, expected, ROUNDING, |_| false);
    assert_eq!(outcome, Ok(()));
}

/// Harmonics of degree 3 with `channels` channels of [`COUNT`] Gaussians.
struct Ball {
    means: Vec<f64>,
    coefficients: Vec<f64>,
    v: Vec<f64>,
    channels: usize,
}

impl Ball {
    const STORED: usize = 16;

    fn new(channels: usize) -> Self {
        let numbers = |count: usize, shift: usize| -> Vec<f64> {
            (0..count).map(|i| weight(i + shift)).collect()
        };
        Self {
            means: numbers(3 * COUNT, 0),
            coefficients: numbers(COUNT * Self::STORED * channels, 3),
            v: numbers(COUNT * channels, 5),
            channels,
        }
    }

    fn all(&self) -> Harmonics<'_, f64> {
        Harmonics {
            degree: 3,
            means: &self.means,
            coefficients: &self.coefficients,
            stored: Self::STORED,
            channels: self.channels,
        }
    }

    /// Returns Gaussian `i` alone, and the gradient with respect to its features.
    fn one(&self, i: usize) -> (Harmonics<'_, f64>, &[f64]) {
        let width = Self::STORED * self.channels;
        let harmonics = Harmonics {
            means: &self.means[3 * i..3 * i + 3],
            coefficients: &self.coefficients[width * i..width * (i + 1)],
            ..self.all()
        };
        let v = &self.v[self.channels * i..self.channels * (i + 1)];
        (harmonics, v)
    }
}

/// Returns a camera outside the Gaussians.
fn viewer() -> Camera {
    front_camera(Projection::Pinhole, 40, 30)
}

#[test]
fn gradients_by_harmonics_are_those_of_each_gaussian_and_their_sum_by_the_pose() {
    for channels in [1, 3, 4] {
        let ball = Ball::new(channels);
        let all = sh::features_vjp(ball.all(), &viewer(), &ball.v).expect("valid shapes");
        let (mut means, mut coefficients, mut pose) = (Vec::new(), Vec::new(), [0.0; 12]);
        for i in 0..COUNT {
            let (harmonics, v) = ball.one(i);
            let one = sh::features_vjp(harmonics, &viewer(), v).expect("valid shapes");
            means.extend(one.means);
            coefficients.extend(one.coefficients);
            for (sum, part) in pose.iter_mut().zip(one.camera_from_world.as_flattened()) {
                *sum += part;
            }
        }
        assert_close("means", &all.means, &means);
        assert_close("coefficients", &all.coefficients, &coefficients);
        assert_close("pose", all.camera_from_world.as_flattened(), &pose);
    }
}

/// For a Gaussian with a channel that is not finite, the loop takes another path.
#[test]
fn gradients_beside_a_channel_that_is_not_finite_are_those_without_it() {
    let (with, without) = (Ball::new(3), 2);
    for hostile in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let (mut compared, mut clamped) = (0, 0);
        for i in (0..COUNT).step_by(17) {
            let (harmonics, v) = with.one(i);
            let mut coefficients = harmonics.coefficients.to_vec();
            coefficients[1] = hostile;
            let spoiled = Harmonics {
                coefficients: &coefficients,
                ..harmonics
            };
            let got = sh::features_vjp(spoiled, &viewer(), v).expect("valid shapes");
            let kept = |x: &[f64]| -> Vec<f64> {
                x.chunks_exact(3).flat_map(|row| [row[0], row[2]]).collect()
            };
            let coefficients = kept(harmonics.coefficients);
            let clean = Harmonics {
                coefficients: &coefficients,
                channels: without,
                ..harmonics
            };
            let expected = sh::features_vjp(clean, &viewer(), &kept(v)).expect("valid shapes");
            assert_close(
                "coefficients",
                &kept(&got.coefficients),
                &expected.coefficients,
            );
            assert_close("means", &got.means, &expected.means);
            compared += 1;
            clamped += usize::from(expected.means.iter().all(|&v| v == 0.0));
        }
        assert!(2 * clamped < compared, "{clamped} of {compared} clamped");
    }
}

/// The clamp at zero passes no gradient below zero.
#[test]
fn a_clamped_channel_has_no_gradient_and_leaves_the_others_theirs() {
    let mut below = Ball::new(2);
    for (i, coefficient) in below.coefficients.iter_mut().enumerate() {
        // The constant basis function is 0.28, so the first channel is far below zero.
        let constant = i % (Ball::STORED * 2) == 0;
        *coefficient = if constant { -30.0 } else { 0.1 * *coefficient };
    }
    let got = sh::features_vjp(below.all(), &viewer(), &below.v).expect("valid shapes");
    let channel = |c: usize| got.coefficients.iter().skip(c).step_by(2);
    assert!(channel(0).all(|&v| v == 0.0));
    assert!(channel(1).all(|&v| v != 0.0));
}

/// Returns two views of the same Gaussians with different cameras. Their ranges begin within a
/// task.
fn views() -> Views {
    let [first, second] = [Projection::Pinhole, Projection::Hybrid];
    Views {
        width: 40,
        height: 30,
        cameras: vec![front_camera(first, 40, 30), front_camera(second, 40, 30)],
        ranges: vec![3..COUNT, 70..COUNT - 100],
    }
}

/// Returns Gaussian `i`, and splat `m` of a gradient.
fn pair(
    g: &Gaussians<Vec<f64>>,
    v: &Splats<Vec<f64>>,
    i: usize,
    m: usize,
) -> (GaussianShape<f64>, Splat<f64>) {
    let vec3 = |x: &[f64]| Vec3 {
        x: x[3 * i],
        y: x[3 * i + 1],
        z: x[3 * i + 2],
    };
    let [w, x, y, z] = [0, 1, 2, 3].map(|k| g.quaternions[4 * i + k]);
    let shape = GaussianShape {
        mean: vec3(&g.means),
        scale: vec3(&g.scales),
        quaternion: splat::formulas::Quaternion { w, x, y, z },
        opacity: g.opacities[i],
    };
    let v_splat = Splat {
        mean: Vec2 {
            x: v.means[2 * m],
            y: v.means[2 * m + 1],
        },
        conic: Sym2 {
            xx: v.conics[3 * m],
            xy: v.conics[3 * m + 1],
            yy: v.conics[3 * m + 2],
        },
        opacity: v.opacities[m],
        depth: v.depths[m],
    };
    (shape, v_splat)
}

/// Gradients in the order of the assertions below.
#[derive(Default)]
struct Sums {
    means: Vec<f64>,
    scales: Vec<f64>,
    quaternions: Vec<f64>,
    opacities: Vec<f64>,
    features: Vec<f64>,
    poses: Vec<f64>,
}

/// Sums the results of the formula, one splat at a time.
fn sums(
    g: &Gaussians<Vec<f64>>,
    views: &Views,
    config: &RenderConfig,
    splats: &Splats<Vec<f64>>,
    v: &Splats<Vec<f64>>,
) -> Sums {
    let (n, c) = (g.count, g.channels);
    let constants = ProjectConstants {
        blur: config.blur,
        compensation_floor: COMPENSATION_FLOOR,
        antialias: config.antialias,
    };
    let mut sums = Sums {
        means: vec![0.0; 3 * n],
        scales: vec![0.0; 3 * n],
        quaternions: vec![0.0; 4 * n],
        opacities: vec![0.0; n],
        features: vec![0.0; c * n],
        poses: vec![0.0; 12 * views.len()],
    };
    let add = |to: &mut [f64], part: &[f64]| {
        for (sum, part) in to.iter_mut().zip(part) {
            *sum += part;
        }
    };
    for (view, range) in views.ranges.iter().enumerate() {
        let camera = views.cameras[view].params(views.width, views.height);
        for i in range.clone() {
            let m = splats.offsets[view] + i - range.start;
            add(&mut sums.features[c * i..], &v.features[c * m..c * (m + 1)]);
            if splats.extents[2 * m] <= 0.0 {
                continue;
            }
            let (shape, v_splat) = pair(g, v, i, m);
            let one = double::project::splat_vjp(shape, camera, constants, v_splat);
            let (a, q) = (one.gaussian, one.gaussian.quaternion);
            add(&mut sums.means[3 * i..], &[a.mean.x, a.mean.y, a.mean.z]);
            add(
                &mut sums.scales[3 * i..],
                &[a.scale.x, a.scale.y, a.scale.z],
            );
            add(&mut sums.quaternions[4 * i..], &[q.w, q.x, q.y, q.z]);
            add(&mut sums.opacities[i..], &[a.opacity]);
            let (r, t) = (one.camera.rotation, one.camera.translation);
            let row = |r: Vec3<f64>, t: f64| [r.x, r.y, r.z, t];
            let pose = [row(r.r0, t.x), row(r.r1, t.y), row(r.r2, t.z)].concat();
            add(&mut sums.poses[12 * view..], &pose);
        }
    }
    sums
}

#[test]
fn gradients_by_gaussians_and_poses_are_the_sums_of_the_formula() {
    let world = crowd(3, 1, COUNT, [40, 30], Projection::Pinhole);
    let (mut g, views) = (world.gaussians, views());
    // Too faint to be visible: culled, whatever the gradient with respect to the splat.
    for opacity in g.opacities.iter_mut().step_by(7) {
        *opacity = 1e-3;
    }
    let config = RenderConfig::default();
    let backend = Cpu::<f64>::new();
    let splats = backend
        .project(&g.as_slices(), &views, &config)
        .expect("valid shapes");
    let m = splats.len();
    let culled = splats.extents.chunks_exact(2).filter(|e| e[0] <= 0.0);
    assert!(culled.count() > COUNT / 7, "some splats are culled");
    let numbers = |count: usize, shift: usize| -> Vec<f64> {
        (0..count).map(|i| weight(i + shift)).collect()
    };
    let v = Splats {
        means: numbers(2 * m, 0),
        conics: numbers(3 * m, 1),
        opacities: numbers(m, 2),
        depths: numbers(m, 3),
        features: numbers(m * g.channels, 4),
        ..splats.clone()
    };
    let got = backend
        .project_vjp(
            &g.as_slices(),
            &views,
            &config,
            &splats.as_slices(),
            &v.as_slices(),
            Wanted::ALL,
        )
        .expect("valid shapes");
    let expected = sums(&g, &views, &config, &splats, &v);
    assert_close("means", &got.gaussians.means, &expected.means);
    assert_close("scales", &got.gaussians.scales, &expected.scales);
    assert_close(
        "quaternions",
        &got.gaussians.quaternions,
        &expected.quaternions,
    );
    assert_close("opacities", &got.gaussians.opacities, &expected.opacities);
    assert_close("features", &got.gaussians.features, &expected.features);
    assert_close("poses", &got.camera_from_world, &expected.poses);
}

/// A splat sums its hits in many tiles, and a view sums its background over tiles. The differences
/// are taken along one direction per buffer, because one difference per input would be too slow for
/// so large an image.
#[test]
fn gradients_summed_over_many_tiles_match_differences() {
    let mut scene = crowd(11, 2, 50, [75, 70], Projection::Pinhole);
    scene.gaussians.scales.iter_mut().for_each(|s| *s += 0.2);
    scene.config = smooth(scene.config);
    let v_image = cotangent(&scene.rendered().0);
    let gradient = gradient_row(&scene.vjp(&v_image));
    let x = scene.values();
    let loss = |x: &[f64]| {
        let moved = scene.with_values(x).expect("as many values");
        linear_loss(&moved.rendered().0, &v_image)
    };
    for (name, range) in scene.buffers() {
        let mut direction = vec![0.0; x.len()];
        range.clone().for_each(|i| direction[i] = weight(i));
        let numeric = directional(&x, &direction, 1e-5, loss);
        let terms = || range.clone().map(|i| gradient[i] * weight(i));
        let (got, size) = (terms().sum::<f64>(), terms().map(f64::abs).sum::<f64>());
        // This comparison fails for NaN.
        assert!(
            (got - numeric).abs() <= 1e-7 * size,
            "{name}: expected {numeric}, got {got}, terms {size:e}"
        );
    }
}
