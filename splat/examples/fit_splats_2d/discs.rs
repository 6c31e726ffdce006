//! The picture to fit.

/// Width and height, px.
pub(crate) const SIZE: [usize; 2] = [96, 64];

/// A red disc before a blue one, on a gradient.
pub(crate) fn picture([width, height]: [usize; 2]) -> Vec<f32> {
    let inside = |x: f32, y: f32, [cx, cy, r]: [f32; 3]| (x - cx).hypot(y - cy) < r;
    let pixel = |i: usize| {
        let (x, y) = ((i % width) as f32 + 0.5, (i / width) as f32 + 0.5);
        match (
            inside(x, y, [38.0, 30.0, 18.0]),
            inside(x, y, [60.0, 38.0, 20.0]),
        ) {
            (true, _) => [0.9, 0.2, 0.1],
            (false, true) => [0.1, 0.3, 0.8],
            (false, false) => [0.8 * x / width as f32, 0.6, 0.3],
        }
    };
    (0..width * height).flat_map(pixel).collect()
}
