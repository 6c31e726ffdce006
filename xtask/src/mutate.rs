//! Applies the mutants to a copy of `splat`, one at a time, and runs the tests on each.

mod judge;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{fs, io};

use clap::Args;
use toml_edit::{Array, DocumentMut, value};

use crate::changed::changed_since;
use crate::mutants::gpu::KERNELS;
use crate::mutants::loops::LOOPS;
use crate::mutants::{FORMULAS, Mutant, Source};
use judge::Judge;

/// The choice of mutants.
#[derive(Args, Default)]
pub struct Options {
    /// Run only mutants whose name contains this text.
    #[arg(long, default_value = "")]
    only: String,
    /// Also run the mutants of the GPU kernels. Each takes minutes and needs a wgpu device.
    #[arg(long)]
    gpu: bool,
    /// Run only mutants of files that differ from this revision.
    #[arg(long, value_name = "REV")]
    changed_since: Option<String>,
}

/// One mutant, its file and its tests.
#[derive(Clone, Copy)]
struct Job {
    file: &'static str,
    mutant: &'static Mutant,
    judge: Judge,
}

/// Returns all mutants.
fn jobs() -> Vec<Job> {
    let tables = [
        (FORMULAS, Judge::Cpu),
        (LOOPS, Judge::Cpu),
        (KERNELS, Judge::Gpu),
    ];
    let of_source = |judge| {
        move |source: &'static Source| {
            let judge = match source.file {
                "activation.rs" => Judge::Activations,
                "loss/mod.rs" => Judge::Loss,
                file if file.starts_with("density/") => Judge::Density,
                _ => judge,
            };
            source.mutants.iter().map(move |mutant| Job {
                file: source.file,
                mutant,
                judge,
            })
        }
    };
    tables
        .into_iter()
        .flat_map(|(table, judge)| table.iter().flat_map(of_source(judge)))
        .collect()
}

impl Options {
    /// Returns the mutants that these options choose. With `--changed-since`, `changed` lists the
    /// files that differ from the revision.
    fn choose(&self, changed: Option<&BTreeSet<String>>) -> io::Result<Vec<Job>> {
        let mut jobs = jobs();
        jobs.retain(|job| job.mutant.name.contains(&self.only));
        jobs.retain(|job| self.gpu || job.judge != Judge::Gpu);
        if jobs.is_empty() {
            let hint = if self.gpu { "" } else { " without --gpu" };
            return Err(io::Error::other(format!(
                "--only: expected a part of a mutant's name, got {:?}, which no mutant has{hint}",
                self.only
            )));
        }
        if let Some(changed) = changed {
            jobs.retain(|job| changed.contains(job.file));
        }
        Ok(jobs)
    }
}

/// Runs the mutants that `options` choose. Returns the number of survivors.
pub fn run(options: &Options) -> io::Result<usize> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()?;
    let changed = options
        .changed_since
        .as_ref()
        .map(|revision| changed_since(&root.join("splat/src"), revision))
        .transpose()?;
    let jobs = options.choose(changed.as_ref())?;
    println!("{} of {} mutants", jobs.len(), self::jobs().len());
    if jobs.is_empty() {
        return Ok(0);
    }
    let copy = root.join("target/mutants");
    copy_crate(&root, &copy)?;
    for judge in Judge::ALL {
        if jobs.iter().any(|job| job.judge == judge) && !tests_pass(&copy, &root, judge)? {
            return Err(io::Error::other(format!(
                "the tests fail before anything is broken: cargo test -p splat {}",
                judge.arguments().join(" ")
            )));
        }
    }
    println!("| vjp | mutation | verdict |\n|---|---|---|");
    let mut survivors = 0;
    for job in jobs {
        let path = copy.join("splat/src").join(job.file);
        let text = fs::read_to_string(&path)?;
        fs::write(&path, job.apply(&text)?)?;
        let caught = !tests_pass(&copy, &root, job.judge)?;
        fs::write(&path, text)?;
        survivors += usize::from(!caught);
        let verdict = if caught { "caught" } else { "SURVIVED" };
        println!("{} {verdict} |", job.row());
    }
    Ok(survivors)
}

impl Job {
    /// Returns the first two cells of the mutant's row in a Markdown table.
    fn row(&self) -> String {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        // An unescaped bar would end the cell.
        let cell = |text: &str| words(text).replace('|', "\\|");
        let Mutant { name, from, to, .. } = self.mutant;
        format!("| {name} | `{}` -> `{}` |", cell(from), cell(to))
    }

    /// Returns `text` with the mutation applied. Returns an error unless the function contains the
    /// text to be replaced exactly once.
    fn apply(&self, text: &str) -> io::Result<String> {
        let Mutant {
            within, from, to, ..
        } = *self.mutant;
        let start = text
            .find(within)
            .ok_or_else(|| self.lost("the function", within, 0))?;
        let (head, tail) = text.split_at(start);
        let end = tail.find("\n}").unwrap_or(tail.len());
        let (body, rest) = tail.split_at(end);
        match body.matches(from).count() {
            1 => Ok([head, &body.replacen(from, to, 1), rest].concat()),
            count => Err(self.lost("the text to be replaced", from, count)),
        }
    }

    fn lost(&self, what: &str, text: &str, count: usize) -> io::Error {
        io::Error::other(format!(
            "{}: {what}: expected {text:?} once in {}, got it {count} times",
            self.mutant.name, self.file
        ))
    }
}

/// Copies `splat` and `splat-device-tests`, with a workspace manifest that lists only these two.
fn copy_crate(root: &Path, copy: &Path) -> io::Result<()> {
    if copy.exists() {
        fs::remove_dir_all(copy)?;
    }
    let packages = [Judge::Cpu, Judge::Gpu].map(Judge::package);
    let folders = packages.map(|package| walkdir::WalkDir::new(root.join(package)));
    for entry in folders.into_iter().flatten() {
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
    let mut manifest: DocumentMut = manifest.parse().map_err(io::Error::other)?;
    manifest["workspace"]["members"] = value(Array::from_iter(packages));
    fs::write(copy.join("Cargo.toml"), manifest.to_string())
}

/// Returns whether the tests of the copy pass. Returns an error if the copy does not compile.
fn tests_pass(copy: &Path, root: &Path, judge: Judge) -> io::Result<bool> {
    let target: PathBuf = root.join("target/mutants-build");
    let output = Command::new(env!("CARGO"))
        .args(["test", "--quiet", "-p", judge.package()])
        .args(judge.arguments())
        .current_dir(copy)
        .env("CARGO_TARGET_DIR", target)
        .env("PROPTEST_FAILURE_PERSISTENCE", "off")
        .output()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    if errors.contains("could not compile") {
        return Err(io::Error::other(format!(
            "a mutant does not compile:\n{errors}"
        )));
    }
    verdict(judge, &output)
}

/// Returns whether the tests passed. Returns an error if no test ran: without a device all trials
/// are ignored.
fn verdict(judge: Judge, output: &Output) -> io::Result<bool> {
    let said = String::from_utf8_lossy(&output.stdout);
    let passed = said
        .split_once("test result: ok. ")
        .and_then(|(_, rest)| rest.split(' ').next()?.parse::<usize>().ok());
    if output.status.success() && passed.is_none_or(|passed| passed == 0) {
        let what = judge.words();
        return Err(io::Error::other(format!(
            "expected {what} that pass, got none that ran:\n{said}"
        )));
    }
    Ok(output.status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(options: &Options, changed: Option<&[&str]>) -> io::Result<Vec<&'static str>> {
        let changed = changed.map(|files| files.iter().map(|&file| file.to_owned()).collect());
        let jobs = options.choose(changed.as_ref())?;
        Ok(jobs.iter().map(|job| job.mutant.name).collect())
    }

    #[test]
    fn every_mutant_finds_its_place() -> io::Result<()> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../splat/src");
        for job in jobs() {
            let text = fs::read_to_string(source.join(job.file))
                .map_err(|error| io::Error::other(format!("{}: {error}", job.file)))?;
            assert_ne!(job.apply(&text)?, text, "{}", job.mutant.name);
        }
        Ok(())
    }

    #[test]
    fn names_are_unique() {
        let jobs = jobs();
        let names: BTreeSet<&str> = jobs.iter().map(|job| job.mutant.name).collect();
        assert_eq!(names.len(), jobs.len());
    }

    #[test]
    fn docs_list_the_mutants_of_the_host() -> io::Result<()> {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/VALIDATION.md");
        let docs = fs::read_to_string(docs)?;
        let (_, table) = docs
            .split_once("| vjp | mutation | verdict |\n|---|---|---|\n")
            .ok_or_else(|| io::Error::other("docs/VALIDATION.md: no table of mutants"))?;
        let documented: Vec<&str> = table
            .lines()
            .map_while(|line| line.strip_suffix(" caught |"))
            .collect();
        let jobs = Options::default().choose(None)?;
        let expected: Vec<String> = jobs.iter().map(Job::row).collect();
        assert_eq!(documented, expected);
        Ok(())
    }

    #[test]
    fn a_revision_leaves_only_mutants_of_files_that_differ() -> io::Result<()> {
        let options = Options::default();
        let all = names(&options, None)?;
        let quaternions = names(&options, Some(&["math/quat.rs", "lib.rs"]))?;
        assert!(!quaternions.is_empty() && quaternions.len() < all.len());
        assert!(quaternions.iter().all(|name| name.starts_with("quat::")));
        let expected = all.iter().filter(|name| name.starts_with("quat::"));
        assert_eq!(quaternions.len(), expected.count());
        assert!(names(&options, Some(&["lib.rs", "quat.rs"]))?.is_empty());
        assert!(names(&options, Some(&[]))?.is_empty());
        Ok(())
    }

    #[test]
    fn kernels_are_mutated_only_where_asked() -> io::Result<()> {
        let of_kernels = |options: &Options| -> io::Result<usize> {
            let names = names(options, None)?;
            Ok(names.iter().filter(|name| name.starts_with("gpu ")).count())
        };
        assert_eq!(of_kernels(&Options::default())?, 0);
        let gpu = Options {
            gpu: true,
            ..Options::default()
        };
        let kernels: usize = KERNELS.iter().map(|source| source.mutants.len()).sum();
        assert_eq!(of_kernels(&gpu)?, kernels);
        let only = Options {
            only: "gpu ".to_owned(),
            ..gpu
        };
        assert_eq!(names(&only, None)?.len(), kernels);
        Ok(())
    }

    #[test]
    fn a_name_that_no_mutant_has_is_an_error_that_names_it() {
        let options = Options {
            only: "quats::".to_owned(),
            ..Options::default()
        };
        let error = names(&options, None).map_err(|error| error.to_string());
        assert!(
            error
                .as_ref()
                .is_err_and(|error| error.contains("--only") && error.contains("quats::")),
            "{error:?}"
        );
    }

    #[test]
    fn trials_that_are_all_ignored_are_no_verdict() -> io::Result<()> {
        let output = |said: &str, program: &str| -> io::Result<Output> {
            let status = Command::new(program).output()?.status;
            Ok(Output {
                status,
                stdout: said.as_bytes().to_vec(),
                stderr: Vec::new(),
            })
        };
        let ignored = "test result: ok. 0 passed; 0 failed; 90 ignored; 0 measured";
        assert!(verdict(Judge::Gpu, &output(ignored, "true")?).is_err());
        assert!(verdict(Judge::Gpu, &output("", "true")?).is_err());
        let passed = "test result: ok. 3 passed; 0 failed; 90 ignored; 0 measured";
        assert!(verdict(Judge::Gpu, &output(passed, "true")?)?);
        let failed = "test result: FAILED. 3 passed; 1 failed; 90 ignored; 0 measured";
        assert!(!verdict(Judge::Gpu, &output(failed, "false")?)?);
        Ok(())
    }

    #[test]
    fn a_text_that_stands_twice_or_nowhere_is_an_error() {
        const MUTANT: Mutant = crate::mutants::mutant("m", "fn f", "a + b", "a - b");
        let job = Job {
            file: "f.rs",
            mutant: &MUTANT,
            judge: Judge::Cpu,
        };
        let once = "fn g() {\n    a + b\n}\nfn f() {\n    a + b\n}\nfn h() {\n    a + b\n}\n";
        let mutated = job.apply(once).ok();
        let expected = "fn g() {\n    a + b\n}\nfn f() {\n    a - b\n}\nfn h() {\n    a + b\n}\n";
        assert_eq!(mutated.as_deref(), Some(expected));
        for text in [
            "",
            "fn f() {\n    a * b\n}\n",
            "fn f() {\n    a + b;\n    a + b\n}\n",
        ] {
            assert!(job.apply(text).is_err(), "{text:?}");
        }
    }
}
