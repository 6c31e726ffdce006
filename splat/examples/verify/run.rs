//! Renders the scenes of a file and computes their gradients, in one precision.

use splat::{CpuScalar, RenderError, Scene};

use crate::computed::{Computed, Inputs, numbers};
use crate::dims::Dims;
use crate::harmonic;
use crate::reference::{Appearance, Reference};
use crate::renderer::Renderer;

/// Renders every image of the file and computes the gradients.
pub(crate) fn compute<T: CpuScalar>(
    reference: &Reference,
    renderer: &dyn Renderer<T>,
) -> Result<Computed, RenderError> {
    let mut computed = Computed::zeros(&reference.expected);
    let inputs = Inputs::<T>::new(reference, renderer);
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

/// Renders all images in one batch and computes the gradients.
fn batch<T: CpuScalar>(
    inputs: &Inputs<'_, T>,
    reference: &Reference,
    features: &[T],
    computed: &mut Computed,
) -> Result<(), RenderError> {
    let Dims { scenes, images, .. } = inputs.dims;
    let views = reference.views();
    let scene = Scene {
        gaussians: inputs.gaussians(&(0..scenes), features),
        views: &views,
        backgrounds: inputs.backgrounds(&(0..images)),
    };
    let losses = [("grad", false), ("grad_image_only", true)];
    let v_images = losses.map(|(_, features_only)| inputs.v_image(&(0..images), features_only));
    let v_images: Vec<_> = v_images.into_iter().flatten().collect();
    let (image, gradients) = inputs.renderer.render(&scene, inputs.config, &v_images)?;
    computed.add_outputs(0, &image);
    for ((prefix, _), v) in losses.iter().zip(&gradients) {
        computed.add_gradients(prefix, 0, 0, v);
        computed.add(&format!("{prefix}.features"), 0, &v.gaussians.features);
    }
    Ok(())
}
