//! JPEG files that are decoded at a fraction of their size.

use gmae_reference::data::{Dataset, FolderOptions, Image};
use image::{Rgb, RgbImage};

use crate::exif::{Order, jpeg};
use crate::support::{evaluation, one, read, rng};

/// Waves with a period of about 60 pixels: a wrong position by a few pixels shows.
fn waves(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let (x, y) = (f64::from(x), f64::from(y));
        let wave = |t: f64| (128.0 + 100.0 * (t / 10.0).sin()) as u8;
        Rgb([wave(x), wave(y), wave(x * 0.7 + y * 0.3)])
    })
}

fn reduced(side: usize) -> FolderOptions {
    FolderOptions {
        reduced_jpeg: true,
        ..evaluation(side)
    }
}

/// Returns the mean and the largest difference in units of 1/255.
fn difference(a: &Image, b: &Image) -> (f32, f32) {
    let pairs = a.pixels.iter().zip(&b.pixels);
    let each = pairs.map(|(a, b)| (a - b).abs() * 255.0);
    let (sum, max) = each.fold((0.0, 0.0_f32), |(sum, max), d| (sum + d, max.max(d)));
    (sum / a.pixels.len() as f32, max)
}

/// The sides leave remainders with 2, 4 and 8, so that the last blocks are incomplete.
#[test]
fn reduced_pictures_have_the_place_and_the_turn_of_full_ones() {
    for side in [32, 64, 96] {
        for orientation in 1..=8 {
            let bytes = jpeg(waves(403, 325), orientation, Order::Little);
            let full = read(&bytes, evaluation(side));
            let small = read(&bytes, reduced(side));
            assert_ne!(full, small, "the option has an effect");
            let (mean, max) = difference(&full, &small);
            println!("side {side}, orientation {orientation}: mean {mean:.2}, largest {max:.1}");
            assert!(
                mean < 3.0 && max < 24.0,
                "side {side}, orientation {orientation}: mean {mean}, largest {max}"
            );
        }
    }
}

#[test]
fn small_windows_and_other_colour_spaces_are_decoded_at_full_size() {
    let bytes = jpeg(waves(100, 100), 1, Order::Little);
    assert_eq!(read(&bytes, reduced(64)), read(&bytes, evaluation(64)));
    let cmyk = include_bytes!("made/cmyk.jpg");
    assert_eq!(read(cmyk, reduced(4)), read(cmyk, evaluation(4)));
    let grey = include_bytes!("made/grey.jpg");
    let (mean, _) = difference(&read(grey, reduced(4)), &read(grey, evaluation(4)));
    assert!(mean < 12.0, "{mean}");
}

#[test]
fn a_truncated_file_is_refused() {
    let bytes = jpeg(waves(200, 200), 1, Order::Little);
    let (_dir, set) = one("cut.jpg", &bytes[..bytes.len() - 2], reduced(16));
    let error = set.image(0, &mut rng()).expect_err("truncated").to_string();
    assert!(error.contains("truncated"), "{error}");
}
