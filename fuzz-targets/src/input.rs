//! Arbitrary values for the arguments of a render.

use std::ops::Range;

use arbitrary::Arbitrary;
use splat::{Camera, CpuScalar, Gaussians, Outputs, Projection, RenderConfig, Views};

/// Arbitrary values for all arguments of a render.
#[derive(Debug, Arbitrary)]
pub(crate) struct Input {
    means: Vec<f32>,
    scales: Vec<f32>,
    quaternions: Vec<f32>,
    opacities: Vec<f32>,
    features: Vec<f32>,
    backgrounds: Vec<f32>,
    count: u8,
    channels: u8,
    /// Whether the buffers are resized to the right lengths, so that the fuzzer passes validation.
    mend: bool,
    width: u8,
    height: u8,
    ranges: Vec<(u8, u8)>,
    camera: [f64; 6],
    pose: [[f64; 4]; 3],
    projection: u8,
    settings: [f64; 4],
    antialias: bool,
    half_features: bool,
    layers: Vec<u8>,
}

pub(crate) fn fitted(mut values: Vec<f32>, len: usize, mend: bool) -> Vec<f32> {
    if mend {
        values.resize(len, 0.5);
    }
    values
}

impl Input {
    /// The Gaussians and the backgrounds.
    pub(crate) fn buffers(&self) -> (Gaussians<Vec<f32>>, Vec<f32>) {
        let (n, c) = (self.count as usize, self.channels as usize % 6);
        let fit = |values: &Vec<f32>, len| fitted(values.clone(), len, self.mend);
        let gaussians = Gaussians {
            means: fit(&self.means, 3 * n),
            scales: fit(&self.scales, 3 * n),
            quaternions: fit(&self.quaternions, 4 * n),
            opacities: fit(&self.opacities, n),
            features: fit(&self.features, n * c),
            count: n,
            channels: c,
            encoding: splat::encoding::Encoding::PLAIN,
        };
        (
            gaussians,
            fit(&self.backgrounds, self.ranges.len().min(4) * c),
        )
    }

    /// The settings, or the default ones if these are invalid and the input is to be mended.
    pub(crate) fn valid_config(&self) -> RenderConfig {
        let config = self.config();
        if self.mend && config.validate().is_err() {
            return RenderConfig::default().with_outputs(Outputs::ALL);
        }
        config
    }

    pub(crate) fn views(&self) -> Views {
        let projection = [
            Projection::Pinhole,
            Projection::Orthographic,
            Projection::Hybrid,
        ][self.projection as usize % 3];
        let [fx, fy, cx, cy, near, far] = self.camera;
        let camera = Camera::new(projection, fx, fy, cx, cy)
            .with_pose(self.pose)
            .with_depth_range(near, far);
        let ranges: Vec<Range<usize>> = self
            .ranges
            .iter()
            .take(4)
            .map(|&(start, end)| start as usize..end as usize)
            .collect();
        Views {
            width: self.width as usize % 70,
            height: self.height as usize % 70,
            cameras: vec![camera; ranges.len()],
            ranges,
        }
    }

    pub(crate) fn config(&self) -> RenderConfig {
        let [blur, alpha_min, alpha_max, transmittance_min] = self.settings;
        RenderConfig::default()
            .with_blur(blur)
            .with_antialias(self.antialias)
            .with_alpha_min(alpha_min)
            .with_alpha_max(alpha_max)
            .with_transmittance_min(transmittance_min)
            .with_half_features(self.half_features)
            .with_outputs(Outputs::ALL)
            .with_layers(
                self.layers
                    .iter()
                    .take(4)
                    .map(|&rank| rank as usize)
                    .collect(),
            )
    }
}

/// Converts a buffer.
pub(crate) fn convert<T: CpuScalar>(x: &[f32]) -> Vec<T> {
    x.iter().map(|&x| T::from_f64(x.into())).collect()
}

/// Makes a value of bytes. If the bytes are too few, the rest of the value is made of zeros.
pub(crate) fn made<'a, I: Arbitrary<'a>>(data: &'a [u8]) -> Option<I> {
    I::arbitrary_take_rest(arbitrary::Unstructured::new(data)).ok()
}
