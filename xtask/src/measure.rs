//! Makes the tables of measurements in docs/BENCHMARKS.md again, all on one machine one after the
//! other.
//!
//! A table stands between `<!-- measured: NAME -->` and `<!-- end -->`. The chore runs the program
//! `throughput` for each name of [`RUNS`] and replaces what stands between the two lines: the
//! command, the machine and the tables that the program prints.

use std::io;
use std::path::Path;
use std::process::Command;

use crate::process::{output, root, throughput};

/// The document with the tables, relative to the root of the workspace.
pub const DOCUMENT: &str = "docs/BENCHMARKS.md";
/// The picture of the results.
const PICTURE: &str = "docs/throughput.svg";
/// The greatest width of a line that is no row of a table.
const WIDTH: usize = 100;

/// A measurement: its name in the document, the instruction set or `None` for the fastest, and the
/// arguments of `throughput`.
pub struct Run {
    /// The name in the document.
    pub name: &'static str,
    simd: Option<&'static str>,
    arguments: &'static str,
    /// Whether the document has the table of memory too.
    memory: bool,
}

const fn measured(name: &'static str, simd: Option<&'static str>, arguments: &'static str) -> Run {
    Run {
        name,
        simd,
        arguments,
        memory: false,
    }
}

/// All measurements.
pub const RUNS: [Run; 8] = [
    Run {
        memory: true,
        ..measured("one thread", None, "--threads 1 --rounds 15")
    },
    measured("all threads", None, "--rounds 15"),
    measured(
        "avx2",
        Some("avx2"),
        "--threads 1 --workload gmae --workload gmae_heavy --workload image_fit --workload scene",
    ),
    measured(
        "portable",
        Some("portable"),
        "--threads 1 --workload gmae --workload gmae_heavy --workload image_fit --workload scene",
    ),
    measured(
        "stages",
        None,
        "--stages --rounds 15 --workload gmae --workload image_fit --workload scene",
    ),
    measured(
        "cold",
        None,
        "--stages --cold --workload gmae --workload scene",
    ),
    measured(
        "sorted",
        None,
        "--stages --sorted --rounds 15 --workload image_fit --workload scene",
    ),
    measured("scaling", None, "--scaling --rounds 9"),
];

/// Measures everything, and writes the document and the picture.
///
/// # Errors
/// Returns an error if the program cannot be built or fails, or if the document cannot be read or
/// written or lacks the place of a table.
pub fn measure() -> io::Result<()> {
    let (program, root) = (throughput()?, root()?);
    let path = root.join(DOCUMENT);
    let mut document = std::fs::read_to_string(&path)?;
    if !text_of_workload(&program, &root)?.contains("garden") {
        return Err(io::Error::other(
            "expected the file of the garden, see benches/src/garden.rs",
        ));
    }
    for run in &RUNS {
        // A missing place is found before minutes of measurements are lost.
        replaced(&document, run.name, "")?;
    }
    for measured in &RUNS {
        eprintln!("{}: throughput {}", measured.name, measured.arguments);
        let text = output(&mut command(&program, measured, &root))?;
        document = replaced(&document, measured.name, &block(measured, &text))?;
        std::fs::write(&path, &document)?;
    }
    let mut plot = clean(&program, &root);
    plot.args(["--plot", PICTURE]);
    for workload in ["gmae", "gmae_heavy", "image_fit", "scene"] {
        plot.args(["--workload", workload]);
    }
    output(&mut plot).map(drop)
}

/// Returns what the program prints for the scene `garden`, which it leaves out without its file.
fn text_of_workload(program: &Path, root: &Path) -> io::Result<String> {
    output(clean(program, root).args(["--bits", "--workload", "garden"]))
}

/// Returns a command that runs the program without the variables that change what it measures.
fn clean(program: &Path, root: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root);
    command
        .env_remove("SPLAT_SIMD")
        .env_remove("RAYON_NUM_THREADS");
    command
}

fn command(program: &Path, measured: &Run, root: &Path) -> Command {
    let mut command = clean(program, root);
    command.args(measured.arguments.split(' '));
    if let Some(simd) = measured.simd {
        command.env("SPLAT_SIMD", simd);
    }
    command
}

/// Returns what stands in the document: the command, and the output of the program with its long
/// lines broken.
fn block(measured: &Run, text: &str) -> String {
    let simd = measured.simd.map(|simd| format!("SPLAT_SIMD={simd} "));
    let mut out = format!(
        "\n```console\n$ {}throughput {}\n```\n\n",
        simd.unwrap_or_default(),
        measured.arguments
    );
    // The memory does not depend on threads and hardly on the instruction set.
    let text = match text.split_once("\nMemory of") {
        Some((times, _)) if !measured.memory => times,
        _ => text,
    };
    for line in text.lines() {
        if line.starts_with('|') {
            out.push_str(line);
        } else {
            wrap(line, &mut out);
        }
        out.push('\n');
    }
    out.push('\n');
    out
}

/// Appends the words of a line, with line breaks instead of spaces where a line would be too long.
fn wrap(line: &str, out: &mut String) {
    let mut width = 0;
    for word in line.split(' ') {
        let count = word.chars().count();
        if width > 0 && width + 1 + count > WIDTH {
            out.push('\n');
            width = 0;
        } else if width > 0 {
            out.push(' ');
            width += 1;
        }
        out.push_str(word);
        width += count;
    }
}

/// Returns the document with other text between the lines of a table.
///
/// # Errors
/// Returns an error if the document lacks one of the two lines.
pub fn replaced(document: &str, name: &str, text: &str) -> io::Result<String> {
    let first = format!("<!-- measured: {name} -->\n");
    let lost =
        |line: &str| io::Error::other(format!("{DOCUMENT}: expected the line {}", line.trim_end()));
    let (before, rest) = document.split_once(&first).ok_or_else(|| lost(&first))?;
    let end = rest
        .find("<!-- end -->")
        .ok_or_else(|| lost("<!-- end -->"))?;
    if rest[..end].contains("<!-- measured:") {
        return Err(lost("<!-- end -->"));
    }
    Ok([before, &first, text, &rest[end..]].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_text_of_the_name_is_replaced() -> io::Result<()> {
        let old =
            "a\n<!-- measured: x -->\nold\n<!-- end -->\nb\n<!-- measured: y -->\n<!-- end -->\n";
        let new = replaced(old, "x", "new\n")?;
        assert_eq!(new, old.replace("old", "new"));
        assert_eq!(replaced(&new, "y", "")?, new);
        assert!(replaced(old, "z", "").is_err());
        assert!(replaced(&old.replacen("<!-- end -->\n", "", 1), "x", "").is_err());
        Ok(())
    }

    #[test]
    fn long_lines_are_broken_and_rows_are_not() {
        let row = format!("| {} |", "cell ".repeat(40));
        let text = block(
            &RUNS[0],
            &format!("{}\n\n{row}\n", "word ".repeat(40).trim_end()),
        );
        assert!(text.contains(&row));
        let prose = text.lines().filter(|line| !line.starts_with('|'));
        assert!(
            prose.clone().all(|line| line.len() <= WIDTH) && prose.count() > 6,
            "{text}"
        );
    }
}
