//! The linear layer: `y = x w + b`.

use pulp::Arch;

use super::matrix::{Matrix, Output, multiply};
use super::real::Real;

/// Computes `x w + b` for the R rows of `x`, `[R, in]`, with `w`, `[in, out]`, and `b`, `[out]`.
/// Without `b` the shift is zero.
///
/// # Panics
/// Panics if `out` is zero, or if a length is another.
pub fn linear<T: Real>(x: &[T], w: &[T], b: Option<&[T]>, [rows, out]: [usize; 2]) -> Vec<T> {
    let inputs = w.len() / out;
    let mut y = match b {
        Some(b) => b.repeat(rows),
        None => vec![T::zero(); rows * out],
    };
    let x = Matrix::new(x, rows, inputs, inputs);
    let w = Matrix::new(w, inputs, out, out);
    let output = match b {
        Some(_) => Output::added(&mut y, out),
        None => Output::replaced(&mut y, out),
    };
    multiply(1.0, x, w, output);
    y
}

/// `v_x = v_y w^T`, `[R, in]`.
pub fn linear_vjp_x<T: Real>(w: &[T], v_y: &[T], [rows, out]: [usize; 2]) -> Vec<T> {
    let inputs = w.len() / out;
    let mut v_x = vec![T::zero(); rows * inputs];
    let v_y = Matrix::new(v_y, rows, out, out);
    let w = Matrix::new(w, inputs, out, out).transposed();
    multiply(1.0, v_y, w, Output::replaced(&mut v_x, inputs));
    v_x
}

/// `v_w = x^T v_y`, `[in, out]`.
///
/// # Panics
/// Panics if `out` is zero, or if a length is another.
pub fn linear_vjp_w<T: Real>(x: &[T], v_y: &[T], [inputs, out]: [usize; 2]) -> Vec<T> {
    let rows = v_y.len() / out;
    let mut v_w = vec![T::zero(); inputs * out];
    let x = Matrix::new(x, rows, inputs, inputs).transposed();
    let v_y = Matrix::new(v_y, rows, out, out);
    multiply(1.0, x, v_y, Output::replaced(&mut v_w, out));
    v_w
}

/// `v_b`, the sum of the rows of `v_y`, `[out]`.
pub fn linear_vjp_b<T: Real>(v_y: &[T], out: usize) -> Vec<T> {
    let mut v_b = vec![T::zero(); out];
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for row in v_y.chunks_exact(out) {
                for (sum, v) in v_b.iter_mut().zip(row) {
                    *sum = *sum + *v;
                }
            }
        },
    );
    v_b
}
