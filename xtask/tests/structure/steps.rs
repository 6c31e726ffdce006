//! Wrong files, wrong functions and an empty section "Follow a mean" are faults.

use xtask::structure::sources::Sources;
use xtask::structure::steps::{check, has_section};

fn faults(document: &str) -> Vec<String> {
    let sources = Sources::of([
        (
            "splat/src/render.rs",
            "pub fn render() {}\npub fn render_vjp() {}",
        ),
        (
            "splat/src/project/cpu/forward.rs",
            "impl Cpu { fn project(&self) {} }",
        ),
        ("splat-autodiff/src/render.rs", "pub fn attach() {}"),
    ]);
    let faults = check(&sources, "A.md", document);
    faults.iter().map(ToString::to_string).collect()
}

const RIGHT: &str = "
# Architecture
Before the section `nothing.rs` is `checked`.
## 3. Follow a mean
A mean of `f32` enters.
1. `splat/src/render.rs`: `render` calls the stages with `T`; `render_vjp()` the other way.
2. `project/cpu/forward.rs`, `Cpu::project`: one of `means`.

| `splat-autodiff/src/render.rs` | `attach()` |
|---|---|
| `render.rs` | `render_vjp` |

### Still in it
`render.rs` `render`
## After it
`nothing.rs`
";

#[test]
fn a_right_walk_has_no_fault() {
    assert_eq!(faults(RIGHT), [""; 0]);
    assert!(has_section(RIGHT));
}

#[test]
fn a_walk_that_names_what_is_not_there_is_a_fault() {
    let cases = [
        (
            "`splat/src/render.rs`: `render`",
            "`splat/src/renders.rs`: `render`",
            "A.md:6: there is no file `splat/src/renders.rs`",
        ),
        (
            "`project/cpu/forward.rs`",
            "`project/forward.rs`",
            "A.md:7: there is no file `project/forward.rs`",
        ),
        (
            "`render` calls",
            "`renders` calls",
            "A.md:6: `splat/src/render.rs` defines no function `renders`",
        ),
        (
            "`render_vjp()` the",
            "`render_vpj()` the",
            "A.md:6: `splat/src/render.rs` defines no function `render_vpj`",
        ),
        (
            "`Cpu::project`",
            "`Cpu::bin`",
            "A.md:7: `splat/src/project/cpu/forward.rs` defines no function `bin`",
        ),
        (
            "`attach()`",
            "`render`",
            "A.md:9: `splat-autodiff/src/render.rs` defines no function `render`",
        ),
        (
            "| `render_vjp` |",
            "| |",
            "A.md:11: `splat/src/render.rs` is named without a function of it",
        ),
        (
            "`render.rs` `render`",
            "`render.rs` `Renders`",
            "A.md:14: `splat/src/render.rs` defines no function `Renders`",
        ),
    ];
    for (right, wrong, fault) in cases {
        assert!(RIGHT.contains(right), "{right}");
        assert_eq!(faults(&RIGHT.replace(right, wrong)), [fault]);
    }
}

/// A function is only looked for in the file of the same step.
#[test]
fn a_step_ends_with_its_item() {
    let document =
        "## Follow a mean\n1. `render.rs` `render`\n2. `render.rs` `render`\n3. then `project()`\n";
    assert_eq!(faults(document), [""; 0]);
    let document =
        "## Follow a mean\n1. `render.rs` `render` `project()`\n2. `render.rs` `render`\n";
    assert_eq!(faults(document).len(), 1);
}

#[test]
fn a_section_that_names_nothing_is_a_fault() {
    for document in [
        "",
        "## Follow a mean\nIt goes.\n## Next\n1. `render.rs` `render`\n2. `render.rs` `render`\n",
    ] {
        assert_eq!(
            faults(document),
            ["A.md: the section \"Follow a mean\" names 0 functions: expected a walk"]
        );
    }
    assert!(!has_section("# Architecture\nFollow a mean"));
}
