use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::*;

/// A data element with its padding.
fn element(kind: u32, bytes: &[u8]) -> Vec<u8> {
    let mut made = [kind.to_le_bytes(), (bytes.len() as u32).to_le_bytes()].concat();
    made.extend(bytes);
    made.resize(made.len().next_multiple_of(8), 0);
    made
}

/// An element of at most four bytes in its tag.
fn packed(kind: u32, bytes: &[u8]) -> Vec<u8> {
    let mut made = (kind | (bytes.len() as u32) << 16).to_le_bytes().to_vec();
    made.extend(bytes);
    made.resize(8, 0);
    made
}

fn array(class: u8, rows: u32, columns: u32, name: &str, content: &[u8]) -> Vec<u8> {
    let flags = element(6, &[class, 0, 0, 0, 0, 0, 0, 0]);
    let sizes = element(5, &[rows.to_le_bytes(), columns.to_le_bytes()].concat());
    let name = match name.len() {
        1..=4 => packed(1, name.as_bytes()),
        _ => element(1, name.as_bytes()),
    };
    element(14, &[flags, sizes, name, content.to_vec()].concat())
}

/// A struct with the fields `Segmentation` and `Boundaries`.
fn annotator(boundaries: &[u8]) -> Vec<u8> {
    let mut names = vec![0; 2 * 13];
    names[..12].copy_from_slice(b"Segmentation");
    names[13..23].copy_from_slice(b"Boundaries");
    let fields = [
        packed(5, &13_u32.to_le_bytes()),
        element(1, &names),
        array(11, 1, 2, "", &packed(4, &[1, 0, 2, 0])),
        boundaries.to_vec(),
    ];
    array(2, 1, 1, "", &fields.concat())
}

fn header(version: u8, endian: [u8; 2]) -> Vec<u8> {
    let mut header = vec![b' '; 128];
    header[124..126].copy_from_slice(&[0, version]);
    header[126..].copy_from_slice(&endian);
    header
}

fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("compressing");
    let packed = encoder.finish().expect("compressing");
    let mut made = [15_u32.to_le_bytes(), (packed.len() as u32).to_le_bytes()].concat();
    made.extend(packed);
    made
}

/// A file with annotators of 3 x 2 pixels (width 3, height 2).
fn file(boundaries: &[Vec<u8>]) -> Vec<u8> {
    let annotators: Vec<u8> = boundaries.iter().flat_map(|b| annotator(b)).collect();
    let cells = array(1, 1, boundaries.len() as u32, "groundTruth", &annotators);
    // A variable of another name is passed over.
    let other = array(6, 1, 1, "note", &element(9, &1.5_f64.to_le_bytes()));
    [header(1, *b"IM"), compressed(&other), compressed(&cells)].concat()
}

/// The pixels (1, 0) and (2, 1) of 3 x 2, column by column, as numbers of a kind.
fn stored(class: u8, kind: u32, one: &[u8]) -> Vec<u8> {
    let on = [false, false, true, false, false, true];
    let zero = vec![0; one.len()];
    let bytes: Vec<u8> = on
        .iter()
        .flat_map(|on| if *on { one } else { &zero }.to_vec())
        .collect();
    array(class, 2, 3, "", &element(kind, &bytes))
}

fn refused(bytes: &[u8], words: &str) {
    let fault = Annotations::from_bytes(bytes).expect_err(words);
    let text = format!("{} / {}", fault.expected, fault.got);
    assert!(text.contains(words), "{words}: {text}");
}

#[test]
fn every_numeric_class_and_storage_is_read() {
    let all = [
        stored(9, 2, &[1]),
        stored(8, 1, &[1]),
        stored(11, 4, &[1, 0]),
        stored(10, 3, &[1, 0]),
        stored(13, 6, &[1, 0, 0, 0]),
        stored(7, 7, &1_f32.to_le_bytes()),
        stored(6, 9, &1_f64.to_le_bytes()),
        // A double array whose numbers are stored as bytes.
        stored(6, 2, &[1]),
        stored(14, 12, &1_i64.to_le_bytes()),
        stored(15, 13, &1_u64.to_le_bytes()),
    ];
    let found = Annotations::from_bytes(&file(&all)).expect("annotations");
    assert_eq!((found.width(), found.height()), (3, 2));
    assert_eq!(found.boundaries().len(), all.len());
    for picture in found.boundaries() {
        assert_eq!(picture.pixels().collect::<Vec<_>>(), [(1, 0), (2, 1)]);
    }
}

#[test]
fn arrays_need_not_be_compressed() {
    let cells = array(1, 1, 1, "groundTruth", &annotator(&stored(9, 2, &[1])));
    let plain = [header(1, *b"IM"), cells].concat();
    assert_eq!(
        Annotations::from_bytes(&plain).expect("annotations"),
        Annotations::from_bytes(&file(&[stored(9, 2, &[1])])).expect("annotations")
    );
}

#[test]
fn other_files_are_named() {
    let good = stored(9, 2, &[1]);
    let cells = array(1, 1, 1, "groundTruth", &annotator(&good));
    let of = |array: &[u8]| [header(1, *b"IM"), compressed(array)].concat();
    for (bytes, words) in [
        (b"short".to_vec(), "MATLAB 5"),
        (vec![b'x'; 400], "MATLAB 5"),
        ([header(1, *b"MI"), cells.clone()].concat(), "big-endian"),
        ([header(2, *b"IM"), cells.clone()].concat(), "7.3"),
        (header(1, *b"IM"), "a variable groundTruth"),
        (
            of(&array(1, 1, 1, "other", &annotator(&good))),
            "a variable groundTruth",
        ),
        (
            of(&array(9, 1, 1, "groundTruth", &packed(2, &[1]))),
            "a cell array",
        ),
        (of(&array(1, 1, 1, "groundTruth", &good)), "a struct"),
        (
            of(&array(1, 1, 0, "groundTruth", &[])),
            "at least one annotator",
        ),
        (of(&array(1, 9999, 9999, "groundTruth", &[])), "99980001"),
        (file(&[stored(9, 2, &[7])]), "0 or 1"),
        (file(&[stored(6, 9, &f64::NAN.to_le_bytes())]), "NaN"),
        (file(&[array(4, 2, 3, "", &element(4, &[0; 12]))]), "text"),
        (
            file(&[array(9, 2, 3, "", &element(2, &[0; 5]))]),
            "2 x 3 numbers",
        ),
        (file(&[array(9, 0, 3, "", &element(2, &[]))]), "3 x 0"),
        (
            file(&[array(9, 1, 5000, "", &element(2, &[0; 5000]))]),
            "5000 x 1",
        ),
        (
            file(&[good.clone(), array(9, 1, 1, "", &packed(2, &[1]))]),
            "the same size",
        ),
    ] {
        refused(&bytes, words);
    }
}

/// Damaged files give an error or other pixels, and no panic.
#[test]
fn damage_is_survived() {
    let cells = array(
        1,
        1,
        2,
        "groundTruth",
        &annotator(&stored(9, 2, &[1])).repeat(2),
    );
    let plain = [header(1, *b"IM"), cells].concat();
    for bytes in [plain.clone(), file(&[stored(9, 2, &[1])])] {
        for length in 0..bytes.len() {
            let _ = Annotations::from_bytes(&bytes[..length]);
        }
        for at in 0..bytes.len() {
            for change in [0x01, 0x80, 0xFF] {
                let mut damaged = bytes.clone();
                damaged[at] ^= change;
                let _ = Annotations::from_bytes(&damaged);
            }
        }
    }
    // Half of the annotators is not a file.
    refused(&plain[..plain.len() / 2], "truncated");
}

#[test]
fn unpacked_data_are_bounded() {
    let zeros = vec![0; 1 << 20];
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    for _ in 0..=mat::MAX_UNPACKED >> 20 {
        encoder.write_all(&zeros).expect("compressing");
    }
    let packed = encoder.finish().expect("compressing");
    let mut bytes = header(1, *b"IM");
    bytes.extend(15_u32.to_le_bytes());
    bytes.extend((packed.len() as u32).to_le_bytes());
    bytes.extend(packed);
    refused(&bytes, "at most");
}
