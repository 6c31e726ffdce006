//! Splats that were made elsewhere.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    fuzz_targets::splats(data);
});
