//! The threads that the CPU engine computes on.

use std::error::Error;
use std::panic::catch_unwind;
use std::sync::OnceLock;

use crate::error::RenderError;

/// Checks that there are threads, before anything is computed on them.
///
/// rayon builds its global pool at the first use, and panics where the system refuses a thread. The
/// pool is therefore built here. A caller inside a pool of its own does not need it.
pub(crate) fn check_threads() -> Result<(), RenderError> {
    static GLOBAL_POOL: OnceLock<Result<(), String>> = OnceLock::new();
    // On targets without threads rayon falls back to the calling one, and only if it builds the
    // pool itself.
    if cfg!(target_family = "wasm") || rayon::current_thread_index().is_some() {
        return Ok(());
    }
    let pool = GLOBAL_POOL.get_or_init(build_global_pool);
    pool.clone().map_err(|got| RenderError::Device {
        expected: "threads to compute on, RAYON_NUM_THREADS or one per core".to_owned(),
        got,
    })
}

/// Builds rayon's global pool, or finds the one that is there.
fn build_global_pool() -> Result<(), String> {
    let Err(error) = rayon::ThreadPoolBuilder::new().build_global() else {
        return Ok(());
    };
    if error.source().is_some() {
        return Err(error.to_string());
    }
    // The pool was built before, or was refused before: rayon says which only by a panic.
    let was_refused = |_| "none: the global pool was refused before".to_owned();
    catch_unwind(rayon::current_num_threads)
        .map(|_| ())
        .map_err(was_refused)
}
