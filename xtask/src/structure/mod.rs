//! The checks of the structure of the workspace: the allowed imports, import cycles, the sizes of
//! files and functions, and the files that may name `CubeCL`.
//!
//! [`rules`] defines the form of the rules. [`tables`] holds the rules, and [`groups`] the groups
//! of files that they name. The other files analyse the sources:
//!
//! - [`sources`] reads the files.
//! - [`modules`] finds the modules of a crate. [`names`] finds the file that defines a name.
//! - [`imports`] lists the imports of every file, from `use` items, from paths in the code and from
//!   macros.
//! - [`circles`], [`sizes`], [`cubecl`] and [`harness`] check one rule each.
//! - [`steps`] checks the section "Follow a mean" of docs/ARCHITECTURE.md.
//!
//! The checks miss one kind of import. A method call names no module. If an inherent `impl` is not
//! in the file of its type, calls of its methods are imports that the checks do not find.

pub mod circles;
pub mod cubecl;
pub mod fault;
pub mod groups;
pub mod harness;
pub mod imports;
pub mod layers;
pub mod long_kernels;
pub mod modules;
pub mod names;
pub mod rules;
pub mod sizes;
pub mod sources;
pub mod steps;
pub mod tables;
pub mod tokens;

use std::collections::BTreeSet;

pub use fault::Fault;
use imports::Import;
use rules::Rules;
use sources::Sources;

/// Returns every fault of `sources` under `rules`, sorted by file and line.
pub fn check(sources: &Sources, rules: &Rules) -> Vec<Fault> {
    let mut faults = BTreeSet::new();
    let mut imports: BTreeSet<Import> = BTreeSet::new();
    let mut reached: BTreeSet<String> = BTreeSet::new();
    for root in sources.roots() {
        let mut krate = modules::Crate::load(sources, &root);
        faults.extend(krate.faults.iter().cloned());
        reached.extend(krate.files().map(str::to_owned));
        imports.extend(imports::of(&mut krate));
    }
    for file in sources.files() {
        if !reached.contains(file) {
            let message = "no crate root leads to this file, so that no rule is checked in it";
            faults.insert(Fault::new(file, None, message));
        }
    }
    faults.extend(rules.check_imports(sources, &imports));
    faults.extend(circles::check(&imports));
    faults.extend(sizes::check(sources, rules));
    faults.extend(cubecl::check(sources, rules));
    faults.extend(harness::check(sources, rules));
    faults.into_iter().collect()
}
