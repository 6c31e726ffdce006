//! Small folders in every layout, whole and damaged.

use std::io::Cursor;

use image::{DynamicImage, GrayImage, ImageFormat, Luma, Rgb, RgbImage};
use tempfile::TempDir;

use super::*;
use crate::data::rectangle::Rectangle;

mod voc;

/// A temporary folder of files.
type Tree = TempDir;

/// Creates a folder with these files.
fn folder(files: &[(&str, Vec<u8>)]) -> Tree {
    let dir = tempfile::tempdir().expect("a temporary folder");
    for (name, bytes) in files {
        add(&dir, name, bytes);
    }
    dir
}

fn add(dir: &Tree, name: &str, bytes: &[u8]) {
    let path = dir.path().join(name);
    std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
    std::fs::write(path, bytes).expect("writing");
}

fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, format).expect("encoding");
    bytes.into_inner()
}

fn photograph(width: u32, height: u32) -> Vec<u8> {
    let image = RgbImage::from_pixel(width, height, Rgb([200, 100, 50]));
    encoded(image, ImageFormat::Jpeg)
}

/// A grey PNG file with these values.
fn grey(rows: &[&[u8]]) -> Vec<u8> {
    let (width, height) = (rows[0].len() as u32, rows.len() as u32);
    let value = |x: u32, y: u32| Luma([rows[y as usize][x as usize]]);
    encoded(GrayImage::from_fn(width, height, value), ImageFormat::Png)
}

fn open(dir: &Tree) -> Result<Annotated, DataError> {
    Annotated::open(dir.path(), &AnnotatedOptions::default())
}

/// Checks that an error names a file and contains some words.
fn assert_names<T>(result: Result<T, DataError>, file: &str, words: &str) {
    let Err(error) = result else {
        panic!("expected an error about {file}");
    };
    let text = error.to_string();
    assert!(text.contains(file) && text.contains(words), "{text}");
}

fn horses() -> Tree {
    folder(&[
        ("rgb/horse1.jpg", photograph(30, 20)),
        ("rgb/horse2.jpg", photograph(30, 20)),
        (
            "figure_ground/horse1.png",
            grey(&[&[0, 127, 128], &[0, 255, 255]]),
        ),
        (
            "figure_ground/horse2.png",
            grey(&[&[255, 0, 0], &[0, 0, 0]]),
        ),
        ("rgb/Thumbs.db", b"no image".to_vec()),
    ])
}

#[test]
fn grey_masks_have_their_own_size() {
    let dir = horses();
    let set = open(&dir).expect("photographs and masks");
    assert_eq!((set.layout(), set.len()), (Some(Layout::FigureGround), 2));
    assert!(set.remarks().is_empty());
    let item = set.item(0).expect("an item");
    assert_eq!((item.name.as_str(), item.image.width), ("horse1", 30));
    assert_eq!(
        item.truth.foreground.values(),
        [false, false, true, false, true, true]
    );
    assert_eq!(set.truth(1).expect("a truth").1, [30, 20]);
    add(&dir, "figure_ground/horse3.png", &grey(&[&[255]]));
    let set = open(&dir).expect("a mask too many");
    assert_eq!(set.len(), 2);
    assert!(
        set.remarks()[0].contains("left out 1 mask of") && set.remarks()[0].ends_with("horse3")
    );
}

#[test]
fn damaged_pairs_are_named() {
    let dir = horses();
    add(&dir, "rgb/horse9.jpg", &photograph(3, 2));
    assert_names(
        open(&dir),
        "figure_ground",
        "horse9.jpg, got none of that name",
    );
    let dir = horses();
    add(&dir, "rgb/horse1.png", &photograph(30, 20));
    assert_names(open(&dir), "horse1.png", "a second one beside");
    for (mask, words) in [
        (
            grey(&[[255; 20].as_slice(); 30]),
            "the ratio of 30 x 20 pixels",
        ),
        (
            grey(&[[127; 3].as_slice(); 2]),
            "values above 127, got none",
        ),
        (b"no image".to_vec(), "a readable image"),
    ] {
        let dir = horses();
        add(&dir, "figure_ground/horse2.png", &mask);
        let set = open(&dir).expect("all files");
        assert!(set.item(0).is_ok());
        assert_names(set.item(1), "horse2.png", words);
    }
}

#[test]
fn trimaps_are_joined_with_their_images() {
    let dir = folder(&[
        ("masks/1.png", grey(&[&[0, 128, 255]])),
        ("masks/2.png", grey(&[&[0, 0, 255]])),
        ("masks/lost.png", grey(&[&[0, 0, 255]])),
        ("images/deep/er/1.jpg", photograph(3, 1)),
        ("images/2.jpg", photograph(3, 1)),
        ("images/3.jpg", photograph(3, 1)),
    ]);
    let root = dir.path().join("masks");
    let options = AnnotatedOptions::default();
    let set = Annotated::open(&root, &options).expect("masks beside images");
    assert_eq!((set.layout(), set.len()), (Some(Layout::Trimaps), 2));
    assert!(set.remarks()[0].contains("1 mask of") && set.remarks()[0].ends_with("lost"));
    let truth = set.item(0).expect("an item").truth;
    assert_eq!(truth.foreground.values(), [false, false, true]);
    assert_eq!(truth.undecided.map(|mask| mask.count()), Some(1));
    assert_eq!(set.item(1).expect("an item").truth.undecided, None);
    let deep = options.clone().images(dir.path().join("images/deep"));
    assert_eq!(Annotated::open(&root, &deep).expect("one image").len(), 1);
    let nothing = options.clone().images(dir.path().join("nothing"));
    assert_names(
        Annotated::open(&root, &nothing),
        "nothing",
        "nothing at that path",
    );
    let other = options.clone().images(root.clone());
    assert_eq!(
        Annotated::open(&root, &other)
            .expect("masks as images")
            .len(),
        3
    );
    add(&dir, "masks/2.png", &grey(&[&[0, 64, 255]]));
    assert_names(set.item(1), "2.png", "[64, 64, 64] in column 1, row 0");
    add(&dir, "masks/2.png", &grey(&[&[0, 128]]));
    assert_names(set.item(1), "2.png", "pixels of the value 255, got none");
    add(&dir, "masks/2.png", &grey(&[&[0, 255]]));
    assert_names(set.item(1), "2.png", "3 x 1 pixels, as");
    std::fs::rename(dir.path().join("images"), dir.path().join("other")).expect("renaming");
    assert_names(
        Annotated::open(&root, &options),
        "masks",
        "a folder of the images",
    );
}

#[test]
fn a_table_has_one_box_for_each_image() {
    let table = "path\tx0\ty0\tx1\ty1\na/1.jpg\t0\t2\t2\t3\n\na/2.jpg\t0\t0\t9\t7\n";
    let dir = folder(&[
        ("val_boxes.tsv", table.into()),
        ("a/1.jpg", photograph(10, 8)),
        ("a/2.jpg", photograph(10, 8)),
    ]);
    let set = open(&dir).expect("a table");
    assert_eq!((set.layout(), set.len()), (Some(Layout::BoxTable), 1));
    assert!(set.remarks()[0].starts_with("left out 1 of 2 images"));
    let truth = set.item(0).expect("an item").truth;
    assert_eq!(truth.rectangle, Rectangle::new(0, 2, 3, 4));
    assert_eq!(truth.foreground.count(), 6);
    let header = "path\tx0\ty0\tx1\ty1\n";
    for (rows, words) in [
        (
            "a/1.jpg\t0\t2\t10\t3\n",
            "a box inside the 10 x 8 pixels of a/1.jpg",
        ),
        ("a/1.jpg\t0\t2\t2\t8\n", "got column 2, row 8 in line 2"),
        ("a/1.jpg\t3\t2\t2\t3\n", "in line 2"),
        ("a/1.jpg\t-1\t2\t2\t3\n", "in line 2"),
        ("a/1.jpg\t0\t2\t2\n", "in line 2"),
        ("/a/1.jpg\t0\t2\t2\t3\n", "in line 2"),
        ("../1.jpg\t0\t2\t2\t3\n", "in line 2"),
        (
            "a/1.jpg\t0\t0\t1\t1\n\na/1.jpg\t0\t0\t1\t1\n",
            "lines 2 and 4 for a/1.jpg",
        ),
        ("", "an empty table"),
        ("a/1.jpg\t0\t0\t99999999999\t1\n", "in line 2"),
    ] {
        add(&dir, "val_boxes.tsv", format!("{header}{rows}").as_bytes());
        assert_names(open(&dir), "val_boxes.tsv", words);
    }
    add(&dir, "val_boxes.tsv", b"path,x0,y0,x1,y1\n");
    assert_names(
        open(&dir),
        "val_boxes.tsv",
        "the columns path, x0, y0, x1, y1",
    );
    add(
        &dir,
        "val_boxes.tsv",
        format!("{header}a/9.jpg\t0\t2\t2\t3\n").as_bytes(),
    );
    assert_names(open(&dir), "9.jpg", "cannot be read");
    // The columns can have another order.
    let turned = "x1\ty1\tpath\tx0\ty0\n2\t3\ta/1.jpg\t0\t2\n";
    add(&dir, "val_boxes.tsv", turned.as_bytes());
    let truth = open(&dir).expect("a table").truth(0).expect("a truth").0;
    assert_eq!(truth.rectangle, Rectangle::new(0, 2, 3, 4));
}

#[test]
fn scenes_are_annotated_exactly() {
    let set = Annotated::shapes(Shapes::new(2, 4, 20).expect("a valid size"));
    assert_eq!((set.layout(), set.len()), (None, 4));
    for index in 0..4 {
        let item = set.item(index).expect("a scene");
        let (truth, size) = set.truth(index).expect("a scene");
        assert_eq!((item.truth, size), (truth, [20, 20]));
        assert_eq!(item.name, format!("scene {index}"));
    }
    assert!(set.item(4).is_err() && set.truth(4).is_err());
}

#[test]
fn other_folders_are_refused() {
    let dir = folder(&[("notes.txt", b"nothing".to_vec())]);
    assert_names(open(&dir), "annotated images", "none of these");
    let options = AnnotatedOptions::default();
    let missing = dir.path().join("nothing");
    assert_names(
        Annotated::open(&missing, &options),
        "nothing",
        "nothing at that path",
    );
    let file = dir.path().join("notes.txt");
    assert_names(
        Annotated::open(&file, &options),
        "notes.txt",
        "this is a file",
    );
    for layout in ["voc", "voc-boxes", "figure-ground", "trimaps", "box-table"] {
        let layout = layout.parse().expect("a layout");
        let forced = Annotated::open(dir.path(), &options.clone().layout(layout));
        assert!(forced.is_err(), "{layout}");
    }
}
