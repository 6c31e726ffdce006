//! The lines, numbers and lengths of PLY files.

use splat::io::Colours;

use crate::file::{ENCODINGS, Encoding, GAUSSIAN, Ply, gaussians};
use crate::{assert_refused, scene};

/// Replaces text in the header of a file of ten Gaussians.
#[track_caller]
fn changed(encoding: Encoding, from: &str, to: &str) -> Vec<u8> {
    let file = gaussians(encoding, 10).bytes();
    let end = file.windows(10).position(|bytes| bytes == b"end_header");
    let (header, body) = file.split_at(end.expect("the header ends") + 10);
    let header = std::str::from_utf8(header).expect("headers are text");
    assert!(header.contains(from), "{from:?} in {header}");
    [header.replacen(from, to, 1).as_bytes(), body].concat()
}

#[test]
fn lines_end_by_every_convention() {
    let expected = scene(&gaussians(Encoding::Ascii, 3).bytes());
    let ended = |file: &Ply, end: &str| {
        let bytes = file.bytes();
        let header = bytes.len() - file.body.len();
        let convert = |bytes: &[u8]| -> Vec<u8> {
            let text = String::from_utf8_lossy(bytes).replace('\n', end);
            text.into_bytes()
        };
        let body = match file.encoding {
            Encoding::Ascii => convert(&file.body),
            _ => file.body.clone(),
        };
        [convert(&bytes[..header]), body].concat()
    };
    for encoding in ENCODINGS {
        for end in ["\n", "\r\n", "\r"] {
            let file = ended(&gaussians(encoding, 3), end);
            assert_eq!(scene(&file), expected, "{encoding:?} {end:?}");
        }
    }
    // Comments in any letters, and no end of the last line.
    let mut file = changed(
        Encoding::Ascii,
        "element",
        "comment caf\u{e9}\nobj_info x\n\nelement",
    );
    let accent = file
        .windows(2)
        .position(|bytes| bytes == "\u{e9}".as_bytes());
    file.remove(accent.expect("the accent is there"));
    file.pop();
    assert_eq!(scene(&file), scene(&gaussians(Encoding::Ascii, 10).bytes()));
}

#[test]
fn numbers_of_a_header_that_no_type_holds_are_refused() {
    let huge = "99999999999999999999";
    for encoding in ENCODINGS {
        let refused = |from: &str, to: &str, words: &[&str]| {
            assert_refused(&changed(encoding, from, to), words);
        };
        refused(
            "vertex 10",
            &format!("vertex {huge}"),
            &["line 3", "vertex", huge],
        );
        refused("vertex 10", "vertex 18446744073709551615", &["vertex"]);
        refused("vertex 10", "vertex -1", &["vertex", "-1"]);
        refused("vertex 10", "vertex ten", &["vertex", "ten"]);
        refused("vertex 10", "vertex 11", &["vertex", "11", "10"]);
        refused("vertex 10", "vertex 9", &["after the last element"]);
        refused(" 1.0", &format!(" {huge}.0"), &["line 2", "1.0", huge]);
        refused(" 1.0", " 2.0", &["1.0", "2.0"]);
    }
}

#[test]
fn lines_that_are_no_ply_are_refused_with_their_number() {
    let refused = |from: &str, to: &str, words: &[&str]| {
        assert_refused(&changed(Encoding::Little, from, to), words);
    };
    refused("float y", "float x", &["line 5", "x"]);
    refused("float y", "real y", &["line 5", "real"]);
    refused("float y", "float", &["line 5", "property float"]);
    refused("float y", "float y 2", &["line 5"]);
    refused("float y", "list float int y", &["line 5", "integer"]);
    refused(
        "property float y",
        "propertie float y",
        &["line 5", "propertie"],
    );
    refused(
        "element",
        "property float w\nelement",
        &["line 3", "element"],
    );
    refused(
        "property float y",
        "element vertex 3\nproperty float y",
        &["line 5", "vertex"],
    );
    refused(
        "property float y",
        "\u{7}\u{1b}[31m",
        &["line 5", "\\u{1b}"],
    );
    refused("ply\n", "plyx\n", &["line 1"]);
    refused("format", "comment", &["format"]);
    refused("format", "format ascii 1.0\nformat", &["line 3"]);
    refused(
        "binary_little",
        "binary_middle",
        &["line 2", "binary_middle_endian"],
    );
    refused("end_header", "end_headers", &["end_headers"]);
    for bytes in [&b""[..], b"PLY\n", b"\0\0\0", b"no ply", b"pl"] {
        assert_refused(bytes, &["first bytes"]);
    }
    assert_refused(b"ply", &["end_header"]);
    assert_refused(b"ply\nformat ascii 1.0\n", &["end_header"]);
    let long = [b"ply\n".to_vec(), vec![b'x'; 100_000], b"\n".to_vec()].concat();
    assert_refused(&long, &["line 2", "..."]);
}

/// Neither memory nor time grows faster than the header.
#[test]
fn long_headers_are_read_in_one_pass() {
    let words = "a ".repeat(1 << 22);
    let file = changed(
        Encoding::Little,
        "element",
        &format!("comment {words}\nelement"),
    );
    assert_eq!(scene(&file).len(), 10);
    let elements: Vec<String> = (0..200_000).map(|i| format!("element e{i} 0\n")).collect();
    let elements = elements.concat();
    let file = changed(Encoding::Little, "element", &format!("{elements}element"));
    assert_eq!(scene(&file).len(), 10);
}

#[cfg(unix)]
#[test]
fn a_device_without_an_end_is_refused_by_its_first_bytes() {
    let error = splat::io::read("/dev/zero")
        .expect_err("no scene")
        .to_string();
    assert!(error.starts_with("/dev/zero: first bytes: "), "{error}");
    let error = splat::io::read("no\nsuch.ply")
        .expect_err("no file")
        .to_string();
    assert!(
        error.starts_with("no\\nsuch.ply: cannot be read: "),
        "{error}"
    );
    assert_eq!(error.lines().count(), 1);
}

#[test]
fn files_that_end_early_are_refused_at_every_byte() {
    for encoding in ENCODINGS {
        let whole = gaussians(encoding, 2).bytes();
        // In text, the end of a number and of the last line can be left out.
        let spare = if encoding == Encoding::Ascii { 12 } else { 1 };
        for length in 0..=whole.len() - spare {
            assert_refused(&whole[..length], &[]);
        }
    }
    let mut longer = gaussians(Encoding::Little, 2).bytes();
    longer.push(b'\n');
    assert_eq!(scene(&longer).len(), 2);
    longer.push(0);
    assert_refused(&longer, &["after the last element", "2 bytes"]);
}

#[test]
fn text_numbers_are_read_as_c_libraries_print_them() {
    let mut file = gaussians(Encoding::Ascii, 0);
    file.header = file.header.replace("vertex 0", "vertex 4");
    let rest = "0 0 0 0 0 0 0 1 0 0 0";
    file.body = format!(
        "1. .5 +2e0 {rest}\n  nan -inf infinity {rest}\t\n\n-nan(ind) 1.#INF -1.#INF {rest}\n\
         -1.#IND 1.#QNAN 1E-3 {rest}\n"
    )
    .into_bytes();
    let means = scene(&file.bytes()).means;
    assert_eq!(means[..3], [1.0, 0.5, 2.0]);
    assert!(means[3].is_nan() && means[4..6] == [f32::NEG_INFINITY, f32::INFINITY]);
    assert!(means[6].is_nan() && means[7..9] == [f32::INFINITY, f32::NEG_INFINITY]);
    assert!(means[9].is_nan() && means[10].is_nan() && means[11] == 1e-3);
}

#[test]
fn text_that_is_no_row_is_refused_with_its_line_element_and_property() {
    let header = gaussians(Encoding::Ascii, 0)
        .header
        .replace("vertex 0", "vertex 2");
    let row = "0 0 0 0 0 0 0 0 0 0 1 0 0 0";
    let refused = |second: &str, words: &[&str]| {
        let file = Ply {
            encoding: Encoding::Ascii,
            header: header.clone(),
            body: format!("\n{row}\n{second}\n").into_bytes(),
        };
        // Eighteen lines of header, then an empty one and a row.
        assert_refused(&file.bytes(), &[&["line 21", "vertex 1"], words].concat());
    };
    refused("0 0 0 0 0 0 0 0 0 0 1 0 0", &["rot_3", "end of the line"]);
    refused("0 0 0 0 0 0 0 0 0 0 1 0 0 0 5", &["end of the line", "5"]);
    refused("0 zero 0 0 0 0 0 0 0 0 1 0 0 0", &["y", "a number", "zero"]);
    refused("0 0 0x10 0 0 0 0 0 0 0 1 0 0 0", &["z", "0x10"]);
    refused("0 0 0 0 0 0 1,5 0 0 0 1 0 0 0", &["opacity", "1,5"]);
    refused("0 0 0 0 0 0 0 0 0 \u{1b}[1m 1 0 0 0", &["scale_2"]);
    let points = |kind: &str, list: &str, body: &str| {
        let header = format!(
            "element vertex 1\nproperty float x\nproperty float y\nproperty float z\n\
             property {kind} red\nproperty {kind} green\nproperty {kind} blue\n{list}"
        );
        Ply {
            encoding: Encoding::Ascii,
            header,
            body: body.as_bytes().to_vec(),
        }
        .bytes()
    };
    let whole = scene(&points("uchar", "", "0 0 0 255 0.0 51"));
    assert_eq!(whole.colours, Colours::Constant(vec![1.0, 0.0, 0.2]));
    for wrong in ["256", "-1", "0.5", "nan", "inf"] {
        let file = points("uchar", "", &format!("0 0 0 0 {wrong} 0"));
        assert_refused(&file, &["line 11", "green", "0 to 255", wrong]);
    }
    let list = "property list uchar int parts\n";
    assert_eq!(scene(&points("uchar", list, "0 0 0 1 2 3 2 8 9")).len(), 1);
    assert_eq!(scene(&points("uchar", list, "0 0 0 1 2 3 0")).len(), 1);
    assert_refused(
        &points("uchar", list, "0 0 0 1 2 3 2 8"),
        &["line 12", "parts"],
    );
    assert_refused(
        &points("uchar", list, "0 0 0 1 2 3 256 8"),
        &["line 12", "parts", "255"],
    );
    let wide = "property list int int parts\n";
    assert_refused(
        &points("uchar", wide, "0 0 0 1 2 3 -1"),
        &["parts", "length", "-1"],
    );
    let long = points("uchar", wide, "0 0 0 1 2 3 2000000000 8");
    assert_refused(&long, &["parts", "end of the line"]);
}

#[test]
fn other_elements_must_be_whole() {
    let faces = |count: &str, index: &str| {
        format!("element face {count}\nproperty list {index} short v\nproperty uchar flag\n")
    };
    for first in [false, true] {
        let with = |encoding: Encoding, element: &str, bytes: &[u8]| {
            let vertices = gaussians(encoding, 10);
            let (header, body) = if first {
                (
                    format!("{element}{}", vertices.header),
                    [bytes, &vertices.body].concat(),
                )
            } else {
                (
                    format!("{}{element}", vertices.header),
                    [&vertices.body, bytes].concat(),
                )
            };
            Ply {
                encoding,
                header,
                body,
            }
            .bytes()
        };
        let (little, big) = (Encoding::Little, Encoding::Big);
        let expected = scene(&gaussians(little, 10).bytes());
        for (encoding, element, bytes) in [
            (little, faces("2", "uchar"), vec![1, 7, 7, 9, 0, 9]),
            (little, faces("1", "int"), vec![1, 0, 0, 0, 7, 7, 9]),
            (big, faces("1", "int"), vec![0, 0, 0, 1, 7, 7, 9]),
            (little, faces("0", "int"), vec![]),
            (
                little,
                "element none 18446744073709551615\n".to_owned(),
                vec![],
            ),
        ] {
            assert_eq!(
                scene(&with(encoding, &element, &bytes)),
                expected,
                "{element}"
            );
        }
        if first {
            continue;
        }
        for (count, index, bytes) in [
            ("2", "uchar", vec![1, 7, 7, 9]),
            ("1", "uchar", vec![2, 7, 7, 9]),
            ("1", "int", vec![u8::MAX; 4]),
            ("1", "int", vec![u8::MAX, u8::MAX, u8::MAX, 0x7f]),
            ("1", "uint64", vec![u8::MAX; 8]),
            ("1", "float", vec![0; 8]),
            ("4000000000000", "uchar", vec![0; 8]),
            ("18446744073709551615", "uchar", vec![0; 8]),
        ] {
            let file = with(little, &faces(count, index), &bytes);
            let word = if index == "float" { "line 19" } else { "face" };
            assert_refused(&file, &[word]);
        }
    }
    // The same counts of vertices with lists.
    let list = [&GAUSSIAN[..], &["list uint double parts"]].concat();
    for count in ["4000000000000", "18446744073709551615", "3"] {
        let mut file = Ply::new(Encoding::Little).element("vertex", &list, &[]);
        file.header = file.header.replace("vertex 0", &format!("vertex {count}"));
        file.body = vec![0; 61];
        assert_refused(&file.bytes(), &["vertex", count]);
    }
}
