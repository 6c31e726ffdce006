//! The tables of workloads: the times, the work and the memory of each workload.

use benches::measure::{self, Work};
use benches::{Bench, Stage};
use serde::Serialize;
use splat::RenderError;

use crate::memory::ALLOCATOR;
use crate::sampling::{Roofline, Samples, Series, interleaved, ms};
use crate::table::{Tables, count, markdown, number};

/// The row of one workload.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) workload: String,
    forward_ms: f64,
    backward_ms: f64,
    composite_ms: f64,
    useful_pairs: u64,
    evaluated_lanes: u64,
    useful_over_evaluated: f64,
    pub(crate) composite_glanes_per_core: f64,
    pub(crate) roofline_glanes_per_core: f64,
    pub(crate) composite_over_roofline: f64,
    /// The bytes of `Bench::composite_bytes` by the time of *composite*.
    composite_gigabytes_per_second: f64,
    both_over_forward: f64,
    hits: usize,
    memory: Memory,
    samples: Times,
}

/// The times of every round, ms.
#[derive(Debug, Serialize)]
struct Times {
    forward: Series,
    backward: Series,
    composite: Series,
}

/// Bytes allocated in one forward and backward pass.
#[derive(Debug, Clone, Copy, Serialize)]
struct Memory {
    /// The peak, beyond the bytes in use before the forward pass.
    peak: usize,
    /// The image.
    image: usize,
    /// The saved state of the forward pass.
    saved: usize,
    /// The gradients.
    gradients: usize,
    /// Working memory: the greater of the two passes' peaks, beyond the memory in use after the
    /// pass.
    working: usize,
    working_per_hit: f64,
    saved_per_hit: f64,
}

/// Measures all workloads.
pub(crate) fn measure(benches: &[Bench], rounds: usize) -> Result<Vec<Row>, RenderError> {
    let (roofline, threads) = (Roofline::new(), rayon::current_num_threads() as f64);
    let mut items: Vec<(&Bench, Work, Memory)> = Vec::with_capacity(benches.len());
    for bench in benches {
        let splats = bench.saved.splats.as_slices();
        let work = measure::count(&splats, &bench.saved.sorted, &bench.workload.config)?;
        items.push((bench, work, memory(bench)?));
    }
    let samples = interleaved(&items, rounds, |(bench, work, _)| {
        let forward = ms(bench.time(Stage::Render)?);
        let backward = ms(bench.time(Stage::RenderVjp)?);
        let composite = ms(bench.time(Stage::Composite)?);
        let (pace, most) = (
            1e-6 * work.evaluated as f64 / composite / threads,
            roofline.pace(),
        );
        let both_over_forward = (forward + backward) / forward;
        Ok([
            forward,
            backward,
            composite,
            pace,
            most,
            pace / most,
            both_over_forward,
        ])
    })?;
    let rows = items.iter().zip(samples);
    let row = |((bench, work, memory), samples): (&(&Bench, Work, Memory), Samples<7>)| {
        let medians = samples.medians();
        Row {
            workload: bench.workload.name.clone(),
            forward_ms: medians[0],
            backward_ms: medians[1],
            composite_ms: medians[2],
            useful_pairs: work.useful,
            evaluated_lanes: work.evaluated,
            useful_over_evaluated: work.useful as f64 / work.evaluated as f64,
            composite_glanes_per_core: medians[3],
            roofline_glanes_per_core: medians[4],
            composite_over_roofline: medians[5],
            composite_gigabytes_per_second: 1e-6 * bench.composite_bytes() as f64 / medians[2],
            both_over_forward: medians[6],
            hits: bench.saved.sorted.hits(),
            memory: *memory,
            samples: Times {
                forward: samples.series(0),
                backward: samples.series(1),
                composite: samples.series(2),
            },
        }
    };
    Ok(rows.map(row).collect())
}

/// Runs both passes once, and reads the allocator's counters.
fn memory(bench: &Bench) -> Result<Memory, RenderError> {
    let before = ALLOCATOR.current();
    ALLOCATOR.restart();
    let ((image, forward, forward_peak), (backward, backward_peak)) = bench.watch(
        |image| {
            let seen = (
                size_of_val(&image.features[..]),
                ALLOCATOR.current(),
                ALLOCATOR.peak(),
            );
            ALLOCATOR.restart();
            seen
        },
        || (ALLOCATOR.current(), ALLOCATOR.peak()),
    )?;
    // The memory in use after a pass holds its outputs. The rest of the peak is working memory.
    let working =
        (forward_peak.saturating_sub(forward)).max(backward_peak.saturating_sub(backward));
    let saved = forward.saturating_sub(before + image);
    let per_hit = |bytes: usize| bytes as f64 / bench.saved.sorted.hits() as f64;
    Ok(Memory {
        peak: forward_peak.max(backward_peak).saturating_sub(before),
        image,
        saved,
        gradients: backward.saturating_sub(forward),
        working,
        working_per_hit: per_hit(working),
        saved_per_hit: per_hit(saved),
    })
}

/// Returns the rows as two tables.
pub(crate) fn text(rows: &[Row]) -> Tables {
    let times = rows.iter().map(|row| {
        vec![
            row.workload.clone(),
            number(row.forward_ms, 1),
            number(row.backward_ms, 1),
            number(row.both_over_forward, 2),
            number(row.composite_ms, 1),
            count(row.useful_pairs),
            count(row.evaluated_lanes),
            number(row.useful_over_evaluated, 2),
            number(row.composite_glanes_per_core, 3),
            number(row.roofline_glanes_per_core, 3),
            number(row.composite_over_roofline, 2),
            number(row.composite_gigabytes_per_second, 1),
        ]
    });
    let bytes = |bytes: usize| number(bytes as f64 / 1e6, 1);
    let memory = rows.iter().map(|row| {
        vec![
            row.workload.clone(),
            count(row.hits as u64),
            bytes(row.memory.peak),
            bytes(row.memory.image),
            bytes(row.memory.saved),
            bytes(row.memory.gradients),
            bytes(row.memory.working),
            number(row.memory.working_per_hit, 0),
            number(row.memory.saved_per_hit, 0),
        ]
    });
    vec![
        (
            "Throughput. G/s: evaluated lanes of the composite stage, per core. GB/s: splats, lists of \
             hits, feature image and transmittance once, on all cores",
            markdown(
                &[
                    "workload",
                    "ms forward",
                    "ms backward",
                    "both / forward",
                    "ms composite",
                    "useful pairs",
                    "evaluated lanes",
                    "useful / evaluated",
                    "G/s",
                    "roofline G/s",
                    "of roofline",
                    "GB/s",
                ],
                &times.collect::<Vec<_>>(),
            ),
        ),
        (
            "Memory of one forward and backward pass, MB beyond the inputs. working: neither image, nor saved, nor gradients",
            markdown(
                &[
                    "workload",
                    "hits",
                    "peak",
                    "image",
                    "saved",
                    "gradients",
                    "working",
                    "working B/hit",
                    "saved B/hit",
                ],
                &memory.collect::<Vec<_>>(),
            ),
        ),
    ]
}
