//! Faults of image files, in words, and the limits of what is accepted.

use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Largest file and largest decoded picture in bytes. Larger ones are refused, so that a damaged
/// header does not exhaust the memory.
pub(super) const MAX_BYTES: u64 = 1 << 29;

/// Runs `work`. A panic of a decoder becomes an error, because a file must not end the program.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err("corrupt: the decoder failed".to_owned()))
}

/// Describes the error of a decoder.
pub(super) fn corrupt(error: impl Display) -> String {
    format!("corrupt: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_a_decoder_is_a_fault() {
        let fault = guarded(|| -> Result<(), String> { panic!("a decoder's mistake") });
        assert_eq!(fault, Err("corrupt: the decoder failed".to_owned()));
        assert_eq!(guarded(|| Ok(1)), Ok(1));
        assert_eq!(
            guarded(|| Err::<(), _>(corrupt("torn"))),
            Err("corrupt: torn".to_owned())
        );
    }
}
