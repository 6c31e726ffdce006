//! Classifiers: the scores, the gradient, learning, layer decay, resumed runs, and the files.

#[path = "../common/mod.rs"]
mod common;
mod direct;
mod gradient;
mod layer_decay;
mod runs;
mod support;
#[path = "../common/walk.rs"]
mod walk;
