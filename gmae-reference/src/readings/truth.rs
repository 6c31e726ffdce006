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
use crate::evaluation::segmentation::{LabelMap, depth_order, label_boundaries};
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
        order: depth_order(&order, truth, false)?,
        order_of_shapes: depth_order(&order, truth, true)?,
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

#[cfg(test)]
mod tests {
    use super::super::scene::tests::scene as scene_of;
    use super::*;

    /// Side of the scenes in pixels, and of the grid of Gaussians.
    const SIDE: usize = 32;

    /// Opaque Gaussians, one for each pixel, at the depths that `depth` makes of the true ranks.
    /// They reach less than a pixel.
    fn drawn(truth: &SceneTruth, depth: impl Fn(u8) -> f32) -> Scene {
        let place = |i: usize| (i as f32 + 0.5) * 2.0 / SIDE as f32 - 1.0;
        let gaussian = |(i, &rank): (usize, &u8)| {
            let centre = [place(i % SIDE), place(i / SIDE), depth(rank)];
            (centre, 0.02, 0.99)
        };
        let all: Vec<_> = truth.depth_ranks.iter().enumerate().map(gaussian).collect();
        scene_of(&all)
    }

    fn truths() -> impl Iterator<Item = SceneTruth> {
        let shapes = Shapes::new(3, 6, SIDE).expect("a size");
        (0..6).map(move |index| shapes.scene(index).truth())
    }

    #[test]
    fn the_true_order_scores_one_and_the_reversed_order_its_negative() {
        for truth in truths() {
            let order = |sign: f32| {
                let scene = drawn(&truth, |rank| sign * (0.2 * f32::from(rank) - 0.5));
                let found = scored(&scene, &truth, Rule::Strongest).expect("scores");
                found.order.expect("several ranks")
            };
            let (right, reversed) = (order(1.0), order(-1.0));
            // A layer of equal count can contain pixels of two ranks.
            assert!(right > 0.95, "{right}");
            assert!(
                (right + reversed).abs() < 0.1,
                "{right}, reversed {reversed}"
            );
        }
    }

    #[test]
    fn boundaries_of_the_scene_are_found_and_others_are_not() {
        let mut sums = [0.0; 2];
        for truth in truths() {
            let f = |scene: &Scene| {
                let found = scored(scene, &truth, Rule::Strongest).expect("scores");
                let scores = crate::bsds::Scores::new(Thresholds::default(), &[found.boundaries]);
                scores.ods.f()
            };
            // One Gaussian in front of everything has no boundary inside the image.
            let flat = scene_of(&[([0.0, 0.0, 0.0], 8.0, 0.99)]);
            sums[0] += f(&drawn(&truth, |rank| 0.2 * f32::from(rank) - 0.5));
            sums[1] += f(&flat);
        }
        // Layers of equal count also divide the pixels of one rank: not all boundaries are true.
        assert!(sums[0] > 6.0 * 0.4 && sums[1] == 0.0, "{sums:?}");
    }

    #[test]
    fn pixels_without_a_layer_are_behind_all_others() {
        let map = LabelMap::new(3, 1, vec![0, 64, 1]).expect("a map");
        let moved = behind_all(&map).expect("a map");
        assert_eq!(moved.labels(), [65, 64, 1]);
    }
}
