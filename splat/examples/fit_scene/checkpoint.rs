//! The state of a run in a safetensors file, from which a run is resumed.

use std::collections::HashMap;
use std::path::Path;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use splat::Gaussians;
use splat::encoding::Encoding;

use crate::common::files;
use crate::dataset::Dataset;
use crate::plan::Plan;
use crate::state::{Adam, Passed, State};

/// Name of the file in the output folder.
const NAME: &str = "checkpoint.safetensors";
/// Names of the buffers of Gaussians, in the order of `Gaussians::buffers`.
const BUFFERS: [&str; 5] = ["means", "scales", "quaternions", "opacities", "features"];

/// Writes the state of a run. At any time the file is the old one or the complete new one.
pub(crate) fn write(out: &Path, plan: &Plan, data: &Dataset, state: &State) -> Result<(), String> {
    let path = out.join(NAME);
    let mut tensors: Vec<(String, Vec<u8>)> = Vec::new();
    for (group, gaussians) in [
        ("gaussians", &state.gaussians),
        ("adam.means", &state.adam.means),
        ("adam.squares", &state.adam.squares),
    ] {
        for (name, buffer) in gaussians.buffers() {
            let bytes = buffer.iter().flat_map(|x| x.to_le_bytes());
            tensors.push((format!("{group}.{name}"), bytes.collect()));
        }
    }
    let views: Result<Vec<_>, _> = tensors
        .iter()
        .map(|(name, bytes)| {
            let view = TensorView::new(Dtype::F32, vec![bytes.len() / 4], bytes);
            view.map(|view| (name, view))
        })
        .collect();
    let history = state.history.iter().map(|passed| {
        let Passed {
            iterations,
            gaussians,
            psnr,
        } = passed;
        format!("{iterations} {gaussians} {psnr}")
    });
    let metadata = HashMap::from([
        ("plan".to_owned(), described(plan, data)),
        ("iteration".to_owned(), state.iteration.to_string()),
        ("history".to_owned(), history.collect::<Vec<_>>().join(";")),
        ("psnr".to_owned(), state.psnr.to_string()),
    ]);
    let fail = |error| format!("{}: cannot be written: {error}", path.display());
    let bytes = safetensors::serialize(views.map_err(fail)?, Some(metadata)).map_err(fail)?;
    files::write(&path, &bytes)
}

/// Reads the state of a run with the same plan and data.
///
/// # Errors
/// One line that names the file and its part.
pub(crate) fn read(out: &Path, plan: &Plan, data: &Dataset) -> Result<State, String> {
    let path = out.join(NAME);
    let fail = |error: String| format!("{}: {error}", path.display());
    let bytes = std::fs::read(&path);
    let bytes = bytes.map_err(|error| fail(format!("cannot be read (--resume): {error}")))?;
    parse(&bytes, plan, data).map_err(fail)
}

fn parse(bytes: &[u8], plan: &Plan, data: &Dataset) -> Result<State, String> {
    let broken = |error| format!("expected a complete safetensors file: {error}");
    let tensors = SafeTensors::deserialize(bytes).map_err(broken)?;
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(broken)?;
    let strings = header.metadata().clone().unwrap_or_default();
    let string = |name: &'static str| {
        let value = strings.get(name).map(String::as_str);
        value.ok_or_else(|| format!("{name}: expected a value, got none"))
    };
    let (expected, got) = (described(plan, data), string("plan")?);
    if expected != got {
        return Err(format!(
            "expected a run with {expected}, got one with {got}"
        ));
    }
    let wrong = |name: &'static str| {
        let got = string(name);
        move || {
            got.map_or_else(
                |error| error,
                |got| format!("{name}: expected numbers of a run, got {got}"),
            )
        }
    };
    let iteration = string("iteration")?.parse().ok();
    let iteration = iteration.filter(|&done: &usize| done <= plan.iterations);
    let iteration = iteration.ok_or_else(wrong("iteration"))?;
    let history = string("history")?
        .split(';')
        .filter(|part| !part.is_empty());
    let history: Option<Vec<Passed>> = history.map(passed).collect();
    let history = history.ok_or_else(wrong("history"))?;
    let psnr = string("psnr")?.parse().ok().ok_or_else(wrong("psnr"))?;
    let adam = Adam {
        means: gaussians(&tensors, "adam.means", plan)?,
        squares: gaussians(&tensors, "adam.squares", plan)?,
        steps: i32::try_from(iteration).map_err(|error| error.to_string())?,
    };
    let gaussians = gaussians(&tensors, "gaussians", plan)?;
    for moments in [&adam.means, &adam.squares] {
        if moments.count != gaussians.count {
            let (expected, got) = (gaussians.count, moments.count);
            return Err(format!(
                "adam: expected moments of {expected} Gaussians, got {got}"
            ));
        }
    }
    let state = State::at(gaussians, adam, iteration, history);
    let mut state = state.map_err(|error| error.to_string())?;
    state.psnr = psnr;
    Ok(state)
}

/// Reads the buffers of Gaussians, or of moments.
fn gaussians(
    tensors: &SafeTensors<'_>,
    group: &str,
    plan: &Plan,
) -> Result<Gaussians<Vec<f32>>, String> {
    let buffer = |name: &str| {
        let name = format!("{group}.{name}");
        let tensor = tensors.tensor(&name);
        let tensor = tensor.map_err(|error| format!("{name}: {error}"))?;
        if tensor.dtype() != Dtype::F32 {
            return Err(format!(
                "{name}: expected 32-bit floats, got {}",
                tensor.dtype()
            ));
        }
        let (numbers, _) = tensor.data().as_chunks::<4>();
        Ok(numbers
            .iter()
            .map(|&x| f32::from_le_bytes(x))
            .collect::<Vec<_>>())
    };
    let [means, scales, quaternions, opacities, features] = BUFFERS.map(buffer);
    let opacities = opacities?;
    let gaussians = Gaussians {
        means: means?,
        scales: scales?,
        quaternions: quaternions?,
        count: opacities.len(),
        opacities,
        features: features?,
        channels: 3,
        encoding: Encoding::RAW.with_harmonics(plan.degree),
    };
    let checked = gaussians.validate(Vec::len);
    checked.map_err(|error| format!("{group}: {error}"))?;
    Ok(gaussians)
}

fn passed(text: &str) -> Option<Passed> {
    let mut words = text.split(' ');
    Some(Passed {
        iterations: words.next()?.parse().ok()?,
        gaussians: words.next()?.parse().ok()?,
        psnr: words.next()?.parse().ok()?,
    })
}

/// Returns the settings on which the state of a run depends.
fn described(plan: &Plan, data: &Dataset) -> String {
    let Plan {
        iterations,
        gaussians,
        strategy,
        degree,
        seed,
    } = plan;
    format!(
        "{iterations} iterations, {gaussians} Gaussians, strategy {strategy}, degree {degree}, seed \
         {seed}, {} pictures, distance {}",
        data.trained.len(),
        data.distance
    )
}
