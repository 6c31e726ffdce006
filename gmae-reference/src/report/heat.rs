//! Numbers on a grid as a picture: dark for nothing, bright for the largest number.

use crate::data::Image;
use crate::evaluation::distribution::Grid;

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
