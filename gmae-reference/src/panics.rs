//! Panics of other libraries, as errors.

use std::panic::{self, AssertUnwindSafe};

/// Calls `f`. If `f` panics, the message of the panic is returned and not printed.
///
/// The hook for messages belongs to the whole process. No other thread may panic during the call,
/// because its message would be lost.
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
