//! Runs the fuzz targets on random inputs, on any toolchain.
//!
//! `cargo run --profile fuzz -p fuzz-targets --bin drive -- --minutes 5`
//!
//! Exit code 0: every target accepted an input, none panicked, and the memory stayed flat. A panic
//! prints the seed of its input and ends the program with exit code 101.

use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use fuzz_targets::{TARGETS, Target, random_input};

/// Runs the fuzz targets in turns on random inputs.
#[derive(Parser)]
struct Options {
    /// Minutes in total, shared among the targets.
    #[arg(long, default_value_t = 1.0, value_parser = minutes)]
    minutes: f64,
    /// Only this target.
    #[arg(long)]
    target: Option<String>,
    /// Seed of the first input. The inputs of a seed never change.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

fn minutes(text: &str) -> Result<f64, String> {
    let minutes = text.parse().map_err(|_| "expected a number".to_owned())?;
    if minutes > 0.0 && minutes <= 1e6 {
        Ok(minutes)
    } else {
        Err("expected more than 0 and at most 1000000".to_owned())
    }
}

/// The greatest growth of the memory of a target after its first tenth, in MiB.
const GROWTH: u64 = 64;

/// Returns the most memory that this program has had, MiB, or 0 where the system does not tell it.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}

/// Runs one target for some time. Returns whether an input was accepted, and the memory stayed flat.
fn drive(Target { name, run }: Target, time: Duration, first: u64) -> bool {
    let start = Instant::now();
    let (mut inputs, mut bytes, mut accepted, mut settled) = (0u64, 0, 0, None);
    while start.elapsed() < time {
        let seed = first.wrapping_add(inputs);
        let data = random_input(seed);
        let outcome = std::panic::catch_unwind(|| run(&data));
        let Ok(done) = outcome else {
            eprintln!("{name}: the input of seed {seed} panicked");
            std::process::exit(101);
        };
        accepted += done;
        bytes += data.len();
        inputs += 1;
        if settled.is_none() && start.elapsed() > time / 10 {
            settled = Some(memory());
        }
    }
    let (settled, end) = (settled.unwrap_or_else(memory), memory());
    let seconds = start.elapsed().as_secs_f64();
    let line =
        format!("| {name} | {inputs} | {bytes} | {accepted} | {seconds:.0} | {settled} | {end} |");
    let _ = writeln!(std::io::stdout(), "{line}");
    if accepted == 0 {
        eprintln!("{name}: no input was accepted, so that nothing was tested");
    }
    if end > settled + GROWTH {
        eprintln!("{name}: the memory grew by more than {GROWTH} MiB");
    }
    accepted > 0 && end <= settled + GROWTH
}

fn main() -> ExitCode {
    let options = Options::parse();
    let chosen = |name: &str| {
        options
            .target
            .as_deref()
            .is_none_or(|target| target == name)
    };
    let targets: Vec<Target> = TARGETS
        .iter()
        .copied()
        .filter(|target| chosen(target.name))
        .collect();
    if targets.is_empty() {
        let names = TARGETS.iter().map(|target| target.name);
        let names = names.collect::<Vec<_>>().join(", ");
        eprintln!("--target: expected one of {names}");
        return ExitCode::from(2);
    }
    let time = Duration::from_secs_f64(60.0 * options.minutes / targets.len() as f64);
    println!(
        "| target | inputs | bytes of input | accepted calls | seconds | most MiB in the first tenth | most MiB |"
    );
    println!("|---|---|---|---|---|---|---|");
    let mut sound = true;
    for target in targets {
        sound &= drive(target, time, options.seed);
    }
    if sound {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
