//! The render of ellipses as an operation: bits of `splat`, differences, a second use.

use burn::tensor::activation::sigmoid;
use burn::tensor::{DType, Tensor};
use splat::check::{Random, check_vjp, max_magnitude, weight};
use splat::ellipses::{
    EllipseScene, Ellipses, EllipsesGradient, Shapes, render_ellipses, render_ellipses_vjp,
};
use splat::{Cpu, Image, Outputs, RenderConfig, Wanted};
use splat_autodiff::{EllipseTensors, EllipseViews, Rendered, Renderer, render_ellipses_forward};

use crate::renderer::assert_bounded;
use crate::scene::{Diff, Number, Plain, all_outputs, numbers, rounded, tensor};

const COUNT: usize = 9;
pub(crate) const CHANNELS: usize = 4;
/// Two images show ellipses, and the one between shows none.
const OFFSETS: [usize; 4] = [0, 5, 5, COUNT];
const KINDS: [Shapes; 2] = [Shapes::Covariances, Shapes::Conics];

pub(crate) fn views() -> EllipseViews {
    EllipseViews {
        width: 23,
        height: 17,
        offsets: OFFSETS.to_vec(),
    }
}

/// Means, shapes, opacities, depths, features and backgrounds.
pub(crate) type Buffers<T> = [Vec<T>; 6];

pub(crate) fn buffers<T: Number>(kind: Shapes, seed: u64) -> Buffers<T> {
    let mut random = Random::new(seed);
    let shapes = (0..COUNT).flat_map(|_| {
        let [xx, yy] = [(); 2].map(|()| random.between(4.0, 30.0));
        let xy = random.between(-3.0, 3.0);
        let det = xx * yy - xy * xy;
        match kind {
            Shapes::Covariances => [xx, xy, yy],
            Shapes::Conics => [yy / det, -xy / det, xx / det],
        }
    });
    let shapes: Vec<f64> = shapes.collect();
    let centre = |i: usize, x: f64| {
        if i.is_multiple_of(2) {
            23.0 * x
        } else {
            17.0 * x
        }
    };
    let means = random.several(2 * COUNT, 0.0, 1.0).into_iter().enumerate();
    let means: Vec<f64> = means.map(|(i, x)| centre(i, x)).collect();
    [
        rounded(&means),
        rounded(&shapes),
        rounded(&random.several(COUNT, 0.1, 0.95)),
        rounded(&random.several(COUNT, -1.0, 1.0)),
        rounded(&random.several(COUNT * CHANNELS, -1.0, 1.0)),
        rounded(&random.several(3 * CHANNELS, 0.0, 1.0)),
    ]
}

/// Returns images, gradients and counts of culled ellipses of the direct calls.
fn direct<T: Number>(
    kind: Shapes,
    buffers: &Buffers<T>,
    config: &RenderConfig,
) -> (Image<Vec<T>>, EllipsesGradient<Vec<T>>, Vec<usize>) {
    let [means, shapes, opacities, depths, features, backgrounds] = buffers;
    let scene = EllipseScene {
        ellipses: Ellipses {
            means: &means[..],
            shapes,
            kind,
            opacities,
            depths,
            features,
            offsets: &OFFSETS,
            channels: CHANNELS,
        },
        backgrounds,
        width: 23,
        height: 17,
    };
    let backend = Cpu::<T>::new();
    let (image, saved) = render_ellipses(&backend, &scene, config).expect("a valid scene");
    let v_image = weights(&image).without_layers();
    let v = render_ellipses_vjp(&backend, &scene, &saved, &v_image.as_slices(), Wanted::ALL);
    let culled = saved.splats.culled();
    (image, v.expect("a valid scene"), culled)
}

/// Weights of the elements of an image. The loss is the sum of weight times element.
fn weights<T: Number>(image: &Image<Vec<T>>) -> Image<Vec<T>> {
    image.map(|x| (0..x.len()).map(|i| T::from_f64(weight(i))).collect())
}

/// The tensors of `buffers`, tracked as `tracked` says, and the background.
fn tensors<T: Number>(
    kind: Shapes,
    buffers: &Buffers<T>,
    tracked: [bool; 6],
) -> (EllipseTensors<Diff>, Tensor<Diff, 2>) {
    let [means, shapes, opacities, depths, features, background] = buffers;
    let ellipses = EllipseTensors {
        means: tensor(means, [COUNT, 2]).set_require_grad(tracked[0]),
        shapes: tensor(shapes, [COUNT, 3]).set_require_grad(tracked[1]),
        kind,
        opacities: tensor(opacities, [COUNT]).set_require_grad(tracked[2]),
        depths: tensor(depths, [COUNT]).set_require_grad(tracked[3]),
        features: tensor(features, [COUNT, CHANNELS]).set_require_grad(tracked[4]),
    };
    let background = tensor(background, [3, CHANNELS]).set_require_grad(tracked[5]);
    (ellipses, background)
}

pub(crate) fn plain<T: Number>(
    kind: Shapes,
    buffers: &Buffers<T>,
) -> (EllipseTensors<Plain>, Tensor<Plain, 2>) {
    let (ellipses, background) = tensors(kind, buffers, [false; 6]);
    let ellipses = EllipseTensors {
        means: ellipses.means.inner(),
        shapes: ellipses.shapes.inner(),
        kind,
        opacities: ellipses.opacities.inner(),
        depths: ellipses.depths.inner(),
        features: ellipses.features.inner(),
    };
    (ellipses, background.inner())
}

/// Asserts that two buffers are equal bit for bit, except for the sign of zeros, and not all zero.
fn assert_same<T: Number>(what: &str, got: &[T], expected: &[T]) {
    assert!(got == expected, "{what}: {got:?} is not {expected:?}");
    assert!(expected.iter().any(|&x| x != T::ZERO), "{what}: all zero");
}

fn assert_images<T: Number>(rendered: Rendered<Plain>, expected: &Image<Vec<T>>) {
    assert_eq!(rendered.features.dims(), [3, 17, 23, CHANNELS]);
    assert_same("features", &numbers(rendered.features), &expected.features);
    let plane = |what, got: Option<Tensor<Plain, 3>>, expected: &Option<Vec<T>>| {
        assert_eq!(got.is_some(), expected.is_some(), "{what}");
        if let (Some(got), Some(expected)) = (got, expected) {
            assert_eq!(got.dims(), [3, 17, 23], "{what}");
            assert_same(what, &numbers(got), expected);
        }
    };
    plane(
        "transmittance",
        rendered.transmittance,
        &expected.transmittance,
    );
    plane("depth", rendered.depth, &expected.depth);
    assert_eq!(rendered.layers.is_some(), expected.layers.is_some());
    if let (Some(got), Some(expected)) = (rendered.layers, &expected.layers) {
        assert_eq!(got.dims(), [3, 2, 17, 23, CHANNELS]);
        assert_same("layers", &numbers(got), expected);
    }
}

/// The sum of weight times element, as in [`direct`].
fn loss<T: Number>(rendered: &Rendered<Diff>) -> Tensor<Diff, 1> {
    let ramp = |len: usize| -> Vec<T> { (0..len).map(|i| T::from_f64(weight(i))).collect() };
    let dims = rendered.features.dims();
    let features = tensor(&ramp(dims.iter().product()), dims);
    let mut loss = (rendered.features.clone() * features).sum();
    for plane in [&rendered.transmittance, &rendered.depth] {
        if let Some(plane) = plane.clone() {
            let weights = tensor(&ramp(plane.dims().iter().product()), plane.dims());
            loss = loss + (plane * weights).sum();
        }
    }
    loss
}

/// The gradients with respect to the inputs.
fn gradients<T: Number>(
    renderer: &Renderer,
    kind: Shapes,
    buffers: &Buffers<T>,
    config: &RenderConfig,
    tracked: [bool; 6],
) -> [Option<Vec<T>>; 6] {
    let (e, background) = tensors(kind, buffers, tracked);
    let rendered = renderer.render_ellipses(&e, &views(), background.clone(), config);
    let v = loss::<T>(&rendered.expect("a valid scene")).backward();
    [
        e.means.grad(&v).map(numbers),
        e.shapes.grad(&v).map(numbers),
        e.opacities.grad(&v).map(numbers),
        e.depths.grad(&v).map(numbers),
        e.features.grad(&v).map(numbers),
        background.grad(&v).map(numbers),
    ]
}

fn is_splat<T: Number>() {
    // One renderer for all renders, so that its memory is used again.
    let renderer = Renderer::new();
    for (kind, seed) in KINDS.into_iter().zip([61, 62]) {
        let mut buffers = buffers::<T>(kind, seed);
        // Two ellipses are culled.
        buffers[2][1] = T::ZERO;
        buffers[0][2 * 7] = T::from_f64(f64::NAN);
        for config in [RenderConfig::default(), all_outputs()] {
            let (image, v, culled) = direct(kind, &buffers, &config);
            let (ellipses, background) = plain(kind, &buffers);
            let forward = render_ellipses_forward(&ellipses, &views(), background, &config);
            let forward = forward.expect("a valid scene");
            assert!(culled[0] >= 1 && culled[1] == 0 && culled[2] >= 1);
            assert_eq!(forward.culled.as_ref(), Some(&culled));
            assert_images(forward, &image);
            let names = [
                "means",
                "shapes",
                "opacities",
                "depths",
                "features",
                "background",
            ];
            let expected = [
                v.means,
                v.shapes,
                v.opacities,
                v.depths,
                v.features,
                v.backgrounds,
            ];
            let got = gradients(&renderer, kind, &buffers, &config, [true; 6]);
            for ((name, got), expected) in names.iter().zip(got).zip(&expected) {
                let got = got.expect("a tracked tensor");
                if *name == "depths" && !config.outputs.depth {
                    assert!(got == *expected, "{name}");
                } else {
                    assert_same(name, &got, expected);
                }
            }
        }
    }
    assert!(renderer.bytes() > 0);
}

#[test]
fn images_and_gradients_are_splats_in_single() {
    is_splat::<f32>();
}

#[test]
fn images_and_gradients_are_splats_in_double() {
    is_splat::<f64>();
}

#[test]
fn each_input_alone_has_its_gradient_and_the_others_none() {
    let (kind, config) = (Shapes::Covariances, all_outputs());
    let (buffers, renderer) = (buffers::<f32>(kind, 63), Renderer::new());
    let run = |tracked| gradients(&renderer, kind, &buffers, &config, tracked);
    let all = run([true; 6]);
    for alone in 0..6 {
        let got = run(std::array::from_fn(|i| i == alone));
        for i in 0..6 {
            let expected = all[i].as_ref().filter(|_| i == alone);
            assert_eq!(got[i].as_ref(), expected, "input {i}, tracked {alone}");
        }
        assert!(all[alone].is_some());
    }
}

/// The memory of equal steps does not grow.
#[test]
fn memory_is_bounded() {
    let kind = Shapes::Covariances;
    for config in [RenderConfig::default(), all_outputs()] {
        let (buffers, renderer) = (buffers::<f32>(kind, 64), Renderer::new());
        let step = |_| {
            gradients(&renderer, kind, &buffers, &config, [true; 6]);
            renderer.bytes()
        };
        let sizes: Vec<usize> = (0..60).map(step).collect();
        assert_bounded(&sizes);
    }
}

/// Wide ellipses, for which a pair passes `alpha_min` wherever it changes the loss.
#[test]
fn gradients_through_a_graph_are_finite_differences() {
    const LENGTHS: [usize; 6] = [2 * COUNT, 3 * COUNT, COUNT, COUNT, 2 * COUNT, 6];
    const NAMES: [&str; 6] = [
        "means",
        "shapes",
        "opacities",
        "depths",
        "features",
        "background",
    ];
    let config = RenderConfig::default()
        .with_alpha_min(1e-14)
        .with_transmittance_min(0.0)
        .with_outputs(Outputs::ALL);
    let row = |values: &[f64]| {
        let mut rest = values;
        let leaves = LENGTHS.map(|len| {
            let (head, tail) = rest.split_at(len);
            rest = tail;
            tensor::<Diff, f64, 1>(head, [len]).require_grad()
        });
        let [means, shapes, opacities, depths, features, background] = leaves.clone();
        let centre = tensor::<Diff, f64, 2>(&[11.0, 8.0], [1, 2]);
        let wide = tensor::<Diff, f64, 2>(&[30.0, 0.0, 20.0], [1, 3]);
        let ellipses = EllipseTensors {
            means: means.tanh().reshape([COUNT, 2]) * 8.0 + centre,
            shapes: shapes.tanh().reshape([COUNT, 3]) * 9.0 + wide,
            kind: Shapes::Covariances,
            opacities: sigmoid(opacities),
            depths,
            features: features.reshape([COUNT, 2]),
        };
        let background = background.reshape([3, 2]);
        let rendered = Renderer::new().render_ellipses(&ellipses, &views(), background, &config);
        let rendered = rendered.expect("a valid scene");
        let square = rendered.features.clone().powf_scalar(2.0).sum();
        (leaves, square + loss::<f64>(&rendered))
    };
    let mut random = Random::new(65);
    let start = random.several(LENGTHS.iter().sum(), -1.0, 1.0);
    let (leaves, value) = row(&start);
    assert_eq!(value.dtype(), DType::F64);
    let v = value.backward();
    let v = leaves.map(|leaf| numbers::<_, f64, 1>(leaf.grad(&v).expect("tracked")));
    for (name, v) in NAMES.iter().zip(&v) {
        assert!(
            max_magnitude(v) > 1e-2,
            "{name}: the loss hardly depends on it"
        );
    }
    let names = NAMES.iter().zip(LENGTHS);
    let names: Vec<String> = names
        .map(|(name, len)| vec![*name; len].join(" "))
        .collect();
    let value = |x: &[f64]| numbers::<_, f64, 1>(row(x).1);
    let outcome = check_vjp(&names.join(" "), &start, &[1.0], value, &v.concat());
    assert_eq!(outcome, Ok(()));
}

#[test]
#[should_panic(expected = "Node should have a step registered")]
fn a_second_loss_of_the_same_render_panics() {
    let kind = Shapes::Conics;
    let (ellipses, background) = tensors(kind, &buffers::<f32>(kind, 66), [true; 6]);
    let config = RenderConfig::default();
    let image = splat_autodiff::render_ellipses(&ellipses, &views(), background, &config);
    let image = image.expect("a valid scene").features;
    let (first, second) = (image.clone().sum(), (image * 2.0).sum());
    let gradients = first.backward();
    if ellipses.means.grad(&gradients).is_some() {
        let _again = second.backward();
    }
}
