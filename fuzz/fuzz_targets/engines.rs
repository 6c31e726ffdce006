//! Every tile size and instruction set.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    fuzz_targets::engines(data);
});
