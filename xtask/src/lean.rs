//! The check of the dependencies of `splat` without features: no crate for GPUs or deep learning,
//! and few crates in total.

use std::collections::BTreeSet;
use std::io;

use crate::process::{cargo, output};

/// The package that is checked.
const PRODUCT: &str = "splat";
/// The package's dependency tree must have fewer crates than this, including the package itself.
const LIMIT: usize = 40;
/// Prefixes of the names of crates that the package may depend on only with a feature.
const HEAVY: [&str; 4] = ["cubecl", "wgpu", "cudarc", "burn"];

/// Checks the dependency tree of `splat` without features. Returns the number of crates in it.
///
/// # Errors
/// Returns an error if `cargo tree` fails, if the tree contains a crate for GPUs or deep learning,
/// or if it has too many crates.
pub fn check() -> io::Result<usize> {
    let mut tree = cargo([
        "tree",
        "--package",
        PRODUCT,
        "--edges",
        "normal,build",
        "--prefix",
        "none",
    ])?;
    judge(&output(&mut tree)?).map_err(io::Error::other)
}

/// Checks `tree`, the output of `cargo tree --prefix none`. Returns the number of crates in it.
fn judge(tree: &str) -> Result<usize, String> {
    let crates: BTreeSet<(&str, &str)> = tree.lines().filter_map(name_and_version).collect();
    if !crates.iter().any(|(name, _)| *name == PRODUCT) {
        return Err(format!(
            "expected a tree with {PRODUCT} in it, got {tree:?}"
        ));
    }
    let heavy: Vec<&str> = crates
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| HEAVY.iter().any(|heavy| name.starts_with(heavy)))
        .collect();
    if !heavy.is_empty() {
        let heavy = heavy.join(", ");
        return Err(format!("{PRODUCT} without features depends on {heavy}"));
    }
    if crates.len() >= LIMIT {
        return Err(format!(
            "{PRODUCT} without features has {} crates: expected fewer than {LIMIT}",
            crates.len()
        ));
    }
    Ok(crates.len())
}

/// Returns name and version of a line. Two versions of a crate count as two crates. A mark ` (*)`
/// of a repeated crate is ignored.
fn name_and_version(line: &str) -> Option<(&str, &str)> {
    let mut words = line.split_whitespace();
    Some((words.next()?, words.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "splat v0.1.0 (/a/splat)\n\
        rayon v1.12.0\n\
        either v1.15.0\n\
        rayon v1.12.0 (*)\n\
        serde_derive v1.0.1 (proc-macro)\n";

    #[test]
    fn a_crate_counts_once() {
        assert_eq!(judge(TREE), Ok(4));
        assert_eq!(judge(&format!("{TREE}either v1.14.0\n")), Ok(5));
    }

    #[test]
    fn a_heavy_crate_is_a_fault() {
        for heavy in ["cubecl-runtime", "wgpu", "wgpu-core", "cudarc", "burn-flex"] {
            let verdict = judge(&format!("{TREE}{heavy} v0.1.0\n"));
            assert_eq!(
                verdict,
                Err(format!("splat without features depends on {heavy}"))
            );
        }
    }

    #[test]
    fn many_crates_are_a_fault() {
        let with = |more: usize| {
            let more: Vec<String> = (0..more).map(|i| format!("small{i} v1.0.0")).collect();
            let more = more.join(
                "
",
            );
            judge(&format!("{TREE}{more}"))
        };
        assert_eq!(with(35), Ok(39));
        assert_eq!(
            with(36),
            Err("splat without features has 40 crates: expected fewer than 40".to_owned())
        );
    }

    #[test]
    fn an_empty_tree_is_a_fault() {
        for tree in ["", "\n", "error: no such package\n"] {
            assert!(judge(tree).is_err(), "{tree:?}");
        }
    }
}
