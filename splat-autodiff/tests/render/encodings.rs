//! Harmonics, features of splats and raw parameters: outputs and gradients equal those of `splat` bit
//! for bit.

use burn::tensor::Tensor;
use splat::check::weight;
use splat::encoding::{Encoding, Features};
use splat::{Cpu, RenderConfig, Wanted, render, render_vjp};
use splat_autodiff::{CameraTensors, Error, GaussianTensors, Renderer};

use crate::scene::{Diff, Host, Number, numbers, ragged, tensor, track};

/// The encodings, with the number of rows and columns of their features in the scene.
fn encodings() -> [(Encoding, [usize; 2]); 4] {
    let harmonics = Features::Harmonics {
        degree: 2,
        stored: 10,
    };
    [
        (Encoding::RAW, [12, 5]),
        (Encoding::PLAIN.with_features(Features::PerSplat), [17, 5]),
        (Encoding::RAW.with_features(harmonics), [12, 50]),
        (Encoding::PLAIN.with_harmonics(1), [12, 20]),
    ]
}

/// A scene with features of `dims`.
fn scene<T: Number>(encoding: Encoding, dims: [usize; 2]) -> Host<T> {
    let mut host = ragged::<T>(31);
    let g = &mut host.gaussians;
    g.encoding = encoding;
    let numbers = 0..dims[0] * dims[1];
    g.features = numbers.map(|i| T::from_f64(0.4 * weight(i))).collect();
    if encoding.raw {
        g.scales = g
            .scales
            .iter()
            .map(|x| T::from_f64(x.to_f64().ln()))
            .collect();
        let logit = |o: f64| (o / (1.0 - o)).ln();
        g.opacities = g
            .opacities
            .iter()
            .map(|x| T::from_f64(logit(x.to_f64())))
            .collect();
    }
    host
}

fn tensors<T: Number>(host: &Host<T>, dims: [usize; 2]) -> GaussianTensors<Diff> {
    let g = &host.gaussians;
    track(GaussianTensors {
        means: tensor(&g.means, [g.count, 3]),
        scales: tensor(&g.scales, [g.count, 3]),
        quaternions: tensor(&g.quaternions, [g.count, 4]),
        opacities: tensor(&g.opacities, [g.count]),
        features: tensor(&g.features, dims),
    })
}

fn equals<T: Number>() {
    let config = RenderConfig::default();
    for (encoding, dims) in encodings() {
        let host = scene::<T>(encoding, dims);
        let (expected, saved) = render(&Cpu::new(), &host.scene(), &config).expect("valid");
        let v_image = expected.map(|x| (0..x.len()).map(|i| T::from_f64(weight(i))).collect());
        let v_image: splat::Image<Vec<T>> = v_image;
        let v = render_vjp(
            &Cpu::new(),
            &host.scene(),
            &saved,
            &v_image.as_slices(),
            Wanted::ALL,
        )
        .expect("valid");
        let renderer = Renderer::new().with_encoding(encoding);
        let given = tensors(&host, dims);
        let poses = host.poses::<Diff>().require_grad();
        let image = renderer
            .render_with_cameras(
                &given,
                &host.views,
                host.background(),
                CameraTensors::new().with_poses(poses.clone()),
                &config,
            )
            .expect("valid")
            .features;
        assert!(
            numbers::<_, T, 4>(image.clone()) == expected.features,
            "{encoding:?}"
        );
        let weights = tensor::<Diff, T, 4>(&v_image.features, image.dims());
        let gradients = (image * weights).sum().backward();
        let got = |gradient: Option<Tensor<_, 2>>| -> Vec<T> {
            numbers(gradient.expect("a tracked tensor"))
        };
        let g = &v.gaussians;
        assert!(got(given.means.grad(&gradients)) == g.means, "{encoding:?}");
        assert!(
            got(given.scales.grad(&gradients)) == g.scales,
            "{encoding:?}"
        );
        assert!(
            got(given.features.grad(&gradients)) == g.features,
            "{encoding:?}"
        );
        let opacities = given.opacities.grad(&gradients).expect("a tracked tensor");
        assert!(numbers::<_, T, 1>(opacities) == g.opacities, "{encoding:?}");
        let poses = poses.grad(&gradients).expect("a tracked tensor");
        assert!(
            numbers::<_, T, 3>(poses) == v.camera_from_world,
            "{encoding:?}"
        );
    }
}

#[test]
fn every_encoding_has_the_bits_of_splat() {
    equals::<f32>();
    equals::<f64>();
}

#[test]
fn features_of_another_encoding_are_an_error() {
    let host = ragged::<f32>(5);
    let config = RenderConfig::default();
    for (encoding, expected) in [
        (Encoding::PLAIN.with_harmonics(1), "[N, K C] = [12, 20]"),
        (
            Encoding::PLAIN.with_features(Features::PerSplat),
            "[M, C >= 1] = [17, 5]",
        ),
    ] {
        let renderer = Renderer::new().with_encoding(encoding);
        let rendered =
            renderer.render::<Diff>(&host.tensors(), &host.views, host.background(), &config);
        let error = rendered.expect_err("features per Gaussian");
        let said = error.to_string();
        assert!(matches!(error, Error::Shape { .. }), "{said}");
        assert!(
            said.contains("gaussians.features") && said.contains(expected),
            "{said}"
        );
    }
}
