//! The check for phrases that are hard to read.

use super::Documents;
use super::comments::lines;
use crate::structure::fault::Fault;

/// A phrase, in lower case, and the words to write instead.
#[derive(Debug, Clone, Copy)]
pub struct Phrase {
    /// The phrase.
    pub old: &'static str,
    /// The cure.
    pub new: &'static str,
}

const fn phrase(old: &'static str, new: &'static str) -> Phrase {
    Phrase { old, new }
}

/// The phrases that do not return.
pub const PHRASES: &[Phrase] = &[
    phrase("gradient by", "gradient with respect to"),
    phrase("gradients by", "gradients with respect to"),
    phrase("derivative by", "derivative with respect to"),
    phrase("derivatives by", "derivatives with respect to"),
    phrase("everything that went in", "every input"),
    phrase("gives anything back", "recycles"),
    phrase("a user's build profile", "a caller's optimisation level"),
    phrase("counts at no opacity", "passes `alpha_min` at no opacity"),
    phrase("registers it has not", "the kernel spills"),
    phrase("what a device may have", "optional features of a device"),
    phrase("the light behind", "the contribution of the splats behind"),
    phrase("caller's affair", "the caller's responsibility"),
    phrase("nobody", "no caller, no user"),
    phrase("somebody", "a caller, a user"),
    phrase("whoever", "a caller that"),
    phrase("at hand", "available"),
    phrase("nothing but", "only"),
];

/// Returns a fault for each phrase in prose. A phrase that spans two lines is found. Code is not
/// searched.
pub fn check(documents: &Documents) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (path, text) in documents.all() {
        if path.ends_with("documents/phrases.rs") {
            continue;
        }
        for (number, prose) in paragraphs(path, text) {
            for phrase in PHRASES.iter().filter(|phrase| holds(&prose, phrase.old)) {
                let message = format!("\"{}\": expected \"{}\"", phrase.old, phrase.new);
                faults.push(Fault::new(path, Some(number), message));
            }
        }
    }
    faults
}

/// Whether `prose` contains `phrase` as whole words.
fn holds(prose: &str, phrase: &str) -> bool {
    let in_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    prose.match_indices(phrase).any(|(start, _)| {
        let before = prose[..start].chars().next_back();
        let after = prose[start + phrase.len()..].chars().next();
        !in_word(before) && !in_word(after)
    })
}

/// Joins neighbouring lines of prose, in lower case and without code spans. Returns each joined
/// text with the number of its first line.
fn paragraphs(path: &str, text: &str) -> Vec<(usize, String)> {
    let mut paragraphs: Vec<(usize, String)> = Vec::new();
    let mut next = 0;
    let mut fenced = false;
    for line in lines(path, text) {
        let prose = line.prose.trim();
        if prose.starts_with("```") {
            fenced = !fenced;
            next = 0;
            continue;
        }
        if fenced || prose.is_empty() {
            next = 0;
            continue;
        }
        let words = without_code(prose).to_lowercase();
        match paragraphs.last_mut() {
            Some((_, joined)) if line.number == next => {
                joined.push(' ');
                joined.push_str(&words);
            }
            _ => paragraphs.push((line.number, words)),
        }
        next = line.number + 1;
    }
    paragraphs
}

fn without_code(prose: &str) -> String {
    let outside = prose.split('`').step_by(2);
    outside.collect::<Vec<_>>().join("`")
}
