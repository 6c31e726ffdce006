//! The reader of `.splat` files.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    fuzz_targets::splat(data);
});
