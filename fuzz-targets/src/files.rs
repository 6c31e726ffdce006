//! The readers of scene files: files as they come, and valid files that are damaged. What is
//! accepted is written and read again.

use std::io::{Cursor, Write};

use splat::io::{Colours, FileError, Format, SceneFile, parse, parse_as};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::damage::damage;
use crate::packed;

/// Number types of PLY files and their sizes.
const TYPES: [(&str, usize); 8] = [
    ("char", 1),
    ("uchar", 1),
    ("short", 2),
    ("ushort", 2),
    ("int", 4),
    ("uint", 4),
    ("float", 4),
    ("double", 8),
];

/// The properties of a Gaussian.
const NAMES: [&str; 14] = [
    "x", "y", "z", "f_dc_0", "f_dc_1", "f_dc_2", "opacity", "scale_0", "scale_1", "scale_2",
    "rot_0", "rot_1", "rot_2", "rot_3",
];

/// Reads a PLY file. The first byte chooses: the rest is the file, or a script that makes a valid
/// file and damages it.
pub fn ply(data: &[u8]) -> usize {
    let Some((&first, rest)) = data.split_first() else {
        return 0;
    };
    if first % 4 == 0 {
        return read(&[b"ply", rest].concat());
    }
    let (form, script) = rest.split_at(rest.len().min(16));
    read(&damage(valid_ply(first, form), script))
}

/// Reads a `NumPy` archive. The first byte chooses: the rest is the file, a script that damages a
/// valid archive, or one that damages the arrays before they are packed.
pub fn npz(data: &[u8]) -> usize {
    let Some((&first, script)) = data.split_first() else {
        return 0;
    };
    match first % 8 {
        0 => read(&[b"PK\x03\x04", script].concat()),
        1 | 2 => read(&damage(packed(first, |_, array| array), script)),
        _ => {
            let part = script.len() / 6;
            let damaged = |i: usize, array| damage(array, &script[i * part..(i + 1) * part]);
            read(&packed(first, damaged))
        }
    }
}

/// Reads a compressed PLY file: a script that damages a valid one.
pub fn compressed_ply(data: &[u8]) -> usize {
    let Some((&first, script)) = data.split_first() else {
        return 0;
    };
    read(&damage(packed::compressed_ply(first), script))
}

/// Reads an SPZ file. The first byte chooses: the rest is the file, a script that damages a valid
/// file, or one that damages its numbers before they are packed.
pub fn spz(data: &[u8]) -> usize {
    let Some((&first, script)) = data.split_first() else {
        return 0;
    };
    match first % 8 {
        0 => read(&[b"NGSP", script].concat()),
        1 => read(&[b"\x1f\x8b\x08", script].concat()),
        2 | 3 => read(&damage(packed::spz(first, |bytes| bytes), script)),
        _ => read(&packed::spz(first, |bytes| damage(bytes, script))),
    }
}

/// Reads the rows of a `.splat` file.
pub fn splat(data: &[u8]) -> usize {
    read_as(data, Format::Splat)
}

/// Returns a valid PLY file of a few Gaussians or points, with lists and other elements.
fn valid_ply(first: u8, form: &[u8]) -> Vec<u8> {
    let byte = |i: usize| form.get(i).copied().unwrap_or_default();
    let (format, text) = match first % 3 {
        0 => ("ascii", true),
        1 => ("binary_little_endian", false),
        _ => ("binary_big_endian", false),
    };
    let count = byte(0) as usize % 9;
    let names = if byte(1) % 4 == 0 {
        &NAMES[..3]
    } else {
        &NAMES
    };
    let (kind, size) = TYPES[byte(2) as usize % TYPES.len()];
    let mut header = format!("ply\nformat {format} 1.0\ncomment made\nelement vertex {count}\n");
    for name in names {
        header.extend(["property ", kind, " ", name, "\n"]);
    }
    let rest = [0, 9, 24, 45, 72][byte(3) as usize % 5];
    for i in 0..rest {
        header.extend(["property ", kind, " f_rest_", &i.to_string(), "\n"]);
    }
    let list = byte(4) % 2 == 0;
    if list {
        header += "property list uchar short neighbours\n";
    }
    let faces = [
        "element face ",
        &count.to_string(),
        "\nproperty list int uchar corners\n",
    ];
    header.extend(faces);
    header.push_str("end_header\n");
    let mut file = header.into_bytes();
    for _ in 0..count {
        if text {
            let row = "1 ".repeat(names.len() + rest) + if list { "2 7 8\n" } else { "\n" };
            file.extend(row.bytes());
        } else {
            file.extend(std::iter::repeat_n(0x3f, size * (names.len() + rest)));
            file.extend(if list { &[1, 7, 7][..] } else { &[] });
        }
    }
    for _ in 0..count {
        let row: &[u8] = match format {
            "ascii" => b"2 7 8\n",
            "binary_little_endian" => &[2, 0, 0, 0, 7, 8],
            _ => &[0, 0, 0, 2, 7, 8],
        };
        file.extend(row);
    }
    file
}

/// Returns a `NumPy` archive of four points and two cameras, whose arrays are changed by `change`.
fn packed(first: u8, change: impl Fn(usize, Vec<u8>) -> Vec<u8>) -> Vec<u8> {
    let pose = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
    let intrinsics = [9, 0, 5, 0, 9, 5, 0, 0, 1];
    let arrays: [(&str, &str, Vec<u8>); 6] = [
        ("means3d", "(4, 3)", (0..12).collect()),
        ("colors", "(4, 3)", (0..12).map(|x| 20 * x).collect()),
        ("viewmats", "(2, 4, 4)", pose.repeat(2)),
        ("Ks", "(2, 3, 3)", intrinsics.repeat(2)),
        ("width", "()", vec![16]),
        ("height", "()", vec![12]),
    ];
    let method = if first & 8 == 0 {
        CompressionMethod::Stored
    } else {
        CompressionMethod::Deflated
    };
    let options = SimpleFileOptions::default().compression_method(method);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (i, (name, shape, numbers)) in arrays.into_iter().enumerate() {
        let header = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}}}\n");
        let length = (header.len() as u16).to_le_bytes();
        let array = [b"\x93NUMPY\x01\0", &length[..], header.as_bytes(), &numbers].concat();
        zip.start_file(format!("{name}.npy"), options)
            .expect("memory is writable");
        zip.write_all(&change(i, array))
            .expect("memory is writable");
    }
    zip.finish().expect("memory is writable").into_inner()
}

/// Reads a file. A scene that is accepted must be whole. Returns 1 if it is.
fn read(file: &[u8]) -> usize {
    taken(parse(file))
}

/// Reads a file of a known format.
fn read_as(file: &[u8], format: Format) -> usize {
    taken(parse_as(file, format))
}

fn taken(outcome: Result<SceneFile, FileError>) -> usize {
    match outcome {
        Ok(file) => {
            check(&file);
            write_again(&file);
            1
        }
        Err(error) => {
            let said = error.to_string();
            assert!(!said.contains(char::is_control), "{said:?}");
            0
        }
    }
}

/// Writes the scene. What a writer accepts can be read.
fn write_again(file: &SceneFile) {
    let (mut ply, mut spz) = (Vec::new(), Vec::new());
    let n = file.scene.len();
    if file.scene.write_ply(&mut ply).is_ok() {
        let again = parse(&ply).expect("a written file");
        assert_eq!(again.scene.len(), n);
        let plain = file.scene.origin == [0.0; 3];
        assert!(!plain || again.scene.means == file.scene.means);
    }
    if file.scene.write_spz(&mut spz).is_ok() {
        // So many equal Gaussians are packed so well that the reader takes them for a bomb.
        let again = parse(&spz).map(|again| again.scene.len());
        assert!(again.is_ok_and(|again| again == n) || n > 10_000);
    }
}

fn check(file: &SceneFile) {
    let (scene, n) = (&file.scene, file.scene.len());
    assert_eq!(scene.means.len(), 3 * n);
    assert_eq!(scene.scales.len(), 3 * n);
    assert_eq!(scene.quaternions.len(), 4 * n);
    match &scene.colours {
        Colours::Constant(colours) => assert_eq!(colours.len(), 3 * n),
        Colours::Harmonics {
            degree,
            coefficients,
        } => {
            let each = ((degree + 1) * (degree + 1)) as usize;
            assert_eq!(coefficients.len(), 3 * each * n);
        }
        other => panic!("no check of {other:?}"),
    }
    assert!(scene.gaussians().validate(|buffer| buffer.len()).is_ok());
}
