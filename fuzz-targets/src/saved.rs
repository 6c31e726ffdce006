//! Saved states of other renders, whole and in parts.

use arbitrary::Arbitrary;
use splat::{Cpu, CpuScalar, Scene, Wanted};

use crate::input::{Input, convert, made};

#[derive(Debug, Arbitrary)]
struct Two {
    first: Input,
    second: Input,
    swapped: [bool; 4],
}

/// A vjp with the state of another render is an error or a result. It never panics.
pub fn saved(data: &[u8]) -> usize {
    made::<Two>(data).map_or(0, |two| run::<f32>(&two) + run::<f64>(&two))
}

fn run<T: CpuScalar>(two: &Two) -> usize {
    let backend = Cpu::<T>::new();
    let inputs = [&two.first, &two.second];
    let made = inputs.map(|input| {
        let (gaussians, backgrounds) = input.buffers();
        let gaussians = gaussians.map(|x| convert::<T>(x));
        (gaussians, convert::<T>(&backgrounds), input.views())
    });
    let scenes = made
        .each_ref()
        .map(|(gaussians, backgrounds, views)| Scene {
            gaussians: gaussians.as_slices(),
            views,
            backgrounds: &backgrounds[..],
        });
    let [Ok((image, mut state)), Ok((other_image, other))] =
        [0, 1].map(|i| splat::render(&backend, &scenes[i], &inputs[i].valid_config()))
    else {
        return 0;
    };
    let images = [&image, &other_image].map(|image| image.clone().without_layers());
    for (scene, image) in scenes.iter().zip(&images) {
        let _ = splat::render_vjp(&backend, scene, &other, &image.as_slices(), Wanted::ALL);
    }
    // A state of parts of both renders.
    let [splats, sorted, composited, config] = two.swapped;
    if splats {
        state.splats = other.splats;
    }
    if sorted {
        state.sorted = other.sorted;
    }
    if composited {
        state.composited = other.composited;
    }
    if config {
        state.config = other.config;
    }
    for (scene, image) in scenes.iter().zip(&images) {
        let _ = splat::render_vjp(&backend, scene, &state, &image.as_slices(), Wanted::ALL);
    }
    2
}
