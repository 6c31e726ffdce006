//! The tolerances of a file, and their upper bounds.

use std::collections::HashMap;

use crate::precision::Precision;
use crate::tensors::Tensors;

/// Upper bound for images, colours and alphas in `f32`: 2.5 steps of an 8-bit picture.
/// Needle-shaped Gaussians, which have the largest known errors, need 2e-4.
const SINGLE_IMAGE_CEILING: f64 = 1e-2;
/// Upper bound for depths in `f32`. Errors of depths grow with the distances in the scene. Needles
/// at a distance of a few world units need 2e-4.
const SINGLE_DEPTH_CEILING: f64 = 1e-1;
/// Upper bound for gradients in `f32`, relative to the largest entry of the tensor. It corresponds
/// to one correct digit. Needles need 1e-3.
const SINGLE_GRADIENT_CEILING: f64 = 1e-1;
/// Upper bound for the gradient of one Gaussian in `f32`, relative to the norm of that gradient.
/// Needles need 5e-3.
const SINGLE_ROW_CEILING: f64 = 1e-1;
/// Upper bound for every tensor in `f64`. The files state tolerances between 1e-11 and 1e-9. A
/// wrong formula, or a constant rounded to `f32`, causes an error above this bound.
const DOUBLE_CEILING: f64 = 1e-8;

/// The tolerances of one precision.
pub(crate) struct Tolerances {
    name: &'static str,
    precision: Precision,
    values: HashMap<String, f64>,
}

impl Tolerances {
    /// Reads the metadata string of one precision and checks every tolerance in it.
    pub(crate) fn parse(tensors: &Tensors<'_>, precision: Precision) -> Result<Self, String> {
        let name = match precision {
            Precision::Single => "tol_f32",
            Precision::Double => "tol_f64",
        };
        let text = tensors
            .string(name)
            .ok_or(format!("metadata {name}: missing"))?;
        let values: HashMap<String, f64> = serde_json::from_str(text)
            .map_err(|error| format!("metadata {name}: not a JSON object of numbers: {error}"))?;
        let tolerances = Self {
            name,
            precision,
            values,
        };
        for (key, &value) in &tolerances.values {
            tolerances.check(key, value)?;
        }
        Ok(tolerances)
    }

    /// Returns the tolerance of the first of `keys` that the file states.
    pub(crate) fn first(&self, keys: &[&str]) -> Result<f64, String> {
        keys.iter()
            .find_map(|&key| self.values.get(key))
            .copied()
            .ok_or_else(|| {
                format!(
                    "metadata {}: states no tolerance for {}",
                    self.name,
                    keys.join(" or ")
                )
            })
    }

    /// Returns the tolerance `kind` (`grad` or `row`) of one parameter. If a file does not state
    /// the tolerance of harmonic coefficients, the tolerance of features applies.
    pub(crate) fn of(&self, kind: &str, parameter: &str) -> Result<f64, String> {
        let own = format!("{kind}.{parameter}");
        if parameter == "sh_coeffs" {
            return self.first(&[&own, &format!("{kind}.features")]);
        }
        self.first(&[&own])
    }

    fn check(&self, key: &str, value: f64) -> Result<(), String> {
        let ceiling = self.ceiling(key);
        // Both comparisons are false for NaN.
        if value >= 0.0 && value <= ceiling {
            return Ok(());
        }
        Err(format!(
            "metadata {}: {key} is {value:e}, outside 0 to {ceiling:e}",
            self.name
        ))
    }

    fn ceiling(&self, key: &str) -> f64 {
        match (self.precision, key.split('.').next()) {
            (Precision::Double, _) => DOUBLE_CEILING,
            (Precision::Single, Some("row")) => SINGLE_ROW_CEILING,
            (Precision::Single, Some("depth")) => SINGLE_DEPTH_CEILING,
            (Precision::Single, Some("image" | "alpha" | "colours")) => SINGLE_IMAGE_CEILING,
            (Precision::Single, _) => SINGLE_GRADIENT_CEILING,
        }
    }
}
