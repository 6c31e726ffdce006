//! Compares every `_vjp` formula with central differences of its formula, at `f64`, on random
//! inputs.

use proptest::prelude::*;
use splat::check::{PROJECTIONS, check_vjp, front_camera};
use splat::formulas::double::{composite, project, quat, sh, sym2, vec3};
use splat::formulas::{CameraParams, GaussianShape, Moments, ProjectConstants, Splat};
use splat::formulas::{Mat3, Quaternion, Sym2, Vec2, Vec3};
use splat::{Camera, Projection};

/// Compares `vjp`, the gradient of `f(x) . v` with respect to all of `x`, with differences. `names`
/// has one name per input, separated by spaces.
fn passes(
    names: &str,
    x: &[f64],
    v: &[f64],
    f: impl Fn(&[f64]) -> Vec<f64>,
    vjp: &[f64],
) -> Result<(), TestCaseError> {
    let outcome = check_vjp(names, x, v, f, vjp);
    outcome.map_err(|failure| TestCaseError::fail(failure.to_string()))
}

const QUATERNION: &str = "w x y z";
const VECTOR: &str = "x y z";
const MATRIX: &str = "xx xy yy";
const SIGMA: &str = "conic.xx conic.xy conic.yy mean.x mean.y";
/// The inputs of [`unpack`].
const SPLAT: &str = "mean.x mean.y mean.z scale.x scale.y scale.z \
    quaternion.w quaternion.x quaternion.y quaternion.z opacity \
    rotation.r0.x rotation.r0.y rotation.r0.z rotation.r1.x rotation.r1.y rotation.r1.z \
    rotation.r2.x rotation.r2.y rotation.r2.z translation.x translation.y translation.z";

fn vec3_of(x: &[f64]) -> Vec3<f64> {
    Vec3 {
        x: x[0],
        y: x[1],
        z: x[2],
    }
}

fn quaternion_of(x: &[f64]) -> Quaternion<f64> {
    Quaternion {
        w: x[0],
        x: x[1],
        y: x[2],
        z: x[3],
    }
}

fn mat3_of(x: &[f64]) -> Mat3<f64> {
    Mat3 {
        r0: vec3_of(&x[0..]),
        r1: vec3_of(&x[3..]),
        r2: vec3_of(&x[6..]),
    }
}

fn sym2_of(x: &[f64]) -> Sym2<f64> {
    Sym2 {
        xx: x[0],
        xy: x[1],
        yy: x[2],
    }
}

fn row3(v: Vec3<f64>) -> [f64; 3] {
    [v.x, v.y, v.z]
}

fn row4(q: Quaternion<f64>) -> [f64; 4] {
    [q.w, q.x, q.y, q.z]
}

fn row9(m: Mat3<f64>) -> Vec<f64> {
    [row3(m.r0), row3(m.r1), row3(m.r2)].concat()
}

fn numbers<const N: usize>() -> impl Strategy<Value = [f64; N]> {
    prop::array::uniform(-1.0f64..1.0)
}

/// Vectors away from zero, where a quaternion or a direction is undefined.
fn long<const N: usize>() -> impl Strategy<Value = [f64; N]> {
    numbers::<N>().prop_filter("longer than 0.3", |x| {
        x.iter().map(|x| x * x).sum::<f64>() > 0.09
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn normalise_vjp_matches_differences(q in long::<4>(), v in numbers::<4>()) {
        let vjp = row4(quat::normalise_vjp(quaternion_of(&q), quaternion_of(&v)));
        passes(QUATERNION, &q, &v, |q| row4(quat::normalise(quaternion_of(q))).to_vec(), &vjp)?;
    }

    #[test]
    fn rotation_vjp_matches_differences(q in numbers::<4>(), v in numbers::<9>()) {
        let vjp = row4(quat::rotation_vjp(quaternion_of(&q), mat3_of(&v)));
        passes(QUATERNION, &q, &v, |q| row9(quat::rotation(quaternion_of(q))), &vjp)?;
    }

    #[test]
    fn unit_vjp_matches_differences(a in long::<3>(), v in numbers::<3>()) {
        let vjp = row3(vec3::unit_vjp(vec3_of(&a), vec3_of(&v)));
        passes(VECTOR, &a, &v, |a| row3(vec3::unit(vec3_of(a))).to_vec(), &vjp)?;
    }

    #[test]
    fn inverse_vjp_matches_differences(root in numbers::<3>(), v in numbers::<3>()) {
        // A covariance with eigenvalues of at least 0.3, as after the blur.
        let m = [root[0] * root[0] + 0.3, root[0] * root[1], root[1] * root[1] + root[2] * root[2] + 0.3];
        let f = |m: &[f64]| {
            let k = sym2::inverse(sym2_of(m), m[0] * m[2] - m[1] * m[1]);
            vec![k.xx, k.xy, k.yy]
        };
        let k = f(&m);
        let vjp = sym2::inverse_vjp(sym2_of(&k), sym2_of(&v));
        passes(MATRIX, &m, &v, f, &[vjp.xx, vjp.xy, vjp.yy])?;
    }

    #[test]
    fn sigma_vjp_matches_differences(x in numbers::<5>(), v in -1.0f64..1.0) {
        // `x` is the conic (3) and the mean (2). The pixel is at the origin.
        let offset = |x: &[f64]| Vec2 { x: -x[3], y: -x[4] };
        let f = |x: &[f64]| vec![composite::sigma(sym2_of(x), offset(x))];
        let g = composite::sigma_vjp(sym2_of(&x), composite::add_moments(Moments::default(), offset(&x), v));
        passes(SIGMA, &x, &[v], f, &[g.conic.xx, g.conic.xy, g.conic.yy, g.mean.x, g.mean.y])?;
    }

    #[test]
    fn moments_of_two_pixels_give_the_sum_of_their_gradients(k in numbers::<3>(), at in numbers::<4>(), v in numbers::<2>()) {
        let pixels = [Vec2 { x: at[0], y: at[1] }, Vec2 { x: at[2], y: at[3] }];
        let gradient = |pixels: &[(Vec2<f64>, f64)]| {
            let sum = pixels.iter().fold(Moments::default(), |sum, &(d, v)| composite::add_moments(sum, d, v));
            let g = composite::sigma_vjp(sym2_of(&k), sum);
            [g.mean.x, g.mean.y, g.conic.xx, g.conic.xy, g.conic.yy, sum.one]
        };
        let both = gradient(&[(pixels[0], v[0]), (pixels[1], v[1])]);
        let (first, second) = (gradient(&[(pixels[0], v[0])]), gradient(&[(pixels[1], v[1])]));
        for i in 0..6 {
            prop_assert!((both[i] - first[i] - second[i]).abs() <= 1e-12);
        }
    }

    #[test]
    fn alpha_vjp_matches_differences(opacity in 0.05f64..1.0, sigma in 0.0f64..4.0, v in -1.0f64..1.0, max in 0.2f64..0.99) {
        prop_assume!((opacity * (-sigma).exp() - max).abs() > 1e-2);
        let f = |x: &[f64]| vec![composite::alpha(x[0], (-x[1]).exp(), max)];
        let v_sigma = composite::alpha_vjp(opacity, (-sigma).exp(), max, v);
        passes("opacity sigma", &[opacity, sigma], &[v], f, &[composite::opacity_vjp(opacity, v_sigma), v_sigma])?;
    }

    #[test]
    fn weight_vjp_matches_differences(alpha in 0.01f64..0.9, t in 0.01f64..1.0, v_weight in -1.0f64..1.0, v_rest in -1.0f64..1.0) {
        // The pixel is the weight of this splat times `v_weight`, plus the transmittance behind the
        // splat times `v_rest`.
        let f = |x: &[f64]| vec![composite::weight(x[0], t) * v_weight + composite::behind(t, x[0]) * v_rest];
        passes("alpha", &[alpha], &[1.0], f, &[composite::weight_vjp(t, v_weight, v_rest)])?;
        // The gradient with respect to the transmittance in front of the splat.
        let f = |x: &[f64]| vec![composite::weight(alpha, x[0]) * v_weight + composite::behind(x[0], alpha) * v_rest];
        passes("transmittance", &[t], &[1.0], f, &[composite::rest(alpha, v_weight, v_rest)])?;
    }

    #[test]
    fn walking_back_undoes_walking_forward(alpha in 0.0f64..0.99, t in 0.01f64..1.0) {
        let back = composite::in_front(composite::behind(t, alpha), alpha);
        prop_assert!((back - t).abs() <= 1e-15 * t / (1.0 - alpha));
    }

    #[test]
    fn sh_term_vjp_matches_differences(k in 0u32..25, d in numbers::<3>(), v in -1.0f64..1.0) {
        let vjp = row3(sh::sh_term_vjp(k, vec3_of(&d), v));
        passes(VECTOR, &d, &[v], |d| vec![sh::sh_term(k, vec3_of(d))], &vjp)?;
    }

    #[test]
    fn splat_vjp_matches_differences(
        mean in numbers::<3>(),
        scales in prop::array::uniform3(0.05f64..0.8),
        q in long::<4>(),
        opacity in 0.1f64..1.0,
        tilt in numbers::<3>(),
        projection in prop::sample::select(PROJECTIONS.to_vec()),
        antialias in any::<bool>(),
        // The floor of the renderer, and a floor that about half of the splats are below.
        floor in prop::sample::select(vec![splat::formulas::COMPENSATION_FLOOR, 0.8]),
        v in numbers::<7>(),
    ) {
        let unit = quat::normalise(Quaternion { w: 2.0, x: tilt[0], y: tilt[1], z: tilt[2] });
        let pose = row9(quat::rotation(unit));
        let x = [mean.to_vec(), scales.to_vec(), q.to_vec(), vec![opacity], pose, vec![0.2, -0.1, 3.0]].concat();
        let camera = front_camera(projection, 40, 30);
        prop_assume!(away_from_tangent_clamp(&x, camera));
        let constants = ProjectConstants { blur: 0.3, compensation_floor: floor, antialias };
        let v_splat = splat_of(&v);
        let (shape, params) = unpack(&x, camera);
        let f = project::footprint(shape, params, constants);
        prop_assume!((f.det_sharp / f.det - floor).abs() > 0.01);

        let (f, vjp) = of_splat(&x, camera, constants, v_splat);
        passes(SPLAT, &x, &v, f, &vjp)?;
    }
}

/// Returns the splat as a function of its inputs, and the gradient with respect to these inputs.
fn of_splat(
    x: &[f64],
    camera: Camera,
    constants: ProjectConstants<f64>,
    v_splat: Splat<f64>,
) -> (impl Fn(&[f64]) -> Vec<f64>, Vec<f64>) {
    let (shape, params) = unpack(x, camera);
    let g = project::splat_vjp(shape, params, constants, v_splat);
    let vjp = [
        row3(g.gaussian.mean).to_vec(),
        row3(g.gaussian.scale).to_vec(),
        row4(g.gaussian.quaternion).to_vec(),
        vec![g.gaussian.opacity],
        row9(g.camera.rotation),
        row3(g.camera.translation).to_vec(),
    ];
    let f = move |x: &[f64]| {
        let (shape, params) = unpack(x, camera);
        let s = project::splat(
            shape,
            project::footprint(shape, params, constants),
            params,
            constants,
        );
        vec![
            s.mean.x, s.mean.y, s.conic.xx, s.conic.xy, s.conic.yy, s.opacity, s.depth,
        ]
    };
    (f, vjp.concat())
}

fn splat_of(v: &[f64]) -> Splat<f64> {
    Splat {
        mean: Vec2 { x: v[0], y: v[1] },
        conic: sym2_of(&v[2..]),
        opacity: v[5],
        depth: v[6],
    }
}

/// Splits a row into a Gaussian (11 values) and a pose (9 + 3 values).
fn unpack(x: &[f64], camera: Camera) -> (GaussianShape<f64>, CameraParams<f64>) {
    let shape = GaussianShape {
        mean: vec3_of(x),
        scale: vec3_of(&x[3..]),
        quaternion: quaternion_of(&x[6..]),
        opacity: x[10],
    };
    let row = |i: usize| [x[11 + 3 * i], x[12 + 3 * i], x[13 + 3 * i], x[20 + i]];
    let pose = [row(0), row(1), row(2)];
    (shape, camera.with_pose(pose).params(40, 30))
}

/// Returns whether no difference step can cross the clamp of the tangents, where the derivative
/// jumps.
fn away_from_tangent_clamp(x: &[f64], camera: Camera) -> bool {
    let (shape, params) = unpack(x, camera);
    let centre = vec3::add3(vec3::apply(params.rotation, shape.mean), params.translation);
    let clear = |tangent: f64, low: f64, high: f64| {
        (tangent - low).abs() > 0.01 && (tangent - high).abs() > 0.01
    };
    camera.projection == Projection::Orthographic
        || clear(centre.x / centre.z, params.tan_x_min, params.tan_x_max)
            && clear(centre.y / centre.z, params.tan_y_min, params.tan_y_max)
}

/// Returns the message of a comparison, which must have failed.
fn failure(outcome: Result<(), TestCaseError>) -> String {
    match outcome {
        Ok(()) => panic!("a wrong vjp passed"),
        Err(error) => error.to_string(),
    }
}

/// An error in the gradient with respect to any single input of the projection is detected, and its
/// input is named. The error is 1e-5 of the gradient, and at least 1e-6.
#[test]
fn comparison_rejects_a_wrong_gradient_by_any_input_of_a_splat() {
    let v = [0.9, -0.7, 0.5, -0.6, 0.8, 0.4, -0.3];
    let constants = ProjectConstants {
        blur: 0.3,
        compensation_floor: splat::formulas::COMPENSATION_FLOOR,
        antialias: true,
    };
    let unit = quat::normalise(Quaternion {
        w: 2.0,
        x: 0.3,
        y: -0.2,
        z: 0.4,
    });
    let x = [
        vec![0.2, -0.3, 0.1, 0.3, 0.1, 0.2, 0.8, 0.3, -0.4, 0.2, 0.7],
        row9(quat::rotation(unit)),
        vec![0.2, -0.1, 3.0],
    ]
    .concat();
    for projection in PROJECTIONS {
        let camera = front_camera(projection, 40, 30);
        let (f, vjp) = of_splat(&x, camera, constants, splat_of(&v));
        assert!(passes(SPLAT, &x, &v, &f, &vjp).is_ok(), "{projection:?}");
        for (i, name) in SPLAT.split(' ').enumerate() {
            for sign in [1.0, -1.0] {
                let mut wrong = vjp.clone();
                wrong[i] += sign * (1e-5 * wrong[i]).abs().max(1e-6);
                let said = failure(passes(SPLAT, &x, &v, &f, &wrong));
                assert!(
                    said.contains(&format!("{name}[{i}]: ")),
                    "{projection:?}: {said}"
                );
            }
        }
    }
}
