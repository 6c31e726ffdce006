//! Panics of other libraries, as errors.

use std::panic::{self, AssertUnwindSafe};

/// Calls `f`. If `f` panics, returns the message of the panic, and nothing is printed.
///
/// The hook for messages belongs to the whole process. The caller must be the only thread that can
/// panic.
pub(crate) fn caught<T>(f: impl FnOnce() -> T) -> Result<T, String> {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let outcome = panic::catch_unwind(AssertUnwindSafe(f));
    panic::set_hook(hook);
    outcome.map_err(|panic| {
        let words = panic.downcast_ref::<String>().map(String::as_str);
        let words = words.or_else(|| panic.downcast_ref::<&str>().copied());
        words.unwrap_or("a panic without a message").to_owned()
    })
}
