//! Ctrl-C: asked once, a run stops after the step it is in and saves; asked twice, it stops at
//! once.

use std::sync::atomic::{AtomicBool, Ordering};

use super::lines::note;
use crate::error::Error;

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// The exit code of a run that was interrupted, as shells expect it (128 + SIGINT).
pub(crate) const EXIT_CODE: u8 = 130;

/// Starts listening for Ctrl-C, and for the signals that ask a process to end.
///
/// # Errors
///
/// [`Error::Threads`] if the operating system refuses the handler.
pub(crate) fn install() -> Result<(), Error> {
    ctrlc::set_handler(|| {
        if REQUESTED.swap(true, Ordering::SeqCst) {
            std::process::exit(i32::from(EXIT_CODE));
        }
        note("stopping after this step; press Ctrl-C again to stop at once");
    })
    .map_err(|error| Error::Threads(error.to_string()))
}

/// Whether a run has been asked to stop.
pub(crate) fn requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
}
