//! Records how the programs of this crate were built, for the reports of `throughput`.

use std::path::Path;
use std::process::Command;

fn main() {
    let commit = git(&[
        "describe",
        "--always",
        "--dirty",
        "--abbrev=12",
        "--exclude=*",
    ]);
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let rustc = output(Command::new(rustc).arg("--version"));
    // Cargo separates the flags by this character.
    let flags = std::env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let flags = flags.replace('\u{1f}', " ");
    let level = std::env::var("OPT_LEVEL").unwrap_or_default();
    let target = std::env::var("TARGET").unwrap_or_default();
    println!(
        "cargo::rustc-env=BUILT_COMMIT={}",
        commit.unwrap_or_default()
    );
    println!("cargo::rustc-env=BUILT_RUSTC={}", rustc.unwrap_or_default());
    println!("cargo::rustc-env=BUILT_FLAGS={flags}");
    println!("cargo::rustc-env=BUILT_LEVEL={level}");
    println!("cargo::rustc-env=BUILT_TARGET={target}");
    // The log of the branch changes with every commit.
    let log = git(&["rev-parse", "--git-path", "logs/HEAD"]);
    let sources = ["Cargo.toml", "Cargo.lock", "splat", "benches"].map(|file| format!("../{file}"));
    for path in log.into_iter().chain(sources) {
        if Path::new(&path).exists() {
            println!("cargo::rerun-if-changed={path}");
        }
    }
}

/// Returns what Git prints, or `None` where there is no Git or no repository.
fn git(arguments: &[&str]) -> Option<String> {
    output(Command::new("git").args(arguments))
}

fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
