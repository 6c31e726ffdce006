//! Compares this program with another build of it, in turns.
//!
//! A stored baseline compares two moments of a machine: its speed changes by ten per cent within
//! minutes, so that the same program looks faster or slower. Here both programs run in turns, each
//! pair gives one ratio, and the ratios give an interval.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};

use crate::sampling::median;
use crate::table::{Tables, markdown, number};

/// The options of the compared runs, apart from `--stages` and `--json`.
pub(crate) struct Runs<'a> {
    /// The other program.
    pub(crate) other: &'a Path,
    /// How often each program runs.
    pub(crate) pairs: usize,
    pub(crate) rounds: usize,
    pub(crate) threads: usize,
    pub(crate) workloads: &'a [String],
    /// Whether Gaussians are sorted along a Morton curve.
    pub(crate) sorted: bool,
}

/// What the programs print with `--stages --json`. Other fields are left out.
#[derive(Deserialize)]
struct Printed {
    instructions: String,
    stages: Vec<Timed>,
}

#[derive(Deserialize)]
struct Timed {
    workload: String,
    stage: String,
    one_thread_ms: f64,
    all_threads_ms: f64,
}

/// The comparison of one stage of one workload.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    workload: String,
    stage: String,
    one_thread: Ratio,
    all_threads: Ratio,
}

/// How many times as long the other program takes as this program. Above 1, this program is faster.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct Ratio {
    /// The median of the ratios of all pairs.
    median: f64,
    /// An interval that contains the true median with a probability of at least 95 % if the pairs are
    /// independent, or `None` if there are fewer than six pairs.
    interval: Option<[f64; 2]>,
}

/// Runs both programs in turns.
///
/// # Errors
/// Returns an error if a program cannot be started, fails, prints no times, or if the programs use
/// different instruction sets or time different stages.
pub(crate) fn measure(runs: &Runs<'_>) -> Result<Vec<Row>, String> {
    let this = std::env::current_exe().map_err(|error| format!("--compare: {error}"))?;
    let programs = [this.as_path(), runs.other];
    // The times of each stage of each workload: for each pair, those of both programs.
    let mut times: BTreeMap<usize, Vec<[Timed; 2]>> = BTreeMap::new();
    let style = ProgressStyle::with_template("{bar:32} {pos}/{len} pairs {elapsed}, {eta} left");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    let progress = ProgressBar::new(runs.pairs as u64).with_style(style);
    for pair in progress.wrap_iter(0..runs.pairs) {
        let first = pair % 2;
        let (a, b) = (run(programs[first], runs)?, run(programs[1 - first], runs)?);
        let [this, other] = if first == 0 { [a, b] } else { [b, a] };
        if this.instructions != other.instructions {
            return Err(format!(
                "--compare: expected the same instruction set, got {} and {}",
                this.instructions, other.instructions
            ));
        }
        let same = |(a, b): (&Timed, &Timed)| (&a.workload, &a.stage) == (&b.workload, &b.stage);
        let stages = [&this.stages, &other.stages];
        if stages[0].len() != stages[1].len() || !stages[0].iter().zip(stages[1]).all(same) {
            return Err("--compare: expected the same workloads and stages, got others".to_owned());
        }
        for (row, pair) in this.stages.into_iter().zip(other.stages).enumerate() {
            times.entry(row).or_default().push([pair.0, pair.1]);
        }
    }
    Ok(times.into_values().map(|pairs| row(&pairs)).collect())
}

/// Runs one program and reads the times that it prints.
fn run(program: &Path, runs: &Runs<'_>) -> Result<Printed, String> {
    let mut command = Command::new(program);
    command.args(["--stages", "--json"]);
    command.args(runs.sorted.then_some("--sorted"));
    for (flag, value) in [("--rounds", runs.rounds), ("--threads", runs.threads)] {
        command.args([flag, &value.to_string()]);
    }
    for workload in runs.workloads {
        command.args(["--workload", workload]);
    }
    let failed = |reason: String| format!("--compare: {}: {reason}", program.display());
    let output = command
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(failed(format!("{}: {}", output.status, said.trim())));
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|error| failed(format!("expected the times of stages as JSON: {error}")))
}

fn row(pairs: &[[Timed; 2]]) -> Row {
    let ratio = |of: fn(&Timed) -> f64| {
        let ratios = pairs.iter().map(|[this, other]| of(other) / of(this));
        Ratio::new(ratios.collect())
    };
    let [first, _] = &pairs[0];
    Row {
        workload: first.workload.clone(),
        stage: first.stage.clone(),
        one_thread: ratio(|timed| timed.one_thread_ms),
        all_threads: ratio(|timed| timed.all_threads_ms),
    }
}

impl Ratio {
    fn new(mut ratios: Vec<f64>) -> Self {
        ratios.sort_by(f64::total_cmp);
        let interval = skipped(ratios.len()).map(|k| [ratios[k], ratios[ratios.len() - 1 - k]]);
        Self {
            median: median(ratios),
            interval,
        }
    }

    fn text(self) -> [String; 2] {
        let interval = self.interval.map_or_else(
            || "-".to_owned(),
            |[low, high]| format!("[{}, {}]", number(low, 3), number(high, 3)),
        );
        [number(self.median, 3), interval]
    }

    /// Returns what the interval says about this program.
    fn verdict(self) -> &'static str {
        match self.interval {
            Some([low, _]) if low > 1.0 => "faster",
            Some([_, high]) if high < 1.0 => "slower",
            _ => "-",
        }
    }
}

/// Returns how many of `n` sorted values to leave out at each end, so that the rest contains the
/// true median with a probability of at least 95 %, whatever the distribution of independent values
/// (the sign test). `n` is at most 1000: the smallest probabilities must not vanish.
fn skipped(n: usize) -> Option<usize> {
    // The median is outside if at most k of n fair coins show heads, or at most k show tails.
    let (mut probability, mut ways, mut skipped) = (0.0, 0.5f64.powi(n as i32), None);
    for k in 0..n {
        probability += 2.0 * ways;
        if probability > 0.05 {
            break;
        }
        skipped = Some(k);
        ways *= (n - k) as f64 / (k + 1) as f64;
    }
    skipped
}

/// Returns the rows as a table.
pub(crate) fn text(rows: &[Row]) -> Tables {
    let cells = rows.iter().map(|row| {
        let mut cells = vec![format!("{}: {}", row.workload, row.stage)];
        for ratio in [row.one_thread, row.all_threads] {
            cells.extend(ratio.text());
            cells.push(ratio.verdict().to_owned());
        }
        cells
    });
    vec![(
        "Time of the other program relative to this program, medians of pairs; above 1 this program is faster. An interval \
         contains the true median with at least 95 %: of 25 intervals of equal programs, one can miss 1",
        markdown(
            &[
                "stage",
                "1 thread",
                "95 %",
                "this is",
                "all threads",
                "95 %",
                "this is",
            ],
            &cells.collect::<Vec<_>>(),
        ),
    )]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The ranks of tables of the sign test.
    #[test]
    fn as_many_values_are_skipped_as_the_sign_test_allows() {
        for (n, expected) in [
            (0, None),
            (5, None),
            (6, Some(0)),
            (8, Some(0)),
            (9, Some(1)),
        ] {
            assert_eq!(skipped(n), expected, "{n}");
        }
        assert_eq!(
            [10, 15, 20, 30].map(skipped),
            [Some(1), Some(3), Some(5), Some(9)]
        );
        assert_eq!([100, 1000].map(skipped), [Some(39), Some(468)]);
    }

    #[test]
    fn a_shift_beyond_the_noise_is_a_verdict() {
        let noise = |shift: f64| {
            let ratios = (0..20).map(|i| shift * (1.0 + 0.01 * f64::from(i * 7 % 20 - 10) / 10.0));
            Ratio::new(ratios.collect())
        };
        assert_eq!(noise(1.0).verdict(), "-");
        assert_eq!(noise(1.03).verdict(), "faster");
        assert_eq!(noise(1.0 / 1.03).verdict(), "slower");
        let few = Ratio::new(vec![1.5; 5]);
        assert_eq!((few.median, few.interval, few.verdict()), (1.5, None, "-"));
    }

    #[test]
    fn ratios_are_those_of_the_other_program() {
        let timed = |ms: f64| Timed {
            workload: "w".to_owned(),
            stage: "s".to_owned(),
            one_thread_ms: ms,
            all_threads_ms: 2.0 * ms,
        };
        let row = row(&[[timed(1.0), timed(1.5)], [timed(2.0), timed(3.0)]]);
        assert_eq!((row.one_thread.median, row.all_threads.median), (1.5, 1.5));
    }
}
