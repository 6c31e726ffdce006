//! Errors, with the arguments that they name. Also empty scenes, which are valid.

use burn::backend::Autodiff;
use burn::tensor::backend::Backend;
use burn::tensor::{DType, Tensor};
use burn_dispatch::{Dispatch, DispatchDevice};
use burn_flex::FlexDevice;
use splat::{Camera, Outputs, RenderConfig, Views};
use splat_autodiff::{
    CameraTensors, Error, GaussianTensors, Rendered, render, render_forward,
    render_forward_with_cameras, render_with_cameras,
};

use crate::scene::{Diff, Host, Plain, all_outputs, numbers, ragged, track};

fn host() -> Host<f32> {
    ragged::<f32>(41)
}

fn forward(gaussians: &GaussianTensors<Plain>, views: &Views) -> Result<Rendered<Plain>, Error> {
    render_forward(
        gaussians,
        views,
        host().background(),
        &RenderConfig::default(),
    )
}

fn zeros<const D: usize>(shape: [usize; D]) -> Tensor<Plain, D> {
    Tensor::zeros(shape, &FlexDevice)
}

/// Returns the argument that a shape error names.
fn misshapen(result: Result<Rendered<Plain>, Error>) -> &'static str {
    match result {
        Err(Error::Shape { argument, .. }) => argument,
        other => panic!("not a shape error: {other:?}"),
    }
}

#[test]
fn shapes_that_disagree_are_errors_that_name_the_tensor() {
    let (raw, views) = (host().tensors::<Plain>(), host().views);
    let broken = |change: &dyn Fn(&mut GaussianTensors<Plain>)| {
        let mut gaussians = raw.clone();
        change(&mut gaussians);
        misshapen(forward(&gaussians, &views))
    };
    assert_eq!(broken(&|g| g.means = zeros([12, 4])), "gaussians.means");
    // The scales are the first tensor that disagrees with the new count.
    assert_eq!(broken(&|g| g.means = zeros([11, 3])), "gaussians.scales");
    assert_eq!(broken(&|g| g.scales = zeros([12, 1])), "gaussians.scales");
    assert_eq!(
        broken(&|g| g.quaternions = zeros([12, 3])),
        "gaussians.quaternions"
    );
    assert_eq!(
        broken(&|g| g.opacities = zeros([13])),
        "gaussians.opacities"
    );
    assert_eq!(
        broken(&|g| g.features = zeros([13, 5])),
        "gaussians.features"
    );
    // The features have more channels than the background.
    assert_eq!(broken(&|g| g.features = zeros([12, 6])), "background");
    let with = |cameras| {
        misshapen(render_forward_with_cameras(
            &raw,
            &views,
            host().background(),
            cameras,
            &RenderConfig::default(),
        ))
    };
    let none = CameraTensors::new;
    let poses = none().with_poses(zeros([3, 4, 4]));
    assert_eq!(with(poses), "cameras.poses");
    for shape in [[2, 4], [3, 3], [3, 5]] {
        let intrinsics = none().with_intrinsics(zeros(shape));
        assert_eq!(with(intrinsics), "cameras.intrinsics");
    }
}

/// Intrinsics are settings of the render. A value that no camera may have is an error.
#[test]
fn intrinsics_out_of_their_domain_are_errors_that_name_them() {
    let (gaussians, views) = (host().tensors::<Diff>(), host().views);
    let refused = |view: usize, column: usize, value: f32| {
        let ranges = [view..view + 1, column..column + 1];
        let intrinsics = host().intrinsics::<Diff>().slice_fill(ranges, value);
        let cameras = CameraTensors::new().with_intrinsics(intrinsics);
        let config = RenderConfig::default();
        match render_with_cameras(&gaussians, &views, host().background(), cameras, &config) {
            Err(error @ Error::Value { .. }) => error.to_string(),
            other => panic!("{view}, {column}, {value}: {other:?}"),
        }
    };
    let expected = "cameras.intrinsics: expected a finite number > 0 as fx of view 1, got -2";
    assert_eq!(refused(1, 0, -2.0), expected);
    let expected = "cameras.intrinsics: expected a finite number > 0 as fy of view 0, got 0";
    assert_eq!(refused(0, 1, 0.0), expected);
    let expected = "cameras.intrinsics: expected a finite number as cy of view 2, got NaN";
    assert_eq!(refused(2, 3, f32::NAN), expected);
    for value in [f32::NAN, f32::INFINITY] {
        for column in 0..4 {
            let error = refused(0, column, value);
            assert!(error.starts_with("cameras.intrinsics: "), "{error}");
        }
    }
}

#[test]
fn a_message_tells_what_was_expected() {
    let gaussians = GaussianTensors {
        scales: zeros([12, 1]),
        ..host().tensors()
    };
    let error = forward(&gaussians, &host().views).expect_err("one scale for three axes");
    let expected = "gaussians.scales: expected shape [N, 3] = [12, 3], got [12, 1]";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn element_types_that_disagree_are_errors() {
    let gaussians = GaussianTensors {
        opacities: host().tensors::<Plain>().opacities.cast(DType::F64),
        ..host().tensors()
    };
    match forward(&gaussians, &host().views) {
        Err(Error::DType { argument, .. }) => assert_eq!(argument, "gaussians.opacities"),
        other => panic!("{other:?}"),
    }
    let (poses, intrinsics) = (
        host().poses::<Plain>().cast(DType::F64),
        host().intrinsics::<Plain>().cast(DType::F64),
    );
    let none = CameraTensors::new;
    for (cameras, name) in [
        (none().with_poses(poses), "cameras.poses"),
        (none().with_intrinsics(intrinsics), "cameras.intrinsics"),
    ] {
        let (gaussians, background) = (host().tensors(), host().background());
        let (views, config) = (host().views, RenderConfig::default());
        match render_forward_with_cameras(&gaussians, &views, background, cameras, &config) {
            Err(Error::DType { argument, .. }) => assert_eq!(argument, name),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_splat_refuses_is_passed_on() {
    let (gaussians, views) = (host().tensors::<Plain>(), host().views);
    let refused = |views: &Views, name: &str| match forward(&gaussians, views) {
        Err(Error::Render(error)) => {
            assert!(
                error.to_string().contains(name),
                "{error} does not name {name}"
            );
        }
        other => panic!("{name}: {other:?}"),
    };
    refused(
        &Views {
            width: 0,
            ..views.clone()
        },
        "views.width",
    );
    refused(
        &Views {
            height: 0,
            ..views.clone()
        },
        "views.height",
    );
    refused(
        &Views {
            cameras: Vec::new(),
            ..views.clone()
        },
        "views.cameras",
    );
    let beyond = vec![0..8, 8..8, 3..13];
    refused(
        &Views {
            ranges: beyond,
            ..views.clone()
        },
        "views.ranges",
    );

    let config = RenderConfig::default().with_blur(f64::NAN);
    let result = render_forward(&gaussians, &views, host().background(), &config);
    assert!(matches!(result, Err(Error::Render(_))), "{result:?}");
}

#[test]
fn the_differentiable_entries_refuse_the_same() {
    let gaussians = GaussianTensors {
        scales: Tensor::from_inner(zeros([12, 1])),
        ..track(host().tensors())
    };
    let (views, config) = (host().views, RenderConfig::default());
    let result = render(&gaussians, &views, host().background(), &config);
    assert!(
        matches!(
            result,
            Err(Error::Shape {
                argument: "gaussians.scales",
                ..
            })
        ),
        "{result:?}"
    );
    let gaussians = track(host().tensors());
    let flat = Views {
        width: 0,
        ..views.clone()
    };
    let result = render(&gaussians, &flat, host().background(), &config);
    assert!(matches!(result, Err(Error::Render(_))), "{result:?}");
    let lost = host().poses::<Diff>() * f32::NAN;
    let lost = CameraTensors::new().with_poses(lost);
    let culled = render_with_cameras(&gaussians, &views, host().background(), lost, &config)
        .expect("a pose is never an error");
    let background = render_forward(
        &GaussianTensors {
            opacities: zeros([12]),
            ..host().tensors()
        },
        &views,
        host().background(),
        &config,
    )
    .expect("a valid scene");
    assert_eq!(
        numbers::<_, f32, 4>(culled.features),
        numbers::<_, f32, 4>(background.features)
    );
}

#[test]
fn no_channels_is_an_error() {
    let gaussians = GaussianTensors {
        features: zeros([12, 0]),
        ..host().tensors()
    };
    let result = render_forward(
        &gaussians,
        &host().views,
        zeros([3, 0]),
        &RenderConfig::default(),
    );
    assert_eq!(misshapen(result), "gaussians.features");
    let result = render_forward(
        &gaussians,
        &host().views,
        zeros([3, 0]),
        &RenderConfig::default(),
    );
    let error = result.expect_err("no channels").to_string();
    let expected = "gaussians.features: expected shape [N, C >= 1] = [12, 1], got [12, 0]";
    assert_eq!(error, expected);
}

#[test]
fn a_backend_with_another_graph_is_an_error_that_names_it() {
    let device = DispatchDevice::autodiff(DispatchDevice::Flex(FlexDevice));
    let zeros = |shape| Tensor::<Dispatch, 2>::zeros(shape, &device);
    let gaussians = GaussianTensors {
        means: zeros([1, 3]),
        scales: zeros([1, 3]),
        quaternions: zeros([1, 4]),
        opacities: Tensor::zeros([1], &device),
        features: zeros([1, 3]),
    };
    let views = Views::single(8, 8, Camera::pinhole(8.0, 8.0, 4.0, 4.0), 1);
    let config = RenderConfig::default();
    let name = Dispatch::name(&device);
    match render(&gaussians, &views, zeros([1, 3]), &config) {
        Err(Error::UnsupportedAutodiff { backend }) => assert_eq!(backend, name),
        other => panic!("{other:?}"),
    }
    let poses = Tensor::<Dispatch, 3>::zeros([1, 3, 4], &device);
    let poses = CameraTensors::new().with_poses(poses);
    match render_with_cameras(&gaussians, &views, zeros([1, 3]), poses, &config) {
        Err(error @ Error::UnsupportedAutodiff { .. }) => {
            assert!(error.to_string().contains(&name), "{error}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn second_derivatives_are_an_error() {
    let gaussians = host().tensors::<Autodiff<Diff>>();
    let result = render(
        &gaussians,
        &host().views,
        host().background(),
        &RenderConfig::default(),
    );
    assert!(
        matches!(result, Err(Error::NestedAutodiff { .. })),
        "{result:?}"
    );
}

#[test]
fn no_gaussians_give_the_background_and_its_gradient() {
    let host = host();
    let gaussians = track(GaussianTensors {
        means: Tensor::from_inner(zeros([0, 3])),
        scales: Tensor::from_inner(zeros([0, 3])),
        quaternions: Tensor::from_inner(zeros([0, 4])),
        opacities: Tensor::from_inner(zeros([0])),
        features: Tensor::from_inner(zeros([0, 5])),
    });
    let views = Views {
        ranges: vec![0..0; 3],
        ..host.views.clone()
    };
    let background = host.background().require_grad();
    let image = render(&gaussians, &views, background.clone(), &all_outputs())
        .expect("nothing to see")
        .features;
    assert_eq!(image.dims(), [3, 21, 37, 5]);
    let expected = (0..3).flat_map(|v| host.backgrounds[v * 5..][..5].repeat(21 * 37));
    assert_eq!(
        numbers::<_, f32, 4>(image.clone()),
        expected.collect::<Vec<f32>>()
    );

    let gradients = image.sum().backward();
    let by_background = background.grad(&gradients).expect("tracked");
    assert_eq!(
        numbers::<_, f32, 2>(by_background),
        vec![(21 * 37) as f32; 15]
    );
    let by_means = gaussians.means.grad(&gradients).expect("tracked");
    assert_eq!(by_means.dims(), [0, 3]);
}

#[test]
fn no_views_give_no_images_and_gradients_of_zero() {
    let gaussians = track(host().tensors());
    let views = Views {
        cameras: Vec::new(),
        ranges: Vec::new(),
        ..host().views
    };
    for outputs in [Outputs::default(), all_outputs().outputs] {
        let config = RenderConfig::default().with_outputs(outputs);
        let background = Tensor::zeros([0, 5], &FlexDevice);
        let rendered = render(&gaussians, &views, background, &config).expect("nothing to do");
        assert_eq!(rendered.features.dims(), [0, 21, 37, 5]);
        let gradients = rendered.features.sum().backward();
        let by_means = gaussians.means.grad(&gradients).expect("tracked");
        assert_eq!(numbers::<_, f32, 2>(by_means), vec![0.0; 36]);
    }
}
