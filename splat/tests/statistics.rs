//! The statistics of a render against their definition: sums over the gradients of single pixels.

use splat::check::{OwnedScene, cotangent, crowd, max_difference};
use splat::formulas::{Sym2, Vec2, single};
use splat::stages::Statistics;
use splat::{
    Cpu, Gradients, Image, Projection, RenderError, Simd, TileSize, Wanted, render, render_vjp,
};

const WANTED: Wanted = Wanted::NONE.with_splats(true).with_statistics(true);

/// The images have four such tiles, so that splats have several hits.
const TILE: TileSize = TileSize::Px8;

/// Two views that share Gaussians. One Gaussian is invalid, and others are opaque.
fn shared() -> OwnedScene {
    let mut scene = crowd(5, 2, 12, [13, 11], Projection::Pinhole);
    scene.views.ranges = vec![0..18, 6..24];
    scene.gaussians.means[3 * 7] = f64::NAN;
    for n in [8, 9, 10] {
        scene.gaussians.opacities[n] = 1.0;
    }
    scene
}

fn gradients(
    backend: &Cpu<f64>,
    scene: &OwnedScene,
    v_image: &Image<Vec<f64>>,
) -> Result<Gradients<Vec<f64>>, RenderError> {
    let (_, saved) = render(backend, &scene.scene(), &scene.config)?;
    render_vjp(
        backend,
        &scene.scene(),
        &saved,
        &v_image.as_slices(),
        WANTED,
    )
}

/// Returns the gradient of one pixel, counted over all views, and zeros elsewhere.
fn only(v_image: &Image<Vec<f64>>, pixel: usize, channels: usize) -> Image<Vec<f64>> {
    let keep = |buffer: &Vec<f64>, width: usize| {
        let mut one = vec![0.0; buffer.len()];
        let range = pixel * width..(pixel + 1) * width;
        one[range.clone()].copy_from_slice(&buffer[range]);
        one
    };
    Image::from_features(keep(&v_image.features, channels))
        .with_transmittance(v_image.transmittance.as_ref().map(|x| keep(x, 1)))
        .with_depth(v_image.depth.as_ref().map(|x| keep(x, 1)))
}

/// The statistics of the splats, computed from one vjp per pixel.
#[derive(Default)]
struct Sums {
    absolute_means: Vec<f64>,
    largest_weights: Vec<f64>,
    total_weights: Vec<f64>,
}

fn sums_over_pixels(
    backend: &Cpu<f64>,
    scene: &OwnedScene,
    v_image: &Image<Vec<f64>>,
) -> Result<Sums, RenderError> {
    let channels = scene.gaussians.channels;
    let splats = scene.views.ranges.iter().map(ExactSizeIterator::len).sum();
    let mut sums = Sums {
        absolute_means: vec![0.0; 2 * splats],
        largest_weights: vec![0.0; splats],
        total_weights: vec![0.0; splats],
    };
    for pixel in 0..scene.pixels() {
        let of_pixel = gradients(backend, scene, &only(v_image, pixel, channels))?;
        let v = of_pixel.splats.expect("a wanted gradient");
        for (sum, v) in sums.absolute_means.iter_mut().zip(&v.means) {
            *sum += v.abs();
        }
        // A gradient of one with respect to the first channel of a pixel makes the gradient with
        // respect to the first feature of a splat its weight in that pixel.
        let mut ones = vec![0.0; v_image.features.len()];
        ones[pixel * channels] = 1.0;
        let v = gradients(backend, scene, &Image::from_features(ones))?.splats;
        let v = v.expect("a wanted gradient");
        for (m, weight) in v.features.iter().step_by(channels).enumerate() {
            sums.total_weights[m] += weight;
            sums.largest_weights[m] = sums.largest_weights[m].max(*weight);
        }
    }
    Ok(sums)
}

/// Checks the statistics by Gaussian against those by splat.
fn check_gaussians(scene: &OwnedScene, got: &Statistics<Vec<f64>>, v_means: &[f64]) {
    let (_, saved) = scene.render().expect("a valid scene");
    let count = scene.gaussians.count;
    let mut expected = vec![[0.0_f64; 6]; count];
    for (view, range) in scene.views.ranges.iter().enumerate() {
        for (i, n) in range.clone().enumerate() {
            let m = saved.splats.offsets[view] + i;
            let pair = |x: &[f64]| [x[2 * m], x[2 * m + 1]];
            let extent = pair(&saved.splats.extents);
            if extent == [0.0; 2] {
                continue;
            }
            let of = &got.splats;
            let length = |[x, y]: [f64; 2]| x.hypot(y);
            let row = &mut expected[n];
            row[0] += 1.0;
            row[1] = row[1].max(extent[0]).max(extent[1]);
            row[2] = row[2].max(of.largest_weights[m]);
            row[3] += of.total_weights[m];
            row[4] += length(pair(v_means));
            row[5] += length(pair(&of.absolute_means));
        }
    }
    assert!(
        expected.iter().any(|row| row[0] == 2.0),
        "no Gaussian is in both views"
    );
    assert!(
        expected.iter().any(|row| row[0] == 0.0),
        "no Gaussian is culled"
    );
    for (k, (name, got)) in got.buffers().into_iter().enumerate() {
        let expected: Vec<f64> = expected.iter().map(|row| row[k]).collect();
        let difference = max_difference(got, &expected);
        assert!(difference < 1e-12, "{name}: {difference}");
    }
}

#[test]
fn statistics_are_sums_over_pixels_and_views() {
    let scene = shared();
    let v_image = cotangent(&scene.render().expect("a valid scene").0).without_layers();
    for simd in Simd::ALL.into_iter().filter(|simd| simd.is_available()) {
        let backend = Cpu::<f64>::new().with_simd(simd).with_tile(TILE);
        let v = gradients(&backend, &scene, &v_image).expect("a valid scene");
        let (got, v_splats) = (v.statistics.expect("wanted"), v.splats.expect("wanted"));
        let expected = sums_over_pixels(&backend, &scene, &v_image).expect("a valid scene");
        for (name, got, expected) in [
            (
                "absolute means",
                &got.splats.absolute_means,
                &expected.absolute_means,
            ),
            (
                "largest weights",
                &got.splats.largest_weights,
                &expected.largest_weights,
            ),
            (
                "total weights",
                &got.splats.total_weights,
                &expected.total_weights,
            ),
        ] {
            let difference = max_difference(got, expected);
            let largest = expected.iter().fold(0.0f64, |m, x| m.max(*x));
            assert!(
                difference < 1e-12 * largest,
                "{name}: {difference} of {largest}"
            );
        }
        let cancelled = v_splats.means.iter().zip(&got.splats.absolute_means);
        assert!(
            cancelled
                .filter(|(sum, absolute)| sum.abs() < 0.9 * **absolute)
                .count()
                > 10,
            "the gradients of the pixels must have both signs"
        );
        check_gaussians(&scene, &got, &v_splats.means);
    }
}

#[test]
fn weights_of_all_splats_and_the_rest_fill_every_pixel() {
    let scene = shared();
    let (image, _) = scene.render().expect("a valid scene");
    let v_image = cotangent(&image).without_layers();
    let v = gradients(&Cpu::new(), &scene, &v_image).expect("a valid scene");
    let weights = v.statistics.expect("wanted").splats.total_weights;
    let rest: f64 = image.transmittance.expect("all outputs").iter().sum();
    let pixels = scene.pixels() as f64;
    let filled = weights.iter().sum::<f64>() + rest;
    assert!(
        (filled - pixels).abs() < 1e-10 * pixels,
        "{filled} of {pixels}"
    );
}

/// Lanes in which a pair does not count have a `v_sigma` of zero, and no part in the sums.
#[test]
fn a_pair_that_does_not_count_adds_nothing_beside_the_steepest_conic() {
    let conic = Sym2 {
        xx: 2e38_f32,
        xy: -1e38,
        yy: 2e38,
    };
    let v_mean = single::composite::mean_vjp(conic, Vec2 { x: 3.0, y: -3.0 }, 0.0);
    assert_eq!([v_mean.x, v_mean.y], [0.0; 2]);
}
