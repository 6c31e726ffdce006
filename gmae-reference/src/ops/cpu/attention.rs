//! Multi-head self-attention: `softmax(q k^T / sqrt(d)) v` for every image and head.
//!
//! A head is a range of columns of `[B T, D]`, which the products read in place. Heads are neither
//! split nor merged. The weights `[T, T]` of one head live in a buffer that the next head reuses.

use pulp::Arch;
use rayon::prelude::*;

use super::matrix::{Matrix, Output, multiply};
use super::real::Real;
use super::rows::{largest, sum, sum_pairs};

/// Dimensions of an attention.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Tokens of an image, T.
    pub tokens: usize,
    /// Channels of a token, D.
    pub width: usize,
    /// Heads. They divide the channels.
    pub heads: usize,
}

/// Queries, keys and values, each `[B T, D]`, or the gradients with respect to them.
#[derive(Clone, Copy, Debug)]
pub struct Qkv<D> {
    /// Queries.
    pub q: D,
    /// Keys.
    pub k: D,
    /// Values.
    pub v: D,
}

/// Computes `softmax(q k^T / sqrt(d)) v`, `[B T, D]`.
///
/// # Panics
/// Panics if the heads do not divide the channels, if there is no token, channel or head, or if the
/// lengths are not those of whole images.
pub fn attention<T: Real>(of: Qkv<&[T]>, shape: Shape) -> Vec<T> {
    let image = shape.checked(of);
    let mut mixed = vec![T::zero(); of.q.len()];
    mixed
        .par_chunks_mut(image)
        .enumerate()
        .for_each(|(b, mixed)| {
            let mut weights = vec![T::zero(); shape.tokens * shape.tokens];
            let of = of.image(b, image);
            for head in shape.columns() {
                shape.weights(of.from(head), &mut weights);
                let value = shape.head(of.from(head).v);
                let output = Output::replaced(&mut mixed[head..], shape.width);
                multiply(1.0, shape.square(&weights), value, output);
            }
        });
    mixed
}

/// The vjp of [`attention`]. With the weights `p` of a head: `v_v = p^T v_y`, `v_p = v_y v^T`, and
/// the gradient with respect to the scores, `v_s = p (v_p - sum of p v_p over the row)`. From
/// `s = q k^T / sqrt(d)`: `v_q = v_s k / sqrt(d)` and `v_k = v_s^T q / sqrt(d)`.
///
/// # Panics
/// Panics as [`attention`] does.
pub fn attention_vjp<T: Real>(of: Qkv<&[T]>, v_y: &[T], shape: Shape) -> Qkv<Vec<T>> {
    let image = shape.checked(of);
    let zeros = || vec![T::zero(); v_y.len()];
    let mut v = Qkv {
        q: zeros(),
        k: zeros(),
        v: zeros(),
    };
    let images = (v.q.par_chunks_mut(image), v.k.par_chunks_mut(image));
    images
        .into_par_iter()
        .zip(v.v.par_chunks_mut(image))
        .zip(v_y.par_chunks(image))
        .enumerate()
        .for_each(|(b, (((v_q, v_k), v_v), v_y))| {
            let square = shape.tokens * shape.tokens;
            let (mut p, mut v_p) = (vec![T::zero(); square], vec![T::zero(); square]);
            let of = of.image(b, image);
            for head in shape.columns() {
                let (of, v_y) = (of.from(head), shape.head(&v_y[head..]));
                shape.weights(of, &mut p);
                let out = Output::replaced(&mut v_v[head..], shape.width);
                multiply(1.0, shape.square(&p).transposed(), v_y, out);
                let value = shape.head(of.v).transposed();
                multiply(1.0, v_y, value, Output::replaced(&mut v_p, shape.tokens));
                softmax_vjp(&p, &mut v_p, shape.tokens);
                let v_s = shape.square(&v_p);
                let out = Output::replaced(&mut v_q[head..], shape.width);
                multiply(shape.scale(), v_s, shape.head(of.k), out);
                let out = Output::replaced(&mut v_k[head..], shape.width);
                multiply(shape.scale(), v_s.transposed(), shape.head(of.q), out);
            }
        });
    v
}

impl Shape {
    /// Returns the elements of an image.
    fn checked<T>(self, of: Qkv<&[T]>) -> usize {
        assert!(
            self.tokens > 0 && self.width > 0 && self.heads > 0,
            "an attention without tokens, channels or heads: {self:?}"
        );
        assert!(
            self.width.is_multiple_of(self.heads),
            "heads that do not divide the channels: {self:?}"
        );
        let image = self.tokens * self.width;
        let lengths = [of.q.len(), of.k.len(), of.v.len()];
        assert!(
            lengths == [of.q.len(); 3] && of.q.len().is_multiple_of(image),
            "{lengths:?} elements in images of {image}"
        );
        image
    }

    /// The first column of every head.
    fn columns(self) -> impl Iterator<Item = usize> {
        (0..self.heads).map(move |head| head * self.head_width())
    }

    fn head_width(self) -> usize {
        self.width / self.heads
    }

    fn scale(self) -> f64 {
        1.0 / (self.head_width() as f64).sqrt()
    }

    /// A head of an image, `[T, d]`, from its first element on.
    fn head<T>(self, data: &[T]) -> Matrix<'_, T> {
        Matrix::new(data, self.tokens, self.head_width(), self.width)
    }

    fn square<T>(self, data: &[T]) -> Matrix<'_, T> {
        Matrix::new(data, self.tokens, self.tokens, self.tokens)
    }

    /// Writes the weights of a head, `[T, T]`.
    fn weights<T: Real>(self, of: Qkv<&[T]>, weights: &mut [T]) {
        let (query, key) = (self.head(of.q), self.head(of.k).transposed());
        let output = Output::replaced(weights, self.tokens);
        multiply(self.scale(), query, key, output);
        softmax(weights, self.tokens);
    }
}

impl<'a, T> Qkv<&'a [T]> {
    /// The part of image `b`, `image` elements.
    fn image(self, b: usize, image: usize) -> Self {
        self.map(|data| &data[b * image..(b + 1) * image])
    }

    /// The part from column `first` on.
    fn from(self, first: usize) -> Self {
        self.map(|data| &data[first..])
    }

    fn map(self, part: impl Fn(&'a [T]) -> &'a [T]) -> Self {
        Self {
            q: part(self.q),
            k: part(self.k),
            v: part(self.v),
        }
    }
}

/// Replaces every row of scores by its softmax.
fn softmax<T: Real>(scores: &mut [T], columns: usize) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for row in scores.chunks_exact_mut(columns) {
                let largest = largest(row);
                for score in row {
                    *score = *score - largest;
                }
            }
        },
    );
    T::exp_all(scores);
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for row in scores.chunks_exact_mut(columns) {
                let factor = T::one() / sum(row, |x| x);
                for weight in row {
                    *weight = *weight * factor;
                }
            }
        },
    );
}

/// Replaces `v_p` by the gradient with respect to the scores.
fn softmax_vjp<T: Real>(p: &[T], v_p: &mut [T], columns: usize) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            let rows = p.chunks_exact(columns).zip(v_p.chunks_exact_mut(columns));
            for (p, v) in rows {
                let mean = sum_pairs(p, v, |p, v| p * v);
                for (p, v) in p.iter().zip(v) {
                    *v = *p * (*v - mean);
                }
            }
        },
    );
}
