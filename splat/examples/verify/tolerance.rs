//! The tolerances a file states, and the most it may state.

use std::collections::HashMap;

use crate::compare::Precision;
use crate::tensors::Tensors;

/// The most a file may allow an image, a colour or an alpha to differ in `f32`: two and a half steps of an 8-bit picture.
/// Needle-like Gaussians, the worst conditioned known, need 2e-4.
const SINGLE_IMAGE_CEILING: f64 = 1e-2;
/// The most for a depth in `f32`, which grows with the scene's distances. Needles a few units away need 2e-4.
const SINGLE_DEPTH_CEILING: f64 = 1e-1;
/// The most for a gradient in `f32`, relative to the tensor's largest entry: one digit right. Needles need 1e-3.
const SINGLE_GRADIENT_CEILING: f64 = 1e-1;
/// The most for one Gaussian's gradient in `f32`, relative to itself: as [`SINGLE_GRADIENT_CEILING`]. Needles need 5e-3.
const SINGLE_ROW_CEILING: f64 = 1e-1;
/// The most for anything in `f64`, whose stated tolerances lie between 1e-11 and 1e-9: a wrong formula, or a constant rounded
/// to `f32`, shows above it.
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

    /// The tolerance of the first of `keys` that is stated.
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

    /// The tolerance `kind` (`grad` or `row`) of one parameter. Files name that of harmonic coefficients after features.
    pub(crate) fn of(&self, kind: &str, parameter: &str) -> Result<f64, String> {
        let own = format!("{kind}.{parameter}");
        if parameter == "sh_coeffs" {
            return self.first(&[&own, &format!("{kind}.features")]);
        }
        self.first(&[&own])
    }

    fn check(&self, key: &str, value: f64) -> Result<(), String> {
        let ceiling = self.ceiling(key);
        // Written so that NaN fails.
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
