//! Connected components of a mask, and the box of the largest.

use crate::data::{PixelMask, Rectangle};

/// The components of a mask. Two pixels are connected if they share a side or a corner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Components {
    /// One label per pixel, row by row: 0 outside the mask, k for component k. Components are
    /// numbered from 1 in the order of their first pixels, row by row.
    pub labels: Vec<u32>,
    /// Number of pixels of component k, at index `k - 1`.
    pub sizes: Vec<usize>,
}

/// Finds the connected components of a mask.
///
/// One pass labels each pixel and records which labels touch. A second pass replaces each label by
/// the number of its component.
pub fn components(mask: &PixelMask) -> Components {
    let width = mask.width();
    let mut labels = vec![0_u32; mask.values().len()];
    // `parents[k]` is a label of the same component, at most k. Label 0 is outside the mask.
    let mut parents = vec![0_u32];
    for at in 0..labels.len() {
        if !mask.values()[at] {
            continue;
        }
        let (x, y) = (at % width, at / width);
        let mut label = 0;
        let before = [
            (x > 0).then(|| at - 1),
            (x > 0 && y > 0).then(|| at - width - 1),
            (y > 0).then(|| at - width),
            (y > 0 && x + 1 < width).then(|| at - width + 1),
        ];
        for neighbour in before.into_iter().flatten() {
            let other = labels[neighbour];
            label = match (label, other) {
                (_, 0) => label,
                (0, _) => root(&mut parents, other),
                _ => joined(&mut parents, label, other),
            };
        }
        if label == 0 {
            label = parents.len() as u32;
            parents.push(label);
        }
        labels[at] = label;
    }
    numbered(labels, &mut parents)
}

/// Returns the smallest label of the component of `label`, and shortens the way to it.
fn root(parents: &mut [u32], mut label: u32) -> u32 {
    while parents[label as usize] != label {
        let above = parents[parents[label as usize] as usize];
        parents[label as usize] = above;
        label = above;
    }
    label
}

/// Records that two labels touch. Returns the smallest label of their component.
fn joined(parents: &mut [u32], a: u32, b: u32) -> u32 {
    let (a, b) = (root(parents, a), root(parents, b));
    let (low, high) = (a.min(b), a.max(b));
    parents[high as usize] = low;
    low
}

/// Numbers the components in the order of their first pixels, and counts their pixels.
fn numbered(mut labels: Vec<u32>, parents: &mut [u32]) -> Components {
    let mut numbers = vec![0_u32; parents.len()];
    let mut sizes = Vec::new();
    for label in labels.iter_mut().filter(|label| **label > 0) {
        let root = root(parents, *label) as usize;
        if numbers[root] == 0 {
            sizes.push(0);
            numbers[root] = sizes.len() as u32;
        }
        *label = numbers[root];
        sizes[numbers[root] as usize - 1] += 1;
    }
    Components { labels, sizes }
}

/// Returns the smallest rectangle that contains the largest connected component of a mask. Among
/// components of the same size, the one whose first pixel comes first row by row is taken. The
/// result is `None` for an empty mask.
pub fn largest_box(mask: &PixelMask) -> Option<Rectangle> {
    let Components { labels, sizes } = components(mask);
    let largest = *sizes.iter().max()?;
    let label = sizes.iter().position(|&size| size == largest)? as u32 + 1;
    let width = mask.width();
    PixelMask::from_fn(width, mask.height(), |x, y| labels[y * width + x] == label).bounds()
}

#[cfg(test)]
mod tests {
    use super::super::examples::{drawn, random};
    use super::*;

    /// Labels components one after the other by flooding each from its first pixel.
    fn flooded(mask: &PixelMask) -> Components {
        let (width, height) = (mask.width(), mask.height());
        let mut labels = vec![0; width * height];
        let mut sizes: Vec<usize> = Vec::new();
        for start in 0..labels.len() {
            if !mask.values()[start] || labels[start] > 0 {
                continue;
            }
            sizes.push(0);
            let mut open = vec![start];
            while let Some(at) = open.pop() {
                if !mask.values()[at] || labels[at] > 0 {
                    continue;
                }
                labels[at] = sizes.len() as u32;
                *sizes.last_mut().expect("a component") += 1;
                let (x, y) = (at % width, at / width);
                for ny in y.saturating_sub(1)..(y + 2).min(height) {
                    for nx in x.saturating_sub(1)..(x + 2).min(width) {
                        open.push(ny * width + nx);
                    }
                }
            }
        }
        Components { labels, sizes }
    }

    #[test]
    fn components_are_those_of_a_flood() {
        let mut most = 0;
        for seed in 0..300 {
            let (width, height) = (1 + seed as usize % 23, 1 + seed as usize % 17);
            let density = [0.1, 0.25, 0.4, 0.55][seed as usize % 4];
            let mask = random(seed, width, height, density);
            let found = components(&mask);
            assert_eq!(found, flooded(&mask), "seed {seed}");
            assert_eq!(found.sizes.iter().sum::<usize>(), mask.count());
            most = most.max(found.sizes.len());
        }
        assert!(most > 20, "at most {most} components");
    }

    #[test]
    fn corners_connect_and_arms_meet() {
        assert_eq!(components(&drawn(&["#..", ".#.", "..#"])).sizes, [3]);
        assert_eq!(components(&drawn(&["#.#", "#.#"])).sizes, [2, 2]);
        // Three labels meet in the last row.
        let comb = drawn(&["#.#.#", "#.#.#", "#####"]);
        assert_eq!(components(&comb).sizes, [11]);
        assert_eq!(components(&drawn(&[])).sizes, [0_usize; 0]);
    }

    #[test]
    fn the_box_is_that_of_the_largest_component() {
        let mask = drawn(&["##....", "......", "...##.", "...#.."]);
        assert_eq!(largest_box(&mask), Rectangle::new(3, 2, 5, 4));
        // Of two components with three pixels the upper one is taken.
        let tied = drawn(&["....#.", "##..##", "#....."]);
        assert_eq!(largest_box(&tied), Rectangle::new(4, 0, 6, 2));
        assert_eq!(largest_box(&drawn(&["...", "..."])), None);
    }
}
