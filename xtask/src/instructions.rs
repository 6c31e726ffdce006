//! The number of instructions of every CPU stage, which hardly depends on the machine and its load.
//!
//! Valgrind counts them on the AVX2 path. A count contains what surrounds a stage: the allocator,
//! the thread pool and, for *sort*, a copy of the hits. The counts of a table that is part of the
//! repository are compared with those of the working tree.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::process::{output, root, throughput};

/// The table, relative to the root of the workspace.
const TABLE: &str = "benches/instructions.toml";
/// The workloads of the program `throughput` that are counted.
const WORKLOADS: [&str; 3] = ["gmae", "image_fit", "scene"];
const STAGES: [&str; 6] = [
    "project",
    "bin",
    "sort",
    "composite",
    "composite_vjp",
    "project_vjp",
];
/// How often a stage runs to be counted. A run without it is subtracted.
const TIMES: u64 = 2;
/// The greatest relative change of a count that is no finding.
const TOLERANCE: f64 = 0.02;
/// The greatest change of a count that is no finding. The thread pool waits for work in a loop.
const SLACK: u64 = 30_000;

/// The counts of all stages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// The version and the flags of the compiler that built the counted program.
    pub rustc: String,
    /// Instructions, by workload and stage.
    pub counts: BTreeMap<String, BTreeMap<String, u64>>,
}

/// Counts the instructions of every stage. With `write`, writes the table. Otherwise compares the
/// counts with the table, and returns whether all of them are within 2 % or 30,000 instructions.
///
/// The counts depend on the compiler and its flags. If the table was made with another version or
/// other flags, nothing is compared, and the program says so.
///
/// # Errors
/// Returns an error if the program cannot be built or counted, or if the table cannot be read or
/// written.
pub fn check(write: bool) -> io::Result<bool> {
    let path = root()?.join(TABLE);
    let rustc = output(Command::new("rustc").arg("--version"))?;
    let flags = std::env::var("RUSTFLAGS").unwrap_or_default();
    let rustc = format!("{} {flags}", rustc.trim()).trim().to_owned();
    let old = if write { None } else { Some(read(&path)?) };
    if let Some(old) = &old
        && old.rustc != rustc
    {
        println!(
            "SKIPPED: {TABLE} was made with {}, and this is {rustc}. Make it again with --write.",
            old.rustc
        );
        return Ok(true);
    }
    let new = Table {
        rustc,
        counts: count()?,
    };
    let Some(old) = old else {
        let head = "# Instructions of the CPU stages with AVX2, one thread. Made by\n\
                    # `cargo run -p xtask -- instructions --write`.\n";
        let text = toml::to_string(&new).map_err(io::Error::other)?;
        std::fs::write(&path, format!("{head}{text}"))?;
        println!("{TABLE} is written");
        return Ok(true);
    };
    let (text, same) = compare(&old, &new);
    print!("{text}");
    Ok(same)
}

fn read(path: &Path) -> io::Result<Table> {
    let failed =
        |error: &dyn std::error::Error| io::Error::other(format!("{}: {error}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| failed(&error))?;
    toml::from_str(&text).map_err(|error| failed(&error))
}

/// Returns a table of both counts, and whether none of them changed by more than the tolerance and
/// none is missing.
pub fn compare(old: &Table, new: &Table) -> (String, bool) {
    let (mut text, mut same) = (String::new(), true);
    let of = |table: &Table, workload: &str, stage: &str| {
        table
            .counts
            .get(workload)
            .and_then(|stages| stages.get(stage).copied())
    };
    let both = [old, new];
    let mut names: Vec<(&String, &String)> = both
        .iter()
        .flat_map(|table| &table.counts)
        .flat_map(|(workload, stages)| stages.keys().map(move |stage| (workload, stage)))
        .collect();
    names.sort();
    names.dedup();
    for (workload, stage) in names {
        let (before, now) = (of(old, workload, stage), of(new, workload, stage));
        let line = match (before, now) {
            (Some(before), Some(now)) => {
                let change = now as f64 / before.max(1) as f64 - 1.0;
                let beyond = change.abs() > TOLERANCE && now.abs_diff(before) > SLACK;
                same &= !beyond;
                let verdict = if beyond { ": more than 2 %" } else { "" };
                format!("{before} -> {now}, {:+.2} %{verdict}", 100.0 * change)
            }
            (Some(_), None) => {
                same = false;
                "no longer counted".to_owned()
            }
            (None, _) => {
                same = false;
                "not in the table".to_owned()
            }
        };
        let _ = writeln!(text, "{workload}: {stage}: {line}");
    }
    if !same {
        let _ = writeln!(
            text,
            "If the change is intended, make {TABLE} again with --write."
        );
    }
    (text, same)
}

/// Builds the program and counts all stages of all workloads.
fn count() -> io::Result<BTreeMap<String, BTreeMap<String, u64>>> {
    let program = throughput()?;
    // Valgrind runs a program on one processor, and other programs do not change its counts.
    std::thread::scope(|scope| {
        let program = program.as_path();
        let counted = WORKLOADS.map(|workload| {
            (
                workload,
                scope.spawn(move || count_stages(program, workload)),
            )
        });
        let counts = counted.into_iter().map(|(workload, counts)| {
            let counts = counts
                .join()
                .map_err(|_| io::Error::other("a thread panicked"))?;
            Ok((workload.to_owned(), counts?))
        });
        counts.collect()
    })
}

/// Counts all stages of one workload.
fn count_stages(program: &Path, workload: &str) -> io::Result<BTreeMap<String, u64>> {
    let nothing = count_run(program, workload, STAGES[0], 0)?;
    let count = |stage: &str| {
        let all = count_run(program, workload, stage, TIMES)?;
        let less = || io::Error::other(format!("{stage} has fewer instructions than nothing"));
        let count = all.checked_sub(nothing).ok_or_else(less)? / TIMES;
        Ok((stage.to_owned(), count))
    };
    STAGES.into_iter().map(count).collect()
}

/// Returns the number of instructions of a run that repeats a stage.
fn count_run(program: &Path, workload: &str, stage: &str, times: u64) -> io::Result<u64> {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    valgrind
        .arg(program)
        .args(["--threads", "1", "--workload", workload]);
    valgrind.args(["--stage", stage, "--times", &times.to_string()]);
    let output = valgrind.env("SPLAT_SIMD", "avx2").output();
    let output = output.map_err(|error| io::Error::other(format!("valgrind: {error}")))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let collected = collected(&said).filter(|_| output.status.success());
    collected.ok_or_else(|| io::Error::other(format!("{valgrind:?}: {}: {said}", output.status)))
}

/// Returns the number in the line "Collected" of Callgrind.
fn collected(text: &str) -> Option<u64> {
    let (_, count) = text
        .lines()
        .find_map(|line| line.split_once("Collected : "))?;
    count.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(counts: &[(&str, u64)]) -> Table {
        let stages = counts
            .iter()
            .map(|&(stage, count)| (stage.to_owned(), count));
        Table {
            rustc: String::new(),
            counts: BTreeMap::from([("scene".to_owned(), stages.collect())]),
        }
    }

    #[test]
    fn two_per_cent_are_allowed() {
        let million = 1_000_000;
        let old = table(&[("bin", 4 * million), ("sort", 2 * million)]);
        let near = table(&[
            ("bin", 4 * million + 79_000),
            ("sort", 2 * million - 39_000),
        ]);
        let (text, same) = compare(&old, &near);
        assert!(same, "{text}");
        // The pool's waiting.
        let (text, same) = compare(&table(&[("bin", 1000)]), &table(&[("bin", 30_000)]));
        assert!(same, "{text}");
        for other in [
            table(&[("bin", 4 * million + 81_000), ("sort", 2 * million)]),
            table(&[("bin", 4 * million), ("sort", 2 * million - 41_000)]),
            table(&[("bin", 4 * million)]),
            table(&[("bin", 4 * million), ("sort", 2 * million), ("new", 1)]),
        ] {
            let (text, same) = compare(&old, &other);
            assert!(!same && text.contains("--write"), "{text}");
        }
    }

    #[test]
    fn the_count_of_callgrind_is_found() {
        let text = "==7== Events    : Ir\n==7== Collected : 1234\n";
        assert_eq!(collected(text), Some(1234));
        assert_eq!(collected("==7== Events"), None);
    }
}
