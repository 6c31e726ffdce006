//! Measures how fast a scene file is read, and the memory of the process that reads it.
//!
//! ```text
//! cargo run --release -p benches --no-default-features --bin load -- make scene.ply --count 3000000
//! cargo run --release -p benches --no-default-features --bin load -- read scene.ply
//! ```
//!
//! `make` writes Gaussians of degree 3 with pseudo-random numbers. `read` reads the file several
//! times, each time in a process of its own, and prints each time, speed and peak of the memory
//! (`VmHWM` of Linux).

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use clap::{Parser, Subcommand};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use splat::io::{self as files, Colours, Format, StoredScene};

/// Measures the reading of scene files.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Writes a scene of Gaussians of degree 3.
    Make {
        /// File to write (.ply, .spz). An existing file is replaced.
        file: PathBuf,
        /// Number of Gaussians.
        #[arg(long, default_value_t = 3_000_000)]
        count: usize,
    },
    /// Reads a file several times.
    Read {
        /// File to read.
        file: PathBuf,
        /// Number of times.
        #[arg(long, default_value_t = 5)]
        rounds: usize,
    },
    /// Reads a file once and prints the seconds, the memory and the number of Gaussians.
    Once {
        /// File to read.
        file: PathBuf,
    },
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().action {
        Action::Make { file, count } => make(&file, count),
        Action::Read { file, rounds } => read(&file, rounds),
        Action::Once { file } => once(&file),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::from(2)
        }
    }
}

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn make(file: &Path, count: usize) -> Outcome {
    let format = Format::of_name(file).ok_or("expected a name that ends in .ply or .spz")?;
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut numbers = |width: usize, least: f32, greatest: f32| -> Vec<f32> {
        let number = |_| rng.random_range(least..greatest);
        (0..width * count).map(number).collect()
    };
    let scene = StoredScene::new(
        numbers(3, -10.0, 10.0),
        numbers(3, 1e-3, 0.1),
        numbers(4, -1.0, 1.0),
        numbers(1, 0.01, 0.99),
        Colours::Harmonics {
            degree: 3,
            coefficients: numbers(48, -0.5, 0.5),
        },
    )?;
    files::write(file, &scene, format)?;
    Ok(())
}

fn once(file: &Path) -> Outcome {
    let start = Instant::now();
    let scene = files::read(file)?.scene;
    let seconds = start.elapsed().as_secs_f64();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = peak.and_then(|peak| peak.trim().strip_suffix(" kB"));
    let kilobytes: f64 = kilobytes.map_or(Ok(f64::NAN), str::parse)?;
    writeln!(io::stdout(), "{seconds} {kilobytes} {}", scene.len())?;
    Ok(())
}

fn read(file: &Path, rounds: usize) -> Outcome {
    let megabytes = std::fs::metadata(file)?.len() as f64 / 1e6;
    let mut out = io::stdout().lock();
    for _ in 0..rounds {
        let program = std::env::current_exe()?;
        let output = Command::new(program).arg("once").arg(file).output()?;
        let said = String::from_utf8(output.stdout)?;
        let words: Vec<&str> = said.split_whitespace().collect();
        let [seconds, kilobytes, count] = words[..] else {
            return Err(String::from_utf8(output.stderr)?.trim().into());
        };
        let (seconds, peak) = (
            seconds.parse::<f64>()?,
            kilobytes.parse::<f64>()? * 1.024e-3,
        );
        writeln!(
            out,
            "{count} Gaussians, {megabytes:.0} MB: {seconds:.2} s, {:.0} MB/s, peak {peak:.0} MB, \
             {:.2} times the file",
            megabytes / seconds,
            peak / megabytes
        )?;
    }
    Ok(())
}
