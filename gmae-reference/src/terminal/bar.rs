//! A plain progress bar for work that has no steps of training.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::interrupt;
use super::lines::note;

/// Time between two lines if there is no terminal for a bar.
const LINE_INTERVAL: Duration = Duration::from_secs(10);
const TEMPLATE: &str = "{bar:24} {msg}  {percent} %  {eta} left";

/// Displays a bar on a terminal, or a line every ten seconds elsewhere. Both are written to
/// standard error. The bar disappears when it is dropped.
#[derive(Debug)]
pub(crate) struct Bar {
    display: ProgressBar,
    line: Instant,
    name: String,
}

impl Bar {
    /// Starts the display of work with a name.
    pub(crate) fn new(name: impl Into<String>) -> Self {
        let style =
            ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar());
        let name = name.into();
        Self {
            display: ProgressBar::new(1)
                .with_style(style)
                .with_message(name.clone()),
            line: Instant::now(),
            name,
        }
    }

    /// Displays that `done` of `total` parts are done. Returns false if the program was
    /// interrupted.
    pub(crate) fn show(&mut self, done: usize, total: usize) -> bool {
        self.display.set_length(total as u64);
        self.display.set_position(done as u64);
        if self.display.is_hidden() && self.line.elapsed() >= LINE_INTERVAL {
            self.line = Instant::now();
            let share = 100.0 * done as f64 / total.max(1) as f64;
            note(format_args!("{}  {share:.0} %", self.name));
        }
        !interrupt::requested()
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.display.finish_and_clear();
    }
}
