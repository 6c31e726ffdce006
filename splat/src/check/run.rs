//! One run of a backend, from host buffers to host buffers.

use super::scene::OwnedScene;
use super::transfer::Transfer;
use crate::contributors::Contributors;
use crate::error::RenderError;
use crate::gradients::{Gradients, Wanted};
use crate::image::Image;
use crate::render::{Scene, render, render_vjp};

/// The results of a render and of its vjp.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Outcome {
    /// The image, with the outputs that the settings of the scene ask for.
    pub image: Image<Vec<f64>>,
    /// The wanted gradients.
    pub gradients: Gradients<Vec<f64>>,
    /// The contributors, if the settings ask for them.
    pub contributors: Option<Contributors<Vec<f64>, Vec<u32>>>,
}

impl Outcome {
    /// Returns all numbers as bits, which two equal runs share.
    pub fn bits(&self) -> Vec<u64> {
        let image = &self.image;
        let planes = [
            &image.transmittance,
            &image.depth,
            &image.layers,
            &image.layer_transmittance,
        ];
        let found = self.contributors.iter();
        let integers = found
            .clone()
            .flat_map(|found| [&found.indices, &found.counts]);
        let numbers = [&image.features].into_iter();
        numbers
            .chain(planes.into_iter().flatten())
            .chain(self.gradients.buffers().map(|(_, buffer)| buffer))
            .chain(found.map(|found| &found.weights))
            .flatten()
            .map(|x| x.to_bits())
            .chain(integers.flatten().map(|&i| u64::from(i)))
            .collect()
    }
}

/// Renders a scene on a backend, and computes the `wanted` gradients for the gradient `v_image`
/// with respect to the image. The backend rounds all numbers to its precision.
///
/// # Errors
/// The errors of the backend.
pub fn run_backend<B: Transfer>(
    backend: &B,
    scene: &OwnedScene,
    v_image: &Image<Vec<f64>>,
    wanted: Wanted,
) -> Result<Outcome, RenderError> {
    let gaussians = scene.gaussians.try_map(|buffer| backend.upload(buffer))?;
    let backgrounds = backend.upload(&scene.backgrounds)?;
    let input = Scene {
        gaussians: gaussians.map(B::view),
        views: &scene.views,
        backgrounds: B::view(&backgrounds),
    };
    let (image, saved) = render(backend, &input, &scene.config)?;
    let v_image = v_image.try_map(|buffer| backend.upload(buffer))?;
    let v = render_vjp(backend, &input, &saved, &v_image.map(B::view), wanted)?;
    let contributors = match saved.contributors() {
        None => None,
        Some(found) => Some(Contributors::new(
            backend.download_indices(&found.indices)?,
            backend.download(&found.weights)?,
            backend.download_indices(&found.counts)?,
        )),
    };
    Ok(Outcome {
        image: image.try_map(|buffer| backend.download(buffer))?,
        gradients: v.try_map(|buffer| backend.download(buffer))?,
        contributors,
    })
}
