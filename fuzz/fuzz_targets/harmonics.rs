//! Spherical harmonics and their vjp.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    splat_fuzz::harmonics(data);
});
