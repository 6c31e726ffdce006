//! Every tile size and instruction set.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    splat_fuzz::engines(data);
});
