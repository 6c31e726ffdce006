//! The progress bar: loss, images per second and remaining time.

use std::fmt::Display;
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::lines::note;

/// Time between two lines if there is no terminal for a bar.
const LINE_INTERVAL: Duration = Duration::from_secs(10);
/// Weight of the newest value in the displayed running means.
const SMOOTHING: f64 = 0.05;
const TEMPLATE: &str = "{bar:24} step {pos}/{len}  {msg}";

/// Displays a bar on a terminal, or a line every ten seconds elsewhere. Both are written to
/// standard error.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    silent: bool,
    line: Instant,
    /// Number of finished images of the current step, and the time at which the step began.
    within: (usize, Instant),
    /// Running means.
    means: Option<StepSummary>,
}

/// The displayed numbers of a step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StepSummary {
    /// The loss.
    pub(crate) loss: f64,
    /// Images per second.
    pub(crate) images_per_second: f64,
    /// Duration of the step in seconds.
    pub(crate) seconds: f64,
    /// Fraction of the duration in which the step waited for images.
    pub(crate) waiting: f64,
}

impl StepSummary {
    fn values(self) -> [f64; 4] {
        let Self {
            loss,
            images_per_second,
            seconds,
            waiting,
        } = self;
        [loss, images_per_second, seconds, waiting]
    }

    /// Moves the means towards the values of the newest step.
    fn blend(self, new: Self) -> Self {
        let (old, new) = (self.values(), new.values());
        let [loss, images_per_second, seconds, waiting] =
            std::array::from_fn(|i| old[i] + SMOOTHING * (new[i] - old[i]));
        Self {
            loss,
            images_per_second,
            seconds,
            waiting,
        }
    }
}

impl Progress {
    /// Starts the display for a run that has taken `step` of `steps` steps. If `visible` is false,
    /// nothing is displayed.
    pub(crate) fn new(step: usize, steps: usize, visible: bool) -> Self {
        let style =
            ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(steps as u64).with_style(style);
        if !visible {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        bar.set_position(step as u64);
        Self {
            bar,
            silent: !visible,
            line: Instant::now(),
            within: (0, Instant::now()),
            means: None,
        }
    }

    /// Displays that `count` more of the `images` images of a step are done. A step of a large
    /// batch can take an hour.
    pub(crate) fn within_step(&mut self, count: usize, images: usize) {
        self.within.0 = (self.within.0 + count).min(images);
        let (done, begun) = self.within;
        // During short steps the line with the loss stays on display.
        if begun.elapsed() < LINE_INTERVAL {
            return;
        }
        let steps = self.left();
        let message = || words_within(done, images, steps, begun.elapsed());
        self.display(message, false);
    }

    /// Displays the step just taken. `step` is the number of steps taken so far.
    pub(crate) fn show(&mut self, step: usize, new: StepSummary) {
        let means = self.means.map_or(new, |old| old.blend(new));
        self.means = Some(means);
        self.within = (0, Instant::now());
        self.bar.set_position(step as u64);
        let left = self.left();
        self.display(|| words(means, left), step == 1);
    }

    /// Writes a line beside the display.
    pub(crate) fn note(&self, text: impl Display) {
        self.bar.suspend(|| note(text));
    }

    /// Number of steps that are left.
    fn left(&self) -> f64 {
        let steps = self.bar.length().unwrap_or_default();
        steps.saturating_sub(self.bar.position()) as f64
    }

    /// Displays a message: on the bar, or as a line if ten seconds have passed or `now` is set.
    fn display(&mut self, message: impl FnOnce() -> String, now: bool) {
        if self.silent {
            return;
        }
        if !self.bar.is_hidden() {
            self.bar.set_message(message());
        } else if now || self.line.elapsed() >= LINE_INTERVAL {
            self.line = Instant::now();
            let (position, length) = (self.bar.position(), self.bar.length().unwrap_or_default());
            note(format_args!("step {position}/{length}  {}", message()));
        }
    }
}

/// Formats the means, and the remaining time of `left` steps.
fn words(means: StepSummary, left: f64) -> String {
    let StepSummary {
        loss,
        images_per_second,
        seconds,
        waiting,
    } = means;
    let rest = duration(left * seconds);
    format!(
        "loss {loss:.4}  {images_per_second:.1} images/s  waiting for data {:.1} %  {rest} left",
        100.0 * waiting
    )
}

/// Formats the progress within a step, and the remaining time of `steps` steps including this one.
fn words_within(done: usize, images: usize, steps: f64, elapsed: Duration) -> String {
    let speed = done as f64 / elapsed.as_secs_f64();
    let rest = duration((steps * images as f64 - done as f64) / speed);
    format!("image {done}/{images} of the next step  {speed:.1} images/s  {rest} left")
}

fn duration(seconds: f64) -> String {
    let rest = Duration::try_from_secs_f64(seconds);
    rest.map_or("unknown time".to_owned(), |rest| {
        HumanDuration(rest).to_string()
    })
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.abandon();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_remaining_time_is_that_of_the_remaining_steps() {
        let means = StepSummary {
            loss: 0.25,
            images_per_second: 1.6,
            seconds: 2560.0,
            waiting: 0.012,
        };
        let line = words(means, 124_800.0);
        assert_eq!(
            line,
            "loss 0.2500  1.6 images/s  waiting for data 1.2 %  10 years left"
        );
        assert!(words(means, 1e300).contains("unknown"));
        let within = words_within(64, 4096, 2.0, Duration::from_secs(40));
        assert_eq!(
            within,
            "image 64/4096 of the next step  1.6 images/s  85 minutes left"
        );
    }
}
