//! Long files, long functions and unnecessary exceptions are faults.

use xtask::structure::check;
use xtask::structure::rules::{LongKernel, Rules};
use xtask::structure::sizes::{Function, functions};
use xtask::structure::sources::Sources;
use xtask::structure::tables::RULES;

const FILE: &str = "tool/src/lib.rs";

fn faults(text: &str, long_kernels: &'static [LongKernel]) -> Vec<String> {
    let rules = Rules {
        long_kernels,
        ..RULES
    };
    let faults = check(&Sources::of([(FILE, text)]), &rules);
    faults.iter().map(ToString::to_string).collect()
}

/// Returns the text of a function of `lines` lines.
fn function(before: &str, lines: usize) -> String {
    format!("{before} f() {{\n{}}}\n", "    a();\n".repeat(lines - 2))
}

#[test]
fn a_file_has_400_lines() {
    assert_eq!(faults(&"\n".repeat(400), &[]), [""; 0]);
    assert_eq!(
        faults(&"\n".repeat(401), &[]),
        ["tool/src/lib.rs: 401 lines: a file has at most 400"]
    );
}

/// Every form of a host function.
const HOST: [(&str, &str); 8] = [
    ("", "fn"),
    ("", "pub(crate) async fn"),
    ("", "#[inline] pub fn"),
    ("", "#[cfg_attr(feature = \"gpu\", cube)] pub fn"),
    ("impl A { ", "fn"),
    ("trait A { ", "fn"),
    ("mod a { ", "fn"),
    ("macro_rules! a { () => { ", "fn"),
];

#[test]
fn a_function_of_the_host_has_80_lines() {
    for (around, before) in HOST {
        let end = " }".repeat(around.matches('{').count());
        let of = |lines| format!("{around}{}{end}", function(before, lines));
        assert_eq!(faults(&of(80), &[]), [""; 0], "{around}{before}");
        assert_eq!(
            faults(&of(81), &[]),
            ["tool/src/lib.rs:1: `f` has 81 lines: a function of the host has at most 80 here"],
            "{around}{before}"
        );
    }
}

#[test]
fn a_function_within_a_function_is_found() {
    let text = format!("const A: u8 = {{ {} 1 }};", function("fn", 81));
    assert_eq!(faults(&text, &[]).len(), 1);
}

const CUBE: [&str; 4] = [
    "#[cube] fn",
    "#[cube(launch)] pub(crate) fn",
    "#[cube(launch_unchecked)] #[expect(clippy::a, reason = \"b\")] fn",
    "#[cubecl::cube] fn",
];

#[test]
fn a_device_function_has_120_lines() {
    for before in CUBE {
        assert_eq!(faults(&function(before, 120), &[]), [""; 0], "{before}");
        assert_eq!(
            faults(&function(before, 121), &[]),
            ["tool/src/lib.rs:1: `f` has 121 lines: a function under #[cube] has at most 120 here"],
            "{before}"
        );
    }
}

/// The attribute applies to one item only.
#[test]
fn the_function_after_a_device_function_is_one_of_the_host() {
    for first in [
        "#[cube] fn g() {}",
        "#[cube] const A: u8 = 1;",
        "#[cube] struct A { a: u8 }",
    ] {
        let text = format!("{first}\n{}", function("fn", 81));
        assert_eq!(
            faults(&text, &[]),
            ["tool/src/lib.rs:2: `f` has 81 lines: a function of the host has at most 80 here"],
            "{first}"
        );
    }
}

const ONE: &[LongKernel] = &[LongKernel {
    file: FILE,
    function: "f",
    lines: 150,
    reason: "a test",
}];

#[test]
fn an_exception_holds_to_its_own_limit() {
    assert_eq!(faults(&function("#[cube] fn", 121), ONE), [""; 0]);
    assert_eq!(faults(&function("#[cube] fn", 150), ONE), [""; 0]);
    assert_eq!(
        faults(&function("#[cube] fn", 151), ONE),
        ["tool/src/lib.rs:1: `f` has 151 lines: a function under #[cube] has at most 150 here"]
    );
}

#[test]
fn an_exception_that_is_not_needed_is_a_fault() {
    let unneeded = "tool/src/lib.rs: `f` is on the list of long kernels, but is gone or within the limit: remove the entry";
    assert_eq!(faults(&function("#[cube] fn", 120), ONE), [unneeded]);
    assert_eq!(faults("", ONE), [unneeded]);
    // The exception does not apply to host functions.
    assert_eq!(faults(&function("fn", 121), ONE).len(), 2);
}

#[test]
fn what_is_no_function_is_not_counted() {
    let text =
        "trait A { fn a(); fn b(f: fn(u8) -> u8) -> [u8; 2]; }\nfn c()\nwhere\n    A: B,\n{\n}\n";
    let c = Function {
        name: "c".to_owned(),
        line: 2,
        lines: 5,
        cube: false,
    };
    assert_eq!(functions(&Sources::of([(FILE, text)]), FILE), [c]);
}
