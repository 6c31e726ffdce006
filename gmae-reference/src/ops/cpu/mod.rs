//! The operations on slices of `f32` or `f64`, each followed by its vjp.
//!
//! A vjp receives the gradient of the loss with respect to the result, `v_y`, and returns the
//! gradients with respect to the inputs. No vjp needs a stored `[T, T]` matrix: attention computes
//! its weights again.

pub mod adam;
pub mod attention;
pub mod gelu;
pub mod linear;
pub mod matrix;
pub mod norm;
pub mod real;
pub mod rows;
