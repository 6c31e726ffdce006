//! What the files of a model contain besides its parameters.

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

/// A model with fixed position tables, which its files contain.
pub trait Stored<B: Backend>: Module<B> {
    /// The position tables: that of the encoder, `[1 + N, D]`, and after it that of the decoder,
    /// `[1 + N, d]`, if there is one. They are not trained.
    fn positions(&self) -> Vec<&Tensor<B, 2>>;

    /// Returns the model with other position tables, in the order of [`Stored::positions`].
    #[must_use]
    fn with_positions(self, tables: Vec<Tensor<B, 2>>) -> Self;
}
