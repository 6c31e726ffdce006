//! The settings of a file: the tensor `params`, and its copy in the metadata.

use serde_json::{Map, Value};
use splat::{Outputs, Projection, RenderConfig};

use crate::tensors::Tensors;

/// The longest side of an image that the renderer accepts, px.
const MAX_SIDE_PX: f64 = splat::formulas::MAX_SIDE_PX as f64;
/// Relative error allowed in the metadata's decimal copy of a setting. Parsing can change the last
/// bit.
const COPY_TOLERANCE: f64 = 1e-12;
/// The names of the elements of `params`, in order.
const NAMES: [&str; 12] = [
    "width",
    "height",
    "ortho",
    "near",
    "far",
    "eps2d",
    "alpha_min",
    "alpha_max",
    "t_min",
    "antialiased",
    "sh_degree",
    "forward_only",
];

/// The decoded tensor `params`.
pub(crate) struct Params {
    /// px
    pub(crate) width: usize,
    /// px
    pub(crate) height: usize,
    /// From `ortho`: 0 pinhole, 1 orthographic, 2 hybrid.
    pub(crate) projection: Projection,
    /// Smallest camera z, world units
    pub(crate) near: f64,
    /// Greatest camera z, world units
    pub(crate) far: f64,
    /// The degree of the spherical harmonics, or `None` if the file has features.
    pub(crate) degree: Option<u32>,
    /// Whether the file has no gradients.
    pub(crate) forward_only: bool,
    /// The remaining settings.
    pub(crate) config: RenderConfig,
}

impl Params {
    /// Reads and checks the settings.
    pub(crate) fn parse(tensors: &Tensors<'_>) -> Result<Self, String> {
        let values: Vec<f64> = tensors.numbers("params", &[NAMES.len()])?;
        check_copy(tensors, &values)?;
        let whole = |at: usize, low: f64, high: f64| whole(NAMES[at], values[at], low, high);
        Ok(Self {
            width: whole(0, 1.0, MAX_SIDE_PX)? as usize,
            height: whole(1, 1.0, MAX_SIDE_PX)? as usize,
            projection: match whole(2, 0.0, 2.0)? {
                0 => Projection::Pinhole,
                1 => Projection::Orthographic,
                _ => Projection::Hybrid,
            },
            near: values[3],
            far: values[4],
            config: RenderConfig::default()
                .with_blur(values[5])
                .with_alpha_min(values[6])
                .with_alpha_max(values[7])
                .with_transmittance_min(values[8])
                .with_antialias(whole(9, 0.0, 1.0)? == 1)
                .with_outputs(Outputs::ALL),
            degree: u32::try_from(whole(10, -1.0, 3.0)?).ok(),
            forward_only: whole(11, 0.0, 1.0)? == 1,
        })
    }
}

fn whole(name: &str, value: f64, low: f64, high: f64) -> Result<i64, String> {
    if value.fract() == 0.0 && value >= low && value <= high {
        return Ok(value as i64);
    }
    Err(format!(
        "params: {name} is {value}, not an integer from {low} to {high}"
    ))
}

/// If the metadata contain a copy of the settings, checks that it agrees with the tensor.
fn check_copy(tensors: &Tensors<'_>, values: &[f64]) -> Result<(), String> {
    let Some(text) = tensors.string("params") else {
        return Ok(());
    };
    let copy: Map<String, Value> = serde_json::from_str(text)
        .map_err(|error| format!("metadata params: not a JSON object: {error}"))?;
    for (name, &value) in NAMES.iter().zip(values) {
        let Some(other) = copy.get(*name) else {
            continue;
        };
        let agrees = |other: f64| (other - value).abs() <= COPY_TOLERANCE * value.abs();
        if !other.as_f64().is_some_and(agrees) {
            return Err(format!(
                "params: {name} is {value}, but {other} in the metadata"
            ));
        }
    }
    Ok(())
}
