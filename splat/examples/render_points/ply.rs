//! A trained scene from a PLY file as 3DGS writes it: `x y z`, `f_dc_*`, `f_rest_*`, `opacity` (a logit), `scale_*` (logarithms),
//! `rot_*` (w, x, y, z).

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use ply_rs_bw::parser::Parser;
use ply_rs_bw::ply::{Property, PropertyAccess};
use splat::activation::{opacities_from_logits, scales_from_logs};

use crate::cloud::{Appearance, CHANNELS, Cloud};

/// What every vertex must have besides `f_rest_*`.
const REQUIRED: [&str; 14] = [
    "x", "y", "z", "f_dc_0", "f_dc_1", "f_dc_2", "opacity", "scale_0", "scale_1", "scale_2",
    "rot_0", "rot_1", "rot_2", "rot_3",
];

/// One vertex: the required properties in the order above, and the rest of the harmonics.
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

/// Coefficients beyond the constant ones at degree 3.
const MOST_REST: usize = 15 * CHANNELS;

/// Reads the file.
pub(crate) fn read(path: &Path) -> Result<Cloud, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut reader = BufReader::new(file);
    let parser = Parser::<Vertex>::new();
    let fail = |error| format!("not a complete PLY file: {error}");
    let header = parser.read_header(&mut reader).map_err(fail)?;
    let element = header.elements.get("vertex").ok_or("no element `vertex`")?;
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
    // A header may promise more than the file holds; the shortest vertex has as many bytes as properties.
    let promised = element.count.saturating_mul(element.properties.len());
    let mut payload = Vec::new();
    reader
        .read_to_end(&mut payload)
        .map_err(|error| error.to_string())?;
    if promised > payload.len() {
        return Err(format!(
            "vertex: {} promised, but the file ends early",
            element.count
        ));
    }
    let mut elements = parser
        .read_payload(&mut payload.as_slice(), &header)
        .map_err(fail)?;
    let vertices = elements.swap_remove("vertex").unwrap_or_default();
    Ok(cloud(&vertices, degree))
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
        // Stored channel by channel, wanted coefficient by coefficient.
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
