//! Scores of layers on procedural scenes, whose depth order and boundaries are known exactly.

use rayon::prelude::*;

use super::edges::{EDGE_LEVELS, boundaries, thinned};
use super::labels::{Rule, labels};
use super::layers::{LEVELS, layers};
use super::scene::{Scene, scenes};
use crate::backend::Trains;
use crate::bsds::{Annotations, Bitmap, Counts, EdgeMap, Thresholds, count};
use crate::config::Config;
use crate::data::{Image, SceneTruth, Shapes};
use crate::error::Error;
use crate::evaluation::segmentation::{LabelMap, depth_correlation, label_boundaries};
use crate::model::Autoencoder;

/// Number of scenes that are rendered together.
const TOGETHER: usize = 16;
/// The number of layers whose order is compared with the true depth order.
const ORDER_LAYERS: usize = 64;

/// The scores of a model on procedural scenes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct SceneScores {
    /// Rank correlation between the layer of a pixel and the true depth rank, for each scene in
    /// which it is defined. 1 is the true order. The background is behind all shapes.
    pub(crate) order: Vec<f64>,
    /// The same over the pixels of shapes alone.
    pub(crate) order_of_shapes: Vec<f64>,
    /// Counts of boundary pixels for each scene and each of the 99 thresholds of the benchmark.
    pub(crate) boundaries: Vec<Vec<Counts>>,
}

/// Scores a model on the first `count` scenes of `shapes`, at their size. The result is `None` if
/// `watch`, which receives the number of finished scenes, returned false.
///
/// # Errors
///
/// [`Error::Argument`] if the model predicts no Gaussians. [`Error::Render`] if a scene cannot be
/// rendered.
pub(crate) fn scene_scores<B: Trains>(
    config: &Config,
    model: &Autoencoder<B>,
    shapes: &Shapes,
    count: usize,
    rule: Rule,
    mut watch: impl FnMut(usize, usize) -> bool,
) -> Result<Option<SceneScores>, Error> {
    let mut found = SceneScores::default();
    let all: Vec<usize> = (0..count).collect();
    for piece in all.chunks(TOGETHER) {
        if !watch(found.boundaries.len(), count) {
            return Ok(None);
        }
        let drawn: Vec<_> = piece.par_iter().map(|&index| shapes.scene(index)).collect();
        let inputs: Result<Vec<Image>, _> = drawn
            .par_iter()
            .map(|scene| scene.image.resized(config.image_size))
            .collect();
        let predicted = scenes(config, model, &inputs?)?;
        let scored: Result<Vec<Scored>, Error> = predicted
            .par_iter()
            .zip(&drawn)
            .map(|(scene, drawn)| scored(scene, &drawn.truth(), rule))
            .collect();
        for scored in scored? {
            found.order.extend(scored.order);
            found.order_of_shapes.extend(scored.order_of_shapes);
            found.boundaries.push(scored.boundaries);
        }
    }
    Ok(Some(found))
}

/// The scores of one scene.
struct Scored {
    order: Option<f64>,
    order_of_shapes: Option<f64>,
    boundaries: Vec<Counts>,
}

fn scored(scene: &Scene, truth: &SceneTruth, rule: Rule) -> Result<Scored, Error> {
    let [width, height] = truth.foreground.size();
    let found = layers(scene, &LEVELS, width, height)?;
    let order = behind_all(&labels(&found, ORDER_LAYERS, rule)?)?;
    let edges = layers(scene, &EDGE_LEVELS, width, height)?;
    let map = thinned(&boundaries(&edges, rule)?, width, height);
    let values = map
        .iter()
        .map(|v| (v.clamp(0.0, 1.0) * 255.0).round() as u8);
    let drawn = label_boundaries(&LabelMap::of_scene(truth));
    let drawn = Bitmap::from_fn(width, height, |x, y| drawn.contains(x, y));
    let maps = EdgeMap::new(width, height, values.collect()).zip(Annotations::new(vec![drawn]));
    let (map, annotations) = maps.ok_or_else(|| Error::Argument {
        argument: "size of a scene",
        expected: "1 to 65536 pixels".to_owned(),
        got: format!("{width} x {height}"),
    })?;
    Ok(Scored {
        order: depth_correlation(&order, truth, false)?,
        order_of_shapes: depth_correlation(&order, truth, true)?,
        boundaries: count(&map, &annotations, Thresholds::default(), &|| true).unwrap_or_default(),
    })
}

/// Moves pixels without a layer behind all layers: the background of the render shows there.
fn behind_all(map: &LabelMap) -> Result<LabelMap, Error> {
    let [width, height] = map.size();
    let label = |&label: &u16| match label {
        0 => ORDER_LAYERS as u16 + 1,
        label => label,
    };
    LabelMap::new(width, height, map.labels().iter().map(label).collect())
}
