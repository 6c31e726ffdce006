//! Activations that map unconstrained parameters to scales and opacities (MATH eq. 20).
//!
//! A render applies them itself if [`Encoding::raw`](crate::encoding::Encoding::raw) is set. A
//! caller applies these functions otherwise. Each function is followed by its vjp.

use crate::error::RenderError;
use crate::gaussians::check_len;
use crate::math::exp;
use crate::number::Number;

/// Returns the scales `s = e^a` of the logarithms `logs`, elementwise and of the same length.
///
/// The exponential is computed in `f64` and rounded to `T`.
pub fn scales_from_logs<T: Number>(logs: &[T]) -> Vec<T> {
    logs.iter()
        .map(|a| T::from_f64(exp::exponential(a.to_f64())))
        .collect()
}

/// Vjp of [`scales_from_logs`]. Returns `v_logs = v_scales scales`, elementwise (MATH eq. 20').
///
/// `scales` is the result of [`scales_from_logs`], and `v_scales` is the gradient with respect to
/// it.
///
/// # Errors
/// [`RenderError::Shape`] if `scales` and `v_scales` differ in length.
pub fn scales_from_logs_vjp<T: Number>(
    scales: &[T],
    v_scales: &[T],
) -> Result<Vec<T>, RenderError> {
    check_len("v_scales", "one per scale", &[scales.len()], v_scales.len())?;
    Ok(scales.iter().zip(v_scales).map(|(&s, &v)| v * s).collect())
}

/// Returns the opacities `o = 1 / (1 + e^-a)` of the logits `logits`, elementwise and of the same
/// length.
///
/// The exponential is computed in `f64`. The result is rounded to `T`.
pub fn opacities_from_logits<T: Number>(logits: &[T]) -> Vec<T> {
    logits
        .iter()
        .map(|a| T::from_f64(exp::sigmoid(a.to_f64())))
        .collect()
}

/// Vjp of [`opacities_from_logits`]. Returns `v_logits = v_opacities o (1 - o)`, elementwise (MATH
/// eq. 20').
///
/// `opacities` is the result of [`opacities_from_logits`], and `v_opacities` is the gradient with
/// respect to it.
///
/// # Errors
/// [`RenderError::Shape`] if `opacities` and `v_opacities` differ in length.
pub fn opacities_from_logits_vjp<T: Number>(
    opacities: &[T],
    v_opacities: &[T],
) -> Result<Vec<T>, RenderError> {
    check_len(
        "v_opacities",
        "one per opacity",
        &[opacities.len()],
        v_opacities.len(),
    )?;
    let by_logit = |(&o, &v): (&T, &T)| v * o * (T::ONE - o);
    Ok(opacities.iter().zip(v_opacities).map(by_logit).collect())
}
