//! A Gaussian's projection, harmonics and gradients are bitwise independent of its lane and of the
//! other Gaussians. The projection is also independent of the instruction set.

mod support;

use splat::check::{Rounded, crowd, weight};
use splat::sh::{self, Harmonics};
use splat::{Backend, Camera, Cpu, Gaussians, Projection, Simd, Splats, Views, Wanted};

/// More Gaussians than two tasks hold, and not a multiple of any number of lanes.
const COUNT: usize = 601;

/// Returns a scene with three views, whose ranges overlap and are unaligned, and one empty view.
/// Some Gaussians have invalid values.
fn scene() -> (Rounded<f32>, Views) {
    let world = crowd(11, 4, COUNT, [37, 53], Projection::Pinhole);
    let mut scene = world.rounded::<f32>();
    scene.gaussians.features[3 * 17 + 1] = f32::NAN;
    scene.gaussians.features[3 * 18] = f32::INFINITY;
    scene.gaussians.quaternions[4 * 40..4 * 41].fill(0.0);
    scene.gaussians.means[3 * 99] = f32::NEG_INFINITY;
    scene.gaussians.scales[3 * 300] = f32::NAN;
    let views = Views {
        ranges: vec![0..COUNT, 37..590, 250..250, 255..263],
        ..world.views
    };
    (scene, views)
}

fn v_splats(splats: &Splats<Vec<f32>>, first: usize) -> Splats<Vec<f32>> {
    let fill = |len: usize, width: usize| (0..len).map(move |i| weight(first * width + i) as f32);
    Splats {
        means: fill(splats.means.len(), 2).collect(),
        conics: fill(splats.conics.len(), 3).collect(),
        opacities: fill(splats.opacities.len(), 1).collect(),
        depths: fill(splats.depths.len(), 1).collect(),
        features: fill(splats.features.len(), 3).collect(),
        half_features: None,
        extents: Vec::new(),
        ..splats.clone()
    }
}

/// Returns the geometry and features of Gaussian `i` in one row.
fn row(g: &Gaussians<Vec<f32>>, i: usize) -> Vec<f32> {
    let part = |x: &[f32], width: usize| x[width * i..width * (i + 1)].to_vec();
    [
        part(&g.means, 3),
        part(&g.scales, 3),
        part(&g.quaternions, 4),
        part(&g.opacities, 1),
        part(&g.features, 3),
    ]
    .concat()
}

#[test]
fn a_projection_depends_on_nothing_but_its_gaussian_and_camera() {
    let (scene, views) = scene();
    let g = scene.scene().gaussians;
    let config = splat::RenderConfig::default();
    let wanted = Wanted::ALL;
    for simd in Simd::ALL.into_iter().filter(|simd| simd.is_available()) {
        let backend = Cpu::<f32>::new().with_simd(simd);
        let splats = backend.project(&g, &views, &config).expect("valid shapes");
        let v = v_splats(&splats, 0);
        let (seen, v) = (splats.as_slices(), v.as_slices());
        let together = backend.project_vjp(&g, &views, &config, &seen, &v, wanted);
        let together = together.expect("valid shapes").gaussians;
        let mut sums = vec![vec![0.0f32; 14]; g.count];
        let portable = Cpu::<f32>::new().with_simd(Simd::Portable);
        for (view, range) in views.ranges.iter().enumerate() {
            for i in range.clone() {
                let m = splats.offsets[view] + i - range.start;
                let alone = Views {
                    cameras: vec![views.cameras[view]],
                    ranges: std::iter::once(i..i + 1).collect(),
                    ..views
                };
                let one = portable.project(&g, &alone, &config).expect("valid shapes");
                assert_eq!(one.means, splats.means[2 * m..2 * m + 2]);
                assert_eq!(one.conics, splats.conics[3 * m..3 * m + 3]);
                assert_eq!(one.opacities, splats.opacities[m..=m]);
                assert_eq!(one.depths, splats.depths[m..=m]);
                assert_eq!(one.features, splats.features[3 * m..3 * m + 3]);
                assert_eq!(one.extents, splats.extents[2 * m..2 * m + 2]);
                let v = v_splats(&one, m);
                let (one, v) = (one.as_slices(), v.as_slices());
                let v = portable.project_vjp(&g, &alone, &config, &one, &v, wanted);
                let v = row(&v.expect("valid shapes").gaussians, i);
                sums[i].iter_mut().zip(v).for_each(|(sum, v)| *sum += v);
            }
        }
        for (i, sum) in sums.iter().enumerate() {
            assert_eq!(&row(&together, i), sum, "Gaussian {i}, {}", simd.name());
        }
        let culled = splats.culled();
        assert!(culled[0] >= 5 && culled[0] < COUNT / 2, "{culled:?}");
    }
}

#[test]
fn harmonics_depend_on_nothing_but_their_gaussian_and_channel() {
    let (scene, _) = scene();
    let camera = Camera::pinhole(30.0, 30.0, 18.5, 26.5);
    let means = &scene.gaussians.means[..3 * COUNT];
    let (degree, stored, channels) = (3, 17, 3);
    let width = stored * channels;
    let mut coefficients: Vec<f32> = (0..COUNT * width).map(|i| weight(i) as f32).collect();
    coefficients[70 * width + 4 * channels + 1] = f32::INFINITY;
    coefficients[71 * width + 2] = f32::NAN;
    let v: Vec<f32> = (0..COUNT * channels)
        .map(|i| weight(i + 5) as f32)
        .collect();
    let all = Harmonics {
        degree,
        means,
        coefficients: &coefficients,
        stored,
        channels,
    };
    let features = sh::features(all, &camera).expect("valid shapes");
    let gradient = sh::features_vjp(all, &camera, &v).expect("valid shapes");
    let bits = |x: &[f32]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    let mut clamped = 0;
    for i in 0..COUNT {
        let block = &coefficients[i * width..][..width];
        let mean = &means[3 * i..3 * i + 3];
        let alone = Harmonics {
            means: mean,
            coefficients: block,
            ..all
        };
        let one = sh::features(alone, &camera).expect("valid shapes");
        assert_eq!(bits(&one), bits(&features[channels * i..][..channels]));
        let v = &v[channels * i..][..channels];
        let g = sh::features_vjp(alone, &camera, v).expect("valid shapes");
        assert_eq!(g.means, gradient.means[3 * i..3 * i + 3]);
        assert_eq!(g.coefficients, gradient.coefficients[i * width..][..width]);
        // A channel's gradient with respect to coefficients does not depend on other channels.
        for channel in 0..channels {
            let of_channel =
                |x: &[f32]| x.iter().skip(channel).step_by(channels).copied().collect();
            let block: Vec<f32> = of_channel(block);
            let alone = Harmonics {
                means: mean,
                coefficients: &block,
                channels: 1,
                ..all
            };
            let one = sh::features_vjp(alone, &camera, &v[channel..=channel]);
            let one = one.expect("valid shapes").coefficients;
            assert_eq!(
                one,
                of_channel(&g.coefficients),
                "Gaussian {i}, channel {channel}"
            );
            clamped += usize::from(one[0] == 0.0);
        }
    }
    assert!(
        clamped > COUNT / 8 && clamped < 2 * COUNT,
        "{clamped} clamped"
    );
}
