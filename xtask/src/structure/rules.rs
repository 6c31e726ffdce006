//! The form of the rules. The rules themselves are in [`super::tables`].

use std::collections::BTreeSet;

use glob::{MatchOptions, Pattern};

use super::fault::Fault;
use super::imports::Import;
use super::sources::Sources;

/// A row of the import rules: the files that the files of one kind may import.
#[derive(Debug, Clone, Copy)]
pub struct Layer {
    /// Patterns of the files that the row applies to. The first row that matches a file applies.
    pub files: &'static [&'static str],
    /// Patterns of the files that these files may import, in lists that rows share.
    pub may_import: &'static [&'static [&'static str]],
    /// Reason of the rule, printed with a fault.
    pub reason: &'static str,
}

/// A device function that may be longer than [`Rules::kernel_lines`].
#[derive(Debug, Clone, Copy)]
pub struct LongKernel {
    /// Path of the function's file.
    pub file: &'static str,
    /// Name of the function.
    pub function: &'static str,
    /// Greatest allowed number of lines of the function.
    pub lines: usize,
    /// Reason of the exception.
    pub reason: &'static str,
}

/// The files that may name `CubeCL`.
#[derive(Debug, Clone, Copy)]
pub struct CubeHomes {
    /// Patterns of the files to which the rule applies.
    pub within: &'static [&'static str],
    /// Patterns of the files that may name `CubeCL` anywhere.
    pub open: &'static [&'static str],
    /// Patterns of the files that may name `CubeCL` behind `#[cfg(feature = ..)]` or
    /// `#[cfg_attr(feature = .., ..)]`.
    pub gated: &'static [&'static str],
    /// The features that these attributes may name.
    pub features: &'static [&'static str],
    /// Reason of the rule, printed with a fault.
    pub reason: &'static str,
}

/// The rules of [`super::check`], except for the rule against import cycles, which has no
/// parameter.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// The allowed imports of the files that `layered` lists.
    pub layers: &'static [Layer],
    /// Patterns of the files that need a row in `layers`.
    pub layered: &'static [&'static str],
    /// Greatest allowed number of lines of a file.
    pub file_lines: usize,
    /// Greatest allowed number of lines of a host function, from `fn` to the closing brace.
    pub host_lines: usize,
    /// Greatest allowed number of lines of a function under `#[cube]`.
    pub kernel_lines: usize,
    /// The functions under `#[cube]` that may be longer.
    pub long_kernels: &'static [LongKernel],
    /// The files that may name `CubeCL`.
    pub cube: CubeHomes,
    /// The tests that have no harness of their own.
    pub harness: Harness,
}

/// The tests whose scenes, difference quotients and comparisons come from `splat::check`.
#[derive(Debug, Clone, Copy)]
pub struct Harness {
    /// Patterns of the files to which the rule applies.
    pub within: &'static [&'static str],
    /// Patterns of the files that may use a crate of random numbers, but not for scenes.
    pub may_draw: &'static [&'static str],
    /// The names of functions of `splat::check` that no test function may have.
    pub names: &'static [&'static str],
    /// Reason of the rule, printed with a fault.
    pub reason: &'static str,
}

impl Rules {
    /// Returns a fault for each import that no row allows, and for each file without a row.
    pub fn check_imports(&self, sources: &Sources, imports: &BTreeSet<Import>) -> Vec<Fault> {
        let mut faults = Vec::new();
        for file in sources.files().filter(|file| fits(self.layered, file)) {
            if self.layer(file).is_none() {
                let message = "no row of the import rules is about this file";
                faults.push(Fault::new(file, None, message));
            }
        }
        // A re-export is not an import. Its use counts as an import of the defining file.
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

    /// Returns the reasons of the rows that apply to no file.
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

/// Returns whether one of `patterns` matches `file`.
pub fn fits(patterns: &[&str], file: &str) -> bool {
    let options = MatchOptions {
        require_literal_separator: true,
        ..MatchOptions::default()
    };
    patterns.iter().any(|pattern| {
        Pattern::new(pattern).is_ok_and(|pattern| pattern.matches_with(file, options))
    })
}
