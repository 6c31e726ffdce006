//! The run folders of gmae-reference.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    fuzz_targets::ply(data);
});
