//! Forward and backward passes on invalid and extreme values and shapes.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    fuzz_targets::render(data);
});
