//! The documents of the crate as pages: the conventions and the mathematics.
//!
//! The module exists only in this documentation. Code cannot refer to it. The pages are generated
//! from docs/CONVENTIONS.md and docs/MATH.md by `cargo run -p xtask -- pages --write`. A third page,
//! of docs/CHECKS.md, is part of the documentation of `splat::check`. The formulas are MathML, so a
//! browser shows them without a script or a network.

#[doc = include_str!("conventions.md")]
pub mod conventions {}

#[doc = include_str!("math.md")]
pub mod math {}
