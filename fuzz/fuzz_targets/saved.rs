//! Saved states of other renders.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    splat_fuzz::saved(data);
});
