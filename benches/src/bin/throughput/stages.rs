//! The time of every stage, on one thread and on all threads.

use benches::{Bench, Stage};
use rayon::ThreadPool;
use serde::Serialize;
use splat::RenderError;

use crate::sampling::{Roofline, Samples, Series, interleaved, ms};
use crate::table::{Tables, markdown, number};

/// The number of timed parts: the stages and the roofline. The speed-up of the roofline is the
/// greatest that the machine's threads can reach.
const TIMED: usize = Stage::SINGLE.len() + 1;

/// One stage of one workload.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) workload: String,
    pub(crate) stage: &'static str,
    pub(crate) one_thread_ms: f64,
    all_threads_ms: f64,
    speed_up: f64,
    /// Share of the sum of all stages on one thread; `None` for the roofline.
    pub(crate) share: Option<f64>,
    /// Serial fraction by Amdahl's law (the Karp-Flatt metric); `None` on one thread.
    serial_fraction: Option<f64>,
    /// The times of every round in ms, on one thread and on all threads; `None` for the sum.
    samples: Option<[Series; 2]>,
}

/// Measures all stages of all workloads.
pub(crate) fn measure(
    benches: &[Bench],
    rounds: usize,
    [one, all]: [&ThreadPool; 2],
) -> Result<Vec<Row>, RenderError> {
    let (roofline, threads) = (Roofline::new(), all.current_num_threads());
    let samples = interleaved(benches, rounds, |bench| {
        let mut times = [0.0; 2 * TIMED];
        for (times, at) in times.chunks_exact_mut(2).zip(0..) {
            for (pool, time) in [one, all].into_iter().zip(times) {
                *time = ms(pool.install(|| match Stage::SINGLE.get(at) {
                    Some(&stage) => bench.time(stage),
                    None => Ok(roofline.time(threads)),
                })?);
            }
        }
        Ok(times)
    })?;
    let tables = benches.iter().zip(&samples);
    Ok(tables
        .flat_map(|(bench, samples)| of_one(&bench.workload.name, samples, threads))
        .collect())
}

/// Returns the rows of one workload. `samples` holds pairs of times: one thread, all threads.
fn of_one(workload: &str, samples: &Samples<{ 2 * TIMED }>, threads: usize) -> Vec<Row> {
    let medians = samples.medians();
    let times: Vec<[f64; 2]> = medians.chunks_exact(2).map(|t| [t[0], t[1]]).collect();
    let (stages, roofline) = times.split_at(TIMED - 1);
    let sum = |k: usize| stages.iter().map(|times| times[k]).sum::<f64>();
    let whole = [sum(0), sum(1)];
    let series = |at: usize| Some([samples.series(2 * at), samples.series(2 * at + 1)]);
    let row = |stage, [one, all]: [f64; 2], share, samples| Row {
        workload: workload.to_owned(),
        stage,
        one_thread_ms: one,
        all_threads_ms: all,
        speed_up: one / all,
        share,
        serial_fraction: serial_fraction(one / all, threads),
        samples,
    };
    let names = Stage::SINGLE.iter().map(|stage| stage.name());
    let mut rows: Vec<Row> = (0..)
        .zip(names.zip(stages))
        .map(|(at, (name, &times))| row(name, times, Some(times[0] / whole[0]), series(at)))
        .collect();
    rows.push(row("all", whole, Some(1.0), None));
    rows.push(row(
        "arithmetic alone",
        roofline[0],
        None,
        series(TIMED - 1),
    ));
    rows
}

/// Returns the serial fraction of the work that explains a speed-up of `speed_up` on `threads`
/// threads.
fn serial_fraction(speed_up: f64, threads: usize) -> Option<f64> {
    let n = threads as f64;
    (threads > 1).then(|| (1.0 / speed_up - 1.0 / n) / (1.0 - 1.0 / n))
}

/// Returns the rows as a table.
pub(crate) fn text(rows: &[Row]) -> Tables {
    let none = || "-".to_owned();
    let cells = rows.iter().map(|row| {
        vec![
            format!("{}: {}", row.workload, row.stage),
            number(row.one_thread_ms, 2),
            number(row.all_threads_ms, 2),
            number(row.speed_up, 2),
            row.share
                .map_or_else(none, |share| format!("{:.1} %", 100.0 * share)),
            row.serial_fraction
                .map_or_else(none, |fraction| number(fraction, 2)),
        ]
    });
    vec![(
        "Stages, on one thread and on all. serial: the fraction that explains the speed-up (Karp and Flatt); below 0 is noise",
        markdown(
            &[
                "stage",
                "ms, 1 thread",
                "ms, all threads",
                "speed-up",
                "share, 1 thread",
                "serial",
            ],
            &cells.collect::<Vec<_>>(),
        ),
    )]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_serial_fraction_undoes_amdahls_law() {
        let speed_up = 1.0 / (0.25 + 0.75 / 4.0);
        let fraction = serial_fraction(speed_up, 4).unwrap();
        assert!((fraction - 0.25).abs() < 1e-12);
        assert_eq!(serial_fraction(1.0, 1), None);
    }
}
