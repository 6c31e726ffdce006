//! The progress of a run: a bar in a terminal, and lines elsewhere.

use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};

use crate::common::terminal;
use crate::plan::Plan;
use crate::state::{Loss, State};

/// Iterations between two updates of the bar's message.
const REPORT_EVERY: usize = 20;
/// Number of lines where standard error is no terminal.
const LINES: usize = 10;

pub(crate) struct Progress {
    bar: ProgressBar,
    iterations: usize,
    start: Instant,
}

impl Progress {
    pub(crate) fn new(plan: &Plan, done: usize) -> Self {
        let template = "{bar:32} {pos}/{len} {msg} {elapsed}, {eta} left";
        let style = ProgressStyle::with_template(template);
        let bar = ProgressBar::new(plan.iterations as u64).with_position(done as u64);
        bar.reset_eta();
        Self {
            bar: bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())),
            iterations: plan.iterations,
            start: Instant::now(),
        }
    }

    /// Reports an iteration that has been done.
    pub(crate) fn step(&self, state: &State, loss: Loss) {
        let done = state.iteration;
        let message = || {
            let count = state.gaussians.count;
            format!("{:.1} dB, {count} Gaussians", loss.psnr)
        };
        if done.is_multiple_of(REPORT_EVERY) {
            self.bar.set_message(message());
        }
        self.bar.inc(1);
        if self.bar.is_hidden() && done.is_multiple_of(self.iterations.div_ceil(LINES)) {
            let (all, seconds) = (self.iterations, self.start.elapsed().as_secs());
            terminal::note(format_args!("{done}/{all} {}, {seconds} s", message()));
        }
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
