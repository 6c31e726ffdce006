//! Import cycles are faults. Similar imports without a cycle are not.

use std::collections::BTreeSet;

use xtask::structure::check;
use xtask::structure::sources::Sources;

use super::tree::TREE_RULES;

/// Returns the faults of a crate to which the import rules do not apply.
fn faults(files: &[(&str, &str)]) -> Vec<String> {
    let faults = check(&Sources::of(files.iter().copied()), &TREE_RULES);
    faults.iter().map(ToString::to_string).collect()
}

#[test]
fn two_files_that_import_each_other() {
    let faults = faults(&[
        ("tool/src/lib.rs", "mod a; mod b;"),
        ("tool/src/a.rs", "use crate::b::B; pub struct A;"),
        ("tool/src/b.rs", "\nuse crate::a::A; pub struct B;"),
    ]);
    assert_eq!(
        faults,
        [
            "tool/src/a.rs:1: 2 files import each other, and import cycles are not allowed: \
          tool/src/a.rs:1 names `crate::b::B` of tool/src/b.rs, \
          tool/src/b.rs:2 names `crate::a::A` of tool/src/a.rs \
          (all of them: tool/src/a.rs tool/src/b.rs)"
        ]
    );
}

type Files = &'static [(&'static str, &'static str)];

/// Trees of files with one cycle each, and the files of the cycle.
const CIRCLES: [(&str, Files, &str); 7] = [
    (
        "three files of an example",
        &[
            ("splat-x/examples/e/main.rs", "mod a; mod b; mod c;"),
            ("splat-x/examples/e/a.rs", "use crate::b::B; pub struct A;"),
            ("splat-x/examples/e/b.rs", "use crate::c::C; pub struct B;"),
            (
                "splat-x/examples/e/c.rs",
                "fn f() { crate::a::A; } pub struct C;",
            ),
        ],
        "splat-x/examples/e/a.rs splat-x/examples/e/b.rs splat-x/examples/e/c.rs)",
    ),
    (
        "an item of the parent",
        &[
            ("tool/src/lib.rs", "mod a;"),
            ("tool/src/a/mod.rs", "mod b; use b::B; pub struct A;"),
            ("tool/src/a/b.rs", "use super::A; pub struct B;"),
        ],
        "tool/src/a/b.rs tool/src/a/mod.rs)",
    ),
    (
        "an item of a program's root",
        &[
            (
                "tool/src/main.rs",
                "mod a; fn main() { a::run(); } struct Options;",
            ),
            ("tool/src/a.rs", "pub fn run() { crate::Options; }"),
        ],
        "tool/src/a.rs tool/src/main.rs)",
    ),
    (
        "re-exports of the root",
        &[
            (
                "tool/src/lib.rs",
                "mod a; mod b; pub use a::A; pub use b::B;",
            ),
            ("tool/src/a.rs", "use crate::B; pub struct A;"),
            ("tool/src/b.rs", "use crate::A; pub struct B;"),
        ],
        "tool/src/a.rs tool/src/b.rs)",
    ),
    (
        "a glob of the parent's private imports",
        &[
            ("tool/src/lib.rs", "mod a; mod b;"),
            ("tool/src/a.rs", "mod c; use crate::b::B; pub struct A;"),
            ("tool/src/a/c.rs", "use super::*; fn f(_: B) {}"),
            (
                "tool/src/b.rs",
                "pub struct B; fn f() { crate::a::c::f(); }",
            ),
        ],
        "tool/src/a/c.rs tool/src/a.rs tool/src/b.rs)",
    ),
    (
        "a file by its path",
        &[
            ("tool/src/lib.rs", "#[path = \"deep/a.rs\"] mod x; mod b;"),
            ("tool/src/deep/a.rs", "use crate::b::B; pub struct A;"),
            ("tool/src/b.rs", "use crate::x::A; pub struct B;"),
        ],
        "tool/src/b.rs tool/src/deep/a.rs)",
    ),
    (
        "a macro's body",
        &[
            ("tool/src/lib.rs", "mod a; mod b;"),
            (
                "tool/src/a.rs",
                "macro_rules! m { () => { crate::b::B }; } pub struct A;",
            ),
            ("tool/src/b.rs", "use crate::a::A; pub struct B;"),
        ],
        "tool/src/a.rs tool/src/b.rs)",
    ),
];

#[test]
fn a_circle_is_found_however_it_is_closed() {
    for (name, files, wanted) in CIRCLES {
        let faults = faults(files);
        assert!(
            faults.len() == 1 && faults[0].contains("import cycles are not allowed"),
            "{name}: {faults:#?}"
        );
        let all = faults[0].rsplit_once("(all of them: ");
        let got: BTreeSet<&str> = all.map_or("", |(_, all)| all).split([' ', ')']).collect();
        let wanted: BTreeSet<&str> = wanted.split([' ', ')']).collect();
        assert_eq!(got, wanted, "{name}");
    }
}

#[test]
fn a_tree_of_files_has_no_circle() {
    let none = faults(&[
        // A `mod` is not an import. The use of a re-export from a child module is an import by the
        // using file.
        (
            "tool/src/lib.rs",
            "mod a; mod b; mod tests; pub use a::A; pub use b::B;",
        ),
        ("tool/src/a.rs", "pub struct A;"),
        ("tool/src/b/mod.rs", "mod c; pub use c::C; pub struct B;"),
        (
            "tool/src/b/c.rs",
            "use super::B; use crate::A; pub struct C;",
        ),
        (
            "tool/src/tests.rs",
            "#[cfg(test)] mod inner { use crate::{A, B}; } pub struct T;",
        ),
    ]);
    assert_eq!(none, Vec::<String>::new());
}

/// A parent that uses an item that it re-exports imports the item.
#[test]
fn a_re_export_that_the_parent_uses_is_an_import() {
    let faults = faults(&[
        ("tool/src/lib.rs", "mod b;"),
        ("tool/src/b/mod.rs", "mod c; pub use c::C; pub struct B(C);"),
        ("tool/src/b/c.rs", "use super::B; pub struct C;"),
    ]);
    assert!(
        faults.len() == 1 && faults[0].contains("import cycles are not allowed"),
        "{faults:#?}"
    );
}
