//! Renders of a fixed scene, forward and backward, with their numbers as text.
//!
//! The test `node` compares the text of this library with that of the same code as a WebAssembly
//! module. The module has two plain functions, [`splat_run`] and [`splat_report`], and imports
//! nothing. It therefore needs no bindings.

mod scene;

use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use scene::{Inputs, weights};
use splat::{
    Cpu, CpuScalar, Outputs, RenderConfig, RenderError, Scene, Simd, Wanted, render, render_vjp,
};

/// The step that renders in `f32`.
pub const SINGLE: u32 = 0;
/// The step that renders in `f64`.
pub const DOUBLE: u32 = 1;
/// The step whose scene has a buffer of the wrong length.
pub const WRONG_LENGTH: u32 = 2;

/// Outputs and gradients of a render, each with its name.
type Numbers<T> = Vec<(String, Vec<T>)>;

/// The report of the last step that the module ran.
static REPORT: Mutex<String> = Mutex::new(String::new());

/// Runs a step and keeps its report. Returns the length of the report in bytes.
// SAFETY: no other item of the program has this name.
#[unsafe(no_mangle)]
pub extern "C" fn splat_run(step: u32) -> usize {
    let mut kept = REPORT.lock().unwrap_or_else(PoisonError::into_inner);
    *kept = report(step);
    kept.len()
}

/// Returns the address of the report that [`splat_run`] kept. It is valid until the next step.
// SAFETY: no other item of the program has this name.
#[unsafe(no_mangle)]
pub extern "C" fn splat_report() -> *const u8 {
    let kept = REPORT.lock().unwrap_or_else(PoisonError::into_inner);
    kept.as_ptr()
}

/// Runs a step. Returns its numbers, a line for each buffer, or `error: ` and the message of the
/// error.
///
/// A line has the name of a buffer and the bits of each number as `f64`. The conversion from `f32`
/// is exact.
pub fn report(step: u32) -> String {
    match step {
        SINGLE => lines(both_ways(&Inputs::<f32>::draw())),
        DOUBLE => lines(both_ways(&Inputs::<f64>::draw())),
        WRONG_LENGTH => lines(both_ways(&Inputs::<f32>::draw().without_a_scale())),
        _ => format!("error: there is no step {step}\n"),
    }
}

fn lines<T: CpuScalar>(numbers: Result<Numbers<T>, RenderError>) -> String {
    let numbers = match numbers {
        Ok(numbers) => numbers,
        Err(error) => return format!("error: {error}\n"),
    };
    let mut text = String::new();
    for (name, numbers) in numbers {
        text.push_str(&name);
        for number in numbers {
            let _ = write!(text, " {:x}", number.to_f64().to_bits());
        }
        text.push('\n');
    }
    text
}

/// Renders, and follows the gradient of a loss back to every input. The loss
/// depends on every output.
fn both_ways<T: CpuScalar>(inputs: &Inputs<T>) -> Result<Numbers<T>, RenderError> {
    // The module has no other instruction set.
    let backend = Cpu::new().with_simd(Simd::Portable);
    let config = RenderConfig::default()
        .with_outputs(Outputs::ALL)
        .with_layers(vec![0, 40, usize::MAX]);
    let scene = Scene {
        gaussians: inputs.gaussians(),
        views: &inputs.views,
        backgrounds: &inputs.backgrounds,
    };
    let (image, saved) = render(&backend, &scene, &config)?;
    let v_image = image.map(|buffer| weights(buffer.len())).without_layers();
    let v = render_vjp(&backend, &scene, &saved, &v_image.as_slices(), Wanted::ALL)?;

    let outputs = [
        ("image", Some(image.features)),
        ("transmittance", image.transmittance),
        ("depth", image.depth),
        ("layers", image.layers),
        ("layer_transmittance", image.layer_transmittance),
    ];
    let outputs = outputs
        .into_iter()
        .filter_map(|(name, buffer)| Some((name.to_owned(), buffer?)));
    let gradients = v
        .buffers()
        .map(|(name, buffer)| (format!("v_{name}"), buffer.clone()));
    Ok(outputs.chain(gradients).collect())
}
