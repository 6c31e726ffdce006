//! Spherical harmonics and their vjp.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    fuzz_targets::harmonics(data);
});
