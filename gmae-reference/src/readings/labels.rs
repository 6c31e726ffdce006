//! The layer of every pixel.
//!
//! The label of a pixel is the number of a layer, from 1 for the nearest, or 0 if no layer has an
//! effect on the pixel.

use super::layers::{Layers, cut};
use crate::error::Error;
use crate::evaluation::segmentation::LabelMap;

/// The rule by which a pixel gets the label of a layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Rule {
    /// The last layer that changes the colour of the pixel by more than this threshold in one
    /// channel. This is the paper's rule. Colours are in `[0, 1]`.
    Change(f32),
    /// The layer of the Gaussian with the largest weight in the pixel.
    Strongest,
    /// The layer with the largest sum of weights in the pixel. Of equal sums, the nearest has
    /// precedence.
    Summed,
}

impl Rule {
    /// Describes the rule.
    pub(crate) fn words(self) -> String {
        match self {
            Self::Change(threshold) => format!(
                "The layer of a pixel is the last layer that changes its colour by more than \
                 {threshold} in one channel."
            ),
            Self::Strongest => {
                "The layer of a pixel is that of the Gaussian with the largest weight.".to_owned()
            }
            Self::Summed => {
                "The layer of a pixel is the layer with the largest sum of weights.".to_owned()
            }
        }
    }
}

/// Returns the label of every pixel with `groups` layers. `groups` must be one of the rendered
/// levels.
///
/// # Errors
///
/// [`Error::Length`] if `layers` does not have the pixels of its size.
pub(crate) fn labels(layers: &Layers, groups: usize, rule: Rule) -> Result<LabelMap, Error> {
    let labels = match rule {
        Rule::Change(threshold) => by_change(layers, groups, threshold),
        Rule::Strongest => by_rank(layers, groups),
        Rule::Summed => by_sum(layers, groups),
    };
    LabelMap::new(layers.width(), layers.height(), labels)
}

/// Calls `update` for every pixel and each layer that is not empty. Its arguments are the pixel,
/// the label of the layer, and the positions of the prefixes before and after the layer.
fn walk(layers: &Layers, groups: usize, mut update: impl FnMut(usize, u16, Option<usize>, usize)) {
    let mut before = None;
    for group in 1..=groups {
        let Some(after) = layers.index(group, groups) else {
            continue;
        };
        if before != Some(after) {
            for pixel in 0..layers.width() * layers.height() {
                update(pixel, group as u16, before, after);
            }
        }
        before = Some(after);
    }
}

fn by_change(layers: &Layers, groups: usize, threshold: f32) -> Vec<u16> {
    let mut labels = vec![0; layers.width() * layers.height()];
    walk(layers, groups, |pixel, label, before, after| {
        let changed = (3 * pixel..3 * pixel + 3).any(|i| {
            let before = before.map_or(1.0, |at| layers.image(at)[i]);
            (layers.image(after)[i] - before).abs() > threshold
        });
        if changed {
            labels[pixel] = label;
        }
    });
    labels
}

fn by_sum(layers: &Layers, groups: usize) -> Vec<u16> {
    let mut labels = vec![0; layers.width() * layers.height()];
    let mut largest = vec![0.0; labels.len()];
    walk(layers, groups, |pixel, label, before, after| {
        let before = before.map_or(1.0, |at| layers.transmittance(at)[pixel]);
        // The weights of a layer sum to the decrease of the transmittance.
        let sum = before - layers.transmittance(after)[pixel];
        if sum > largest[pixel] {
            (largest[pixel], labels[pixel]) = (sum, label);
        }
    });
    labels
}

fn by_rank(layers: &Layers, groups: usize) -> Vec<u16> {
    let visible = layers.visible();
    let ends: Vec<usize> = (1..=groups)
        .map(|group| cut(group, groups, visible))
        .collect();
    let label = |&rank: &usize| {
        if rank >= visible {
            return 0;
        }
        // The first group that ends behind the rank.
        ends.partition_point(|&end| end <= rank) as u16 + 1
    };
    layers.ranks().iter().map(label).collect()
}

#[cfg(test)]
mod tests {
    use super::super::layers::{LEVELS, layers, quarters};
    use super::super::scene::tests::scene;
    use super::*;

    const RULES: [Rule; 3] = [Rule::Change(0.05), Rule::Strongest, Rule::Summed];

    fn of(layers: &Layers, groups: usize, rule: Rule) -> Vec<u16> {
        labels(layers, groups, rule)
            .expect("labels")
            .labels()
            .to_vec()
    }

    /// The labels at the centres of the four quarters of an image of 32 x 32 px.
    fn at_quarters(labels: &[u16]) -> [u16; 4] {
        [(8, 8), (24, 8), (8, 24), (24, 24)].map(|(x, y)| labels[y * 32 + x])
    }

    #[test]
    fn the_label_is_the_layer_of_the_gaussian_at_the_pixel() {
        let found = layers(&quarters(), &LEVELS, 32, 32).expect("a scene");
        assert_eq!(
            found.visible(),
            4,
            "the transparent Gaussian is not visible"
        );
        for rule in RULES {
            let labels = of(&found, 4, rule);
            assert_eq!(at_quarters(&labels), [2, 4, 1, 3], "{rule:?}");
            // Beyond the reach of every Gaussian.
            assert_eq!(labels[0], 0, "{rule:?}");
            // With more layers than Gaussians, some layers are empty.
            assert_eq!(at_quarters(&of(&found, 8, rule)), [4, 8, 2, 6], "{rule:?}");
            assert_eq!(at_quarters(&of(&found, 64, rule)), [32, 64, 16, 48]);
        }
    }

    #[test]
    fn of_two_gaussians_at_a_pixel_the_rules_choose_differently() {
        // In front 40 % of the light, behind it 99 % of the rest.
        let both = scene(&[([0.0, 0.0, -0.5], 2.0, 0.4), ([0.0, 0.0, 0.5], 2.0, 0.99)]);
        let found = layers(&both, &[4], 32, 32).expect("a scene");
        let centre = 16 * 32 + 16;
        for (rule, label) in RULES.into_iter().zip([4, 4, 4]) {
            assert_eq!(of(&found, 4, rule)[centre], label, "{rule:?}");
        }
        // A threshold above every change leaves no layer.
        assert_eq!(of(&found, 4, Rule::Change(0.999))[centre], 0);
        let both = scene(&[([0.0, 0.0, -0.5], 2.0, 0.6), ([0.0, 0.0, 0.5], 2.0, 0.99)]);
        let found = layers(&both, &[4], 32, 32).expect("a scene");
        for (rule, label) in RULES.into_iter().zip([4, 2, 2]) {
            assert_eq!(of(&found, 4, rule)[centre], label, "{rule:?}");
        }
    }
}
