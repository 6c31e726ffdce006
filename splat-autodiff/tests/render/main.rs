//! The differentiable operation, on Burn's CPU backend in both precisions.

mod batch;
mod bitwise;
mod culled;
mod ellipse_errors;
mod ellipses;
mod encodings;
mod errors;
mod finite_differences;
mod fit;
mod focal;
mod renderer;
mod scene;
mod second_use;
mod tracking;
