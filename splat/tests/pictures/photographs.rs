//! What `fit_image` makes of photographs: their orientation, transparent pixels, size, and the memory
//! that it states.

use std::fs;
use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{
    DynamicImage, ExtendedColorType, GrayAlphaImage, ImageBuffer, ImageEncoder, ImageFormat, Rgb,
    RgbImage, Rgba, RgbaImage,
};
use tempfile::TempDir;

use crate::decoding::{Change, picture};
use crate::{run, text};

/// No picture of these tests is larger.
const ANY_SIDE: u32 = 4096;

fn png(picture: impl Into<DynamicImage>) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    let written = picture.into().write_to(&mut file, ImageFormat::Png);
    written.expect("memory is writable");
    file.into_inner()
}

/// Returns a TIFF directory with one entry, the orientation, in either byte order.
fn exif(orientation: u8, big_endian: bool) -> Vec<u8> {
    if big_endian {
        let mut exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
        exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
        return exif;
    }
    let mut exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
    exif
}

fn encoded(mut encoder: impl ImageEncoder, picture: &RgbImage, exif: Vec<u8>) {
    encoder.set_exif_metadata(exif).expect("it has EXIF");
    let (width, height) = picture.dimensions();
    let written = encoder.write_image(picture, width, height, ExtendedColorType::Rgb8);
    written.expect("memory is writable");
}

/// Where a pixel of the stored picture, of `w` x `h` px, is shown (EXIF 2.32, tag 274).
fn shown(orientation: u8, [x, y]: [u32; 2], [w, h]: [u32; 2]) -> [u32; 2] {
    let (right, bottom) = (w - 1 - x, h - 1 - y);
    match orientation {
        2 => [right, y],
        3 => [right, bottom],
        4 => [x, bottom],
        5 => [y, x],
        6 => [bottom, x],
        7 => [bottom, right],
        8 => [y, right],
        _ => [x, y],
    }
}

#[test]
fn every_orientation_is_applied() {
    // Blocks of 16 px, which JPEG keeps.
    let stored = RgbImage::from_fn(48, 32, |x, y| {
        Rgb([(x / 16 * 100) as u8, (y / 16 * 200) as u8, 90])
    });
    // 0 and 9 are no orientations.
    for orientation in 0..=9 {
        for big_endian in [false, true] {
            let exif = exif(orientation, big_endian);
            let (mut as_png, mut as_jpeg) = (Vec::new(), Vec::new());
            encoded(PngEncoder::new(&mut as_png), &stored, exif.clone());
            encoded(
                JpegEncoder::new_with_quality(&mut as_jpeg, 100),
                &stored,
                exif,
            );
            for (file, tolerance) in [(as_png, 0), (as_jpeg, 4)] {
                let (decoded, changes) = picture(&file, ANY_SIDE).expect("a valid file");
                assert_eq!(changes, [], "{orientation}");
                let turned = (5..=8).contains(&orientation);
                let size = if turned { (32, 48) } else { (48, 32) };
                assert_eq!(decoded.dimensions(), size, "{orientation}");
                for (x, y, pixel) in stored.enumerate_pixels() {
                    let [to_x, to_y] = shown(orientation, [x, y], [48, 32]);
                    let pairs = decoded.get_pixel(to_x, to_y).0.into_iter().zip(pixel.0);
                    let worst = pairs.map(|(a, b)| a.abs_diff(b)).max();
                    assert!(worst <= Some(tolerance), "{orientation}: {x} {y} {worst:?}");
                }
            }
        }
    }
}

#[test]
fn transparent_pixels_are_composited_over_white_and_counted() {
    // Colour, alpha, and the colour over white: (colour alpha + 255 (255 - alpha)) / 255.
    let cases = [(200, 255, 200), (10, 0, 255), (0, 128, 127), (100, 51, 224)];
    let colours = RgbaImage::from_fn(4, 1, |x, _| {
        let (colour, alpha, _) = cases[x as usize];
        Rgba([colour, colour, colour, alpha])
    });
    let greys = GrayAlphaImage::from_fn(4, 1, |x, _| {
        let (colour, alpha, _) = cases[x as usize];
        image::LumaA([colour, alpha])
    });
    let deep: ImageBuffer<Rgba<u16>, _> = ImageBuffer::from_fn(4, 1, |x, y| {
        Rgba(colours.get_pixel(x, y).0.map(|byte| u16::from(byte) * 257))
    });
    for file in [png(colours), png(greys), png(deep)] {
        let (decoded, changes) = picture(&file, ANY_SIDE).expect("a valid file");
        assert_eq!(changes, [Change::OnWhite { pixels: 3, of: 4 }]);
        for (x, &(_, _, expected)) in cases.iter().enumerate() {
            assert_eq!(decoded.get_pixel(x as u32, 0).0, [expected; 3], "{x}");
        }
    }
    // An alpha channel alone changes nothing.
    let opaque = RgbaImage::from_pixel(3, 2, Rgba([9, 8, 7, 255]));
    let (decoded, changes) = picture(&png(opaque), ANY_SIDE).expect("a valid file");
    assert!(changes.is_empty() && decoded.pixels().all(|pixel| pixel.0 == [9, 8, 7]));
}

#[test]
fn large_photographs_are_downsampled_by_averages() {
    // Squares of one pixel become grey. Every second pixel alone would be black or white.
    let squares = |width, height| {
        RgbImage::from_fn(width, height, |x, y| Rgb([255 * ((x + y) % 2) as u8; 3]))
    };
    for (from, most, to) in [
        ([64, 32], 16, [16, 8]),
        ([32, 64], 16, [8, 16]),
        ([100, 60], 64, [64, 38]),
        ([200, 1], 50, [50, 1]),
    ] {
        let file = png(squares(from[0], from[1]));
        let (decoded, changes) = picture(&file, most).expect("a valid file");
        assert_eq!(changes, [Change::Downsampled { from, to }]);
        assert_eq!(decoded.dimensions(), (to[0], to[1]));
        let mean: f64 = decoded.as_raw().iter().map(|&byte| f64::from(byte)).sum();
        let mean = mean / decoded.as_raw().len() as f64;
        assert!((mean - 127.5).abs() < 3.0, "{from:?}: {mean}");
        if to[0] * 4 <= from[0] {
            let grey = |pixel: &Rgb<u8>| pixel.0[0].abs_diff(127) < 12;
            assert!(decoded.pixels().all(grey), "{from:?}");
        }
    }
    // As large as allowed: not a bit differs.
    let exact = squares(64, 32);
    let (decoded, changes) = picture(&png(exact.clone()), 64).expect("a valid file");
    assert!(changes.is_empty() && decoded == exact);
    // Colours under transparent pixels do not bleed into their neighbours.
    let hidden = RgbaImage::from_fn(64, 64, |x, _| {
        if x % 2 == 0 {
            Rgba([255, 255, 255, 255])
        } else {
            Rgba([0, 0, 0, 0])
        }
    });
    let (decoded, _) = picture(&png(hidden), 16).expect("a valid file");
    assert!(decoded.pixels().all(|pixel| pixel.0 == [255; 3]));
}

/// A file of 33 bytes that promises 60,000 x 60,000 px must not be given memory for them.
#[test]
fn promised_pixels_are_not_allocated() {
    let whole = png(RgbImage::new(1, 1));
    let mut file = whole.clone();
    file[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    let mut check = flate2::Crc::new();
    check.update(&file[12..29]);
    file[29..33].copy_from_slice(&check.sum().to_be_bytes());
    let error = picture(&file, ANY_SIDE).expect_err("it has no pixels");
    assert!(error.contains("60000 x 60000 px"), "{error}");
}

#[test]
fn fit_image_says_what_it_changes_and_what_it_takes() {
    let folder = TempDir::new().expect("a temporary folder");
    let (path, out) = (folder.path().join("disc.png"), folder.path().join("out"));
    // A red disc. The pixels around it are transparent noise.
    let mut clear = 0;
    let disc = RgbaImage::from_fn(60, 40, |x, y| {
        if (x as i32 - 30).pow(2) + (y as i32 - 20).pow(2) < 200 {
            return Rgba([220, 20, 20, 255]);
        }
        clear += 1;
        Rgba([(x * 97 % 251) as u8, (y * 57 % 251) as u8, 0, 0])
    });
    fs::write(&path, png(disc)).expect("the folder is writable");
    let arguments = ["--gaussians=40", "--iterations=60", "--max-side=30"];
    let more = [text(&path), "--out", text(&out)];
    let output = run("fit_image", &[&more[..], &arguments].concat());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let on_white = format!("{clear} of 2400 pixels are transparent, and are composited over white");
    assert!(said.contains(&on_white), "{said}");
    assert!(
        said.contains("60 x 40 px are downsampled to 30 x 20 px (--max-side)"),
        "{said}"
    );
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let first = said.lines().next().unwrap_or_default();
    assert!(first.starts_with("memory: about ") && first.ends_with("30 x 20 px and 40 gaussians"));
    let fit = image::open(out.join("fit.png")).expect("the picture is whole");
    let fit = fit.into_rgb8();
    assert_eq!(fit.dimensions(), (30, 20));
    let (middle, corner) = (fit.get_pixel(15, 10).0, fit.get_pixel(1, 1).0);
    assert!(middle[0] > 180 && middle[1] < 80, "{middle:?}");
    assert!(corner.iter().all(|&byte| byte > 235), "{corner:?}");
}

/// The memory that is stated is the peak of the resident memory, for many pixels and for many
/// Gaussians.
#[cfg(target_os = "linux")]
#[test]
fn fit_image_takes_the_memory_that_it_states() {
    use std::process::{Command, Stdio};

    let folder = TempDir::new().expect("a temporary folder");
    let (path, out) = (folder.path().join("photo.png"), folder.path().join("out"));
    for (side, gaussians) in [(1024, "500"), (96, "100000")] {
        let picture = RgbImage::from_fn(side, side, |x, y| Rgb([(x / 4) as u8, (y / 4) as u8, 9]));
        fs::write(&path, png(picture)).expect("the folder is writable");
        let mut child = Command::new(crate::programs::example("fit_image"))
            .args([text(&path), "--out", text(&out), "--iterations=3"])
            .args(["--gaussians", gaussians])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the example starts");
        let status = format!("/proc/{}/status", child.id());
        let mut peak_kib = 0.0;
        while child.try_wait().expect("it is a child").is_none() {
            let status = fs::read_to_string(&status).unwrap_or_default();
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let number = line.and_then(|line| line.trim().split(' ').next()?.parse().ok());
            peak_kib = number.unwrap_or(peak_kib);
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        let output = child.wait_with_output().expect("it is a child");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let stated = said.strip_prefix("memory: about ").expect("it comes first");
        let stated: f64 = stated
            .split(' ')
            .next()
            .map_or(0.0, |n| n.parse().expect("a number"));
        let ratio = stated / (peak_kib / 1024.0);
        assert!((0.8..1.25).contains(&ratio), "{side} {gaussians}: {ratio}");
    }
}
