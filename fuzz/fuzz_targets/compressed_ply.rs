//! The reader of compressed PLY files.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    fuzz_targets::compressed_ply(data);
});
