//! Numbers as a picture: dark for nothing, bright for the largest number.

use crate::data::Image;
use crate::evaluation::distribution::Grid;
use crate::evaluation::segmentation::LabelMap;

/// The colours from 0 to the largest number, in equal steps. Each is brighter than the last.
const RAMP: [[f32; 3]; 5] = [
    [0.05, 0.06, 0.12],
    [0.33, 0.13, 0.47],
    [0.77, 0.26, 0.36],
    [0.97, 0.61, 0.22],
    [0.99, 0.97, 0.76],
];

/// Returns an image of the size of the grid's image, with each cell in the colour of its number.
/// Negative numbers and numbers that are not finite have the colour of 0.
pub(crate) fn heat_map(grid: &Grid) -> Image {
    let usable = |v: f64| if v.is_finite() { v.max(0.0) } else { 0.0 };
    let largest = grid
        .values()
        .iter()
        .copied()
        .map(usable)
        .fold(0.0, f64::max);
    let mut image = Image::filled(grid.width(), grid.height(), RAMP[0]);
    if largest == 0.0 {
        return image;
    }
    for (i, pixel) in image.pixels.chunks_mut(3).enumerate() {
        let (x, y) = (i % grid.width(), i / grid.width());
        let cell = y / grid.cell() * grid.columns() + x / grid.cell();
        pixel.copy_from_slice(&colour(usable(grid.values()[cell]) / largest));
    }
    image
}

/// The colour of the pixels of a label map without a layer.
const NO_LAYER: [f32; 3] = [0.5, 0.5, 0.5];

/// Returns a label map as an image: near layers are bright, far layers are dark,
/// and pixels with label 0 are grey.
pub(crate) fn label_map(map: &LabelMap, groups: usize) -> Image {
    let [width, height] = map.size();
    let mut image = Image::filled(width, height, NO_LAYER);
    let steps = groups.saturating_sub(1).max(1) as f64;
    for (pixel, &label) in image.pixels.chunks_mut(3).zip(map.labels()) {
        if let Some(behind) = label.checked_sub(1) {
            let value = 1.0 - f64::from(behind) / steps;
            pixel.copy_from_slice(&colour(value.clamp(0.0, 1.0)));
        }
    }
    image
}

/// Returns the colour of a number in `[0, 1]`.
fn colour(value: f64) -> [f32; 3] {
    let at = value * (RAMP.len() - 1) as f64;
    let low = (at as usize).min(RAMP.len() - 2);
    let part = (at - low as f64) as f32;
    let mix = |c: usize| RAMP[low][c] + part * (RAMP[low + 1][c] - RAMP[low][c]);
    [mix(0), mix(1), mix(2)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::density_map;

    #[test]
    fn cells_have_the_colours_of_their_numbers() {
        let centres = [[0.5, 0.5], [2.5, 0.5], [2.5, 0.5]];
        let grid = density_map(&centres, &[0.5, 0.5, 0.5], 5, 3, 2).unwrap();
        let image = heat_map(&grid);
        assert_eq!((image.width, image.height, image.pixels.len()), (5, 3, 45));
        let at = |x, y| image.pixel(x, y).unwrap();
        assert_eq!([at(0, 0), at(1, 1)], [RAMP[2]; 2]);
        assert_eq!([at(2, 0), at(3, 1)], [RAMP[4]; 2]);
        assert_eq!([at(4, 0), at(0, 2), at(4, 2)], [RAMP[0]; 3]);
    }

    #[test]
    fn near_layers_are_bright_and_pixels_without_a_layer_grey() {
        let map = |width, height, labels: &[u16]| {
            LabelMap::new(width, height, labels.to_vec()).expect("a map")
        };
        let image = label_map(&map(2, 2, &[0, 1, 2, 5]), 5);
        let at = |x, y| image.pixel(x, y).unwrap();
        assert_eq!([at(0, 0), at(1, 0), at(1, 1)], [NO_LAYER, RAMP[4], RAMP[0]]);
        assert_eq!(at(0, 1), colour(0.75));
        // A single layer is bright.
        assert_eq!(label_map(&map(1, 1, &[1]), 1).pixel(0, 0), Some(RAMP[4]));
    }

    #[test]
    fn larger_numbers_are_brighter() {
        let light = |v: f64| -> f32 { colour(v).iter().sum() };
        for step in 0..100 {
            let value = f64::from(step) / 100.0;
            assert!(light(value) < light(value + 0.01), "{value}");
        }
        let empty = density_map(&[], &[], 2, 2, 1).unwrap();
        assert_eq!(heat_map(&empty), Image::filled(2, 2, RAMP[0]));
    }
}
