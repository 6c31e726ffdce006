//! The digits that gradients of long and thin splats lose in `f32`, as docs/CONVENTIONS.md states
//! them.

use splat::check::{OwnedScene, Random, cotangent, max_difference, max_magnitude, run_backend};
use splat::{Camera, Cpu, Gaussians, Outputs, Projection, RenderConfig, Views, Wanted};

/// Number of orientations.
const COUNT: u64 = 60;

/// One needle in a random orientation in an image of 256 x 256 px, with numbers of `f32`. Its
/// deviations are `length` and, blur included, about 0.55 px.
fn needle(seed: u64, length: f64) -> OwnedScene {
    let mut random = Random::new(seed);
    let angle = random.between(0.0, std::f64::consts::PI);
    let [x, y] = [(); 2].map(|()| random.between(-30.0, 30.0));
    let [tilt, roll] = [(); 2].map(|()| random.between(-0.05, 0.05));
    let (sin, cos) = (0.5 * angle).sin_cos();
    let gaussians = Gaussians {
        means: vec![x, y, 2.0],
        scales: vec![length, 0.05, 0.065],
        quaternions: vec![cos, tilt, roll, sin],
        opacities: vec![0.8],
        features: vec![0.7],
        count: 1,
        channels: 1,
        encoding: splat::encoding::Encoding::PLAIN,
    };
    let camera = Camera::new(Projection::Orthographic, 1.0, 1.0, 128.0, 128.0);
    let scene = OwnedScene {
        gaussians,
        views: Views::single(256, 256, camera, 1),
        backgrounds: vec![0.1],
        config: RenderConfig::default().with_outputs(Outputs::NONE),
    };
    scene.with_rounding(|x| f64::from(x as f32))
}

/// Returns the median errors of the gradients with respect to scales and quaternions, relative to
/// the largest element of each.
fn medians(length: f64) -> [f64; 2] {
    let mut errors = [Vec::new(), Vec::new()];
    for seed in 0..COUNT {
        let scene = needle(seed, length);
        let v_image = cotangent(&scene.render().expect("a valid scene").0);
        let v_image = v_image.map(|x| x.iter().map(|&x| f64::from(x as f32)).collect());
        let exact = scene.gradients(&v_image).expect("a valid scene").gaussians;
        let got = run_backend(&Cpu::<f32>::new(), &scene, &v_image, Wanted::ALL);
        let got = got.expect("a valid scene").gradients.gaussians;
        let error = |got: &[f64], exact: &[f64]| max_difference(got, exact) / max_magnitude(exact);
        errors[0].push(error(&got.scales, &exact.scales));
        errors[1].push(error(&got.quaternions, &exact.quaternions));
    }
    errors.map(|mut errors| {
        errors.sort_by(f64::total_cmp);
        errors[errors.len() / 2]
    })
}

#[test]
fn gradients_of_needles_lose_as_many_digits_as_the_conventions_say() {
    for (length, [scales, quaternions]) in [
        (10.0, [2e-5, 5e-5]),
        (100.0, [5e-3, 2e-3]),
        (1000.0, [5e-3, 5e-2]),
    ] {
        let [of_scales, of_quaternions] = medians(length);
        println!("{length} px: scales {of_scales:.1e}, quaternions {of_quaternions:.1e}");
        assert!(of_scales <= scales && of_quaternions <= quaternions);
    }
}
