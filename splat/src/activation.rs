//! The usual activations, from unconstrained parameters to scales and opacities (MATH eq. 20). The
//! core does not use them. Each is followed by its vjp.

use crate::error::RenderError;
use crate::gaussians::check_len;
use crate::math::exp;
use crate::number::Number;

/// Scales from their logarithms, `s = e^a`, elementwise.
pub fn scales_from_logs<T: Number>(logs: &[T]) -> Vec<T> {
    logs.iter()
        .map(|a| T::from_f64(exp::exponential(a.to_f64())))
        .collect()
}

/// Vjp of [`scales_from_logs`]: input `scales`, its result; incoming `v_scales`; outgoing `v_logs =
/// v_scales scales`.
///
/// # Errors
/// [`RenderError::Shape`] where the two differ in length.
pub fn scales_from_logs_vjp<T: Number>(
    scales: &[T],
    v_scales: &[T],
) -> Result<Vec<T>, RenderError> {
    check_len("v_scales", "one per scale", &[scales.len()], v_scales.len())?;
    Ok(scales.iter().zip(v_scales).map(|(&s, &v)| v * s).collect())
}

/// Opacities from their logits, `o = 1 / (1 + e^-a)`, elementwise.
pub fn opacities_from_logits<T: Number>(logits: &[T]) -> Vec<T> {
    logits
        .iter()
        .map(|a| T::from_f64(exp::sigmoid(a.to_f64())))
        .collect()
}

/// Vjp of [`opacities_from_logits`]: input `opacities`, its result; incoming `v_opacities`;
/// outgoing `v_logits = v_opacities o (1 - o)`.
///
/// # Errors
/// [`RenderError::Shape`] where the two differ in length.
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
