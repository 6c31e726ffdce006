//! Figure and ground, and single objects, from layers: pixels in a layer of at least tau belong to
//! the object. In the paper, objects lie in the far layers, and near Gaussians are smooth
//! background.
//!
//! The paper does not publish the number of layers and tau. Both are chosen on one half of the
//! images and scored on the other half.

use rayon::prelude::*;

use super::labels::{Rule, labels};
use super::layers::{LEVELS, layers};
use super::scene::{Scene, scenes};
use crate::backend::Trains;
use crate::config::Config;
use crate::data::{Annotated, AnnotatedImage, PixelMask};
use crate::error::Error;
use crate::evaluation::segmentation::{LabelMap, PreparedTruth, Protocol, Task, overlaps};
use crate::model::Autoencoder;

/// Number of images that are read together.
const READ: usize = 32;

/// A number of layers and a threshold: the pixels with a label of at least `tau` are foreground.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    /// Number of layers, L.
    pub(crate) layers: usize,
    /// Smallest label of the foreground, from 0 (everything) to L. The nearest layer has label 1.
    pub(crate) tau: usize,
}

/// Returns every cut that is tried: for each number of layers, every tau.
pub(crate) fn cuts() -> Vec<Cut> {
    let taus = |&layers: &usize| (0..=layers).map(move |tau| Cut { layers, tau });
    LEVELS.iter().flat_map(taus).collect()
}

/// Scores every cut of [`cuts`] on the first `items` items of `set`. Returns for each item the
/// scores in the order of the cuts. The result is `None` if `watch`, which receives the number of
/// finished items, returned false.
///
/// The model sees the whole image, resized to its input. Its Gaussians are rendered at the size of
/// the protocol.
///
/// # Errors
///
/// [`Error::Data`] if an item cannot be read. [`Error::Argument`] if the model predicts no
/// Gaussians. [`Error::Render`] if a scene cannot be rendered.
pub(crate) fn curves<B: Trains>(
    config: &Config,
    model: &Autoencoder<B>,
    set: &Annotated,
    protocol: &Protocol,
    rule: Rule,
    items: usize,
    mut watch: impl FnMut(usize, usize) -> bool,
) -> Result<Option<Vec<Vec<f64>>>, Error> {
    let mut found = Vec::with_capacity(items);
    let all: Vec<usize> = (0..items).collect();
    for piece in all.chunks(READ) {
        if !watch(found.len(), items) {
            return Ok(None);
        }
        let read: Result<Vec<AnnotatedImage>, _> =
            piece.par_iter().map(|&index| set.item(index)).collect();
        let read = read?;
        let scenes = scenes_of(config, model, &read)?;
        let scored: Result<Vec<Vec<f64>>, Error> = read
            .par_iter()
            .zip(&scenes)
            .map(|(item, scene)| curve(scene, item, protocol, rule))
            .collect();
        found.extend(scored?);
    }
    Ok(Some(found))
}

/// Encodes whole images, resized to the input of the model.
fn scenes_of<B: Trains>(
    config: &Config,
    model: &Autoencoder<B>,
    items: &[AnnotatedImage],
) -> Result<Vec<Scene>, Error> {
    let inputs: Result<Vec<_>, _> = items
        .iter()
        .map(|item| item.image.resized(config.image_size))
        .collect();
    scenes(config, model, &inputs?)
}

/// Scores every cut on one item.
fn curve(
    scene: &Scene,
    item: &AnnotatedImage,
    protocol: &Protocol,
    rule: Rule,
) -> Result<Vec<f64>, Error> {
    let size = [item.image.width, item.image.height];
    let truth = protocol.truth(&item.truth, size)?;
    let [width, height] = truth.foreground.size();
    let found = layers(scene, &LEVELS, width, height)?;
    let mut scores = Vec::new();
    for groups in LEVELS {
        let map = labels(&found, groups, rule)?;
        scores.extend(scores_of(&map, groups, protocol, &truth)?);
    }
    Ok(scores)
}

/// The scores of every tau from 0 to `groups`.
fn scores_of(
    map: &LabelMap,
    groups: usize,
    protocol: &Protocol,
    truth: &PreparedTruth,
) -> Result<Vec<f64>, Error> {
    match protocol.task {
        Task::Segmentation => overlaps(map, groups + 1, truth),
        Task::Detection => (0..=groups)
            .map(|tau| protocol.score(&map.at_least(tau), truth))
            .collect(),
    }
}

/// Returns the pixels of `item` in the layers of the figure, at `size` pixels.
///
/// # Errors
///
/// The errors of [`curves`].
pub(crate) fn figure<B: Trains>(
    config: &Config,
    model: &Autoencoder<B>,
    item: &AnnotatedImage,
    [width, height]: [usize; 2],
    cut: Cut,
    rule: Rule,
) -> Result<PixelMask, Error> {
    let scenes = scenes_of(config, model, std::slice::from_ref(item))?;
    let mut mask = PixelMask::from_fn(width, height, |_, _| false);
    for scene in &scenes {
        let found = layers(scene, &[cut.layers], width, height)?;
        mask = labels(&found, cut.layers, rule)?.at_least(cut.tau);
    }
    Ok(mask)
}
