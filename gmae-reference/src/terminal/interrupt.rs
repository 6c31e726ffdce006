//! Signals: after the first SIGINT (Ctrl-C), SIGTERM or SIGHUP, a run saves a checkpoint and stops.
//! The second signal ends the process immediately.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::lines::note;
use crate::error::Error;

/// The time of the first signal.
static REQUESTED: OnceLock<Instant> = OnceLock::new();

/// Exit code of an interrupted run: 128 + SIGINT, the convention of shells.
pub(crate) const EXIT_CODE: u8 = 130;

/// Signals that follow the first one within this time belong to the same event: a terminal that is
/// closed can send SIGHUP twice.
const SAME_EVENT: Duration = Duration::from_millis(200);

/// Installs the handler for SIGINT, SIGTERM and SIGHUP.
///
/// # Errors
///
/// [`Error::Threads`] if the operating system rejects the handler.
pub(crate) fn install() -> Result<(), Error> {
    ctrlc::set_handler(|| {
        let now = Instant::now();
        let first = *REQUESTED.get_or_init(|| now);
        if first == now {
            note("stopping; a second signal ends the process at once");
        } else if now.duration_since(first) > SAME_EVENT {
            exit();
        }
    })
    .map_err(|error| Error::Threads(error.to_string()))
}

/// Returns whether a signal has requested the run to stop.
pub(crate) fn requested() -> bool {
    REQUESTED.get().is_some()
}

/// Ends the process after `time`, unless it has ended before.
pub(crate) fn exit_within(time: Duration) {
    std::thread::spawn(move || {
        std::thread::sleep(time);
        exit();
    });
}

fn exit() -> ! {
    std::process::exit(i32::from(EXIT_CODE))
}
