//! Orientations: all eight, in both byte orders, for each format that stores one.

use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder, ImageFormat, Rgb, RgbImage};

use crate::support::{
    BLACK, BLUE, GREEN, RED, assert_near, encoded, evaluation, quarters, read, squares,
};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Order {
    Little,
    Big,
}

impl Order {
    fn u16(self, value: u16) -> [u8; 2] {
        match self {
            Self::Little => value.to_le_bytes(),
            Self::Big => value.to_be_bytes(),
        }
    }

    fn u32(self, value: u32) -> [u8; 4] {
        match self {
            Self::Little => value.to_le_bytes(),
            Self::Big => value.to_be_bytes(),
        }
    }

    fn header(self) -> Vec<u8> {
        let mark = match self {
            Self::Little => b"II",
            Self::Big => b"MM",
        };
        [&mark[..], &self.u16(42), &self.u32(8)].concat()
    }

    /// A field with one number of 16 bits.
    fn short(self, tag: u16, value: u16) -> Vec<u8> {
        let parts = [self.u16(tag), self.u16(3)].concat();
        [&parts[..], &self.u32(1), &self.u16(value), &[0, 0]].concat()
    }

    /// A field with `count` numbers of 16 (`kind` 3) or 32 bits (`kind` 4), or their position.
    fn long(self, tag: u16, kind: u16, count: u32, value: u32) -> Vec<u8> {
        let parts = [self.u16(tag), self.u16(kind)].concat();
        [&parts[..], &self.u32(count), &self.u32(value)].concat()
    }
}

/// The EXIF data: a TIFF file with the orientation as its only field.
fn exif(orientation: u16, order: Order) -> Vec<u8> {
    let field = order.short(0x0112, orientation);
    [&order.header()[..], &order.u16(1), &field, &order.u32(0)].concat()
}

/// A JPEG file with an APP1 segment behind its first marker.
pub(crate) fn jpeg(image: RgbImage, orientation: u16, order: Order) -> Vec<u8> {
    let plain = encoded(image, ImageFormat::Jpeg);
    let content = [&b"Exif\0\0"[..], &exif(orientation, order)].concat();
    let length = (content.len() as u16 + 2).to_be_bytes();
    let parts = [&plain[..2], &[0xFF, 0xE1], &length, &content, &plain[2..]];
    parts.concat()
}

fn with_encoder(mut encoder: impl ImageEncoder, image: &RgbImage, exif: Vec<u8>) {
    encoder.set_exif_metadata(exif).expect("EXIF data");
    let (width, height) = image.dimensions();
    let done = encoder.write_image(image.as_raw(), width, height, ExtendedColorType::Rgb8);
    done.expect("encoding");
}

fn png(image: RgbImage, orientation: u16, order: Order) -> Vec<u8> {
    let mut bytes = Vec::new();
    let exif = exif(orientation, order);
    with_encoder(PngEncoder::new(&mut bytes), &image, exif);
    bytes
}

fn webp(image: RgbImage, orientation: u16, order: Order) -> Vec<u8> {
    let mut bytes = Vec::new();
    let exif = exif(orientation, order);
    with_encoder(WebPEncoder::new_lossless(&mut bytes), &image, exif);
    bytes
}

/// A TIFF file without compression.
fn tiff(image: RgbImage, orientation: u16, order: Order) -> Vec<u8> {
    let (width, height) = image.dimensions();
    let fields = [
        order.short(256, width as u16),
        order.short(257, height as u16),
        order.long(258, 3, 3, 8 + 2 + 10 * 12 + 4),
        order.short(259, 1),
        order.short(262, 2),
        order.long(273, 4, 1, 8 + 2 + 10 * 12 + 4 + 6),
        order.short(274, orientation),
        order.short(277, 3),
        order.short(278, height as u16),
        order.long(279, 4, 1, width * height * 3),
    ];
    let bits = order.u16(8).repeat(3);
    let count = order.u16(fields.len() as u16);
    let (header, end) = (order.header(), order.u32(0));
    let fields = fields.concat();
    [&header[..], &count, &fields, &end, &bits, image.as_raw()].concat()
}

type Writer = fn(RgbImage, u16, Order) -> Vec<u8>;

const WRITERS: [(&str, Writer, u8); 4] = [
    ("JPEG", jpeg, 6),
    ("PNG", png, 0),
    ("WebP", webp, 0),
    ("TIFF", tiff, 0),
];

#[test]
fn pictures_are_turned_as_their_orientation_says() {
    let (a, b, c, d) = (RED, GREEN, BLUE, BLACK);
    // EXIF 2.32, table 6: where the first row and the first column are seen.
    let seen = [
        [a, b, c, d],
        [b, a, d, c],
        [d, c, b, a],
        [c, d, a, b],
        [a, c, b, d],
        [c, a, d, b],
        [d, b, c, a],
        [b, d, a, c],
    ];
    for (name, writer, tolerance) in WRITERS {
        for order in [Order::Little, Order::Big] {
            for (orientation, expected) in (1..).zip(seen) {
                let bytes = writer(squares(), orientation, order);
                let got = quarters(&read(&bytes, evaluation(16)));
                let what = format!("{name} {orientation} {order:?}");
                assert_near(got, expected, tolerance, &what);
            }
        }
    }
}

/// The window is chosen from the sides of the upright picture.
#[test]
fn long_pictures_are_turned_before_they_are_cut() {
    let long = || RgbImage::from_fn(48, 16, |x, _| Rgb(if x < 24 { RED } else { BLUE }));
    for (name, writer, tolerance) in WRITERS {
        for orientation in 1..=8 {
            let bytes = writer(long(), orientation, Order::Big);
            let got = quarters(&read(&bytes, evaluation(8)));
            let (a, b) = (RED, BLUE);
            let expected = match orientation {
                1 | 4 => [a, b, a, b],
                2 | 3 => [b, a, b, a],
                5 | 6 => [a, a, b, b],
                _ => [b, b, a, a],
            };
            let what = format!("{name} {orientation}");
            assert_near(got, expected, tolerance.max(10), &what);
        }
    }
}

#[test]
fn an_impossible_orientation_is_ignored() {
    for orientation in [0, 9, 999] {
        let bytes = jpeg(squares(), orientation, Order::Little);
        let got = quarters(&read(&bytes, evaluation(16)));
        assert_near(got, [RED, GREEN, BLUE, BLACK], 6, "orientation");
    }
}
