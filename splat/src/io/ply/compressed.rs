//! The compressed PLY files of `SuperSplat`. Up to 256 vertices share a chunk. A chunk has the
//! bounds of its means, logarithms of scales and colours. A vertex has its place within the bounds
//! in four integers of 32 bits.

use super::body::{Body, ends_early};
use super::header::{Element, Header};
use super::layout::Names;
use super::rows::rows;
use crate::io::error::FileError;
use crate::io::numbers::NumberType;
use crate::io::scene::{CHANNELS, Colours, StoredScene};
use crate::io::storable::SH_C0;
use crate::math::exp;

/// The number of vertices that share a chunk.
const CHUNK: usize = 256;
/// The properties of a chunk: the least values, then the greatest ones.
const BOUNDS: [&str; 12] = [
    "min_x",
    "min_y",
    "min_z",
    "max_x",
    "max_y",
    "max_z",
    "min_scale_x",
    "min_scale_y",
    "min_scale_z",
    "max_scale_x",
    "max_scale_y",
    "max_scale_z",
];
/// The bounds of the colours. Older files do not have them: their colours are from 0 to 1.
const COLOUR_BOUNDS: [&str; 6] = ["min_r", "min_g", "min_b", "max_r", "max_g", "max_b"];
/// The properties of a vertex.
const PACKED: [&str; 4] = [
    "packed_position",
    "packed_rotation",
    "packed_scale",
    "packed_color",
];

/// The bounds of a chunk.
struct Bounds {
    means: [[f64; 3]; 2],
    logs: [[f64; 3]; 2],
    colours: [[f64; CHANNELS]; 2],
}

/// Returns whether the vertices of a file are packed.
pub(super) fn is_compressed(header: &Header) -> bool {
    let packed = |element: &&Element| {
        let mut properties = element.properties.iter();
        element.name == "vertex" && properties.any(|property| property.name == PACKED[0])
    };
    header.elements.iter().any(|element| packed(&element))
}

/// The elements of a compressed file, and what they say before their rows are read.
struct Elements<'a> {
    chunk: &'a Element,
    vertex: &'a Element,
    harmonics: Option<&'a Element>,
    /// The properties `f_rest_0` and so on of `harmonics`.
    rest: Vec<usize>,
}

impl<'a> Elements<'a> {
    fn of(header: &'a Header) -> Result<Self, FileError> {
        let place = |name: &str| {
            header
                .elements
                .iter()
                .position(|element| element.name == name)
        };
        let (Some(chunk), Some(vertex)) = (place("chunk"), place("vertex")) else {
            let expected = "chunk and vertex among them, because the vertices are packed";
            return Err(FileError::content("elements", expected, header.names()));
        };
        let sh = place("sh");
        if vertex < chunk || sh.is_some_and(|sh| sh < vertex) {
            let expected = "first chunk, then vertex, then sh";
            return Err(FileError::content("elements", expected, header.names()));
        }
        let [chunk, vertex] = [chunk, vertex].map(|at| &header.elements[at]);
        let chunks = vertex.count.div_ceil(CHUNK);
        if chunk.count != chunks {
            let expected = format!("{chunks} rows for {} vertices", vertex.count);
            return Err(FileError::content("element chunk", expected, chunk.count));
        }
        let harmonics = sh.map(|at| &header.elements[at]);
        let mut rest = Vec::new();
        if let Some(harmonics) = harmonics {
            if harmonics.count != vertex.count {
                let expected = format!("{} rows, one for each vertex", vertex.count);
                return Err(FileError::content("element sh", expected, harmonics.count));
            }
            rest = Names(harmonics).rest()?;
            numbers(harmonics, &rest, NumberType::U8, "bytes")?;
        }
        Ok(Self {
            chunk,
            vertex,
            harmonics,
            rest,
        })
    }
}

/// Checks the number type of properties.
fn numbers(
    element: &Element,
    properties: &[usize],
    number: NumberType,
    expected: &str,
) -> Result<(), FileError> {
    let names = Names(element);
    match properties.iter().find(|&&at| names.number(at) != number) {
        Some(&at) => {
            let got = format!("{:?}", names.number(at));
            Err(FileError::content(names.place(at), expected, got))
        }
        None => Ok(()),
    }
}

/// Takes all elements and makes a scene of them.
pub(super) fn scene(body: &mut Body, header: &Header) -> Result<StoredScene, FileError> {
    let elements = Elements::of(header)?;
    let packed = Names(elements.vertex).all(PACKED)?;
    numbers(
        elements.vertex,
        &packed,
        NumberType::U32,
        "integers of 32 bits without sign",
    )?;
    // Nothing is allocated for rows that the file cannot have.
    let harmonics = elements
        .harmonics
        .map_or(0, |element| body.least_row(element));
    let least = body.least_row(elements.vertex) + harmonics;
    let most = (body.left() + 1) / least.max(1);
    if elements.vertex.count > most {
        return Err(ends_early(elements.vertex, most, None));
    }
    let mut unpacked = Unpacked::new(elements.vertex.count, 1 + elements.rest.len() / CHANNELS);
    let mut chunks = Vec::new();
    for element in &header.elements {
        match element.name.as_str() {
            "chunk" => chunks = bounds(body, elements.chunk)?,
            "vertex" => {
                let mut i = 0;
                rows(body, element, &packed, |row| {
                    let word = |at: usize| row[at] as u32;
                    if let Some(bounds) = chunks.get(i / CHUNK) {
                        unpacked.push(bounds, [word(0), word(1), word(2), word(3)]);
                    }
                    i += 1;
                })?;
            }
            "sh" => {
                let mut i = 0;
                rows(body, element, &elements.rest, |row| {
                    unpacked.harmonics(i, row);
                    i += 1;
                })?;
            }
            _ => rows(body, element, &[], |_| {})?,
        }
    }
    Ok(unpacked.finish())
}

/// Takes the chunks.
fn bounds(body: &mut Body, element: &Element) -> Result<Vec<Bounds>, FileError> {
    let names = Names(element);
    let mut wanted = names.all(BOUNDS)?.to_vec();
    let mut coloured = false;
    for name in COLOUR_BOUNDS {
        coloured |= names.find(name)?.is_some();
    }
    if coloured {
        wanted.extend(names.all(COLOUR_BOUNDS)?);
    }
    let mut chunks = Vec::with_capacity(element.count.min(body.most_rows(element)));
    rows(body, element, &wanted, |row| {
        let three = |from: usize| std::array::from_fn(|axis| row[from + axis]);
        chunks.push(Bounds {
            means: [three(0), three(3)],
            logs: [three(6), three(9)],
            colours: if coloured {
                [three(12), three(15)]
            } else {
                [[0.0; CHANNELS], [1.0; CHANNELS]]
            },
        });
    })?;
    Ok(chunks)
}

/// Returns `bits` bits of a word as a share of their greatest value. `shift` bits stand below them.
fn share(word: u32, shift: u32, bits: u32) -> f64 {
    let most = (1 << bits) - 1;
    f64::from((word >> shift) & most) / f64::from(most)
}

/// Returns the shares of 11, 10 and 11 bits.
fn shares(word: u32) -> [f64; 3] {
    [share(word, 21, 11), share(word, 11, 10), share(word, 0, 11)]
}

/// Returns what lies between two bounds at shares of the distance.
fn between([least, greatest]: &[[f64; 3]; 2], shares: [f64; 3]) -> [f64; 3] {
    std::array::from_fn(|axis| least[axis] * (1.0 - shares[axis]) + greatest[axis] * shares[axis])
}

/// Returns a quaternion of length 1 as w, x, y, z. Two bits say which component is the greatest and
/// not stored. The others are at most `sqrt 1/2` and have 10 bits each.
fn quaternion(word: u32) -> [f32; 4] {
    let component = |shift: u32| (share(word, shift, 10) - 0.5) * std::f64::consts::SQRT_2;
    let others = [component(20), component(10), component(0)];
    let squares: f64 = others.iter().map(|x| x * x).sum();
    let greatest = (1.0 - squares).max(0.0).sqrt();
    let which = (word >> 30) as usize;
    std::array::from_fn(|i| match i.cmp(&which) {
        std::cmp::Ordering::Less => others[i] as f32,
        std::cmp::Ordering::Equal => greatest as f32,
        std::cmp::Ordering::Greater => others[i - 1] as f32,
    })
}

/// The scene whose vertices are being unpacked.
struct Unpacked {
    /// The number of coefficients of a channel.
    count: usize,
    means: Vec<f32>,
    scales: Vec<f32>,
    quaternions: Vec<f32>,
    opacities: Vec<f32>,
    coefficients: Vec<f32>,
}

impl Unpacked {
    fn new(vertices: usize, count: usize) -> Self {
        Self {
            count,
            means: Vec::with_capacity(3 * vertices),
            scales: Vec::with_capacity(3 * vertices),
            quaternions: Vec::with_capacity(4 * vertices),
            opacities: Vec::with_capacity(vertices),
            coefficients: vec![0.0; CHANNELS * count * vertices],
        }
    }

    /// Adds a vertex of four words.
    fn push(&mut self, bounds: &Bounds, [mean, rotation, logs, colour]: [u32; 4]) {
        self.means
            .extend(between(&bounds.means, shares(mean)).map(|x| x as f32));
        let logs = between(&bounds.logs, shares(logs));
        self.scales
            .extend(logs.map(|log| exp::exponential(log) as f32));
        self.quaternions.extend(quaternion(rotation));
        let shares = [24, 16, 8].map(|shift| share(colour, shift, 8));
        let colours = between(&bounds.colours, shares);
        let at = self.opacities.len() * self.count * CHANNELS;
        for (to, colour) in self.coefficients[at..].iter_mut().zip(colours) {
            *to = ((colour - 0.5) / SH_C0) as f32;
        }
        self.opacities.push(share(colour, 0, 8) as f32);
    }

    /// Sets the coefficients beyond the first of vertex `i`. A byte is one of 256 intervals from -4
    /// to 4. The first and the last one stand for their outer ends, the others for their middles.
    fn harmonics(&mut self, i: usize, row: &[f64]) {
        let beyond = self.count - 1;
        let at = (i * self.count + 1) * CHANNELS;
        let coefficients = self.coefficients[at..].as_chunks_mut::<CHANNELS>().0;
        for (k, coefficient) in coefficients.iter_mut().take(beyond).enumerate() {
            *coefficient = std::array::from_fn(|c| {
                let share = match row[c * beyond + k] {
                    0.0 => 0.0,
                    255.0 => 1.0,
                    byte => (byte + 0.5) / 256.0,
                };
                (8.0 * (share - 0.5)) as f32
            });
        }
    }

    fn finish(self) -> StoredScene {
        StoredScene {
            means: self.means,
            origin: [0.0; 3],
            scales: self.scales,
            quaternions: self.quaternions,
            opacities: self.opacities,
            colours: Colours::Harmonics {
                degree: self.count.isqrt() as u32 - 1,
                coefficients: self.coefficients,
            },
        }
    }
}
