//! The largest scene.

use libtest_mimic::Failed;
use splat::{Projection, Wanted};

use super::Entry;
use super::compare::{compare, widen};
use crate::support::{self, crowd};

/// Renders a view of 2.7 million Gaussians at 64 x 64 pixels. Buffers of 128 MiB hold about this
/// number. Tiles have many hits, and launches have grids of two dimensions.
///
/// The Gaussians are nearly opaque, so that every pixel ends after a few splats. Mesa's software
/// Vulkan device llvmpipe ends the loops of a thread after 65,535 iterations in total.
///
/// The test is slow and runs only with `-- --ignored millions`.
pub fn millions_of_gaussians(entry: &Entry) -> Result<(), Failed> {
    let mut world = crowd(24, 1, 2_700_000, [64, 64], Projection::Pinhole);
    world.gaussians.scales.fill(0.01);
    world.gaussians.opacities.fill(0.98);
    let v_image = splat::Image::from_features(
        (0..3 * 64 * 64)
            .map(|i| support::weight(i) as f32)
            .collect(),
    );
    let start = std::time::Instant::now();
    let (image, v, _) = entry.run(&world, &v_image, Wanted::ALL)?;
    println!("{}: {:.1} s", entry.name, start.elapsed().as_secs_f64());
    let (expected, v_expected, _) = Entry::cpu().run(&world, &v_image, Wanted::ALL)?;
    let features = widen(&expected.features);
    compare("image", &image.features, &features, 1e-3, |_| false)?;
    let backgrounds = widen(&v_expected.backgrounds);
    compare(
        "with respect to backgrounds",
        &v.backgrounds,
        &backgrounds,
        1e-3,
        |_| false,
    )?;
    // A pixel that ends one splat earlier changes these gradients. One element in 1000 can differ.
    for (name, got, expected) in [
        (
            "with respect to means",
            &v.gaussians.means,
            &v_expected.gaussians.means,
        ),
        (
            "with respect to features",
            &v.gaussians.features,
            &v_expected.gaussians.features,
        ),
    ] {
        let expected = widen(expected);
        let largest = support::scale(&expected);
        let pairs = got.iter().zip(&expected);
        // `close` is false for NaN.
        let close = |(a, b): &(&f32, &f64)| (f64::from(**a) - **b).abs() <= 1e-3 * largest;
        let count = pairs.filter(|pair| !close(pair)).count();
        if largest == 0.0 || count > expected.len() / 1000 || got.len() != expected.len() {
            return Err(format!("{name}: {count} of {} differ", expected.len()).into());
        }
    }
    Ok(())
}
