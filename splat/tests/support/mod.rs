//! Results of valid scenes, and a type of the tests of errors. Scenes, differences and comparisons
//! are those of `splat::check`.

#![allow(dead_code, reason = "each test program uses a part of this module")]

use splat::check::{OwnedScene, Rendered};
use splat::{Gradients, Image};

/// Functions that make a valid value invalid, each with a name. Tests of errors require the name in
/// the message.
pub type Breaks<'a, T> = &'a [(&'static str, fn(&mut T))];

/// Results of a scene that is valid.
pub trait Valid {
    /// The render on the CPU in `f64`.
    fn rendered(&self) -> Rendered;
    /// The image of the oracle.
    fn specified(&self) -> Image<Vec<f64>>;
    /// The gradients on the CPU in `f64`.
    fn vjp(&self, v_image: &Image<Vec<f64>>) -> Gradients<Vec<f64>>;
}

impl Valid for OwnedScene {
    fn rendered(&self) -> Rendered {
        self.render().expect("a valid scene")
    }

    fn specified(&self) -> Image<Vec<f64>> {
        self.oracle().expect("a valid scene")
    }

    fn vjp(&self, v_image: &Image<Vec<f64>>) -> Gradients<Vec<f64>> {
        self.gradients(v_image).expect("a valid scene")
    }
}

#[expect(clippy::ptr_arg, reason = "mapped over the vectors of a scene")]
pub fn widen(x: &Vec<f32>) -> Vec<f64> {
    x.iter().map(|&x| f64::from(x)).collect()
}
