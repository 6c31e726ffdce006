//! The order of Gaussians along a Morton curve changes a render by rounding alone.

use splat::check::{OwnedScene, Tolerance, compare, cotangent, crowd, run_backend};
use splat::{Cpu, Image, Projection, SpatialOrder, Wanted};

#[test]
fn images_and_gradients_do_not_depend_on_the_order() {
    let mut scene = crowd(3, 1, 700, [61, 47], Projection::Pinhole);
    // Some means are nowhere.
    scene.gaussians.means[3 * 20] = f64::NAN;
    scene.gaussians.means[3 * 333 + 1] = f64::INFINITY;
    let order = SpatialOrder::of(&scene.gaussians.means).expect("whole rows");
    let sorted = order.sort(&scene.gaussians.as_slices()).expect("as many");
    assert_ne!(sorted.opacities, scene.gaussians.opacities);
    let back = order.unsort(&sorted.as_slices()).expect("as many");
    assert_eq!(back.opacities, scene.gaussians.opacities);
    assert_eq!(back.features, scene.gaussians.features);

    let other = OwnedScene {
        gaussians: sorted,
        ..scene.clone()
    };
    let v_image = cotangent(&scene.oracle().expect("a valid scene"));
    let run = |scene| run_backend(&Cpu::<f64>::new(), scene, &v_image, Wanted::ALL);
    let (first, second) = (run(&scene), run(&other));
    let (first, second) = (first.expect("a render"), second.expect("a render"));
    let tolerance = Tolerance::of_largest(1e-12);
    let close = |name: &str, got: &[f64], expected: &[f64]| {
        assert_eq!(compare(name, got, expected, tolerance, |_| false), Ok(()));
    };
    close("features", &second.image.features, &first.image.features);
    for plane in [
        |image: &Image<Vec<f64>>| image.transmittance.clone(),
        |image: &Image<Vec<f64>>| image.depth.clone(),
    ] {
        let planes = [&second.image, &first.image].map(plane);
        let [got, expected] = planes.map(|plane| plane.expect("a wanted output"));
        close("plane", &got, &expected);
    }
    let poses = [&second.gradients, &first.gradients].map(|v| v.camera_from_world.clone());
    close("camera_from_world", &poses[0], &poses[1]);
    let unsorted = order.unsort(&second.gradients.gaussians.as_slices());
    let unsorted = unsorted.expect("as many");
    let pairs = unsorted
        .buffers()
        .into_iter()
        .zip(first.gradients.gaussians.buffers());
    for ((name, got), (_, expected)) in pairs {
        close(name, got, expected);
    }
}

#[test]
fn other_numbers_of_gaussians_are_refused() {
    let scene = crowd(3, 1, 7, [5, 5], Projection::Pinhole);
    let order = SpatialOrder::of(&scene.gaussians.means[3..]).expect("whole rows");
    assert_eq!(order.indices().len(), 6);
    for refused in [
        order.sort(&scene.gaussians.as_slices()),
        order.unsort(&scene.gaussians.as_slices()),
    ] {
        let said = refused.expect_err("one more").to_string();
        assert!(said.contains("gaussians.means"), "{said}");
    }
}
