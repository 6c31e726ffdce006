//! Builds `NumPy` archives.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// An array of a `NumPy` archive.
#[derive(Debug, Clone)]
pub(crate) struct Npy {
    pub(crate) name: &'static str,
    /// Such as `<f4`.
    pub(crate) kind: &'static str,
    pub(crate) fortran: bool,
    pub(crate) shape: Vec<usize>,
    /// In the order of the file.
    pub(crate) values: Vec<f64>,
}

impl Npy {
    pub(crate) fn new(
        name: &'static str,
        kind: &'static str,
        shape: &[usize],
        values: &[f64],
    ) -> Self {
        Self {
            name,
            kind,
            fortran: false,
            shape: shape.to_vec(),
            values: values.to_vec(),
        }
    }

    fn number(&self, value: f64) -> Vec<u8> {
        let mut bytes = match &self.kind[1..] {
            "i1" => (value as i8).to_le_bytes().to_vec(),
            "u1" => (value as u8).to_le_bytes().to_vec(),
            "i2" => (value as i16).to_le_bytes().to_vec(),
            "u2" => (value as u16).to_le_bytes().to_vec(),
            "i4" => (value as i32).to_le_bytes().to_vec(),
            "u4" => (value as u32).to_le_bytes().to_vec(),
            "i8" => (value as i64).to_le_bytes().to_vec(),
            "u8" => (value as u64).to_le_bytes().to_vec(),
            "f2" => half::f16::from_f64(value).to_le_bytes().to_vec(),
            "f4" => (value as f32).to_le_bytes().to_vec(),
            "f8" => value.to_le_bytes().to_vec(),
            kind => panic!("{kind} is no type"),
        };
        if self.kind.starts_with('>') {
            bytes.reverse();
        }
        bytes
    }

    /// Returns the header, padded as `NumPy` does.
    pub(crate) fn header(&self) -> String {
        let sides: Vec<String> = self.shape.iter().map(usize::to_string).collect();
        let comma = if sides.is_empty() { "" } else { ", " };
        let sides = sides.join(", ") + comma;
        let order = if self.fortran { "True" } else { "False" };
        let text = format!(
            "{{'descr': '{}', 'fortran_order': {order}, 'shape': ({sides}), }}",
            self.kind
        );
        format!("{text:<117}\n")
    }

    /// Returns the `.npy` file.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let numbers = self.values.iter().flat_map(|&value| self.number(value));
        npy(&self.header(), &numbers.collect::<Vec<u8>>())
    }
}

/// Returns a `.npy` file with this header and these bytes.
pub(crate) fn npy(header: &str, numbers: &[u8]) -> Vec<u8> {
    let length = (header.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\0", &length[..], header.as_bytes(), numbers].concat()
}

/// Returns a ZIP file of named files.
pub(crate) fn zip(files: &[(&str, Vec<u8>)], method: CompressionMethod) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        let options = SimpleFileOptions::default().compression_method(method);
        writer
            .start_file(format!("{name}.npy"), options)
            .expect("memory is writable");
        writer.write_all(bytes).expect("memory is writable");
    }
    writer.finish().expect("memory is writable").into_inner()
}

/// The arrays of four points and two cameras.
pub(crate) fn arrays() -> Vec<Npy> {
    let points = [0.0, 0.0, 4.0, 1.0, 0.0, 4.0, 0.0, 1.0, 5.0, 1.0, 1.0, 6.0];
    let colours = [
        255.0, 0.0, 0.0, 0.0, 255.0, 0.0, 0.0, 0.0, 255.0, 51.0, 51.0, 51.0,
    ];
    let pose = |x: f64| {
        [
            1.0, 0.0, 0.0, x, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0,
        ]
    };
    let k = [20.0, 0.0, 8.0, 0.0, 21.0, 6.0, 0.0, 0.0, 1.0];
    vec![
        Npy::new("means3d", "<f4", &[4, 3], &points),
        Npy::new("colors", "|u1", &[4, 3], &colours),
        Npy::new(
            "viewmats",
            "<f4",
            &[2, 4, 4],
            &[pose(0.0), pose(0.5)].concat(),
        ),
        Npy::new("Ks", "<f4", &[2, 3, 3], &k.repeat(2)),
        Npy::new("width", "<i8", &[], &[16.0]),
        Npy::new("height", "<i8", &[], &[12.0]),
    ]
}

/// Returns the archive of these arrays.
pub(crate) fn archive(arrays: &[Npy], method: CompressionMethod) -> Vec<u8> {
    let files: Vec<(&str, Vec<u8>)> = arrays.iter().map(|a| (a.name, a.bytes())).collect();
    zip(&files, method)
}
