//! Resizing against Pillow. `made/make.py` wrote the expected pictures.

use gmae_reference::data::{Transform, Window};
use image::{Rgb, RgbImage};

/// Largest difference to Pillow in units of 1/255. The measured one is printed.
const TOLERANCE: u8 = 2;

/// The source picture of `make.py`.
fn source(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let edge = if (x / 7 + y / 5) % 2 == 1 { 120 } else { 0 };
        Rgb([
            ((x * 37 + y * 11) % 256) as u8,
            ((x * x + 3 * y) % 256) as u8,
            (edge + (x * y) % 100) as u8,
        ])
    })
}

/// Width and height of the source, left, top, width and height of the window, and Pillow's result.
const CASES: [([u32; 6], &[u8]); 10] = [
    ([90, 60, 0, 0, 90, 60], include_bytes!("made/resized0.png")),
    ([90, 60, 13, 7, 61, 40], include_bytes!("made/resized1.png")),
    ([61, 83, 5, 30, 20, 45], include_bytes!("made/resized2.png")),
    ([61, 83, 3, 2, 9, 6], include_bytes!("made/resized3.png")),
    (
        [300, 20, 10, 3, 280, 15],
        include_bytes!("made/resized4.png"),
    ),
    ([40, 40, 8, 8, 24, 24], include_bytes!("made/resized5.png")),
    ([1, 1, 0, 0, 1, 1], include_bytes!("made/resized6.png")),
    ([1, 50, 0, 4, 1, 40], include_bytes!("made/resized7.png")),
    ([50, 1, 4, 0, 40, 1], include_bytes!("made/resized8.png")),
    ([33, 33, 20, 11, 1, 1], include_bytes!("made/resized9.png")),
];

#[test]
fn windows_are_resized_as_by_pillow() {
    let mut largest = 0;
    for ([width, height, left, top, w, h], expected) in CASES {
        let expected = image::load_from_memory(expected)
            .expect("a picture")
            .into_rgb8();
        let window = Window {
            left,
            top,
            width: w,
            height: h,
            mirrored: false,
        };
        let transform = Transform::evaluation(expected.width() as usize).expect("a size");
        let got = transform
            .cut(&source(width, height), window)
            .expect("a window inside");
        let got = got.to_rgb8();
        let pairs = got.as_raw().iter().zip(expected.as_raw());
        let difference = pairs.map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(u8::MAX);
        assert!(difference <= TOLERANCE, "{window:?}: {difference}");
        largest = largest.max(difference);
    }
    println!("largest difference to Pillow: {largest} / 255");
}

#[test]
fn a_mirrored_window_and_one_outside() {
    let transform = Transform::evaluation(8).expect("a size");
    let window = |left, mirrored| Window {
        left,
        top: 0,
        width: 10,
        height: 10,
        mirrored,
    };
    let source = source(12, 10);
    let cut = |window| transform.cut(&source, window);
    let plain = cut(window(2, false)).expect("inside");
    assert_eq!(cut(window(2, true)).expect("inside"), plain.flipped());
    let error = cut(window(3, false)).expect_err("outside").to_string();
    assert!(error.contains("window: expected"), "{error}");
    let huge = window(u32::MAX, false);
    assert!(cut(huge).is_err());
    let empty = Window {
        width: 0,
        ..window(0, false)
    };
    assert!(cut(empty).is_err());
}
