//! What was measured, and where: the machine, the build and the command line.

use benches::measure;
use serde::Serialize;
use sysinfo::{CpuRefreshKind, RefreshKind, System};

/// The machine and the program of a report.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    /// The name of the processor.
    pub(crate) processor: String,
    /// The number of logical processors.
    logical_processors: usize,
    /// The logical processors on which the program may run, such as `0-3`. `None` where the system
    /// does not say.
    affinity: Option<String>,
    /// The highest frequency of a logical processor at the start. 0 where the system does not say.
    megahertz: u64,
    /// The instruction set that was used.
    pub(crate) instructions: &'static str,
    /// The commit, with `-dirty` if tracked files were changed. Empty if it was built without Git.
    pub(crate) commit: &'static str,
    /// The version of the compiler.
    rustc: &'static str,
    /// The compiler's flags beyond those of Cargo's profile, and the level of optimisation.
    rustc_flags: &'static str,
    optimisation: &'static str,
    target: &'static str,
    /// The command line without the program's name.
    arguments: Vec<String>,
}

impl Machine {
    /// Describes this machine and this program.
    pub(crate) fn here() -> Self {
        let wanted = CpuRefreshKind::nothing().with_frequency();
        let system = System::new_with_specifics(RefreshKind::nothing().with_cpu(wanted));
        let processors = system.cpus();
        let brand = processors.first().map_or("", |cpu| cpu.brand().trim());
        Self {
            processor: brand.to_owned(),
            logical_processors: processors.len(),
            affinity: affinity(),
            megahertz: processors
                .iter()
                .map(sysinfo::Cpu::frequency)
                .max()
                .unwrap_or(0),
            instructions: measure::simd_name(),
            commit: env!("BUILT_COMMIT"),
            rustc: env!("BUILT_RUSTC"),
            rustc_flags: env!("BUILT_FLAGS"),
            optimisation: env!("BUILT_LEVEL"),
            target: env!("BUILT_TARGET"),
            arguments: std::env::args().skip(1).collect(),
        }
    }

    /// Describes the machine, a semicolon, and the program.
    pub(crate) fn line(&self) -> String {
        let Self {
            processor,
            logical_processors,
            megahertz,
            instructions,
            commit,
            rustc,
            ..
        } = self;
        let commit = if commit.is_empty() { "unknown" } else { commit };
        format!(
            "{processor}, {logical_processors} logical processors, {megahertz} MHz, {instructions} \
             instructions; commit {commit}, {rustc}"
        )
    }
}

/// Returns the line of the process's status that lists its processors. Only Linux has the file.
fn affinity() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
    Some(line.trim().to_owned())
}
