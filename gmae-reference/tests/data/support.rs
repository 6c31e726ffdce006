//! Small pictures, files and folders for the tests.

use std::io::Cursor;

use gmae_reference::data::{Dataset, Folder, FolderOptions, Image, Transform};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;

pub(crate) const RED: [u8; 3] = [220, 20, 20];
pub(crate) const GREEN: [u8; 3] = [20, 200, 30];
pub(crate) const BLUE: [u8; 3] = [30, 40, 210];
pub(crate) const BLACK: [u8; 3] = [0, 0, 0];

/// A picture of 16 x 16 pixels in four squares: red, green, blue, black.
pub(crate) fn squares() -> RgbImage {
    let colours = [RED, GREEN, BLUE, BLACK];
    RgbImage::from_fn(16, 16, |x, y| Rgb(colours[(x / 8 + y / 8 * 2) as usize]))
}

pub(crate) fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, format).expect("encoding");
    bytes.into_inner()
}

/// Creates a folder with these files.
pub(crate) fn folder(files: &[(&str, Vec<u8>)]) -> TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for (name, bytes) in files {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, bytes).expect("writing");
    }
    dir
}

pub(crate) fn rng() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(0)
}

/// Options without augmentation. A picture of `side` x `side` pixels is left unchanged.
pub(crate) fn evaluation(side: usize) -> FolderOptions {
    FolderOptions::new(Transform::evaluation(side).expect("a valid size"))
}

/// Opens a folder with one file.
pub(crate) fn one(name: &str, bytes: &[u8], options: FolderOptions) -> (TempDir, Folder) {
    let dir = folder(&[(name, bytes.to_vec())]);
    let set = Folder::open(dir.path(), options).expect("a folder with an image");
    (dir, set)
}

/// Reads a file as the only one of a folder.
pub(crate) fn read(bytes: &[u8], options: FolderOptions) -> Image {
    let (_dir, set) = one("picture.png", bytes, options);
    let image = set.image(0, &mut rng());
    image.unwrap_or_else(|error| panic!("{error}"))
}

/// Returns the colours in the middle of the four squares of a picture.
pub(crate) fn quarters(image: &Image) -> [[u8; 3]; 4] {
    let side = image.width;
    let at = |x, y| {
        let colour = image.pixel(side / 4 + x * side / 2, side / 4 + y * side / 2);
        colour.expect("inside").map(|v| (v * 255.0).round() as u8)
    };
    [at(0, 0), at(1, 0), at(0, 1), at(1, 1)]
}

/// Checks colours with a tolerance for lossy formats.
pub(crate) fn assert_near(got: [[u8; 3]; 4], expected: [[u8; 3]; 4], tolerance: u8, what: &str) {
    let pairs = got.as_flattened().iter().zip(expected.as_flattened());
    for (a, b) in pairs {
        assert!(a.abs_diff(*b) <= tolerance, "{what}: {got:?}, {expected:?}");
    }
}
