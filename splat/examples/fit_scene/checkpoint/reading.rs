//! Reading of a checkpoint.

use std::path::Path;

use safetensors::{Dtype, SafeTensors};
use splat::Gaussians;
use splat::density::Observed;
use splat::encoding::Encoding;

use super::{GAUSSIANS, MEANS, NAME, OBSERVED, SQUARES, described};
use crate::dataset::Dataset;
use crate::dataset::posed::reading::contents;
use crate::plan::Plan;
use crate::state::{Adam, Passed, State};

/// Reads the state of a run with the same plan and data.
///
/// # Errors
/// One line that names the file and its part.
pub(crate) fn read(out: &Path, plan: &Plan, data: &Dataset) -> Result<State, String> {
    let path = out.join(NAME);
    let bytes = contents(&path).map_err(|error| format!("--resume: {error}"))?;
    let state = parse(&bytes, plan, data);
    state.map_err(|error| format!("{}: {error}", path.display()))
}

fn parse(bytes: &[u8], plan: &Plan, data: &Dataset) -> Result<State, String> {
    let broken = |error| format!("expected a complete safetensors file: {error}");
    let tensors = SafeTensors::deserialize(bytes).map_err(broken)?;
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(broken)?;
    let strings = header.metadata().clone().unwrap_or_default();
    let string = |name: &str| {
        let value = strings.get(name).map(String::as_str);
        value.ok_or_else(|| format!("{name}: expected a value, got none"))
    };
    let (expected, got) = (described(plan, data), string("plan")?);
    if expected != got {
        return Err(format!(
            "expected a run with {expected}, got one with {got}"
        ));
    }
    let wrong = |name: &str| format!("{name}: expected numbers of a run, got others");
    let iteration = string("iteration")?.parse().ok();
    let iteration = iteration.filter(|&done: &usize| done <= plan.iterations);
    let iteration = iteration.ok_or_else(|| wrong("iteration"))?;
    let history = history(string("history")?, iteration).ok_or_else(|| wrong("history"))?;
    let psnr = string("psnr")?.parse().map_err(|_| wrong("psnr"))?;
    let read = |group| gaussians(&tensors, group, plan);
    let (gaussians, means, squares) = (read(GAUSSIANS)?, read(MEANS)?, read(SQUARES)?);
    let count = gaussians.count;
    if count == 0 || means.count != count || squares.count != count {
        return Err(format!(
            "expected Gaussians with their moments, got {count}, {} and {}",
            means.count, squares.count
        ));
    }
    let negative = |(_, buffer): (_, &Vec<f32>)| buffer.iter().any(|&x| x < 0.0);
    if squares.buffers().into_iter().any(negative) {
        return Err(format!("{SQUARES}: expected no negative number, got one"));
    }
    Ok(State {
        observed: observed(&tensors, count)?,
        adam: Adam {
            means,
            squares,
            steps: i32::try_from(iteration).map_err(|_| wrong("iteration"))?,
        },
        iteration,
        history,
        psnr,
        ..State::new(gaussians)?
    })
}

/// Reads the parts of the history, which must ascend and end at `iteration` or before it.
fn history(text: &str, iteration: usize) -> Option<Vec<Passed>> {
    let part = |text: &str| {
        let mut words = text.split(' ');
        Some(Passed {
            iterations: words.next()?.parse().ok()?,
            gaussians: words.next()?.parse().ok()?,
            psnr: words.next()?.parse().ok()?,
        })
    };
    let parts = text.split(';').filter(|text| !text.is_empty());
    let parts: Vec<Passed> = parts.map(part).collect::<Option<_>>()?;
    let ascend = parts.is_sorted_by(|a, b| a.iterations < b.iterations);
    let last = parts.last().map_or(0, |passed| passed.iterations);
    (ascend && last <= iteration).then_some(parts)
}

/// Reads the buffers of Gaussians, or of moments.
fn gaussians(
    tensors: &SafeTensors<'_>,
    group: &str,
    plan: &Plan,
) -> Result<Gaussians<Vec<f32>>, String> {
    let buffer = |name: &str| {
        let numbers = numbers(tensors, &format!("{group}.{name}"), f32::from_le_bytes)?;
        if numbers.iter().all(|x| x.is_finite()) {
            return Ok(numbers);
        }
        Err(format!(
            "{group}.{name}: expected finite numbers, got others"
        ))
    };
    let opacities = buffer("opacities")?;
    let gaussians = Gaussians {
        means: buffer("means")?,
        scales: buffer("scales")?,
        quaternions: buffer("quaternions")?,
        count: opacities.len(),
        opacities,
        features: buffer("features")?,
        channels: 3,
        encoding: Encoding::RAW.with_harmonics(plan.degree),
    };
    let checked = gaussians.validate(Vec::len);
    checked.map_err(|error| format!("{group}: {error}"))?;
    Ok(gaussians)
}

/// Reads the statistics since the last change of the Gaussians.
fn observed(tensors: &SafeTensors<'_>, count: usize) -> Result<Observed, String> {
    let fail = |error| format!("{OBSERVED}: {error}");
    let none = Observed::new(count).map_err(|error| fail(error.to_string()))?;
    let mut sums = Vec::new();
    for (name, expected) in none.sums() {
        let numbers = numbers(tensors, &format!("{OBSERVED}.{name}"), f64::from_le_bytes)?;
        if numbers.len() != expected.len() {
            return Err(fail(format!(
                "expected {count} numbers, got {}",
                numbers.len()
            )));
        }
        sums.push(numbers);
    }
    match <[Vec<f64>; 6]>::try_from(sums) {
        Ok(sums) => Observed::from_sums(sums).map_err(|error| fail(error.to_string())),
        Err(sums) => Err(fail(format!("expected 6 statistics, got {}", sums.len()))),
    }
}

/// Reads a tensor of numbers of `N` bytes.
fn numbers<const N: usize, T>(
    tensors: &SafeTensors<'_>,
    name: &str,
    number: fn([u8; N]) -> T,
) -> Result<Vec<T>, String> {
    let tensor = tensors.tensor(name);
    let tensor = tensor.map_err(|error| format!("{name}: {error}"))?;
    let expected = if N == 4 { Dtype::F32 } else { Dtype::F64 };
    if tensor.dtype() != expected {
        let got = tensor.dtype();
        return Err(format!(
            "{name}: expected numbers of type {expected}, got {got}"
        ));
    }
    let (numbers, _) = tensor.data().as_chunks::<N>();
    Ok(numbers.iter().map(|&bytes| number(bytes)).collect())
}
