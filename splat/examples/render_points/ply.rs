//! Reads a trained scene from a PLY file in the format of 3DGS. The properties of a vertex are
//! `x y z`, `f_dc_*`, `f_rest_*`, `opacity` (a logit), `scale_*` (logarithms) and `rot_*`
//! (w, x, y, z).

use std::path::Path;

use ply_rs_bw::parser::Parser;
use ply_rs_bw::ply::{Property, PropertyAccess, PropertyType};
use splat::activation::{opacities_from_logits, scales_from_logs};

use crate::behind;
use crate::cloud::{Appearance, CHANNELS, Cloud};

/// Properties that every vertex must have. `f_rest_*` can be absent.
const REQUIRED: [&str; 14] = [
    "x", "y", "z", "f_dc_0", "f_dc_1", "f_dc_2", "opacity", "scale_0", "scale_1", "scale_2",
    "rot_0", "rot_1", "rot_2", "rot_3",
];

/// One vertex: the properties in the order of [`REQUIRED`], and the values of `f_rest_*`.
#[derive(Default)]
struct Vertex {
    values: [f32; REQUIRED.len()],
    rest: Vec<f32>,
}

impl PropertyAccess for Vertex {
    fn new() -> Self {
        Self::default()
    }

    fn set_property(&mut self, name: &String, property: Property) {
        let value = match property {
            Property::Float(value) => value,
            Property::Double(value) => value as f32,
            Property::Char(value) => f32::from(value),
            Property::UChar(value) => f32::from(value),
            Property::Short(value) => f32::from(value),
            Property::UShort(value) => f32::from(value),
            Property::Int(value) => value as f32,
            Property::UInt(value) => value as f32,
            // `read` rejects lists.
            _ => return,
        };
        if let Some(number) = name.strip_prefix("f_rest_") {
            if let Some(slot) = number
                .parse::<usize>()
                .ok()
                .filter(|&number| number < MOST_REST)
            {
                self.rest.resize(self.rest.len().max(slot + 1), 0.0);
                self.rest[slot] = value;
            }
        } else if let Some(slot) = REQUIRED.iter().position(|required| required == name) {
            self.values[slot] = value;
        }
    }
}

/// Number of properties `f_rest_*` at degree 3, the highest degree.
const MOST_REST: usize = 15 * CHANNELS;

/// Reads the file.
pub(crate) fn read(path: &Path) -> Result<Cloud, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("cannot be read: {error}"))?;
    check_header(&bytes)?;
    let mut rest_of_file = bytes.as_slice();
    let parser = Parser::<Vertex>::new();
    // The parser's messages have several lines. They are joined to one.
    let fail = |error: std::io::Error| {
        let error = error.to_string();
        let words: Vec<&str> = error.split_whitespace().collect();
        format!("not a complete PLY file: {}", words.join(" "))
    };
    let header = parser
        .read_header(&mut rest_of_file)
        .map_err(|_| "not a PLY file: expected a header from \"ply\" to \"end_header\"")?;
    let element = header.elements.values().next();
    let element = element
        .filter(|element| element.name == "vertex")
        .ok_or("expected the element vertex first, got another or none")?;
    let is_list = |kind: &PropertyType| matches!(kind, PropertyType::List(..));
    let properties = element.properties.values();
    if let Some(list) = properties.into_iter().find(|p| is_list(&p.data_type)) {
        return Err(format!(
            "vertex: the property {} is a list, expected a number",
            list.name
        ));
    }
    if let Some(name) = REQUIRED
        .iter()
        .find(|name| !element.properties.contains_key(**name))
    {
        return Err(format!(
            "vertex: the property {name} is missing; not a scene of Gaussians"
        ));
    }
    let rest = element
        .properties
        .keys()
        .filter(|name| name.starts_with("f_rest_"))
        .count();
    let degree = match rest / CHANNELS {
        0 if rest == 0 => 0,
        3 if rest == 9 => 1,
        8 if rest == 24 => 2,
        15 if rest == 45 => 3,
        _ => {
            return Err(format!(
                "vertex: {rest} properties f_rest_*, expected 0, 9, 24 or 45"
            ));
        }
    };
    // The parser allocates the header's number of vertices. A property has at least one byte.
    let promised = element.count.saturating_mul(element.properties.len());
    if promised > rest_of_file.len() {
        return Err(format!(
            "vertex: expected {} vertices, got a file that ends early",
            element.count
        ));
    }
    let vertices = parser
        .read_payload_for_element(&mut rest_of_file, element, &header)
        .map_err(fail)?;
    behind::check(
        rest_of_file,
        header.encoding,
        header.elements.values().skip(1),
    )?;
    Ok(cloud(&vertices, degree))
}

/// Rejects the header values at which the parser panics: a version other than 1.0, and a count that
/// is not a `usize`.
fn check_header(file: &[u8]) -> Result<(), String> {
    for line in file.split(|&byte| byte == b'\n') {
        let line = String::from_utf8_lossy(line);
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            ["end_header"] => break,
            ["format", _, version] if version != "1.0" => {
                return Err(format!("format: expected version 1.0, got {version}"));
            }
            ["element", name, count] if count.parse::<usize>().is_err() => {
                return Err(format!("{name}: expected a count, got {count}"));
            }
            _ => {}
        }
    }
    Ok(())
}

fn cloud(vertices: &[Vertex], degree: u32) -> Cloud {
    let column = |range: std::ops::Range<usize>| -> Vec<f32> {
        vertices
            .iter()
            .flat_map(|vertex| vertex.values[range.clone()].iter().copied())
            .collect()
    };
    let beyond = ((degree + 1) * (degree + 1) - 1) as usize;
    let mut coefficients = Vec::with_capacity(vertices.len() * (beyond + 1) * CHANNELS);
    for vertex in vertices {
        coefficients.extend_from_slice(&vertex.values[3..6]);
        // The file orders these values by channel, the renderer by coefficient.
        for k in 0..beyond {
            coefficients.extend(
                (0..CHANNELS).map(|c| vertex.rest.get(c * beyond + k).copied().unwrap_or(0.0)),
            );
        }
    }
    Cloud {
        means: column(0..3),
        opacities: opacities_from_logits(&column(6..7)),
        scales: scales_from_logs(&column(7..10)),
        quaternions: column(10..14),
        appearance: Appearance::Harmonics {
            degree,
            coefficients,
        },
    }
}
