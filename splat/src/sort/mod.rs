//! Stage 3, *sort*: the hits of every tile in depth order. Ordering only, no gradient.

pub(crate) mod cpu;
