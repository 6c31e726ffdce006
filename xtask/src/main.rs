//! Chores of the workspace.
//!
//! `cargo run -p xtask -- mutate` flips one sign (or drops one factor) in every vjp, one at a time, in a copy of the
//! workspace, and runs the tests there: each mutant must be caught. The result is written in docs/VALIDATION.md.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{fs, io};

use clap::{Parser, Subcommand};

mod mutants;
use mutants::{MUTANTS, Mutant};

/// The tests that judge a mutant.
const JUDGES: [&str; 5] = ["formulas", "gradients", "metamorphic", "oracle", "stages"];

#[derive(Parser)]
#[command(about = "Chores of the workspace")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Breaks every vjp in turn and checks that the tests notice.
    Mutate {
        /// Only mutants whose name contains this.
        #[arg(long, default_value = "")]
        only: String,
    },
}

fn main() -> ExitCode {
    let Chore::Mutate { only } = Arguments::parse().chore;
    match mutate(&only) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(survivors) => {
            println!("{survivors} mutants survived");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("mutate: {error}");
            ExitCode::from(2)
        }
    }
}

/// Runs every mutant whose name contains `only`; returns how many survived.
fn mutate(only: &str) -> io::Result<usize> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()?;
    let copy = root.join("target/mutants");
    copy_crate(&root, &copy)?;
    if !tests_pass(&copy, &root)? {
        return Err(io::Error::other("the tests fail before anything is broken"));
    }
    println!("{:<34} {:<62} verdict", "vjp", "mutation");
    let mut survivors = 0;
    for mutant in MUTANTS.iter().filter(|mutant| mutant.name.contains(only)) {
        let path = copy.join("splat/src").join(mutant.file);
        let text = fs::read_to_string(&path)?;
        fs::write(&path, mutant.apply(&text)?)?;
        let caught = !tests_pass(&copy, &root)?;
        fs::write(&path, text)?;
        survivors += usize::from(!caught);
        let change = format!("`{}` -> `{}`", mutant.from, mutant.to);
        println!(
            "{:<34} {change:<62} {}",
            mutant.name,
            if caught { "caught" } else { "SURVIVED" }
        );
    }
    Ok(survivors)
}

impl Mutant {
    /// The text with the mutation; an error where its place is not exactly one.
    fn apply(&self, text: &str) -> io::Result<String> {
        let after = text
            .find(self.within)
            .ok_or_else(|| self.lost("function"))?;
        let (head, tail) = text.split_at(after);
        let end = tail.find("\n}").unwrap_or(tail.len());
        let (body, rest) = tail.split_at(end);
        match body.matches(self.from).count() {
            1 => Ok([head, &body.replacen(self.from, self.to, 1), rest].concat()),
            _ => Err(self.lost("place (wanted exactly one)")),
        }
    }

    fn lost(&self, what: &str) -> io::Error {
        io::Error::other(format!(
            "{}: no such {what} in {}: {:?}",
            self.name, self.file, self.from
        ))
    }
}

/// Copies what `splat` needs, with a workspace manifest of its own.
fn copy_crate(root: &Path, copy: &Path) -> io::Result<()> {
    if copy.exists() {
        fs::remove_dir_all(copy)?;
    }
    for entry in walkdir::WalkDir::new(root.join("splat")) {
        let entry = entry?;
        let to = copy.join(entry.path().strip_prefix(root).map_err(io::Error::other)?);
        if entry.file_type().is_dir() {
            fs::create_dir_all(to)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    fs::copy(root.join("Cargo.lock"), copy.join("Cargo.lock"))?;
    let manifest = fs::read_to_string(root.join("Cargo.toml"))?;
    let members: Vec<&str> = manifest
        .lines()
        .filter(|line| line.starts_with("members"))
        .collect();
    let [members] = members[..] else {
        return Err(io::Error::other("Cargo.toml: expected one line of members"));
    };
    fs::write(
        copy.join("Cargo.toml"),
        manifest.replace(members, "members = [\"splat\"]"),
    )
}

/// Whether the copy builds and its tests pass.
fn tests_pass(copy: &Path, root: &Path) -> io::Result<bool> {
    let target: PathBuf = root.join("target/mutants-build");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["test", "--quiet", "-p", "splat"]);
    cargo.args(JUDGES.iter().flat_map(|judge| ["--test", judge]));
    cargo
        .current_dir(copy)
        .env("CARGO_TARGET_DIR", target)
        .env("PROPTEST_FAILURE_PERSISTENCE", "off");
    let output = cargo.output()?;
    let text = String::from_utf8_lossy(&output.stderr);
    if text.contains("could not compile") {
        return Err(io::Error::other(format!(
            "a mutant does not compile:\n{text}"
        )));
    }
    Ok(output.status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mutant_finds_its_place() -> io::Result<()> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../splat/src");
        for mutant in MUTANTS {
            let text = fs::read_to_string(source.join(mutant.file))?;
            assert_ne!(mutant.apply(&text)?, text, "{}", mutant.name);
        }
        Ok(())
    }
}
