//! Options that change how a render is computed, but not its result: vector instructions, tile
//! sizes, reused memory, and (except for rounding) the storage of features.

mod support;

use splat::check::{OwnedScene, Rounded, crowd, max_difference, max_magnitude, weight};
use splat::{
    Cpu, CpuScalar, Gradients, Image, Projection, RenderConfig, Simd, TileSize, Wanted, Workspace,
    render, render_vjp,
};

/// Returns the gradient of a loss that depends on every output.
fn v_image<T: CpuScalar>(image: &Image<Vec<T>>) -> Image<Vec<T>> {
    let ramp = |x: &Vec<T>| (0..x.len()).map(|i| T::from_f64(weight(i))).collect();
    image.map(ramp).without_layers()
}

fn both_ways<T: CpuScalar>(
    backend: &Cpu<T>,
    rounded: &Rounded<T>,
    config: &RenderConfig,
) -> (Image<Vec<T>>, Gradients<Vec<T>>) {
    let (image, saved) = render(backend, &rounded.scene(), config).expect("a valid scene");
    let v = v_image(&image);
    let gradients = render_vjp(
        backend,
        &rounded.scene(),
        &saved,
        &v.as_slices(),
        Wanted::ALL,
    );
    (image, gradients.expect("a valid scene"))
}

fn buffers<T: CpuScalar>(
    (image, gradients): &(Image<Vec<T>>, Gradients<Vec<T>>),
) -> Vec<(&'static str, &[T])> {
    let image_buffers = [
        ("image", Some(&image.features)),
        ("image transmittance", image.transmittance.as_ref()),
        ("image depth", image.depth.as_ref()),
        ("image layers", image.layers.as_ref()),
    ];
    let image_buffers = image_buffers
        .into_iter()
        .filter_map(|(name, b)| Some((name, b?.as_slice())));
    image_buffers
        .chain(gradients.buffers().map(|(name, b)| (name, b.as_slice())))
        .collect()
}

/// Returns the greatest difference of two buffers, relative to the greatest magnitude of the first.
fn relative<T: CpuScalar>(a: &[T], b: &[T]) -> f64 {
    assert_eq!(a.len(), b.len());
    let wide = |x: &[T]| x.iter().map(|x| x.to_f64()).collect::<Vec<f64>>();
    max_difference(&wide(a), &wide(b)) / max_magnitude(&wide(a)).max(1e-30)
}

fn config() -> RenderConfig {
    RenderConfig::default()
        .with_outputs(splat::Outputs::ALL)
        .with_layers(vec![0, 40, usize::MAX])
}

/// Returns a scene with few splats in each of several views, and a scene with many splats in one
/// view.
fn few_and_many() -> [OwnedScene; 2] {
    [
        crowd(5, 4, 60, [50, 41], Projection::Pinhole),
        crowd(6, 1, 900, [131, 77], Projection::Hybrid),
    ]
}

#[test]
fn every_instruction_set_gives_the_same_image_but_for_rounding() {
    for world in few_and_many() {
        let single = world.rounded::<f32>();
        let double = world.rounded::<f64>();
        let config = config();
        let exact = both_ways(
            &Cpu::<f64>::new().with_simd(Simd::Portable),
            &double,
            &config,
        );
        let first = both_ways(
            &Cpu::<f32>::new().with_simd(Simd::Portable),
            &single,
            &config,
        );
        for simd in Simd::ALL.into_iter().filter(|simd| simd.is_available()) {
            let other = both_ways(&Cpu::<f64>::new().with_simd(simd), &double, &config);
            for ((name, a), (_, b)) in buffers(&exact).into_iter().zip(buffers(&other)) {
                let e = relative(a, b);
                assert!(e <= 1e-12, "f64 {name} on {}: {e:e}", simd.name());
            }
            let other = both_ways(&Cpu::<f32>::new().with_simd(simd), &single, &config);
            for ((name, a), (_, b)) in buffers(&first).into_iter().zip(buffers(&other)) {
                let e = relative(a, b);
                assert!(e <= 1e-5, "f32 {name} on {}: {e:e}", simd.name());
            }
        }
    }
}

/// The saved state has the blocks of pixels in which each splat was composited, whose shape depends
/// on the instruction set.
#[test]
fn the_state_of_one_instruction_set_serves_the_backward_pass_of_another() {
    for world in few_and_many().into_iter().chain(few_and_many().map(opaque)) {
        let rounded = world.rounded::<f64>();
        let scene = rounded.scene();
        let available = || Simd::ALL.into_iter().filter(|simd| simd.is_available());
        for simd in available() {
            let backend = Cpu::<f64>::new().with_simd(simd);
            let (image, saved) = render(&backend, &scene, &config()).expect("valid scene");
            let v = v_image(&image);
            let vjp = |simd| {
                let backend = Cpu::<f64>::new().with_simd(simd);
                render_vjp(&backend, &scene, &saved, &v.as_slices(), Wanted::ALL)
                    .expect("valid state")
            };
            let own = vjp(simd);
            for other in available() {
                let vjp = vjp(other);
                for ((name, a), (_, b)) in own.buffers().into_iter().zip(vjp.buffers()) {
                    let e = relative(a, b);
                    let names = (other.name(), simd.name());
                    assert!(e <= 1e-12, "{name}, {} after {}: {e:e}", names.0, names.1);
                }
            }
        }
    }
}

#[test]
fn an_instruction_set_of_another_machine_is_refused() {
    let world = crowd(5, 1, 3, [8, 8], Projection::Pinhole);
    let rounded = world.rounded::<f32>();
    for simd in Simd::ALL.into_iter().filter(|simd| !simd.is_available()) {
        let backend = Cpu::new().with_simd(simd);
        let error = render(&backend, &rounded.scene(), &world.config)
            .map(|_| ())
            .unwrap_err();
        assert!(error.to_string().contains(simd.name()), "{error}");
    }
}

/// Makes the Gaussians opaque and wide, so that pixels end before the last hit.
fn opaque(mut world: OwnedScene) -> OwnedScene {
    world.gaussians.opacities.fill(0.95);
    world.gaussians.scales.iter_mut().for_each(|s| *s *= 4.0);
    world
}

#[test]
fn tiles_of_all_sizes_have_the_same_images_and_gradients() {
    for world in few_and_many().into_iter().chain(few_and_many().map(opaque)) {
        let rounded = world.rounded::<f64>();
        let run = |tile| both_ways(&Cpu::new().with_tile(tile), &rounded, &config());
        let expected = run(TileSize::Px32);
        for tile in [TileSize::Px8, TileSize::Px16, TileSize::Px32x16] {
            for ((name, a), (_, b)) in buffers(&expected).into_iter().zip(buffers(&run(tile))) {
                let e = relative(a, b);
                assert!(e <= 1e-12, "{name} by {tile:?}: {e:e}");
            }
        }
    }
}

#[test]
fn reused_memory_changes_no_bit() {
    let workspace = Workspace::new();
    let reusing = Cpu::<f32>::new().with_workspace(&workspace);
    // Two scenes in which some pixels end, and one in which no pixel ends.
    let [faint, _] = few_and_many();
    let ending = few_and_many().map(opaque);
    for world in ending.into_iter().chain([faint]) {
        let rounded = world.rounded::<f32>();
        let fresh = both_ways(&Cpu::new(), &rounded, &config());
        // Reads before writes must show. The workspace therefore gets back results that are filled with
        // NaN, and the states of other scenes in which pixels end.
        let others = [(77, 900, [150, 140]), (78, 300, [90, 70])];
        let others = others.map(|(seed, count, size)| {
            let other = opaque(crowd(seed, 3, count, size, Projection::Pinhole));
            other.rounded::<f32>()
        });
        for scene in &others {
            let rendered = render(&reusing, &scene.scene(), &config()).expect("a valid scene");
            let (mut image, mut saved) = rendered;
            let v = v_image(&image);
            let (scene, v) = (scene.scene(), v.as_slices());
            let gradients = render_vjp(&reusing, &scene, &saved, &v, Wanted::ALL);
            let mut gradients = gradients.expect("a valid scene");
            image.features.fill(f32::NAN);
            saved.splats.means.fill(f32::NAN);
            saved.splats.features.fill(f32::NAN);
            saved.splats.extents.fill(f32::NAN);
            gradients.gaussians.means.fill(f32::NAN);
            gradients.gaussians.opacities.fill(f32::NAN);
            workspace.recycle((image, saved));
            workspace.recycle(gradients);
        }
        assert!(workspace.bytes() > 0);
        let reused = both_ways(&reusing, &rounded, &config());
        for ((name, a), (_, b)) in buffers(&fresh).into_iter().zip(buffers(&reused)) {
            let bits = |x: &[f32]| x.iter().map(|x| x.to_bits()).collect::<Vec<u32>>();
            assert!(bits(a) == bits(b), "{name}");
        }
    }
    assert!(workspace.bytes() > 0);
    workspace.clear();
    assert_eq!(workspace.bytes(), 0);
}

#[test]
fn later_rounds_return_their_memory_and_take_little_more() {
    let [world, _] = few_and_many();
    let rounded = world.rounded::<f32>();
    let workspace = Workspace::new();
    let backend = Cpu::<f32>::new().with_workspace(&workspace);
    let round = || {
        let (image, saved) = render(&backend, &rounded.scene(), &config()).expect("a valid scene");
        let v = v_image(&image);
        let gradients = render_vjp(
            &backend,
            &rounded.scene(),
            &saved,
            &v.as_slices(),
            Wanted::ALL,
        );
        workspace.recycle((image, saved));
        workspace.recycle(gradients.expect("a valid scene"));
        workspace.bytes()
    };
    let warm = [(); 4].map(|()| round())[3];
    for _ in 0..40 {
        // Views that are sorted at the same time need more working memory than one after the other.
        let bytes = round();
        assert!(
            bytes >= warm / 2 && bytes <= 2 * warm,
            "{warm}, then {bytes}"
        );
    }
}

#[test]
fn threads_that_share_memory_have_the_bits_of_one_alone() {
    const THREADS: usize = 4;
    const ROUNDS: usize = 6;
    // Scenes of several sizes, including one in which no pixel ends.
    let [faint, large] = few_and_many();
    let worlds = [opaque(large.clone()), faint, large];
    let worlds = worlds.map(|world| world.rounded::<f32>());
    let workspace = Workspace::new();
    let round = |scene: &Rounded<f32>| {
        let backend = Cpu::new().with_workspace(&workspace);
        let (image, saved) = render(&backend, &scene.scene(), &config()).expect("a valid scene");
        let v = v_image(&image);
        let v = v.as_slices();
        let gradients = render_vjp(&backend, &scene.scene(), &saved, &v, Wanted::ALL);
        let result = (image, gradients.expect("a valid scene"));
        let bits = buffers(&result)
            .into_iter()
            .map(|(_, x)| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>())
            .collect::<Vec<_>>();
        workspace.recycle(result);
        workspace.recycle(saved);
        bits
    };
    let expected = worlds.each_ref().map(round);
    let alone = workspace.bytes();
    let mixed = |thread: usize| {
        for i in 0..ROUNDS {
            let scene = (thread + i) % worlds.len();
            assert!(round(&worlds[scene]) == expected[scene], "{thread}, {i}");
        }
    };
    let mixed = &mixed;
    for _ in 0..3 {
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                scope.spawn(move || mixed(thread));
            }
        });
    }
    // At most twice the memory that the threads would need with separate workspaces.
    let bytes = workspace.bytes();
    assert!(bytes <= 2 * THREADS * alone, "{bytes} of {alone}");
}

#[test]
fn features_of_sixteen_bits_are_off_by_no_more_than_their_rounding() {
    for world in few_and_many() {
        let rounded = world.rounded::<f32>();
        let full = both_ways(&Cpu::<f32>::new(), &rounded, &config());
        let half = config().with_half_features(true);
        let half = both_ways(&Cpu::<f32>::new(), &rounded, &half);
        let bound = f64::from(f32::EPSILON) + 2f64.powi(-11);
        let mut differs = false;
        for ((name, a), (_, b)) in buffers(&full).into_iter().zip(buffers(&half)) {
            let e = relative(a, b);
            // The gradients with respect to geometry are sums of terms of both signs, so their
            // relative error can exceed that of a feature.
            let bound = if name.starts_with("image") {
                bound
            } else {
                4.0 * bound
            };
            assert!(e <= bound, "{name}: {e:e}");
            differs |= e > 0.0;
        }
        assert!(differs, "nothing was rounded");
        // Outputs that do not depend on features keep every bit.
        assert_eq!(full.0.transmittance, half.0.transmittance);
        assert_eq!(full.0.depth, half.0.depth);
        assert_eq!(full.1.gaussians.features, half.1.gaussians.features);
    }
}

#[test]
fn features_beyond_sixteen_bits_are_cut_off() {
    let mut world = crowd(5, 1, 30, [16, 16], Projection::Pinhole);
    world.gaussians.features.fill(1e9);
    let rounded = world.rounded::<f32>();
    let config = RenderConfig::default().with_half_features(true);
    let (image, _) = render(&Cpu::<f32>::new(), &rounded.scene(), &config).expect("a valid scene");
    let greatest = image.features.iter().fold(0.0f32, |m, &x| m.max(x));
    assert!(
        greatest > 1e3 && greatest <= 65_504.0 * 1.000_01,
        "{greatest}"
    );
}
