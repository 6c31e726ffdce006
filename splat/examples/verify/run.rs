//! Renders and differentiates a reference's scenes in one precision.

use std::collections::BTreeMap;
use std::ops::Range;

use splat::{CpuScalar, Gaussians, Gradients, Image, RenderConfig, RenderError, Scene, Views};

use crate::expected::Expected;
use crate::harmonic;
use crate::place::Place;
use crate::reference::{Appearance, Dims, Reference};

/// What came out, by the names of the file.
pub(crate) struct Computed(BTreeMap<String, Vec<f64>>);

impl Computed {
    /// A tensor; empty if there is no such.
    pub(crate) fn get(&self, name: &str) -> &[f64] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// Adds `values` to the tensor `name`, as its `part`-th part of their length.
    pub(crate) fn add<T: CpuScalar>(&mut self, name: &str, part: usize, values: &[T]) {
        if let Some(tensor) = self.0.get_mut(name) {
            for (sum, value) in tensor[part * values.len()..].iter_mut().zip(values) {
                *sum += value.to_f64();
            }
        }
    }

    /// Adds the gradients by everything but features, of a render of the `scene`-th of parts and the `image`-th.
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

    /// Adds the outputs of a render of the `image`-th of parts.
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

/// `[B, 3, 4]` with the row of zeros the format has below.
pub(crate) fn four_by_four<T: CpuScalar>(poses: &[T]) -> Vec<T> {
    let with_row = |pose: &[T]| [pose, &[T::ZERO; 4]].concat();
    poses.chunks_exact(12).flat_map(with_row).collect()
}

/// Renders and differentiates everything the file asks for.
pub(crate) fn compute<T: CpuScalar>(
    reference: &Reference,
    place: &dyn Place<T>,
) -> Result<Computed, RenderError> {
    // Images share scenes, whose gradients then sum; what no image shows stays zero.
    let zeros = |tensor: &Expected| (tensor.name.clone(), vec![0.0; tensor.values.len()]);
    let mut computed = Computed(reference.expected.iter().map(zeros).collect());
    let inputs = Inputs::<T>::new(reference, place);
    match &reference.appearance {
        Appearance::Features(features) => {
            batch(&inputs, reference, &numbers(features), &mut computed)?;
        }
        Appearance::Harmonics {
            degree,
            coefficients,
        } => {
            harmonic::images(
                &inputs,
                reference,
                *degree,
                &numbers(coefficients),
                &mut computed,
            )?;
        }
    }
    Ok(computed)
}

/// Stored numbers in the precision of the run.
fn numbers<T: CpuScalar>(stored: &[f32]) -> Vec<T> {
    stored.iter().map(|&x| T::from_f64(f64::from(x))).collect()
}

/// A file's numbers in one precision.
pub(crate) struct Inputs<'a, T> {
    pub(crate) dims: Dims,
    pub(crate) config: &'a RenderConfig,
    pub(crate) place: &'a dyn Place<T>,
    pub(crate) means: Vec<T>,
    scales: Vec<T>,
    quaternions: Vec<T>,
    opacities: Vec<T>,
    backgrounds: Vec<T>,
    v_image: Option<Image<Vec<T>>>,
}

impl<'a, T: CpuScalar> Inputs<'a, T> {
    fn new(reference: &'a Reference, place: &'a dyn Place<T>) -> Self {
        // Alpha is one minus transmittance.
        let negated = |alphas: &[f32]| alphas.iter().map(|&x| T::from_f64(-f64::from(x))).collect();
        Self {
            dims: reference.dims,
            config: &reference.config,
            place,
            means: numbers(&reference.means),
            scales: numbers(&reference.scales),
            quaternions: numbers(&reference.quaternions),
            opacities: numbers(&reference.opacities),
            backgrounds: numbers(&reference.backgrounds),
            v_image: reference.cotangents.as_ref().map(|cotangents| Image {
                features: numbers(&cotangents.image),
                transmittance: Some(negated(&cotangents.alpha)),
                depth: Some(numbers(&cotangents.depth)),
                layers: None,
            }),
        }
    }

    /// The Gaussians of some scenes, with `features` for them.
    pub(crate) fn gaussians<'b>(
        &'b self,
        scenes: &Range<usize>,
        features: &'b [T],
    ) -> Gaussians<&'b [T]> {
        let n = self.dims.gaussians;
        let rows =
            |buffer: &'b [T], width| &buffer[scenes.start * n * width..scenes.end * n * width];
        Gaussians {
            means: rows(&self.means, 3),
            scales: rows(&self.scales, 3),
            quaternions: rows(&self.quaternions, 4),
            opacities: rows(&self.opacities, 1),
            features,
            count: scenes.len() * n,
            channels: self.dims.channels,
        }
    }

    /// The backgrounds of some images.
    pub(crate) fn backgrounds(&self, images: &Range<usize>) -> &[T] {
        let c = self.dims.channels;
        &self.backgrounds[images.start * c..images.end * c]
    }

    /// The gradient of the loss by some images, or of the loss that counts nothing but their features.
    pub(crate) fn v_image(
        &self,
        images: &Range<usize>,
        features_only: bool,
    ) -> Option<Image<&[T]>> {
        let pixels = self.dims.height * self.dims.width;
        let part = |buffer, per_pixel| part(buffer, images, pixels * per_pixel);
        let full = self.v_image.as_ref()?;
        Some(Image {
            features: part(&full.features, self.dims.channels),
            transmittance: full
                .transmittance
                .as_ref()
                .filter(|_| !features_only)
                .map(|v| part(v, 1)),
            depth: full
                .depth
                .as_ref()
                .filter(|_| !features_only)
                .map(|v| part(v, 1)),
            layers: None,
        })
    }
}

/// The numbers of some images, `per_image` each.
fn part<'a, T>(buffer: &'a [T], images: &Range<usize>, per_image: usize) -> &'a [T] {
    &buffer[images.start * per_image..images.end * per_image]
}

/// All images in one batch.
fn batch<T: CpuScalar>(
    inputs: &Inputs<'_, T>,
    reference: &Reference,
    features: &[T],
    computed: &mut Computed,
) -> Result<(), RenderError> {
    let Dims {
        scenes,
        images,
        gaussians,
        width,
        height,
        ..
    } = inputs.dims;
    let range = |&scene: &usize| scene * gaussians..(scene + 1) * gaussians;
    let views = Views {
        width,
        height,
        cameras: reference.cameras.clone(),
        ranges: reference.scene_of_image.iter().map(range).collect(),
    };
    let scene = Scene {
        gaussians: inputs.gaussians(&(0..scenes), features),
        views: &views,
        backgrounds: inputs.backgrounds(&(0..images)),
    };
    let losses = [("grad", false), ("grad_image_only", true)];
    let v_images = losses.map(|(_, features_only)| inputs.v_image(&(0..images), features_only));
    let v_images: Vec<_> = v_images.into_iter().flatten().collect();
    let (image, gradients) = inputs.place.render(&scene, inputs.config, &v_images)?;
    computed.add_outputs(0, &image);
    for ((prefix, _), v) in losses.iter().zip(&gradients) {
        computed.add_gradients(prefix, 0, 0, v);
        computed.add(&format!("{prefix}.features"), 0, &v.gaussians.features);
    }
    Ok(())
}
