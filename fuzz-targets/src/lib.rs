//! The bodies of the fuzz targets. Each takes bytes and calls the public API with the values that it
//! makes of them. No call may panic. libFuzzer runs them as `fuzz_targets/*.rs`, and the program
//! `drive` runs them on random inputs, without a nightly toolchain.

mod damage;
mod engines;
mod files;
mod harmonics;
mod input;
mod packed;
mod random;
mod render;
#[cfg(feature = "runs")]
mod runs;
mod saved;
mod splats;

pub use engines::engines;
pub use files::{compressed_ply, npz, ply, splat, spz};
pub use harmonics::harmonics;
pub use random::random_input;
pub use render::render;
#[cfg(feature = "runs")]
pub use runs::runs;
pub use saved::saved;
pub use splats::splats;

/// A target.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The name of the target and of the program for libFuzzer.
    pub name: &'static str,
    /// Returns the number of calls that were accepted.
    pub run: fn(&[u8]) -> usize,
}

/// All targets.
pub const TARGETS: &[Target] = &[
    target("render", render),
    target("harmonics", harmonics),
    target("splats", splats),
    target("saved", saved),
    target("engines", engines),
    target("ply", ply),
    target("compressed_ply", compressed_ply),
    target("npz", npz),
    target("spz", spz),
    target("splat", splat),
    #[cfg(feature = "runs")]
    target("runs", runs),
];

const fn target(name: &'static str, run: fn(&[u8]) -> usize) -> Target {
    Target { name, run }
}
