//! The progress bar: loss, images per second and remaining time.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::lines::note;

/// Time between two lines if there is no terminal for a bar.
const LINE_INTERVAL: Duration = Duration::from_secs(10);
/// Weight of the newest value in the displayed running means.
const SMOOTHING: f64 = 0.05;
const TEMPLATE: &str = "{bar:24} step {pos}/{len}  {msg}  {eta} left";

/// Displays a bar on a terminal, or a line every ten seconds elsewhere. Both are written to
/// standard error.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    line: Instant,
    means: Option<(f64, f64)>,
}

impl Progress {
    /// Starts the display for a run that has taken `step` of `steps` steps.
    pub(crate) fn new(step: usize, steps: usize) -> Self {
        let style =
            ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(steps as u64).with_style(style);
        bar.set_position(step as u64);
        bar.reset_eta();
        Self {
            bar,
            line: Instant::now(),
            means: None,
        }
    }

    /// Displays the step just taken: the number of steps taken so far, the loss and the speed.
    pub(crate) fn show(&mut self, step: usize, loss: f64, images_per_second: f64) {
        let blend = |old: f64, new: f64| old + SMOOTHING * (new - old);
        let (loss, speed) = self
            .means
            .map_or((loss, images_per_second), |(old_loss, old_speed)| {
                (blend(old_loss, loss), blend(old_speed, images_per_second))
            });
        self.means = Some((loss, speed));
        self.bar
            .set_message(format!("loss {loss:.4}  {speed:.0} images/s"));
        self.bar.set_position(step as u64);
        if self.bar.is_hidden() && self.line.elapsed() >= LINE_INTERVAL {
            self.line = Instant::now();
            let (position, length) = (step, self.bar.length().unwrap_or_default());
            let left = (length as f64 - position as f64).max(0.0) / self.bar.per_sec();
            let left = if left.is_finite() {
                format!("{left:.0} s left")
            } else {
                "time left unknown".to_owned()
            };
            note(format_args!(
                "step {position}/{length}  loss {loss:.4}  {speed:.0} images/s  {left}"
            ));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.abandon();
    }
}
