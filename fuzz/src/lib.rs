//! The bodies of the fuzz targets. Each takes bytes and calls the public API with the values that it
//! makes of them. No call may panic. libFuzzer runs them as `fuzz_targets/*.rs`, and the program
//! `drive` runs them on random inputs, without a nightly toolchain.

mod engines;
mod harmonics;
mod input;
mod render;
mod saved;
mod splats;

pub use engines::engines;
pub use harmonics::harmonics;
pub use render::render;
pub use saved::saved;
pub use splats::splats;

/// A target: its name, and the function from bytes to the number of renders that ran.
pub type Target = (&'static str, fn(&[u8]) -> usize);

/// All targets.
pub const TARGETS: [Target; 5] = [
    ("render", render),
    ("harmonics", harmonics),
    ("splats", splats),
    ("saved", saved),
    ("engines", engines),
];
