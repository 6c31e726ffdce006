//! A small data set in the layout of BSDS500, and edge maps for it.

use std::path::Path;

use image::{GrayImage, Luma};

use crate::place::Place;

/// Width and height of the images.
pub(crate) const SIZE: (u32, u32) = (60, 40);

/// The names of the images.
pub(crate) const NAMES: [&str; 3] = ["1001", "2002", "3003"];

/// Whether a pixel of an image is a boundary: the outline of a rectangle, which is larger for later
/// images. It has no corners, because thinning removes them.
pub(crate) fn outline(index: usize, x: u32, y: u32) -> bool {
    let (right, bottom) = (30 + 8 * index as u32, 20 + 6 * index as u32);
    let inside = (10..=right).contains(&x) && (8..=bottom).contains(&y);
    inside && ((x == 10 || x == right) != (y == 8 || y == bottom))
}

/// A data element of a `.mat` file.
fn element(kind: u32, bytes: &[u8]) -> Vec<u8> {
    let mut made = [kind.to_le_bytes(), (bytes.len() as u32).to_le_bytes()].concat();
    made.extend(bytes);
    made.resize(made.len().next_multiple_of(8), 0);
    made
}

fn array(class: u8, (rows, columns): (u32, u32), name: &str, content: &[u8]) -> Vec<u8> {
    let flags = element(6, &[class, 0, 0, 0, 0, 0, 0, 0]);
    let sizes = element(5, &[rows.to_le_bytes(), columns.to_le_bytes()].concat());
    let parts = [flags, sizes, element(1, name.as_bytes()), content.to_vec()];
    element(14, &parts.concat())
}

/// Returns a file of ground truth with two annotators, of whom the second has drawn nothing.
pub(crate) fn ground_truth((width, height): (u32, u32), on: impl Fn(u32, u32) -> bool) -> Vec<u8> {
    let columns = (0..width).flat_map(|x| (0..height).map(move |y| (x, y)));
    let drawn: Vec<u8> = columns.map(|(x, y)| u8::from(on(x, y))).collect();
    let annotator = |pixels: &[u8]| {
        let mut name = [0; 11];
        name[..10].copy_from_slice(b"Boundaries");
        let picture = array(9, (height, width), "", &element(2, pixels));
        let parts = [
            element(5, &11_u32.to_le_bytes()),
            element(1, &name),
            picture,
        ];
        array(2, (1, 1), "", &parts.concat())
    };
    let cells = [annotator(&drawn), annotator(&vec![0; drawn.len()])];
    let mut file = vec![b' '; 128];
    file[124..].copy_from_slice(b"\0\x01IM");
    file.extend(array(1, (1, 2), "groundTruth", &cells.concat()));
    file
}

/// Writes a file and the folders around it.
pub(crate) fn write(path: &Path, bytes: &[u8]) {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(path, bytes).expect("writing");
}

/// Writes an edge map with a value for every pixel.
pub(crate) fn map(path: &Path, (width, height): (u32, u32), value: impl Fn(u32, u32) -> u8) {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    let map = GrayImage::from_fn(width, height, |x, y| Luma([value(x, y)]));
    map.save(path).expect("saving");
}

/// A place with three images and their ground truth in `bsds`, and with two folders of maps:
/// `exact`, where the boundaries have the value 200, and `shifted`, where they lie 9 pixels to the
/// right.
pub(crate) fn annotated() -> Place {
    let place = Place::new(0);
    for (index, name) in NAMES.into_iter().enumerate() {
        let image = place.path(&format!("bsds/images/test/{name}.png"));
        map(
            &image,
            SIZE,
            |x, y| if outline(index, x, y) { 250 } else { 20 },
        );
        let truth = place.path(&format!("bsds/groundTruth/test/{name}.mat"));
        write(&truth, &ground_truth(SIZE, |x, y| outline(index, x, y)));
        let value = |on| if on { 200 } else { 0 };
        let path = |folder: &str| place.path(&format!("{folder}/{name}.png"));
        map(&path("exact"), SIZE, |x, y| value(outline(index, x, y)));
        map(&path("shifted"), SIZE, |x, y| {
            value(x >= 9 && outline(index, x - 9, y))
        });
    }
    place
}
