//! The form of the rules. The rules themselves are in [`super::tables`].

use std::collections::BTreeSet;

use glob::{MatchOptions, Pattern};

use super::fault::Fault;
use super::imports::Import;
use super::sources::Sources;

/// Which files the files of one kind may import.
#[derive(Debug, Clone, Copy)]
pub struct Layer {
    /// The files that the row is about. The first row that fits a file is the file's.
    pub files: &'static [&'static str],
    /// The files that they may import, in lists that rows share.
    pub may_import: &'static [&'static [&'static str]],
    /// Why.
    pub reason: &'static str,
}

/// A device function that may be longer than [`Rules::kernel_lines`].
#[derive(Debug, Clone, Copy)]
pub struct LongKernel {
    /// Its file.
    pub file: &'static str,
    /// Its name.
    pub function: &'static str,
    /// The most lines that it may have.
    pub lines: usize,
    /// Why it is long.
    pub reason: &'static str,
}

/// Where `CubeCL` may be named.
#[derive(Debug, Clone, Copy)]
pub struct CubeHomes {
    /// The files in which this is a rule at all.
    pub within: &'static [&'static str],
    /// Files that may name it anywhere.
    pub open: &'static [&'static str],
    /// Files that may name it behind `#[cfg(feature = ..)]` or `#[cfg_attr(feature = .., ..)]`.
    pub gated: &'static [&'static str],
    /// The features that count as such a gate.
    pub features: &'static [&'static str],
    /// Why.
    pub reason: &'static str,
}

/// Everything that [`super::check`] checks, circles apart.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// Who may import whom, within the files that `layered` names.
    pub layers: &'static [Layer],
    /// The files that need a row in `layers`.
    pub layered: &'static [&'static str],
    /// The most lines of a file.
    pub file_lines: usize,
    /// The most lines of a function of the host, from `fn` to its closing brace.
    pub host_lines: usize,
    /// The same of a function under `#[cube]`.
    pub kernel_lines: usize,
    /// The functions under `#[cube]` that have more.
    pub long_kernels: &'static [LongKernel],
    /// Where `CubeCL` may be named.
    pub cube: CubeHomes,
}

impl Rules {
    /// The imports that no row allows, and the files without a row.
    pub fn check_imports(&self, sources: &Sources, imports: &BTreeSet<Import>) -> Vec<Fault> {
        let mut faults = Vec::new();
        for file in sources.files().filter(|file| fits(self.layered, file)) {
            if self.layer(file).is_none() {
                let message = "no row of the import rules is about this file";
                faults.push(Fault::new(file, None, message));
            }
        }
        // A re-export counts where it is used, as an import of the defining file.
        let mut used = imports.iter().filter(|import| !import.facade).peekable();
        while let Some(import) = used.next() {
            let same = |other: &&Import| (&other.from, &other.to) == (&import.from, &import.to);
            let mut more = 0;
            while used.next_if(same).is_some() {
                more += 1;
            }
            let Some(layer) = self.layer(&import.from) else {
                continue;
            };
            if layer.may_import.iter().any(|some| fits(some, &import.to)) {
                continue;
            }
            let more = match more {
                0 => String::new(),
                more => format!(" (with {more} more)"),
            };
            let message = format!(
                "`{}`{more} is an import of {}: {}",
                import.path, import.to, layer.reason
            );
            faults.push(Fault::new(&import.from, Some(import.line), message));
        }
        faults
    }

    /// The rows that no file has.
    pub fn unused_layers(&self, sources: &Sources) -> Vec<&'static str> {
        let unused = |layer: &&Layer| {
            let mut files = sources.files().filter_map(|file| self.layer(file));
            !files.any(|other| std::ptr::eq(other, *layer))
        };
        let layers = self.layers.iter().filter(unused);
        layers.map(|layer| layer.reason).collect()
    }

    fn layer(&self, file: &str) -> Option<&'static Layer> {
        self.layers.iter().find(|layer| fits(layer.files, file))
    }
}

/// Whether one of `patterns` fits `file`.
pub fn fits(patterns: &[&str], file: &str) -> bool {
    let options = MatchOptions {
        require_literal_separator: true,
        ..MatchOptions::default()
    };
    patterns.iter().any(|pattern| {
        Pattern::new(pattern).is_ok_and(|pattern| pattern.matches_with(file, options))
    })
}
