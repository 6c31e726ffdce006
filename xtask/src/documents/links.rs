//! Relative links of the Markdown documents.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::Documents;
use crate::structure::fault::Fault;

/// Returns a fault for each link to a missing file, folder or heading of the workspace.
pub fn check(documents: &Documents) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (path, text) in documents.markdown() {
        for (line, link) in links(text) {
            if let Err(message) = follow(documents, path, &link) {
                faults.push(Fault::new(path, Some(line), format!("{link}: {message}")));
            }
        }
    }
    faults
}

fn follow(documents: &Documents, from: &str, link: &str) -> Result<(), String> {
    if link.contains("://") || link.starts_with("mailto:") {
        return Ok(());
    }
    let (file, anchor) = match link.split_once('#') {
        Some((file, anchor)) => (file, Some(anchor)),
        None => (link, None),
    };
    let path = if file.is_empty() {
        from.to_owned()
    } else {
        resolve(from, file).ok_or("the link leaves the workspace")?
    };
    if !documents.has(&path) {
        return Err(format!("there is no {path}"));
    }
    let Some(anchor) = anchor else {
        return Ok(());
    };
    let text = documents.text(&path).unwrap_or_default();
    if anchors(text).iter().any(|other| other == anchor) {
        return Ok(());
    }
    Err(format!("{path} has no heading #{anchor}"))
}

/// Converts `to`, a path relative to the folder of the file `from`, to a path relative to the root
/// of the workspace. Returns `None` if the path leaves the workspace.
fn resolve(from: &str, to: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in to.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The destinations of links and pictures, with their lines.
fn links(text: &str) -> Vec<(usize, String)> {
    let events = Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter();
    let links = events.filter_map(|(event, range)| match event {
        Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => Some((
            1 + text[..range.start].matches('\n').count(),
            dest_url.to_string(),
        )),
        _ => None,
    });
    links.collect()
}

/// Returns the anchors of the headings. An anchor is the heading in lower case, with hyphens
/// instead of blanks and without other punctuation.
fn anchors(text: &str) -> Vec<String> {
    let mut anchors = Vec::new();
    let mut heading: Option<String> = None;
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                anchors.extend(heading.take().map(|text| slug(&text)));
            }
            Event::Text(text) | Event::Code(text) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&text);
                }
            }
            _ => {}
        }
    }
    anchors
}

fn slug(heading: &str) -> String {
    let characters = heading.to_lowercase();
    let characters = characters.chars().filter_map(|c| match c {
        ' ' => Some('-'),
        c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
        _ => None,
    });
    characters.collect()
}
