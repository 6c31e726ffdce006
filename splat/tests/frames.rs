//! Renders without gradients into memory of the caller have the bits of other renders.

use splat::check::{OwnedScene, crowd};
use splat::encoding::Encoding;
use splat::pack::{self, Alpha, TransferFunction};
use splat::stages::ImageSize;
use splat::{Cpu, CpuScalar, Outputs, Projection, RenderConfig, RenderError, Simd, render};

fn world() -> OwnedScene {
    let mut scene = crowd(9, 2, 700, [70, 45], Projection::Pinhole);
    scene.views.ranges = vec![0..900, 300..1400];
    scene
}

fn same_bits<T: CpuScalar>() {
    let world = world();
    let rounded = world.rounded::<T>();
    let scene = rounded.scene();
    for simd in Simd::ALL.into_iter().filter(|simd| simd.is_available()) {
        let backend = Cpu::<T>::new().with_simd(simd);
        let config = RenderConfig::default();
        let (image, saved) = render(&backend, &scene, &config).expect("a valid scene");
        // Outputs and layers are not computed, and change nothing.
        let more = config
            .clone()
            .with_outputs(Outputs::ALL)
            .with_layers(vec![5]);
        let mut features = vec![T::from_f64(f64::NAN); image.features.len()];
        for config in [&config, &more, &config] {
            let visible = backend.render_into(&scene, config, &mut features);
            let bits = |x: &[T]| x.iter().map(|x| x.to_f64().to_bits()).collect::<Vec<_>>();
            assert!(bits(&features) == bits(&image.features), "{}", simd.name());
            let culled: usize = saved.splats.culled().iter().sum();
            assert_eq!(visible.expect("a valid scene"), 2000 - culled);
            features.fill(T::from_f64(f64::NAN));
        }
    }
}

#[test]
fn frames_have_the_bits_of_a_render() {
    same_bits::<f32>();
    same_bits::<f64>();
}

#[test]
fn bytes_are_those_of_the_image() {
    let world = world();
    let rounded = world.rounded::<f32>();
    let (scene, backend) = (rounded.scene(), Cpu::<f32>::new());
    let config = RenderConfig::default().with_outputs(Outputs::NONE.with_transmittance(true));
    let (image, _) = render(&backend, &scene, &config).expect("a valid scene");
    let size = ImageSize {
        views: 2,
        height: 45,
        width: 70,
    };
    for transfer in [TransferFunction::Linear, TransferFunction::Srgb] {
        for alpha in [Alpha::Opaque, Alpha::Transmittance] {
            let expected = pack::rgba8(&image.as_slices(), size, transfer, alpha);
            let mut bytes = vec![7; 2 * 45 * 70 * 4];
            let config = RenderConfig::default();
            let visible = backend.render_rgba8_into(&scene, &config, transfer, alpha, &mut bytes);
            assert!(visible.expect("a valid scene") > 100);
            assert!(
                bytes == expected.expect("a valid image"),
                "{transfer:?} {alpha:?}"
            );
        }
    }
}

#[test]
fn the_fourth_channel_can_be_alpha() {
    let mut world = world();
    let g = &mut world.gaussians;
    g.channels = 4;
    g.features = (0..4 * g.count).map(|i| (i % 9) as f64 / 8.0).collect();
    world.backgrounds = vec![0.2, 0.4, 0.6, 0.8, 0.1, 0.3, 0.5, 0.7];
    let rounded = world.rounded::<f32>();
    let (backend, config) = (Cpu::<f32>::new(), RenderConfig::default());
    let (image, _) = render(&backend, &rounded.scene(), &config).expect("a valid scene");
    let size = ImageSize {
        views: 2,
        height: 45,
        width: 70,
    };
    let (transfer, alpha) = (TransferFunction::Linear, Alpha::Channel);
    let expected = pack::rgba8(&image.as_slices(), size, transfer, alpha);
    let mut bytes = vec![7; 2 * 45 * 70 * 4];
    let drawn = backend.render_rgba8_into(&rounded.scene(), &config, transfer, alpha, &mut bytes);
    drawn.expect("a valid scene");
    assert!(bytes == expected.expect("a valid image"));
}

#[test]
fn a_scene_behind_the_camera_is_reported() {
    let mut world = world();
    for z in world.gaussians.means.iter_mut().skip(2).step_by(3) {
        *z -= 100.0;
    }
    let rounded = world.rounded::<f32>();
    let mut features = vec![0.0; 2 * 45 * 70 * 3];
    let visible = Cpu::<f32>::new().render_into(&rounded.scene(), &world.config, &mut features);
    assert_eq!(visible.expect("a valid scene"), 0);
    let views = features
        .chunks(45 * 70 * 3)
        .zip(rounded.backgrounds.chunks(3));
    for (image, background) in views {
        assert!(image.chunks(3).all(|pixel| pixel == background));
    }
}

#[test]
fn wrong_lengths_and_channels_are_named() {
    let named = |outcome: Result<usize, RenderError>, expected: &str| match outcome {
        Err(RenderError::Shape { argument, .. }) => assert_eq!(argument, expected),
        other => panic!("{other:?} is no error about {expected}"),
    };
    let world = world();
    let rounded = world.rounded::<f32>();
    let (mut scene, backend, config) = (rounded.scene(), Cpu::<f32>::new(), &world.config);
    let mut short = vec![0.0; 2 * 45 * 70 * 3 - 1];
    named(backend.render_into(&scene, config, &mut short), "features");
    let (transfer, mut bytes) = (TransferFunction::Srgb, vec![0; 2 * 45 * 70 * 4]);
    let draw = |scene: &_, alpha, bytes: &mut [u8]| {
        backend.render_rgba8_into(scene, config, transfer, alpha, bytes)
    };
    named(draw(&scene, Alpha::Opaque, &mut bytes[1..]), "bytes");
    named(
        draw(&scene, Alpha::Channel, &mut bytes),
        "gaussians.channels",
    );
    scene.gaussians.encoding = Encoding::PLAIN.with_harmonics(1);
    named(
        draw(&scene, Alpha::Opaque, &mut bytes),
        "gaussians.features",
    );
}
