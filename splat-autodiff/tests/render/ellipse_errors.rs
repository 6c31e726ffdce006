//! Wrong arguments of the render of ellipses, and empty scenes, which are valid.

use burn::tensor::{DType, Tensor};
use burn_flex::FlexDevice;
use splat::RenderConfig;
use splat::ellipses::Shapes;
use splat_autodiff::{EllipseTensors, EllipseViews, Error, Renderer, render_ellipses_forward};

use crate::ellipses::{CHANNELS, buffers, plain, views};
use crate::scene::{Diff, Plain, numbers};

/// Returns the message of the error of a render of changed inputs.
fn refused(change: impl Fn(&mut EllipseTensors<Plain>, &mut EllipseViews)) -> String {
    let (mut ellipses, background) = plain(Shapes::Conics, &buffers::<f32>(Shapes::Conics, 67));
    let mut views = views();
    change(&mut ellipses, &mut views);
    let config = RenderConfig::default();
    let result = render_ellipses_forward(&ellipses, &views, background, &config);
    result.expect_err("a wrong argument").to_string()
}

#[test]
fn wrong_arguments_are_errors_that_name_them() {
    fn zeros<const D: usize>(shape: [usize; D]) -> Tensor<Plain, D> {
        Tensor::zeros(shape, &FlexDevice)
    }
    let cases: [(String, &str); 12] = [
        (
            refused(|e, _| e.means = zeros([9, 3])),
            "ellipses.means: expected shape [M, 2] = [9, 2], got [9, 3]",
        ),
        (
            refused(|e, _| e.shapes = zeros([9, 4])),
            "ellipses.shapes: expected shape [M, 3] = [9, 3], got [9, 4]",
        ),
        (
            refused(|e, _| e.opacities = zeros([8])),
            "ellipses.opacities: expected shape [M] = [9], got [8]",
        ),
        (
            refused(|e, _| e.depths = zeros([10])),
            "ellipses.depths: expected shape [M] = [9], got [10]",
        ),
        (
            refused(|e, _| e.features = zeros([9, 0])),
            "ellipses.features: expected shape [M, C >= 1] = [9, 1], got [9, 0]",
        ),
        (
            refused(|e, _| e.features = zeros([9, 5])),
            "background: expected shape [V, C] = [3, 5], got [3, 4]",
        ),
        (
            refused(|_, v| v.offsets = vec![0, 9]),
            "background: expected shape [V, C] = [1, 4], got [3, 4]",
        ),
        (
            refused(|_, v| v.offsets = vec![0, 5, 5, 10]),
            "views.offsets: expected M = 9 as the last offset, the number of ellipses, got 10",
        ),
        (
            refused(|e, _| e.depths = e.depths.clone().cast(DType::F64)),
            "ellipses.depths: expected elements of type F32, as the means, got F64",
        ),
        (refused(|_, v| v.offsets = vec![0, 6, 5, 9]), "offsets"),
        (refused(|_, v| v.offsets = vec![1, 5, 5, 9]), "offsets"),
        (refused(|_, v| v.width = 0), "width"),
    ];
    for (said, expected) in cases {
        let whole = expected.contains("expected");
        assert!(
            said == expected || (!whole && said.contains(expected)),
            "{said}"
        );
    }
}

#[test]
fn no_offsets_are_an_error() {
    let views = EllipseViews {
        offsets: Vec::new(),
        ..views()
    };
    let (ellipses, _) = plain(Shapes::Conics, &buffers::<f32>(Shapes::Conics, 68));
    let background = Tensor::zeros([0, CHANNELS], &FlexDevice);
    let result = render_ellipses_forward(&ellipses, &views, background, &RenderConfig::default());
    let error = result.expect_err("no offsets");
    assert!(matches!(error, Error::Render(_)), "{error}");
    assert!(error.to_string().contains("offsets"), "{error}");
}

/// No ellipses give the background, and no images give no images.
#[test]
fn empty_scenes_are_valid() {
    fn zeros<const D: usize>(shape: [usize; D]) -> Tensor<Diff, D> {
        Tensor::zeros(shape, &FlexDevice)
    }
    let none = EllipseTensors {
        means: zeros([0, 2]).require_grad(),
        shapes: zeros([0, 3]),
        kind: Shapes::Conics,
        opacities: zeros([0]),
        depths: zeros([0]),
        features: zeros([0, 2]),
    };
    for offsets in [vec![0, 0], vec![0]] {
        let views = EllipseViews {
            width: 5,
            height: 4,
            offsets,
        };
        let count = views.len();
        assert_eq!(views.is_empty(), count == 0);
        let background = zeros([count, 2]) + 0.25;
        let config = RenderConfig::default();
        let rendered = Renderer::new().render_ellipses(&none, &views, background, &config);
        let rendered = rendered.expect("nothing to see");
        assert_eq!(rendered.culled, Some(vec![0; count]));
        assert_eq!(rendered.features.dims(), [count, 4, 5, 2]);
        let image: Vec<f32> = numbers(rendered.features.clone());
        assert_eq!(image, vec![0.25; count * 40]);
        let gradients = rendered.features.sum().backward();
        let v = none.means.grad(&gradients).expect("a tracked tensor");
        assert_eq!(v.dims(), [0, 2]);
    }
}
