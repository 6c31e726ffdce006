//! Builds PLY files in every encoding.

use std::fmt::Write;

/// How a file stores its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Ascii,
    Little,
    Big,
}

pub(crate) const ENCODINGS: [Encoding; 3] = [Encoding::Ascii, Encoding::Little, Encoding::Big];

/// A PLY file.
#[derive(Debug, Clone)]
pub(crate) struct Ply {
    pub(crate) encoding: Encoding,
    /// The lines of the header between the format and `end_header`.
    pub(crate) header: String,
    pub(crate) body: Vec<u8>,
}

impl Ply {
    pub(crate) fn new(encoding: Encoding) -> Self {
        Self {
            encoding,
            header: String::new(),
            body: Vec::new(),
        }
    }

    /// Adds an element. A property is `"float x"` or `"list uchar int name"`. A list has a row of
    /// its length and its items.
    pub(crate) fn element(mut self, name: &str, properties: &[&str], rows: &[Vec<f64>]) -> Self {
        writeln!(self.header, "element {name} {}", rows.len()).expect("a string takes all");
        for property in properties {
            writeln!(self.header, "property {property}").expect("a string takes all");
        }
        for row in rows {
            let mut values = row.iter().copied();
            let mut next = || values.next().expect("a value for every property");
            for property in properties {
                let words: Vec<&str> = property.split(' ').collect();
                if words[0] == "list" {
                    let length = next();
                    self.number(words[1], length);
                    for _ in 0..length as usize {
                        let item = next();
                        self.number(words[2], item);
                    }
                } else {
                    let value = next();
                    self.number(words[0], value);
                }
            }
            if self.encoding == Encoding::Ascii {
                self.body.push(b'\n');
            }
        }
        self
    }

    fn number(&mut self, kind: &str, value: f64) {
        if self.encoding == Encoding::Ascii {
            let text = match kind {
                "float" => format!("{} ", value as f32),
                _ => format!("{value} "),
            };
            self.body.extend(text.bytes());
            return;
        }
        let mut bytes = match kind {
            "char" | "int8" => (value as i8).to_le_bytes().to_vec(),
            "uchar" | "uint8" => (value as u8).to_le_bytes().to_vec(),
            "short" | "int16" => (value as i16).to_le_bytes().to_vec(),
            "ushort" | "uint16" => (value as u16).to_le_bytes().to_vec(),
            "int" | "int32" => (value as i32).to_le_bytes().to_vec(),
            "uint" | "uint32" => (value as u32).to_le_bytes().to_vec(),
            "int64" => (value as i64).to_le_bytes().to_vec(),
            "uint64" => (value as u64).to_le_bytes().to_vec(),
            "float" | "float32" => (value as f32).to_le_bytes().to_vec(),
            "double" | "float64" => value.to_le_bytes().to_vec(),
            _ => panic!("{kind} is no type"),
        };
        if self.encoding == Encoding::Big {
            bytes.reverse();
        }
        self.body.extend(bytes);
    }

    /// Returns the bytes of the file.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let format = match self.encoding {
            Encoding::Ascii => "ascii",
            Encoding::Little => "binary_little_endian",
            Encoding::Big => "binary_big_endian",
        };
        let header = format!("ply\nformat {format} 1.0\n{}end_header\n", self.header);
        [header.as_bytes(), &self.body].concat()
    }
}

/// The properties of a Gaussian of degree 0.
pub(crate) const GAUSSIAN: [&str; 14] = [
    "float x",
    "float y",
    "float z",
    "float f_dc_0",
    "float f_dc_1",
    "float f_dc_2",
    "float opacity",
    "float scale_0",
    "float scale_1",
    "float scale_2",
    "float rot_0",
    "float rot_1",
    "float rot_2",
    "float rot_3",
];

/// Returns the rows of `count` Gaussians with small, different numbers.
pub(crate) fn rows(count: usize, properties: usize) -> Vec<Vec<f64>> {
    let value = |i: usize, j: usize| ((i * 31 + j * 7) % 17) as f64 / 8.0 - 1.0;
    let row = |i: usize| (0..properties).map(|j| value(i, j)).collect();
    (0..count).map(row).collect()
}

/// Returns a file of Gaussians of degree 0.
pub(crate) fn gaussians(encoding: Encoding, count: usize) -> Ply {
    Ply::new(encoding).element("vertex", &GAUSSIAN, &rows(count, GAUSSIAN.len()))
}
