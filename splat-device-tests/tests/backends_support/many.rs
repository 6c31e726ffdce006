//! The largest scene.

use libtest_mimic::Failed;
use splat::check::{Tolerance, compare, cotangent, crowd, max_magnitude};
use splat::{Image, Projection, Wanted};

use super::Entry;

/// Renders a view of 2.7 million Gaussians at 64 x 64 pixels. Buffers of 128 MiB hold about this
/// number. Tiles have many hits, and launches have grids of two dimensions.
///
/// The Gaussians are nearly opaque, so that every pixel ends after a few splats. Mesa's software
/// Vulkan device llvmpipe ends the loops of a thread after 65,535 iterations in total.
///
/// The test is slow and runs only with `-- --ignored millions`.
pub fn millions_of_gaussians(entry: &Entry) -> Result<(), Failed> {
    let mut scene = crowd(24, 1, 2_700_000, [64, 64], Projection::Pinhole);
    scene.gaussians.scales.fill(0.01);
    scene.gaussians.opacities.fill(0.98);
    let image = Image::from_features(vec![0.0; 3 * 64 * 64]);
    let v_image = cotangent(&image);
    let start = std::time::Instant::now();
    let got = entry.run(&scene, &v_image, Wanted::ALL)?;
    println!("{}: {:.1} s", entry.name, start.elapsed().as_secs_f64());
    let expected = Entry::cpu().run(&scene, &v_image, Wanted::ALL)?;
    let tolerance = Tolerance::of_largest(1e-3).with_floor(1e-3);
    let (features, right) = (&got.image.features, &expected.image.features);
    compare("image", features, right, tolerance, |_| false)?;
    let (v, right) = (&got.gradients, &expected.gradients);
    compare(
        "backgrounds",
        &v.backgrounds,
        &right.backgrounds,
        tolerance,
        |_| false,
    )?;
    // A pixel that ends one splat earlier changes these gradients. One element in 1000 can differ.
    for (name, got, expected) in [
        ("means", &v.gaussians.means, &right.gaussians.means),
        ("features", &v.gaussians.features, &right.gaussians.features),
    ] {
        let largest = max_magnitude(expected);
        let pairs = got.iter().zip(expected);
        // `close` is false for NaN.
        let close = |(a, b): &(&f64, &f64)| (**a - **b).abs() <= 1e-3 * largest;
        let count = pairs.filter(|pair| !close(pair)).count();
        if largest == 0.0 || count > expected.len() / 1000 || got.len() != expected.len() {
            return Err(format!("{name}: {count} of {} differ", expected.len()).into());
        }
    }
    Ok(())
}
