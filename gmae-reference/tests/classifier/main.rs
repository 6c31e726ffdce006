//! Classifiers: the scores, the gradient, learning, layer decay, resumed runs, and the files.
//! Models of boxes: frozen tokens, learning, resumed runs, and the files.

mod boxes;
#[path = "../common/mod.rs"]
mod common;
mod direct;
mod gradient;
mod layer_decay;
mod runs;
mod support;
#[path = "../common/walk.rs"]
mod walk;
