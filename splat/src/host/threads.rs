//! The threads of the CPU engine.

use std::error::Error;
use std::panic::catch_unwind;
use std::sync::OnceLock;

use crate::error::RenderError;

/// Checks that threads exist before a computation starts.
///
/// rayon builds its global pool at the first use, and panics if the system cannot create a thread.
/// This function therefore builds the pool first. A caller inside another rayon pool does not need
/// the global one.
pub(crate) fn check_threads() -> Result<(), RenderError> {
    static GLOBAL_POOL: OnceLock<Result<(), String>> = OnceLock::new();
    // On targets without threads, rayon falls back to the calling thread, but only if it builds the
    // pool itself.
    if cfg!(target_family = "wasm") || rayon::current_thread_index().is_some() {
        return Ok(());
    }
    let pool = GLOBAL_POOL.get_or_init(build_global_pool);
    pool.clone().map_err(|got| RenderError::Device {
        expected: "threads (RAYON_NUM_THREADS, or one per core)".to_owned(),
        got,
    })
}

/// Builds rayon's global pool, or finds the existing one.
fn build_global_pool() -> Result<(), String> {
    let Err(error) = rayon::ThreadPoolBuilder::new().build_global() else {
        return Ok(());
    };
    if error.source().is_some() {
        return Err(error.to_string());
    }
    // The pool exists, or building it failed before: only a panic of rayon distinguishes the two.
    let was_refused = |_| "none: building the global pool failed before".to_owned();
    catch_unwind(rayon::current_num_threads)
        .map(|_| ())
        .map_err(was_refused)
}
