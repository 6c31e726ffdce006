//! Views of matrices, and their product.

use super::real::Real;

/// A matrix in a slice: the element (i, j) is `data[i * row_stride + j * column_stride]`.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a, T> {
    data: &'a [T],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a, T> Matrix<'a, T> {
    /// A matrix whose rows begin `row_stride` elements apart in `data`.
    ///
    /// # Panics
    /// Panics if the last element lies beyond `data`.
    pub fn new(data: &'a [T], rows: usize, columns: usize, row_stride: usize) -> Self {
        assert_within(data.len(), rows, columns, row_stride);
        Self {
            data,
            rows,
            columns,
            row_stride,
            column_stride: 1,
        }
    }

    /// The transposed matrix.
    pub fn transposed(self) -> Self {
        Self {
            data: self.data,
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
        }
    }
}

/// The matrix that receives a product.
#[derive(Debug)]
pub struct Output<'a, T> {
    data: &'a mut [T],
    row_stride: usize,
    /// Whether the product is added to the old contents. Otherwise it replaces them.
    added: bool,
}

impl<'a, T> Output<'a, T> {
    /// A matrix that the product replaces.
    pub fn replaced(data: &'a mut [T], row_stride: usize) -> Self {
        Self {
            data,
            row_stride,
            added: false,
        }
    }

    /// A matrix to which the product is added.
    pub fn added(data: &'a mut [T], row_stride: usize) -> Self {
        Self {
            data,
            row_stride,
            added: true,
        }
    }
}

/// Computes `factor left right`. Large products run on all threads of the current pool.
///
/// # Panics
/// Panics if the inner dimensions differ, if the product does not fit `out`, or if rows of `out`
/// overlap.
pub fn multiply<T: Real>(factor: f64, left: Matrix<T>, right: Matrix<T>, out: Output<T>) {
    /// Multiplications from which more than one thread is worth its start.
    const PARALLEL: usize = 1 << 22;

    let (m, k, n) = (left.rows, left.columns, right.columns);
    assert_eq!(k, right.rows, "the inner dimensions of a product");
    assert_within(out.data.len(), m, n, out.row_stride);
    assert!(
        m <= 1 || out.row_stride >= n,
        "rows of a product that overlap"
    );
    let parallelism = if m.saturating_mul(k).saturating_mul(n) >= PARALLEL {
        gemm::Parallelism::Rayon(0)
    } else {
        gemm::Parallelism::None
    };
    // SAFETY: `Matrix::new` and the first assertion keep every element within its slice. `out` is
    // borrowed mutably, so it overlaps neither factor. Its rows do not overlap each other, so the
    // threads write to different elements.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.data.as_mut_ptr(),
            1,
            out.row_stride as isize,
            out.added,
            left.data.as_ptr(),
            left.column_stride as isize,
            left.row_stride as isize,
            right.data.as_ptr(),
            right.column_stride as isize,
            right.row_stride as isize,
            T::one(),
            T::of(factor),
            false,
            false,
            false,
            parallelism,
        );
    }
}

/// # Panics
/// Panics if the last element of the matrix lies beyond `len` elements.
fn assert_within(len: usize, rows: usize, columns: usize, row_stride: usize) {
    let end = match rows {
        0 => Some(0),
        rows => (rows - 1)
            .checked_mul(row_stride)
            .and_then(|start| start.checked_add(columns)),
    };
    assert!(
        end.is_some_and(|end| end <= len),
        "{rows} rows of {columns}, {row_stride} apart, in {len} elements"
    );
}
