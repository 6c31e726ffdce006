//! The pages of `splat::guide`: documents of the workspace as rustdoc can show them.
//!
//! Rustdoc does not render LaTeX, and a packed crate contains only the files below its own folder.
//! Each page is therefore a copy of a document, with formulas as `MathML` and links to other pages.

use std::io;
use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use pulldown_latex::config::DisplayMode;
use pulldown_latex::{RenderConfig, Storage, push_mathml};

use crate::process::root;

/// The command that writes the pages.
const REGENERATE: &str = "cargo run -p xtask -- pages --write";

/// Rustdoc's paragraphs scroll if their content overflows. A formula exceeds its line by one pixel,
/// so that a scroll bar would appear without this style.
const STYLE: &str = "\n<style>.docblock p:has(math) { overflow: visible !important; }</style>\n";

/// A document and the page that is made from it.
struct Page {
    /// The document's file in the folder `docs`.
    document: &'static str,
    /// The page's module in `splat::guide`, and the name of its file.
    module: &'static str,
}

const PAGES: [Page; 3] = [
    Page {
        document: "CHECKS.md",
        module: "checks",
    },
    Page {
        document: "CONVENTIONS.md",
        module: "conventions",
    },
    Page {
        document: "MATH.md",
        module: "math",
    },
];

/// Compares the pages with the documents, or writes the pages. Returns the pages that differ.
///
/// # Errors
/// Returns an error if a file cannot be read or written, or if a formula cannot be converted.
pub fn check(write: bool) -> io::Result<Vec<String>> {
    let root = root()?;
    let mut stale = Vec::new();
    for page in &PAGES {
        let document = root.join("docs").join(page.document);
        let text = std::fs::read_to_string(document)?.replace("\r\n", "\n");
        let made = converted(&text)
            .map_err(|error| io::Error::other(format!("docs/{}: {error}", page.document)))?;
        let name = format!("splat/src/guide/{}.md", page.module);
        let path = root.join(&name);
        let made = made + STYLE;
        if write {
            std::fs::write(path, made)?;
        } else if std::fs::read_to_string(path)?.replace("\r\n", "\n") != made {
            stale.push(name);
        }
    }
    Ok(stale)
}

/// Prints the pages that differ from their documents. Returns whether there are none.
pub fn report(stale: &[String]) -> bool {
    for name in stale {
        println!("{name} differs from its document; to write it: {REGENERATE}");
    }
    if stale.is_empty() {
        println!("the pages of splat::guide equal their documents");
    }
    stale.is_empty()
}

/// The page of a document.
fn converted(document: &str) -> Result<String, String> {
    let mut edits = edits(document)?;
    edits.sort_by_key(|edit| edit.range.start);
    let mut page = String::new();
    let mut copied = 0;
    for edit in edits {
        page.push_str(&document[copied..edit.range.start]);
        page.push_str(&edit.text);
        copied = edit.range.end;
    }
    page.push_str(&document[copied..]);
    Ok(page)
}

/// A part of a document and the text that replaces it.
struct Edit {
    range: Range<usize>,
    text: String,
}

fn edits(document: &str) -> Result<Vec<Edit>, String> {
    let options = Options::ENABLE_TABLES | Options::ENABLE_MATH;
    let mut edits = Vec::new();
    let mut in_code = false;
    for (event, range) in Parser::new_ext(document, options).into_offset_iter() {
        match event {
            Event::InlineMath(latex) => edits.push(Edit {
                range,
                text: mathml(&latex, DisplayMode::Inline)?,
            }),
            Event::DisplayMath(latex) => edits.push(Edit {
                range,
                text: mathml(&latex, DisplayMode::Block)?,
            }),
            Event::Start(Tag::Link { dest_url, .. }) if !dest_url.contains("://") => {
                edits.extend(link_edits(document, range, &dest_url)?);
            }
            Event::Start(Tag::CodeBlock(_)) => in_code = true,
            Event::End(TagEnd::CodeBlock) => in_code = false,
            Event::Text(text) if !in_code && text.contains('$') => {
                return Err(format!("expected every $ to delimit a formula, got {text}"));
            }
            // Rustdoc interprets a reference such as `[2]` as a link to an item.
            Event::Text(_) if !in_code => {
                let brackets = document[range.clone()].match_indices(['[', ']']);
                edits.extend(brackets.map(|(index, _)| Edit {
                    range: range.start + index..range.start + index,
                    text: "\\".to_owned(),
                }));
            }
            _ => {}
        }
    }
    Ok(edits)
}

/// Returns the edits of one link. A link to a document that has a page becomes a link to the page.
/// Any other link becomes plain text, because its file is not in the package.
fn link_edits(document: &str, link: Range<usize>, destination: &str) -> Result<Vec<Edit>, String> {
    let text = &document[link.clone()];
    let end = text.rfind("](");
    let end = link.start + end.ok_or_else(|| format!("expected [text](path), got {text}"))?;
    let (file, anchor) = match destination.split_once('#') {
        Some((file, anchor)) => (file, format!("#{anchor}")),
        None => (destination, String::new()),
    };
    if file.is_empty() {
        return Ok(Vec::new());
    }
    if let Some(page) = PAGES.iter().find(|page| page.document == file) {
        return Ok(vec![Edit {
            range: end..link.end,
            text: format!("](crate::guide::{}{anchor})", page.module),
        }]);
    }
    let removed = [link.start..link.start + 1, end..link.end];
    Ok(removed
        .map(|range| Edit {
            range,
            text: String::new(),
        })
        .into())
}

/// Converts a formula to `MathML` on one line, with every Markdown character escaped.
fn mathml(latex: &str, mode: DisplayMode) -> Result<String, String> {
    let storage = Storage::new();
    let faults = pulldown_latex::Parser::new(latex, &storage).filter_map(Result::err);
    if let Some(fault) = faults.into_iter().next() {
        return Err(format!("{latex}: {fault}"));
    }
    let mut made = String::new();
    let settings = RenderConfig {
        display_mode: mode,
        ..RenderConfig::default()
    };
    let formula = pulldown_latex::Parser::new(latex, &storage);
    push_mathml(&mut made, formula, settings).map_err(|error| format!("{latex}: {error}"))?;
    // For `\big` the converter omits this blank. Rustdoc then reports a tag without a start.
    Ok(escaped(&made.replace("\"minsize", "\" minsize")))
}

/// Replaces the Markdown characters in the text of `mathml` by character references.
fn escaped(mathml: &str) -> String {
    let mut text = String::new();
    let mut in_tag = false;
    for c in mathml.chars() {
        match c {
            '<' => in_tag = true,
            '>' if in_tag => {
                in_tag = false;
                text.push(c);
                continue;
            }
            _ => {}
        }
        match c {
            '\n' => text.push(' '),
            '>' | '|' | '*' | '_' | '[' | ']' | '\\' | '`' | '~' | '$' if !in_tag => {
                text.extend(["&#", &u32::from(c).to_string(), ";"]);
            }
            _ => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_become_mathml() {
        let page = converted("Half of $a_b$ and\n\n$$\nx > y\n$$\n").unwrap();
        assert!(
            page.starts_with("Half of <math display=\"inline\">"),
            "{page}"
        );
        assert!(
            page.contains(
                "<msub><mi>a</mi><mi>b</mi></msub></math> and\n\n<math display=\"block\">"
            )
        );
        assert!(page.contains("<mo>&#62;</mo>"), "{page}");
        assert!(!page.contains('$'), "{page}");
    }

    #[test]
    fn references_are_not_links() {
        let page = converted("as in [2], `[N]` and [M](MATH.md)").unwrap();
        assert_eq!(page, "as in \\[2\\], `[N]` and [M](crate::guide::math)");
    }

    #[test]
    fn attributes_are_separated() {
        let page = converted("$\\big( a \\big)$").unwrap();
        assert!(
            page.contains("\" minsize=") && !page.contains("\"minsize"),
            "{page}"
        );
    }

    #[test]
    fn text_of_formulas_is_not_markdown() {
        let page = converted("| $|a|$ | $[b] * c$ |\n|---|---|\n| $d$ | e |\n").unwrap();
        for line in page.lines() {
            assert_eq!(line.matches('|').count(), 3, "{line}");
        }
        assert!(!page.contains(">*<") && !page.contains(">[<"), "{page}");
    }

    #[test]
    fn code_is_not_a_formula() {
        let text = "Type `$a$` or\n\n```sh\necho $b $c\n```\n";
        assert_eq!(converted(text).as_deref(), Ok(text));
    }

    #[test]
    fn links_lead_to_pages() {
        let of = |text: &str| converted(text).unwrap();
        assert_eq!(of("see [M](MATH.md)."), "see [M](crate::guide::math).");
        assert_eq!(
            of("[the $x$](CONVENTIONS.md#6-order)")
                .rsplit_once("</math>")
                .unwrap()
                .1,
            "](crate::guide::conventions#6-order)"
        );
        assert_eq!(of("[here](#6-order)"), "[here](#6-order)");
        assert_eq!(of("[web](https://a.b/c)"), "[web](https://a.b/c)");
        assert_eq!(
            of("a [table](BENCHMARKS.md), a [file](../splat/src/lib.rs)"),
            "a table, a file"
        );
    }

    #[test]
    fn a_broken_formula_is_an_error() {
        let error = converted("$\\nosuchcommand$").unwrap_err();
        assert!(error.contains("nosuchcommand"), "{error}");
        for text in ["$\\frac{a$", "costs 5 $ or"] {
            assert!(converted(text).is_err(), "{text}");
        }
    }
}
