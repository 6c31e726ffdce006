//! The gradient with respect to the intrinsics, where tangents are clamped.

use splat::check::{
    OwnedScene, PROJECTIONS, cotangent, crowd, difference, linear_loss, max_difference,
    max_magnitude, run_backend,
};
use splat::{Cpu, Projection, Wanted};

/// Returns the number of visible splats whose tangents are clamped.
fn clamped(scene: &OwnedScene) -> usize {
    let splats = scene.render().expect("a valid scene").1.splats;
    let width = scene.views.width as f64;
    let beyond = |view: usize| {
        let (camera, range) = (&scene.views.cameras[view], &scene.views.ranges[view]);
        let limit = [-0.15 * width - camera.cx, 1.15 * width - camera.cx].map(|x| x / camera.fx);
        let splats = &splats;
        let own = move |(row, i): (usize, usize)| {
            let mean = &scene.gaussians.means[3 * i..3 * i + 3];
            let [x, _, z] = camera
                .camera_from_world
                .map(|[a, b, c, shift]| a * mean[0] + b * mean[1] + c * mean[2] + shift);
            let seen = splats.extents[2 * (splats.offsets[view] + row)] > 0.0;
            seen && !(limit[0]..=limit[1]).contains(&(x / z))
        };
        range.clone().enumerate().filter(move |&at| own(at)).count()
    };
    (0..scene.views.len()).map(beyond).sum()
}

/// The gradients with respect to the intrinsics match differences in f64, also for Gaussians beyond
/// the tangent clamp, whose limits move with the intrinsics. Those in f32 are close.
#[test]
fn intrinsics_gradients_match_differences() {
    for projection in PROJECTIONS {
        // Wide Gaussians around a narrow field of view: some are beyond the clamp of the tangents.
        let mut scene = crowd(3, 2, 40, [23, 19], projection);
        for camera in &mut scene.views.cameras {
            (camera.fx, camera.fy) = (8.0 * camera.fx, 8.8 * camera.fy);
        }
        let g = &mut scene.gaussians;
        g.scales.iter_mut().for_each(|scale| *scale += 0.4);
        g.opacities.iter_mut().for_each(|opacity| *opacity *= 0.3);
        // No pixel is near a threshold.
        let config = scene.config.clone().with_alpha_min(1e-12);
        let scene = scene.with_config(config.with_transmittance_min(0.0));
        assert!(projection == Projection::Orthographic || clamped(&scene) > 5);
        let v_image = cotangent(&scene.oracle().expect("a valid scene"));
        let gradients = scene.gradients(&v_image).expect("a valid scene");
        let range = scene.buffers()[7].1.clone();
        let values = scene.values();
        let loss = |x: &[f64]| {
            let moved = scene.with_values(x).expect("as many values");
            linear_loss(&moved.oracle().expect("a valid scene"), &v_image)
        };
        let numeric: Vec<f64> = range.map(|i| difference(&values, i, 2e-3, loss)).collect();
        let most = 1e-6 * max_magnitude(&numeric);
        let off = max_difference(&gradients.intrinsics, &numeric);
        assert!(
            off <= most,
            "{projection:?}: {:?} and {numeric:?}",
            gradients.intrinsics
        );
        let single = run_backend(&Cpu::<f32>::new(), &scene, &v_image, Wanted::ALL);
        let single = single.expect("a valid scene").gradients.intrinsics;
        let off = max_difference(&single, &numeric);
        assert!(
            off <= 1e-4 * max_magnitude(&numeric),
            "{projection:?}: {single:?}"
        );
    }
}
