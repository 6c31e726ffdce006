//! The reader of NumPy archives.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    fuzz_targets::npz(data);
});
