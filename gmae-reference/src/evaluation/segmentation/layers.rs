//! Maps of layers: boundaries between labels, and agreement with the true depth order.

use std::collections::BTreeMap;

use super::overlap::check_size;
use crate::data::{PixelMask, SceneTruth};
use crate::error::{Error, check_len};

/// A label for every pixel of an image, such as the number of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelMap {
    width: usize,
    height: usize,
    labels: Vec<u16>,
}

impl LabelMap {
    /// Creates a map of `width` x `height` pixels from one label per pixel, row by row.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if the number of labels is not `width * height`.
    pub fn new(width: usize, height: usize, labels: Vec<u16>) -> Result<Self, Error> {
        let expected = width.saturating_mul(height);
        check_len("labels of pixels", expected, labels.len())?;
        Ok(Self {
            width,
            height,
            labels,
        })
    }

    /// Returns the visible object at every pixel of a scene: 0 for the background.
    pub fn of_scene(truth: &SceneTruth) -> Self {
        Self {
            width: truth.foreground.width(),
            height: truth.foreground.height(),
            labels: truth.labels.iter().map(|&label| label.into()).collect(),
        }
    }

    /// Width and height in pixels.
    pub fn size(&self) -> [usize; 2] {
        [self.width, self.height]
    }

    /// The labels, row by row.
    pub fn labels(&self) -> &[u16] {
        &self.labels
    }

    /// Returns the pixels with a label of at least `threshold`.
    pub fn at_least(&self, threshold: usize) -> PixelMask {
        PixelMask::from_fn(self.width, self.height, |x, y| {
            usize::from(self.labels[y * self.width + x]) >= threshold
        })
    }
}

/// Returns the pixels whose label differs from that of a neighbour to the left, to the right, above
/// or below. Both sides of a boundary belong to it.
pub fn label_boundaries(map: &LabelMap) -> PixelMask {
    let [width, height] = map.size();
    PixelMask::from_fn(width, height, |x, y| {
        let at = y * width + x;
        let differs = |other: usize| map.labels[other] != map.labels[at];
        (x > 0 && differs(at - 1))
            || (x + 1 < width && differs(at + 1))
            || (y > 0 && differs(at - width))
            || (y + 1 < height && differs(at + width))
    })
}

/// Computes the rank correlation between predicted layers and the true depth order, over the pixels
/// of one scene. Label 0 is the nearest layer, and rank 0 the nearest object. The background is
/// behind all objects. With `objects_only` its pixels are left out.
///
/// The correlation is Somers' D (Somers 1962) of the labels with respect to the ranks. Of all pairs
/// of pixels with different ranks, it is the share in the true order less the share in the reversed
/// order. It is 1 for every map that separates the ranks in the true order, also if it separates
/// pixels of one rank further. It is 0 if all labels are equal. The result is `None` if all ranks
/// are equal.
///
/// # Errors
///
/// [`Error::Argument`] if the sizes differ. [`Error::Length`] if `truth` does not have the ranks of
/// its pixels.
pub fn depth_order(
    layers: &LabelMap,
    truth: &SceneTruth,
    objects_only: bool,
) -> Result<Option<f64>, Error> {
    let foreground = &truth.foreground;
    check_size("size of a map of layers", foreground.size(), layers.size())?;
    let ranks = &truth.depth_ranks;
    check_len("depth ranks of a scene", layers.labels.len(), ranks.len())?;
    // Number of pixels of every label and rank. Numbers of pairs are exact.
    let width = ranks.iter().copied().max().map_or(0, usize::from) + 1;
    let mut counts: BTreeMap<u16, Vec<i128>> = BTreeMap::new();
    let mut all = vec![0_i128; width];
    let pixels = layers.labels.iter().zip(ranks).zip(foreground.values());
    for ((&label, &rank), &inside) in pixels {
        if inside || !objects_only {
            let row = counts.entry(label).or_insert_with(|| vec![0; width]);
            row[usize::from(rank)] += 1;
            all[usize::from(rank)] += 1;
        }
    }
    let sum = |counts: &[i128]| counts.iter().sum::<i128>();
    let equal: i128 = all.iter().map(|count| count * count).sum();
    let pairs = (sum(&all) * sum(&all) - equal) / 2;
    let (mut agreement, mut nearer) = (0, vec![0_i128; width]);
    for row in counts.values() {
        for (rank, &count) in row.iter().enumerate() {
            agreement += count * (sum(&nearer[..rank]) - sum(&nearer[rank + 1..]));
        }
        for (sum, &count) in nearer.iter_mut().zip(row) {
            *sum += count;
        }
    }
    Ok((pairs > 0).then(|| agreement as f64 / pairs as f64))
}

#[cfg(test)]
mod tests {
    use super::super::examples::drawn;
    use super::*;
    use crate::data::Shapes;

    fn scenes() -> Shapes {
        Shapes::new(11, 20, 48).expect("a valid size")
    }

    #[test]
    fn both_sides_of_a_change_are_boundaries() {
        let map = LabelMap::new(4, 3, vec![0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0]);
        let expected = drawn(&[".##.", ".###", "..##"]);
        assert_eq!(label_boundaries(&map.expect("twelve labels")), expected);
        let flat = LabelMap::new(3, 3, vec![7; 9]).expect("nine labels");
        assert_eq!(label_boundaries(&flat).count(), 0);
        assert!(LabelMap::new(3, 3, vec![7; 8]).is_err());
    }

    /// The scene marks a pixel whose right or lower neighbour differs. Here the neighbour is marked
    /// too.
    #[test]
    fn the_boundaries_of_a_scene_contain_its_changes() {
        for index in 0..20 {
            let scene = scenes().scene(index);
            let found = label_boundaries(&LabelMap::of_scene(&scene.truth()));
            for y in 0..48 {
                for x in 0..48 {
                    let marked = |x: usize, y: usize| scene.boundary[y * 48 + x];
                    let label = |x: usize, y: usize| scene.labels[y * 48 + x];
                    let left = x > 0 && marked(x - 1, y) && label(x - 1, y) != label(x, y);
                    let above = y > 0 && marked(x, y - 1) && label(x, y - 1) != label(x, y);
                    assert_eq!(found.contains(x, y), marked(x, y) || left || above);
                }
            }
        }
    }

    #[test]
    fn the_true_order_correlates_perfectly() {
        for index in 0..20 {
            let truth = scenes().truth(index, 48).expect("a valid size");
            let map = |label: fn(u8) -> u16| {
                let labels = truth.depth_ranks.iter().map(|&rank| label(rank)).collect();
                LabelMap::new(48, 48, labels).expect("labels")
            };
            let of =
                |map: &LabelMap, objects| depth_order(map, &truth, objects).expect("sizes fit");
            let (right, wrong) = (
                map(|rank| 3 * u16::from(rank)),
                map(|rank| 9 - u16::from(rank)),
            );
            for objects in [false, true] {
                assert!((of(&right, objects).expect("several ranks") - 1.0).abs() < 1e-12);
                assert!((of(&wrong, objects).expect("several ranks") + 1.0).abs() < 1e-12);
            }
            assert_eq!(of(&map(|_| 4), false), Some(0.0));
            // Layers that only separate the background say nothing about the objects.
            let coarse = truth
                .foreground
                .values()
                .iter()
                .map(|&v| u16::from(!v))
                .collect();
            let coarse = LabelMap::new(48, 48, coarse).expect("labels");
            assert!(of(&coarse, false).expect("two layers") > 0.5);
            assert_eq!(of(&coarse, true), Some(0.0));
        }
        let truth = scenes().truth(0, 48).expect("a valid size");
        let small = LabelMap::new(2, 2, vec![0; 4]).expect("labels");
        assert!(depth_order(&small, &truth, false).is_err());
    }
}
