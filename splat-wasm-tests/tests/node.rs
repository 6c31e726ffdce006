//! Renders in a WebAssembly module, forward and backward, compared with the host.
//!
//! Cargo builds the module with `splat` without features, and `node.mjs` runs it in Node. Without
//! Node or the target `wasm32-unknown-unknown` the trials are reported as ignored. The module's
//! instruction set is [`Simd::Portable`], so the host uses this set too.
//!
//! `cargo test -p splat-wasm-tests`

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use libtest_mimic::{Arguments, Failed, Trial};
use splat::check::{Tolerance, compare};
use splat_wasm_tests::{DOUBLE, SINGLE, WRONG_LENGTH, report};

const TARGET: &str = "wasm32-unknown-unknown";
/// The steps that one instance of the module runs, in this order.
const STEPS: [u32; 4] = [SINGLE, DOUBLE, WRONG_LENGTH, SINGLE];
/// The greatest difference at `f64`, relative to the largest number of a buffer: 450 roundings. The
/// module and the host have exponentials and logarithms that differ by a rounding, and a gradient
/// sums hundreds of pairs. The measured differences are at most 1e-15.
const F64_TOLERANCE: f64 = 1e-13;

type Check = fn() -> Result<(), Failed>;

/// The buffers of a report by their names.
type Buffers<'a> = Vec<(&'a str, Vec<f64>)>;

/// Runs `command` and returns its standard output. An error has its standard error.
fn output(command: &mut Command) -> Result<String, String> {
    let output = command
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return String::from_utf8(output.stdout).map_err(|error| error.to_string());
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    Err(format!(
        "{command:?} failed with {}:\n{errors}",
        output.status
    ))
}

/// Returns an error if the standard library of the target is not installed.
fn find_target() -> Result<(), String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut rustc = Command::new(rustc);
    let folder = output(rustc.args(["--print", "target-libdir", "--target", TARGET]))?;
    if Path::new(folder.trim()).is_dir() {
        return Ok(());
    }
    Err(format!(
        "install the target with `rustup target add {TARGET}`"
    ))
}

/// Returns an error if Node cannot be started.
fn find_node() -> Result<(), String> {
    output(Command::new("node").arg("--version")).map(|_| ())
}

/// Builds the module and returns its path.
fn build() -> Result<PathBuf, String> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("..");
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["build", "--lib", "--target", TARGET, "--target-dir"])
        .arg(&target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        // Flags for the host's processor.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    output(&mut cargo)?;
    Ok(target.join(TARGET).join("debug/splat_wasm_tests.wasm"))
}

/// Returns the reports of [`STEPS`] by one instance of the module. It is built and run once.
fn module() -> Result<&'static [String], Failed> {
    static REPORTS: OnceLock<Result<Vec<String>, String>> = OnceLock::new();
    let run = || {
        let mut node = Command::new("node");
        node.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/node.mjs"));
        node.arg(build()?).args(STEPS.map(|step| step.to_string()));
        let text = output(&mut node)?;
        let reports: Vec<String> = text.split_terminator("\n\n").map(str::to_owned).collect();
        if reports.len() == STEPS.len() {
            return Ok(reports);
        }
        Err(format!(
            "{} reports of {} steps",
            reports.len(),
            STEPS.len()
        ))
    };
    match REPORTS.get_or_init(run) {
        Ok(reports) => Ok(reports),
        Err(error) => Err(error.into()),
    }
}

/// Reads the buffers of a report.
fn buffers(report: &str) -> Result<Buffers<'_>, Failed> {
    let buffer = |line| {
        let (name, numbers) =
            str::split_once(line, ' ').ok_or(format!("no numbers in {line:?}"))?;
        let numbers = numbers.split(' ').map(|bits| {
            let bits = u64::from_str_radix(bits, 16);
            bits.map(f64::from_bits)
                .map_err(|_| format!("no numbers in {line:?}"))
        });
        Ok((name, numbers.collect::<Result<_, String>>()?))
    };
    report.lines().map(buffer).collect()
}

/// Checks that two reports have the same buffers, within a tolerance or, without one, with the same
/// bits.
fn agree(got: &str, expected: &str, tolerance: Option<Tolerance>) -> Result<(), Failed> {
    let (got, expected) = (buffers(got)?, buffers(expected)?);
    let names =
        |buffers: &Buffers<'_>| buffers.iter().map(|(name, _)| (*name).to_owned()).collect();
    let (got_names, expected_names): (Vec<String>, Vec<String>) = (names(&got), names(&expected));
    if got_names != expected_names {
        return Err(format!("buffers: expected {expected_names:?}, got {got_names:?}").into());
    }
    for ((name, got), (_, expected)) in got.iter().zip(&expected) {
        match tolerance {
            Some(tolerance) => compare(name, got, expected, tolerance, |_| false)?,
            None => have_same_bits(name, got, expected)?,
        }
    }
    Ok(())
}

fn have_same_bits(name: &str, got: &[f64], expected: &[f64]) -> Result<(), Failed> {
    if got.len() != expected.len() {
        let (got, expected) = (got.len(), expected.len());
        return Err(format!("{name}: expected {expected} numbers, got {got}").into());
    }
    for (at, (got, expected)) in got.iter().zip(expected).enumerate() {
        if got.to_bits() != expected.to_bits() {
            return Err(
                format!("{name}[{at}]: expected the bits of {expected:e}, got {got:e}").into(),
            );
        }
    }
    Ok(())
}

fn the_module_is_built() -> Result<(), Failed> {
    build()?;
    Ok(())
}

fn f32_has_the_bits_of_the_host() -> Result<(), Failed> {
    agree(&module()?[0], &report(SINGLE), None)
}

fn f64_equals_the_host_but_for_rounding() -> Result<(), Failed> {
    let tolerance = Tolerance::of_largest(F64_TOLERANCE);
    agree(&module()?[1], &report(DOUBLE), Some(tolerance))
}

/// An error is a value: the module does not trap, and the same instance renders again.
fn a_wrong_length_is_an_error_and_the_next_render_works() -> Result<(), Failed> {
    let reports = module()?;
    let (got, expected) = (reports[2].trim_end(), report(WRONG_LENGTH));
    if got != expected.trim_end() || !got.starts_with("error: gaussians.scales: ") {
        return Err(format!("expected {expected:?}, got {got:?}").into());
    }
    agree(&reports[3], &reports[0], None)
}

/// No buffer of the scene is zero everywhere.
fn the_scene_reaches_every_buffer() -> Result<(), Failed> {
    for step in [SINGLE, DOUBLE] {
        for (name, numbers) in buffers(&report(step))? {
            if numbers.iter().all(|number| *number == 0.0) {
                return Err(format!("{name} is zero").into());
            }
        }
    }
    Ok(())
}

fn wrong_reports_are_found() -> Result<(), Failed> {
    let right = "image 3ff0000000000000 0\nv_means 4000000000000000";
    let bits = [
        "image 3ff0000000000001 0\nv_means 4000000000000000",
        "image 3ff0000000000000 8000000000000000\nv_means 4000000000000000",
    ];
    let wrong = [
        "image 3ff0000000010000 0\nv_means 4000000000000000",
        "image 3ff0000000000000 7ff8000000000000\nv_means 4000000000000000",
        "image 3ff0000000000000\nv_means 4000000000000000",
        "image 3ff0000000000000 0",
        "image 3ff0000000000000 0\nv_scales 4000000000000000",
        "error: no threads",
        "",
    ];
    let tolerance = Some(Tolerance::of_largest(F64_TOLERANCE));
    agree(right, right, None)?;
    for report in bits {
        agree(report, right, tolerance)?;
    }
    let (exact, rounded) = (bits.iter().chain(&wrong), wrong.iter());
    let exact = exact.map(|report| (report, agree(report, right, None)));
    let rounded = rounded.map(|report| (report, agree(report, right, tolerance)));
    for (report, verdict) in exact.chain(rounded) {
        if verdict.is_ok() {
            return Err(format!("accepted: {report:?}").into());
        }
    }
    Ok(())
}

fn main() {
    let target = find_target();
    let node = target.clone().and_then(|()| find_node());
    if let Err(missing) = &node {
        println!("no module can be run: {missing}");
    }
    let trials: [(&str, Check, bool); 6] = [
        (
            "the_scene_reaches_every_buffer",
            the_scene_reaches_every_buffer,
            true,
        ),
        ("wrong_reports_are_found", wrong_reports_are_found, true),
        ("the_module_is_built", the_module_is_built, target.is_ok()),
        (
            "f32_has_the_bits_of_the_host",
            f32_has_the_bits_of_the_host,
            node.is_ok(),
        ),
        (
            "f64_equals_the_host_but_for_rounding",
            f64_equals_the_host_but_for_rounding,
            node.is_ok(),
        ),
        (
            "a_wrong_length_is_an_error_and_the_next_render_works",
            a_wrong_length_is_an_error_and_the_next_render_works,
            node.is_ok(),
        ),
    ];
    let trials =
        trials.map(|(name, check, runs)| Trial::test(name, check).with_ignored_flag(!runs));
    libtest_mimic::run(&Arguments::from_args(), trials.into()).exit();
}
