//! Inputs and results of a run in one precision.

use std::collections::BTreeMap;
use std::ops::Range;

use splat::{CpuScalar, Gaussians, Gradients, Image, RenderConfig};

use crate::dims::Dims;
use crate::expected::Expected;
use crate::reference::Reference;
use crate::renderer::Renderer;

/// Outputs and gradients of a run, with the tensor names of the file.
pub(crate) struct Computed(BTreeMap<String, Vec<f64>>);

impl Computed {
    /// Creates a tensor of zeros for every expected tensor. The renders of one scene add their
    /// gradients to it. The gradients of a scene without images stay zero.
    pub(crate) fn zeros(expected: &[Expected]) -> Self {
        let zeros = |tensor: &Expected| (tensor.name.clone(), vec![0.0; tensor.values.len()]);
        Self(expected.iter().map(zeros).collect())
    }

    /// Returns a tensor. It is empty if the file does not expect a tensor of this name.
    pub(crate) fn get(&self, name: &str) -> &[f64] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// Adds `values` to one part of the tensor `name`, starting at element `part * values.len()`.
    /// Ignores tensors that the file does not expect.
    pub(crate) fn add<T: CpuScalar>(&mut self, name: &str, part: usize, values: &[T]) {
        if let Some(tensor) = self.0.get_mut(name) {
            for (sum, value) in tensor[part * values.len()..].iter_mut().zip(values) {
                *sum += value.to_f64();
            }
        }
    }

    /// Adds the gradients of a render with respect to every input except the features. The render
    /// covers part `scene` of the Gaussians and part `image` of the images.
    pub(crate) fn add_gradients<T: CpuScalar>(
        &mut self,
        prefix: &str,
        scene: usize,
        image: usize,
        v: &Gradients<Vec<T>>,
    ) {
        self.add(&format!("{prefix}.means"), scene, &v.gaussians.means);
        self.add(&format!("{prefix}.scales"), scene, &v.gaussians.scales);
        self.add(&format!("{prefix}.quats"), scene, &v.gaussians.quaternions);
        self.add(
            &format!("{prefix}.opacities"),
            scene,
            &v.gaussians.opacities,
        );
        self.add(&format!("{prefix}.background"), image, &v.backgrounds);
        let viewmats = four_by_four(&v.camera_from_world);
        self.add(&format!("{prefix}.viewmat"), image, &viewmats);
    }

    /// Adds the outputs of a render as part `image` of the images.
    pub(crate) fn add_outputs<T: CpuScalar>(&mut self, image: usize, rendered: &Image<Vec<T>>) {
        self.add("out_image", image, &rendered.features);
        if let Some(transmittance) = &rendered.transmittance {
            let alpha: Vec<T> = transmittance.iter().map(|&t| T::ONE - t).collect();
            self.add("out_alpha", image, &alpha);
        }
        if let Some(depth) = &rendered.depth {
            self.add("out_depth", image, depth);
        }
    }
}

/// Converts gradients with respect to poses from `[B, 3, 4]` to the format of the file, `[B, 4, 4]`
/// with zeros in the last row.
pub(crate) fn four_by_four<T: CpuScalar>(poses: &[T]) -> Vec<T> {
    let with_row = |pose: &[T]| [pose, &[T::ZERO; 4]].concat();
    poses.chunks_exact(12).flat_map(with_row).collect()
}

/// Converts stored values to the precision of the run.
pub(crate) fn numbers<T: CpuScalar>(stored: &[f32]) -> Vec<T> {
    stored.iter().map(|&x| T::from_f64(f64::from(x))).collect()
}

/// The inputs of a file in the precision of the run, with settings and renderer.
pub(crate) struct Inputs<'a, T> {
    pub(crate) dims: Dims,
    pub(crate) config: &'a RenderConfig,
    pub(crate) renderer: &'a dyn Renderer<T>,
    pub(crate) means: Vec<T>,
    scales: Vec<T>,
    quaternions: Vec<T>,
    opacities: Vec<T>,
    backgrounds: Vec<T>,
    v_image: Option<Image<Vec<T>>>,
}

impl<'a, T: CpuScalar> Inputs<'a, T> {
    pub(crate) fn new(reference: &'a Reference, renderer: &'a dyn Renderer<T>) -> Self {
        // Alpha is one minus transmittance, so its gradient is negated.
        let negated = |alphas: &[f32]| {
            alphas
                .iter()
                .map(|&x| T::from_f64(-f64::from(x)))
                .collect::<Vec<T>>()
        };
        Self {
            dims: reference.dims,
            config: &reference.config,
            renderer,
            means: numbers(&reference.means),
            scales: numbers(&reference.scales),
            quaternions: numbers(&reference.quaternions),
            opacities: numbers(&reference.opacities),
            backgrounds: numbers(&reference.backgrounds),
            v_image: reference.cotangents.as_ref().map(|cotangents| {
                Image::from_features(numbers(&cotangents.image))
                    .with_transmittance(negated(&cotangents.alpha))
                    .with_depth(numbers(&cotangents.depth))
            }),
        }
    }

    /// Returns the Gaussians of a range of scenes, with the given features.
    pub(crate) fn gaussians<'b>(
        &'b self,
        scenes: &Range<usize>,
        features: &'b [T],
    ) -> Gaussians<&'b [T]> {
        let n = self.dims.gaussians;
        let rows = |buffer: &'b [T], width| part(buffer, scenes, n * width);
        Gaussians {
            means: rows(&self.means, 3),
            scales: rows(&self.scales, 3),
            quaternions: rows(&self.quaternions, 4),
            opacities: rows(&self.opacities, 1),
            features,
            count: scenes.len() * n,
            channels: self.dims.channels,
            encoding: splat::encoding::Encoding::PLAIN,
        }
    }

    /// Returns the backgrounds of a range of images.
    pub(crate) fn backgrounds(&self, images: &Range<usize>) -> &[T] {
        part(&self.backgrounds, images, self.dims.channels)
    }

    /// Returns the gradient of the loss with respect to a range of images. If `features_only` is
    /// set, the loss depends only on the feature images. Returns `None` if the file has no
    /// gradients.
    pub(crate) fn v_image(
        &self,
        images: &Range<usize>,
        features_only: bool,
    ) -> Option<Image<&[T]>> {
        let pixels = self.dims.height * self.dims.width;
        let part = |buffer, per_pixel| part(buffer, images, pixels * per_pixel);
        let full = self.v_image.as_ref()?;
        Some(
            Image::from_features(part(&full.features, self.dims.channels))
                .with_transmittance(
                    full.transmittance
                        .as_ref()
                        .filter(|_| !features_only)
                        .map(|v| part(v, 1)),
                )
                .with_depth(
                    full.depth
                        .as_ref()
                        .filter(|_| !features_only)
                        .map(|v| part(v, 1)),
                ),
        )
    }
}

/// Returns the elements of a range of items from a buffer with `per_item` elements per item.
fn part<'a, T>(buffer: &'a [T], items: &Range<usize>, per_item: usize) -> &'a [T] {
    &buffer[items.start * per_item..items.end * per_item]
}
