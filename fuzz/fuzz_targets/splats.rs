//! Splats that were made elsewhere.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    splat_fuzz::splats(data);
});
