//! What a model makes of images: predictions, errors, pictures.

pub mod evaluate;
pub mod gallery;
pub mod pictures;
