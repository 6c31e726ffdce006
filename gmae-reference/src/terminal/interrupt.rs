//! Ctrl-C: the first signal stops a run after its current step, with a checkpoint. The second
//! signal ends the process immediately.

use std::sync::atomic::{AtomicBool, Ordering};

use super::lines::note;
use crate::error::Error;

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Exit code of an interrupted run: 128 + SIGINT, the convention of shells.
pub(crate) const EXIT_CODE: u8 = 130;

/// Installs the handler for Ctrl-C and for termination signals.
///
/// # Errors
///
/// [`Error::Threads`] if the operating system rejects the handler.
pub(crate) fn install() -> Result<(), Error> {
    ctrlc::set_handler(|| {
        if REQUESTED.swap(true, Ordering::SeqCst) {
            std::process::exit(i32::from(EXIT_CODE));
        }
        note("stopping after this step; press Ctrl-C again to stop at once");
    })
    .map_err(|error| Error::Threads(error.to_string()))
}

/// Returns whether a signal has requested the run to stop.
pub(crate) fn requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
}
