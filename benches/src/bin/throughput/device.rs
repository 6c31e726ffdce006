//! The table of workloads on a device: the time of every stage, and the compositor's pairs per
//! second relative to the ceiling of the device's arithmetic.

use benches::measure::{self, Work};
use benches::{Bench, DeviceBench, Stage, Workload};
use clap::ValueEnum;
use cubecl::Runtime;
use serde::Serialize;
use splat::{Gpu, Regime, RenderError};

use crate::sampling::{interleaved, ms};
use crate::table::{Tables, count, markdown, note, number};

/// The regimes of `--regime`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RegimeName {
    /// The backend chooses
    Auto,
    /// Many views of up to 1024 Gaussians
    Small,
    /// Few views of many Gaussians
    Large,
}

impl From<RegimeName> for Regime {
    fn from(name: RegimeName) -> Self {
        match name {
            RegimeName::Auto => Self::Auto,
            RegimeName::Small => Self::Small,
            RegimeName::Large => Self::Large,
        }
    }
}

/// The row of one workload.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    workload: String,
    forward_ms: f64,
    backward_ms: f64,
    /// The single stages, in order.
    stages_ms: Vec<f64>,
    useful_pairs: u64,
    /// Useful pairs of the forward compositor, G/s.
    composite_gpairs: f64,
    ceiling_gpairs: f64,
    composite_over_ceiling: f64,
}

/// The number of values of one round: both passes, the single stages and the ceiling.
const TIMED: usize = 2 + Stage::SINGLE.len() + 1;

/// Measures all workloads except those that need more memory than the device has.
pub(crate) fn measure<R: Runtime>(
    gpu: &Gpu<R>,
    workloads: Vec<Workload>,
    rounds: usize,
) -> Result<Vec<Row>, RenderError> {
    let mut items: Vec<(DeviceBench<R>, Work)> = Vec::with_capacity(workloads.len());
    for workload in workloads {
        // The CPU compositor counts the useful pairs exactly.
        let bench = Bench::new(workload)?;
        let splats = bench.saved.splats.as_slices();
        let work = measure::count(&splats, &bench.saved.sorted, &bench.workload.config)?;
        let workload = bench.workload;
        let name = workload.name.clone();
        match DeviceBench::new(gpu.clone(), workload) {
            Err(error @ RenderError::Capacity { .. }) => {
                note(&format!("{name}: left out, {error}"));
            }
            bench => items.push((bench?, work)),
        }
    }
    let samples = interleaved(&items, rounds, |(bench, _)| {
        let mut times = [0.0; TIMED];
        times[0] = ms(bench.time(Stage::Render)?);
        times[1] = ms(bench.time(Stage::RenderVjp)?);
        for (time, stage) in times[2..].iter_mut().zip(Stage::SINGLE) {
            *time = ms(bench.time(stage)?);
        }
        times[TIMED - 1] = 1e-9 * bench.ceiling()?;
        Ok(times)
    })?;
    let composite = Stage::SINGLE
        .iter()
        .position(|&stage| stage == Stage::Composite);
    let rows = items.iter().zip(samples).map(|((bench, work), samples)| {
        let medians = samples.medians();
        let stages_ms = medians[2..TIMED - 1].to_vec();
        let composite_ms = composite.map_or(f64::NAN, |at| stages_ms[at]);
        let (pace, most) = (1e-6 * work.useful as f64 / composite_ms, medians[TIMED - 1]);
        Row {
            workload: bench.workload.name.clone(),
            forward_ms: medians[0],
            backward_ms: medians[1],
            stages_ms,
            useful_pairs: work.useful,
            composite_gpairs: pace,
            ceiling_gpairs: most,
            composite_over_ceiling: pace / most,
        }
    });
    Ok(rows.collect())
}

/// Returns the rows as a table.
pub(crate) fn text(rows: &[Row]) -> Tables {
    let cells = rows.iter().map(|row| {
        let stages = row.stages_ms.iter().map(|&time| number(time, 3));
        [
            row.workload.clone(),
            number(row.forward_ms, 3),
            number(row.backward_ms, 3),
        ]
        .into_iter()
        .chain(stages)
        .chain([
            count(row.useful_pairs),
            number(row.composite_gpairs, 3),
            number(row.ceiling_gpairs, 3),
            number(row.composite_over_ceiling, 2),
        ])
        .collect()
    });
    let cells: Vec<Vec<String>> = cells.collect();
    let stages = Stage::SINGLE.iter().map(|stage| stage.name());
    let heads: Vec<&str> = ["workload", "ms forward", "ms backward"]
        .into_iter()
        .chain(stages)
        .chain(["useful pairs", "composite G/s", "ceiling G/s", "ratio"])
        .collect();
    vec![(
        "On the device, from idle to idle. G/s: useful pairs of the composite stage; ceiling: its arithmetic on registers",
        markdown(&heads, &cells),
    )]
}
