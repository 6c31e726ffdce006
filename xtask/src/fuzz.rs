//! Runs the fuzz targets with libFuzzer and minimises what they collect.

use std::path::Path;
use std::process::Command;
use std::{fs, io};

use clap::Args;
use xtask::process::{output, root, run};

/// The target that depends on Burn. Its build takes several minutes.
const SLOW: &str = "runs";

/// The number of inputs of a target that are kept. They are committed.
const KEPT: usize = 150;

/// The choice of targets and the time for them.
#[derive(Args)]
pub struct Options {
    /// Minutes in total, shared among the targets.
    #[arg(long, default_value_t = 10.0, value_parser = minutes)]
    minutes: f64,
    /// Run only this target. Without this option, all run except `runs`, whose build takes minutes.
    #[arg(long)]
    target: Option<String>,
}

fn minutes(text: &str) -> Result<f64, String> {
    let minutes = text.parse().map_err(|_| "expected a number".to_owned())?;
    if minutes > 0.0 && minutes <= 1e6 {
        Ok(minutes)
    } else {
        Err("expected more than 0 and at most 1000000".to_owned())
    }
}

/// Runs the chosen targets in turns. Each begins with its folder of `fuzz/corpus`. Afterwards the
/// folder has inputs of the smallest set that reaches the same code. Returns the number of targets.
pub fn fuzz(options: &Options) -> io::Result<usize> {
    let list = output(&mut cargo_fuzz(&["list"])?)?;
    let known: Vec<&str> = list.lines().collect();
    let chosen: Vec<&str> = match &options.target {
        Some(target) => known
            .iter()
            .copied()
            .filter(|name| name == target)
            .collect(),
        None => known.iter().copied().filter(|&name| name != SLOW).collect(),
    };
    if chosen.is_empty() {
        return Err(io::Error::other(format!(
            "--target: expected one of {}, got {}",
            known.join(", "),
            options.target.as_deref().unwrap_or("none")
        )));
    }
    let seconds = 60.0 * options.minutes / chosen.len() as f64;
    let limit = format!("-max_total_time={}", seconds.ceil() as u64);
    for target in &chosen {
        let feature: &[&str] = if *target == SLOW {
            &["--features", SLOW]
        } else {
            &[]
        };
        let corpus = root()?.join("fuzz/corpus").join(target);
        fs::create_dir_all(&corpus)?;
        // Short inputs are as good as long ones, and a corpus of them is small.
        let flags = ["--", "-max_len=1024", "-timeout=20", &limit];
        run(&mut cargo_fuzz(
            &[&["run"], feature, &[target], &flags].concat(),
        )?)?;
        run(&mut cargo_fuzz(&[&["cmin"], feature, &[target]].concat())?)?;
        thin_out(&corpus)?;
    }
    Ok(chosen.len())
}

/// Keeps [`KEPT`] files of a folder, of all lengths: short inputs are refused early, and long ones
/// reach more code.
fn thin_out(folder: &Path) -> io::Result<()> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        files.push((entry.metadata()?.len(), entry.path()));
    }
    files.sort();
    // File i is kept if it is the first of its share of the list.
    let share = |i: usize| i * KEPT / files.len();
    let more = (1..files.len()).filter(|&i| files.len() > KEPT && share(i) == share(i - 1));
    more.map(|i| &files[i].1).try_for_each(fs::remove_file)
}

/// Returns a command that runs `cargo fuzz` with the nightly toolchain.
fn cargo_fuzz(arguments: &[&str]) -> io::Result<Command> {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly", "cargo", "fuzz"]);
    command.args(arguments).current_dir(root()?);
    // Cargo sets these for the program that it runs. The other toolchain must not see them.
    for name in ["CARGO", "RUSTUP_TOOLCHAIN", "CARGO_MANIFEST_DIR"] {
        command.env_remove(name);
    }
    Ok(command)
}
