//! The words of the workspace: links, widths and phrases. Each check is also fed wrong documents.

use std::io;
use std::path::Path;

use xtask::documents::{Documents, links, phrases, widths};
use xtask::structure::fault::Fault;

fn workspace() -> io::Result<Documents> {
    Documents::read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")))
}

fn lines(faults: &[Fault]) -> String {
    let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

fn assert_none(faults: &[Fault]) {
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        lines(faults)
    );
}

#[test]
fn every_kind_of_file_is_read() -> io::Result<()> {
    let documents = workspace()?;
    for path in [
        "README.md",
        "docs/MATH.md",
        "splat/src/lib.rs",
        "Cargo.toml",
        ".ci/run",
        "benches/peers/device.sh",
    ] {
        assert!(documents.text(path).is_some(), "{path}");
    }
    assert!(documents.text("splat/src/guide/math.md").is_none());
    Ok(())
}

#[test]
fn every_relative_link_leads_somewhere() -> io::Result<()> {
    assert_none(&links::check(&workspace()?));
    Ok(())
}

#[test]
fn no_line_of_prose_is_too_wide() -> io::Result<()> {
    assert_none(&widths::check(&workspace()?));
    Ok(())
}

#[test]
fn hard_phrases_do_not_return() -> io::Result<()> {
    assert_none(&phrases::check(&workspace()?));
    Ok(())
}

#[test]
fn a_broken_link_is_a_fault() {
    let good = [
        (
            "README.md",
            "[a](docs/A.md#two-words) [b](docs) [c](#me)\n\n# Me\n",
        ),
        (
            "docs/A.md",
            "# Two `words`!\n[up](../README.md) [web](https://a.b/c.md)\n",
        ),
    ];
    assert_none(&links::check(&Documents::of(&good)));
    for (link, message) in [
        ("docs/B.md", "there is no docs/B.md"),
        ("docs/A.md#three", "docs/A.md has no heading #three"),
        ("#three", "README.md has no heading #three"),
        ("../outside.md", "the link leaves the workspace"),
        ("docs/A.md/x", "there is no docs/A.md/x"),
    ] {
        for mark in ["", "!"] {
            let text = format!("# One\n\n{mark}[x]({link})\n");
            let faults = links::check(&Documents::of(&[("README.md", &text), good[1]]));
            assert_eq!(lines(&faults), format!("README.md:3: {link}: {message}"));
        }
    }
}

#[test]
fn a_wide_line_is_a_fault() {
    let long = "word ".repeat(30);
    for (path, text) in [
        ("a.md", format!("short\n{long}\n")),
        ("a.rs", format!("fn f() {{}}\n    /// {long}\n")),
        ("a.toml", format!("[a]\n# {long}\n")),
        (".ci/run", format!("set -e\n# {long}\n")),
    ] {
        let faults = widths::check(&Documents::of(&[(path, &text)]));
        assert_eq!(faults.len(), 1, "{path}");
        assert_eq!(faults[0].line, Some(2), "{path}");
    }
    let fine = [
        ("a.md", format!("| {long} |\n")),
        ("b.md", format!("{long} [a](b.md)\n")),
        ("a.rs", format!("let a = \"{long}\";\n")),
    ];
    for (path, text) in &fine {
        assert_none(&widths::check(&Documents::of(&[(path, text)])));
    }
}

#[test]
fn a_hard_phrase_is_a_fault() {
    for text in [
        "The gradient by the mean.",
        "a Gradient\nby the mean",
        "Nobody asks.",
    ] {
        let faults = phrases::check(&Documents::of(&[("a.md", text)]));
        assert_eq!(faults.len(), 1, "{text}");
    }
    let comment = "/// The gradient\n/// by the mean.\nfn f() {}\n";
    assert_eq!(
        phrases::check(&Documents::of(&[("a.rs", comment)])).len(),
        1
    );
}

#[test]
fn code_and_longer_words_are_no_phrases() {
    for text in [
        "`gradient by`",
        "```text\nnobody\n```",
        "the gradient bytes",
        "a gradient\n\nby and by",
    ] {
        assert_none(&phrases::check(&Documents::of(&[("a.md", text)])));
    }
}
