//! Splats that were made elsewhere: arbitrary values, extents and offsets, with lists of hits of the
//! same splats and of others.

use arbitrary::Arbitrary;
use splat::{Backend, Cpu, CpuScalar, Outputs, RenderConfig, Splats, Wanted};

use crate::input::{convert, fitted, made};

#[derive(Debug, Arbitrary)]
struct Input {
    means: Vec<f32>,
    conics: Vec<f32>,
    opacities: Vec<f32>,
    depths: Vec<f32>,
    features: Vec<f32>,
    extents: Vec<f32>,
    backgrounds: Vec<f32>,
    offsets: Vec<u8>,
    count: u8,
    channels: u8,
    mend: bool,
    completed: bool,
    width: u8,
    height: u8,
    /// Changes between the lists and the compositing: a place, and a value.
    moved: Vec<(u8, f32)>,
}

/// If the splats composite, their vjp succeeds, and its gradients are as many as the splats.
pub fn splats(data: &[u8]) -> usize {
    made::<Input>(data).map_or(0, |input| run::<f32>(&input) + run::<f64>(&input))
}

impl Input {
    fn splats<T: CpuScalar>(&self) -> Splats<Vec<T>> {
        let (n, c, mend) = (self.count as usize, self.channels as usize % 6, self.mend);
        let fit = |values: &Vec<f32>, len| convert(&fitted(values.clone(), len, mend));
        let mut offsets: Vec<usize> = self.offsets.iter().map(|&x| x as usize).take(5).collect();
        if mend {
            for x in &mut offsets {
                *x = (*x).min(n);
            }
            offsets.sort_unstable();
            offsets.insert(0, 0);
            offsets.push(n);
        }
        Splats {
            means: fit(&self.means, 2 * n),
            conics: fit(&self.conics, 3 * n),
            opacities: fit(&self.opacities, n),
            depths: fit(&self.depths, n),
            features: fit(&self.features, n * c),
            half_features: None,
            extents: fit(&self.extents, 2 * n),
            offsets,
            channels: c,
        }
    }
}

fn run<T: CpuScalar>(input: &Input) -> usize {
    let backend = Cpu::<T>::new();
    let config = RenderConfig::default().with_outputs(Outputs::ALL);
    let [width, height] = [input.width, input.height].map(|side| side as usize % 70);
    let mut splats = input.splats::<T>();
    let _ = splats.culled();
    if input.completed {
        match backend.splats(splats, width, height, &config) {
            Ok(completed) => splats = completed,
            Err(_) => return 0,
        }
    }
    let views = splats.offsets.len().saturating_sub(1);
    let backgrounds = fitted(
        input.backgrounds.clone(),
        views * splats.channels,
        input.mend,
    );
    let backgrounds = convert::<T>(&backgrounds);
    let Ok(hits) = backend.bin(&splats.as_slices(), width, height) else {
        return 0;
    };
    let listed = splats.clone();
    for &(place, value) in &input.moved {
        let buffers = [&mut splats.means, &mut splats.conics, &mut splats.opacities];
        for buffer in buffers {
            let len = buffer.len();
            if let Some(number) = buffer.get_mut(place as usize % len.max(1)) {
                *number = T::from_f64(value.into());
            }
        }
    }
    // The hits can belong to other splats than those that are sorted.
    let _ = backend.sort(&splats.as_slices(), hits.clone());
    let Ok(sorted) = backend.sort(&listed.as_slices(), hits) else {
        return 0;
    };
    let seen = splats.as_slices();
    let Ok((image, state)) = backend.composite(&seen, &sorted, &backgrounds, &config) else {
        return 0;
    };
    let v_image = image.as_slices();
    let v = backend.composite_vjp(&seen, &sorted, &backgrounds, &state, &v_image, Wanted::ALL);
    let (v, v_backgrounds) = v.expect("what composite accepts, its vjp accepts");
    assert_eq!(v.opacities.len(), splats.opacities.len());
    assert_eq!(v_backgrounds.len(), backgrounds.len());
    1
}
