//! The state of a run in a safetensors file, from which a run is resumed.

mod reading;

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::TensorView;

use crate::common::files;
use crate::dataset::Dataset;
use crate::plan::Plan;
use crate::state::{Passed, State};
pub(crate) use reading::read;

/// Name of the file in the output folder.
pub(crate) const NAME: &str = "checkpoint.safetensors";
/// Iterations between two checkpoints.
pub(crate) const EVERY: usize = 1000;
/// Beginning of the names of the Gaussians, the moments of their gradients, and their statistics.
const GAUSSIANS: &str = "gaussians";
const MEANS: &str = "adam.means";
const SQUARES: &str = "adam.squares";
const OBSERVED: &str = "observed";

/// Writes the state of a run. At any time the file is the old one or the complete new one.
pub(crate) fn write(out: &Path, plan: &Plan, data: &Dataset, state: &State) -> Result<(), String> {
    let path = out.join(NAME);
    let mut tensors: Vec<(String, Dtype, Vec<u8>)> = Vec::new();
    for (group, gaussians) in [
        (GAUSSIANS, &state.gaussians),
        (MEANS, &state.adam.means),
        (SQUARES, &state.adam.squares),
    ] {
        for (name, buffer) in gaussians.buffers() {
            let bytes = buffer.iter().flat_map(|x| x.to_le_bytes());
            tensors.push((format!("{group}.{name}"), Dtype::F32, bytes.collect()));
        }
    }
    for (name, sums) in state.observed.sums() {
        let bytes = sums.iter().flat_map(|x| x.to_le_bytes());
        tensors.push((format!("{OBSERVED}.{name}"), Dtype::F64, bytes.collect()));
    }
    let views: Result<Vec<_>, _> = tensors
        .iter()
        .map(|(name, number, bytes)| {
            let count = 8 * bytes.len() / number.bitsize();
            let view = TensorView::new(*number, vec![count], bytes);
            view.map(|view| (name, view))
        })
        .collect();
    let history: Vec<String> = state.history.iter().map(written).collect();
    let metadata = HashMap::from([
        ("plan".to_owned(), described(plan, data)),
        ("iteration".to_owned(), state.iteration.to_string()),
        ("history".to_owned(), history.join(";")),
        ("psnr".to_owned(), state.psnr.to_string()),
    ]);
    let fail = |error| format!("{}: cannot be written: {error}", path.display());
    let bytes = safetensors::serialize(views.map_err(fail)?, Some(metadata)).map_err(fail)?;
    files::write(&path, &bytes)
}

/// Removes a file of an earlier run, if there is one, so that it is not taken for one of this run.
pub(crate) fn remove(path: &Path) -> Result<(), String> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(format!("{}: cannot be replaced: {error}", path.display()))
        }
        _ => Ok(()),
    }
}

fn written(passed: &Passed) -> String {
    let Passed {
        iterations,
        gaussians,
        psnr,
    } = passed;
    format!("{iterations} {gaussians} {psnr}")
}

/// Returns the settings and the data on which the state of a run depends.
fn described(plan: &Plan, data: &Dataset) -> String {
    let Plan {
        iterations,
        gaussians,
        strategy,
        degree,
        seed,
    } = plan;
    format!(
        "iterations {iterations}, gaussians {gaussians}, strategy {strategy}, sh {degree}, seed {seed}, \
         pictures {} and {} with checksum {:08x}",
        data.trained.len(),
        data.held_out.len(),
        data.checksum()
    )
}
