//! Every tile size and every instruction set of the machine.

use splat::{Cpu, CpuScalar, Image, Scene, Simd, TileSize, Wanted};

use crate::input::{Input, convert, made};

const TILES: [TileSize; 4] = [
    TileSize::Px8,
    TileSize::Px16,
    TileSize::Px32,
    TileSize::Px32x16,
];

/// All engines accept the same scenes. The tile size changes no bit of an image.
pub fn engines(data: &[u8]) -> usize {
    made::<Input>(data).map_or(0, |input| run::<f32>(&input) + run::<f64>(&input))
}

fn run<T: CpuScalar>(input: &Input) -> usize {
    let (gaussians, backgrounds) = input.buffers();
    let gaussians = gaussians.map(|x| convert::<T>(x));
    let (views, backgrounds) = (input.views(), convert::<T>(&backgrounds));
    let scene = Scene {
        gaussians: gaussians.as_slices(),
        views: &views,
        backgrounds: &backgrounds,
    };
    let config = input.valid_config();
    let (mut renders, mut accepted) = (0, None);
    for simd in Simd::ALL.into_iter().filter(|simd| simd.is_available()) {
        let mut first: Option<Vec<u64>> = None;
        for tile in TILES {
            let backend = Cpu::<T>::new().with_simd(simd).with_tile(tile);
            let outcome = splat::render(&backend, &scene, &config);
            let ok = outcome.is_ok();
            assert_eq!(*accepted.get_or_insert(ok), ok, "{} {tile:?}", simd.name());
            let Ok((image, saved)) = outcome else {
                continue;
            };
            renders += 1;
            let bits = bits(&image);
            let before = first.get_or_insert_with(|| bits.clone());
            assert!(*before == bits, "{} {tile:?}", simd.name());
            let v = image.without_layers();
            splat::render_vjp(&backend, &scene, &saved, &v.as_slices(), Wanted::ALL)
                .expect("what render accepts, its vjp accepts");
        }
    }
    renders
}

/// The numbers of the image as bits. All NaN are equal.
fn bits<T: CpuScalar>(image: &Image<Vec<T>>) -> Vec<u64> {
    let planes = [
        &image.transmittance,
        &image.depth,
        &image.layers,
        &image.layer_transmittance,
    ];
    let numbers = image
        .features
        .iter()
        .chain(planes.into_iter().flatten().flatten());
    let bits = |x: &T| {
        let x = x.to_f64();
        if x.is_nan() {
            f64::NAN.to_bits()
        } else {
            x.to_bits()
        }
    };
    numbers.map(bits).collect()
}
