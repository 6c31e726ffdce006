//! Signals: after the first SIGINT (Ctrl-C), SIGTERM or SIGHUP, the run writes its files and ends. A
//! later one ends the process at once.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::common::terminal;

/// Exit code of an interrupted run: 128 + SIGINT, the convention of shells.
pub(crate) const EXIT_CODE: u8 = 130;

/// Signals that follow the first one within this time belong to it: a terminal that is closed can
/// send two.
const SAME_EVENT: Duration = Duration::from_millis(200);

/// The time of the first signal.
static REQUESTED: OnceLock<Instant> = OnceLock::new();

/// Installs the handler.
pub(crate) fn install() -> Result<(), String> {
    let handler = || {
        let now = Instant::now();
        let first = *REQUESTED.get_or_init(|| now);
        if first == now {
            terminal::note("stopping after this step; a second signal ends the process at once");
        } else if now.duration_since(first) > SAME_EVENT {
            std::process::exit(i32::from(EXIT_CODE));
        }
    };
    ctrlc::set_handler(handler).map_err(|error| format!("signals cannot be handled: {error}"))
}

/// Whether a signal has come.
pub(crate) fn requested() -> bool {
    REQUESTED.get().is_some()
}
