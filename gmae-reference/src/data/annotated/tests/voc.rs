//! PASCAL VOC folders, whole and damaged.

use super::{Tree, add, assert_names, folder, grey, open, photograph};
use crate::data::annotated::{Annotated, AnnotatedOptions, Layout};
use crate::data::rectangle::Rectangle;

/// A PNG file with a palette and these indices.
fn palette(rows: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, rows[0].len() as u32, rows.len() as u32);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_palette((0..768).map(|v| (v * 7 % 251) as u8).collect::<Vec<_>>());
    let mut writer = encoder.write_header().expect("a header");
    writer.write_image_data(&rows.concat()).expect("pixels");
    writer.finish().expect("an end");
    bytes
}

const MAP: &[&[u8]] = &[&[0, 1, 1, 255], &[0, 15, 1, 255]];

fn voc() -> Tree {
    let list = "2007_000033__01\n\n2007_000033__15\n2007_000033\n";
    folder(&[
        ("JPEGImages/2007_000033.jpg", photograph(4, 2)),
        ("SegmentationClass/2007_000033.png", palette(MAP)),
        ("ImageSets/Segmentation/val.txt", list.into()),
    ])
}

#[test]
fn voc_masks_are_the_pixels_of_a_class() {
    let dir = voc();
    let set = open(&dir).expect("a VOC folder");
    assert_eq!((set.layout(), set.len()), (Some(Layout::Voc), 3));
    let item = set.item(0).expect("an item");
    assert_eq!(item.name, "2007_000033__01");
    assert_eq!((item.image.width, item.image.height), (4, 2));
    let truth = |index| set.truth(index).expect("a truth").0;
    assert_eq!(item.truth, truth(0));
    let values = [false, true, true, false, false, false, true, false];
    assert_eq!(item.truth.foreground.values(), values);
    let border = item.truth.undecided.expect("a border");
    assert_eq!(border.count(), 2);
    assert!(border.contains(3, 0) && border.contains(3, 1));
    assert_eq!(truth(1).foreground.count(), 1);
    // Without a class all objects belong together.
    assert_eq!(truth(2).foreground.count(), 4);
    assert_eq!(set.name(2).as_deref(), Some("2007_000033"));
    assert_eq!(set.name(3), None);
    let error = set.item(3).expect_err("out of range");
    assert_eq!(
        error.to_string(),
        "image index: expected less than 3, got 3"
    );
}

#[test]
fn images_of_two_items_are_found() {
    let dir = voc();
    let set = open(&dir).expect("a VOC folder");
    let names = ["2007_000033__01", "2007_000033__15"];
    assert_eq!(set.repeated_image(2), Some(names));
    assert_eq!(set.repeated_image(1), None);
}

#[test]
fn the_augmented_masks_are_preferred() {
    let dir = voc();
    let identity = || open(&dir).expect("a VOC folder").identity(0);
    let before = identity();
    let map: &[&[u8]] = &[&[1, 1, 1, 1], &[15, 1, 1, 1]];
    add(&dir, "SegmentationClassAug/2007_000033.png", &grey(map));
    let count = |options: &AnnotatedOptions| {
        let set = Annotated::open(dir.path(), options).expect("a VOC folder");
        set.truth(0).expect("a truth").0.foreground.count()
    };
    assert_ne!(identity(), before, "other masks are other items");
    let options = AnnotatedOptions::default();
    assert_eq!(count(&options), 7);
    assert_eq!(count(&options.masks("SegmentationClass".to_owned())), 3);
}

#[test]
fn damaged_voc_folders_are_named() {
    let list = "ImageSets/Segmentation/val.txt";
    for (text, words) in [
        ("", "an empty list"),
        ("\n \n", "an empty list"),
        (
            "2007_000033__01\n2007_000033__00\n",
            "\"2007_000033__00\" in line 2",
        ),
        ("2007_000033__21\n", "in line 1"),
        ("../2007_000033__01\n", "in line 1"),
    ] {
        let dir = voc();
        add(&dir, list, text.as_bytes());
        assert_names(open(&dir), "val.txt", words);
    }
    let dir = voc();
    add(&dir, list, b"2007_000099__01\n");
    assert_names(open(&dir), "2007_000099.png", "no such file");
    add(&dir, list, b"2007_000033__02\n");
    assert_names(
        open(&dir).expect("a list").item(0),
        "2007_000033.png",
        "pixels of class 2",
    );
    std::fs::remove_file(dir.path().join(list)).expect("removing");
    assert_names(open(&dir), "val.txt", "a readable text file");
    for (map, words) in [
        (
            palette(&[&[0, 1, 21, 0], [0; 4].as_slice()]),
            "21 in column 2, row 0",
        ),
        (palette(&[&[1, 1, 1]]), "4 x 2 pixels, as"),
        (photograph(4, 2), "a PNG file of class indices"),
        (palette(MAP)[..60].to_vec(), "a PNG file of class indices"),
    ] {
        let dir = voc();
        add(&dir, "SegmentationClass/2007_000033.png", &map);
        let set = open(&dir).expect("the list is whole");
        assert_names(set.item(0), "2007_000033.png", words);
        assert_names(set.truth(0), "2007_000033.png", words);
    }
    let dir = voc();
    std::fs::remove_file(dir.path().join("JPEGImages/2007_000033.jpg")).expect("removing");
    let set = open(&dir).expect("the list is whole");
    assert_names(set.item(0), "2007_000033.jpg", "cannot be read");
}

fn boxes(objects: &[[&str; 4]]) -> Vec<u8> {
    let objects: Vec<String> = objects
        .iter()
        .map(|[x0, y0, x1, y1]| {
            format!(
                "<object><name>cat</name><part><bndbox/></part><bndbox><xmax>{x1}</xmax>\
                 <xmin>{x0}</xmin><ymin>{y0}</ymin><ymax>{y1}</ymax></bndbox></object>"
            )
        })
        .collect();
    let size = "<size><width>10</width><height>8</height><depth>3</depth></size>";
    format!("<annotation>{size}{}</annotation>", objects.concat()).into()
}

#[test]
fn voc_boxes_are_small_and_alone() {
    let dir = folder(&[
        ("JPEGImages/a.jpg", photograph(10, 8)),
        ("Annotations/a.xml", boxes(&[["1", "2", "3", "4"]])),
        // Two objects, a large box, and no object.
        (
            "Annotations/b.xml",
            boxes(&[["1", "2", "3", "4"], ["1", "1", "2", "2"]]),
        ),
        ("Annotations/c.xml", boxes(&[["1", "1", "8", "2"]])),
        ("Annotations/d.xml", boxes(&[])),
    ]);
    let options = AnnotatedOptions::default().layout(Layout::VocBoxes);
    let set = Annotated::open(dir.path(), &options).expect("a VOC folder");
    assert_eq!(set.len(), 1);
    assert!(set.remarks()[0].contains("2 images without exactly one object, and 1 whose"));
    let truth = set.item(0).expect("an item").truth;
    // Corners are counted from 1, and the last ones belong to the box.
    assert_eq!(truth.rectangle, Rectangle::new(0, 1, 3, 4));
    assert_eq!(truth.foreground.count(), 9);
    let all = Annotated::open(dir.path(), &options.clone().largest_box(2.0));
    assert_eq!(all.expect("a VOC folder").len(), 2);
    for (file, words) in [
        (boxes(&[["0", "2", "3", "4"]]), "inside the 10 x 8 pixels"),
        (boxes(&[["1", "2", "11", "4"]]), "inside the 10 x 8 pixels"),
        (boxes(&[["3", "2", "1", "4"]]), "inside the 10 x 8 pixels"),
        (
            boxes(&[["one", "2", "3", "4"]]),
            "a number in <xmin>, got \"one\"",
        ),
        (boxes(&[["nan", "2", "3", "4"]]), "a number in <xmin>"),
        (b"<annotation/>".to_vec(), "a <size> in <annotation>"),
        (b"<annotation>".to_vec(), "an XML file"),
        (vec![0xFF, 0xFE], "a readable text file"),
    ] {
        add(&dir, "Annotations/b.xml", &file);
        assert_names(Annotated::open(dir.path(), &options), "b.xml", words);
    }
}
