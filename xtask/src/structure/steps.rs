//! The check of the section "Follow a mean" of docs/ARCHITECTURE.md: every file and function that
//! the section names must exist.
//!
//! A step is an item of a list, a row of a table or a paragraph. In a step, a code span that ends
//! in `.rs` names a file, relative to the root of the workspace or to `splat/src`. The next code
//! span names a function that this file defines, as `name`, `name()`, `Type::name` or
//! `Type::name()`. Further code spans with `()` name functions of the same file.

use std::path::Path;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::fault::Fault;
use super::sizes::functions;
use super::sources::Sources;

/// Text that the heading of the section contains.
pub const HEADING: &str = "Follow a mean";

/// Returns whether `document` has the section.
pub fn has_section(document: &str) -> bool {
    let is_heading = |line: &str| line.starts_with('#') && line.contains(HEADING);
    document.lines().any(is_heading)
}

/// Returns a fault for each missing file or function that `document` names. `document` is the text
/// of the file `name`.
///
/// Fewer than two named functions are a fault too: otherwise an empty section would pass.
pub fn check(sources: &Sources, name: &str, document: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut steps = 0;
    // The named file, whether the step has named a function of this file, and the line.
    let mut file: Option<(String, bool, usize)> = None;
    let fault = |line, message: String| Fault::new(name, Some(line), message);
    let unnamed = |file: &Option<(String, bool, usize)>| match file {
        Some((path, false, line)) => Some(fault(
            *line,
            format!("`{path}` is named without a function of it"),
        )),
        _ => None,
    };
    for span in spans(document) {
        let Span::Code(text, line) = span else {
            faults.extend(unnamed(&file));
            file = None;
            continue;
        };
        if Path::new(&text)
            .extension()
            .is_some_and(|ending| ending == "rs")
        {
            faults.extend(unnamed(&file));
            file = None;
            let found = [text.clone(), format!("splat/src/{text}")];
            match found.into_iter().find(|path| sources.has(path)) {
                Some(path) => file = Some((path, false, line)),
                None => faults.push(fault(line, format!("there is no file `{text}`"))),
            }
            continue;
        }
        let Some((path, named, _)) = &mut file else {
            continue;
        };
        if *named && !text.ends_with("()") {
            continue;
        }
        *named = true;
        steps += 1;
        let bare = text.trim_end_matches("()");
        let function = bare.rsplit("::").next().unwrap_or(bare);
        let defined = functions(sources, path);
        if !defined.iter().any(|other| other.name == function) {
            let message = format!("`{path}` defines no function `{function}`");
            faults.push(fault(line, message));
        }
    }
    faults.extend(unnamed(&file));
    if steps < 2 {
        let message = format!("the section \"{HEADING}\" names {steps} functions: expected a walk");
        faults.push(Fault::new(name, None, message));
    }
    faults
}

enum Span {
    /// A code span and its line.
    Code(String, usize),
    /// The end of a step.
    End,
}

/// Returns the code spans of the section and the ends of its steps.
fn spans(document: &str) -> Vec<Span> {
    let mut spans = Vec::new();
    let (mut heading, mut level, mut inside) = (None, None, false);
    for (event, range) in Parser::new_ext(document, Options::ENABLE_TABLES).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { level: new, .. }) => {
                if level.is_some_and(|level| new <= level) {
                    (inside, level) = (false, None);
                }
                heading = Some((new, String::new()));
            }
            Event::Text(text) => {
                if let Some((_, heading)) = &mut heading {
                    heading.push_str(&text);
                }
            }
            Event::End(TagEnd::Heading(_)) => {
                if let Some((new, text)) = heading.take()
                    && text.contains(HEADING)
                {
                    (inside, level) = (true, Some(new));
                }
            }
            Event::Code(text) if inside => {
                let line = document[..range.start].matches('\n').count() + 1;
                spans.push(Span::Code(text.to_string(), line));
            }
            Event::Start(Tag::Item | Tag::Paragraph | Tag::TableRow) if inside => {
                spans.push(Span::End);
            }
            _ => {}
        }
    }
    spans
}
