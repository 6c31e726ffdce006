//! Kinds of image files, colour types and transparency.

use gmae_reference::data::{Dataset, Folder};
use image::{DynamicImage, ImageFormat, Luma, LumaA, Rgb, Rgba, RgbaImage};

use crate::support::{
    BLACK, BLUE, GREEN, RED, assert_near, encoded, evaluation, folder, one, quarters, read, rng,
    squares,
};

const COLOURS: [[u8; 3]; 4] = [RED, GREEN, BLUE, BLACK];
const WHITE: [u8; 3] = [255; 3];

#[test]
fn every_kind_of_file_is_read_whatever_its_name() {
    for (format, tolerance) in [
        (ImageFormat::Jpeg, 6),
        (ImageFormat::Png, 0),
        (ImageFormat::WebP, 0),
        (ImageFormat::Gif, 0),
        (ImageFormat::Bmp, 0),
        (ImageFormat::Tiff, 0),
    ] {
        let bytes = encoded(squares(), format);
        for name in [
            "a.jpg", "a.JPEG", "a.png", "a.webp", "a.gif", "a.bmp", "a.tif", "a.tiff",
        ] {
            let (_dir, set) = one(name, &bytes, evaluation(16));
            let image = set.image(0, &mut rng()).expect("a picture");
            let what = format!("{format:?} as {name}");
            assert_near(quarters(&image), COLOURS, tolerance, &what);
        }
    }
}

/// Files of `made/`, written by Pillow: kinds that the encoders of `image` do not write.
#[test]
fn palettes_other_colour_spaces_and_first_frames_are_read() {
    let grey = |[r, g, b]: [u8; 3]| {
        let sum = 299 * u32::from(r) + 587 * u32::from(g) + 114 * u32::from(b);
        [((sum + 500) / 1000) as u8; 3]
    };
    let files: [(&str, &[u8], _, u8); 10] = [
        ("cmyk.jpg", include_bytes!("made/cmyk.jpg"), COLOURS, 6),
        ("cmyk.tif", include_bytes!("made/cmyk.tif"), COLOURS, 1),
        (
            "palette.png",
            include_bytes!("made/palette.png"),
            COLOURS,
            0,
        ),
        (
            "palette.bmp",
            include_bytes!("made/palette.bmp"),
            COLOURS,
            0,
        ),
        (
            "grey.jpg",
            include_bytes!("made/grey.jpg"),
            COLOURS.map(grey),
            2,
        ),
        (
            "progressive.jpg",
            include_bytes!("made/progressive.jpg"),
            COLOURS,
            6,
        ),
        ("moving.gif", include_bytes!("made/moving.gif"), COLOURS, 0),
        (
            "moving.webp",
            include_bytes!("made/moving.webp"),
            COLOURS,
            0,
        ),
        ("moving.png", include_bytes!("made/moving.png"), COLOURS, 0),
        ("lossy.webp", include_bytes!("made/lossy.webp"), COLOURS, 12),
    ];
    for (name, bytes, expected, tolerance) in files {
        let got = quarters(&read(bytes, evaluation(16)));
        assert_near(got, expected, tolerance, name);
    }
}

#[test]
fn sixteen_bits_and_grey_become_eight_bits_of_colour() {
    let wide = image::ImageBuffer::from_fn(16, 16, |x, y| {
        Rgb(squares().get_pixel(x, y).0.map(|v| u16::from(v) * 257))
    });
    let wide = DynamicImage::ImageRgb16(wide);
    for format in [ImageFormat::Png, ImageFormat::Tiff] {
        let got = quarters(&read(&encoded(wide.clone(), format), evaluation(16)));
        assert_near(got, COLOURS, 0, "16 bits");
    }
    let grey = image::ImageBuffer::from_fn(16, 16, |x, _| Luma([x as u16 * 4096]));
    let grey = encoded(DynamicImage::ImageLuma16(grey), ImageFormat::Png);
    let got = quarters(&read(&grey, evaluation(16)));
    let (left, right) = ([64; 3], [191; 3]);
    assert_near(got, [left, right, left, right], 1, "grey of 16 bits");
}

/// Opaque red, half transparent black, and two squares of noise that are transparent.
fn layered() -> RgbaImage {
    RgbaImage::from_fn(16, 16, |x, y| match (x / 8, y / 8) {
        (0, 0) => Rgba([220, 20, 20, 255]),
        (1, 0) => Rgba([0, 0, 0, 128]),
        _ => Rgba([(x * 15) as u8, (y * 15) as u8, (x * y) as u8, 0]),
    })
}

#[test]
fn colours_under_transparency_do_not_show() {
    let image = DynamicImage::from(layered());
    let wide = DynamicImage::from(image.to_rgba16());
    let seen = [RED, [127; 3], WHITE, WHITE];
    let files = [
        encoded(image.clone(), ImageFormat::Png),
        encoded(image.clone(), ImageFormat::WebP),
        encoded(image.clone(), ImageFormat::Tiff),
        encoded(wide, ImageFormat::Png),
    ];
    for bytes in files {
        let image = read(&bytes, evaluation(16));
        assert_near(quarters(&image), seen, 0, "transparency");
        let below = &image.pixels[16 * 8 * 3..];
        assert!(below.iter().all(|&v| v == 1.0));
    }
    // GIF has no half transparency.
    let got = quarters(&read(&encoded(image, ImageFormat::Gif), evaluation(16)));
    assert_near(
        [got[2], got[3]].repeat(2).try_into().unwrap(),
        [WHITE; 4],
        0,
        "GIF",
    );
    let grey = image::ImageBuffer::from_fn(16, 16, |x, _| LumaA([7_u8, (x / 8 * 255) as u8]));
    let grey = encoded(DynamicImage::ImageLumaA8(grey), ImageFormat::Png);
    let got = quarters(&read(&grey, evaluation(16)));
    assert_near(got, [WHITE, [7; 3], WHITE, [7; 3]], 0, "grey");
}

#[test]
fn transparent_images_are_counted_and_one_is_named() {
    let opaque = DynamicImage::from(squares()).to_rgba8();
    let layered = encoded(layered(), ImageFormat::Png);
    let dir = folder(&[
        ("a.png", encoded(opaque, ImageFormat::Png)),
        ("b.png", layered.clone()),
        ("c.png", layered),
    ]);
    let set = Folder::open(dir.path(), evaluation(16)).expect("three images");
    for _ in 0..2 {
        for i in 0..3 {
            set.image(i, &mut rng()).expect("a picture");
        }
    }
    let remarks = set.remarks();
    assert_eq!(remarks.len(), 1, "{remarks:?}");
    assert!(remarks[0].contains("b.png is transparent"), "{remarks:?}");
    let summary = set.summary();
    assert_eq!(summary.len(), 1, "{summary:?}");
    assert!(summary[0].starts_with("2 images of "), "{summary:?}");
}

/// A decoder that fails, or a header that promises too much, must not end the program.
#[test]
fn damaged_files_are_faults_and_never_panics() {
    let mut picture = squares();
    for format in [
        ImageFormat::Jpeg,
        ImageFormat::Png,
        ImageFormat::WebP,
        ImageFormat::Gif,
        ImageFormat::Bmp,
        ImageFormat::Tiff,
    ] {
        picture.put_pixel(3, 3, Rgb([9, 9, 9]));
        let bytes = encoded(picture.clone(), format);
        for at in (0..bytes.len()).step_by(1 + bytes.len() / 25) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0xFF;
            let cut = bytes[..at].to_vec();
            let dir = folder(&[("a.png", damaged), ("b.png", cut)]);
            for reduced_jpeg in [false, true] {
                let options = gmae_reference::data::FolderOptions {
                    reduced_jpeg,
                    ..evaluation(2)
                };
                let set = Folder::open(dir.path(), options).expect("two files");
                // The damage may be in a place that does not matter.
                let _ = set.image(0, &mut rng());
                let _ = set.image(1, &mut rng());
            }
        }
    }
}
