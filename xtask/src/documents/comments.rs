//! The lines of prose in a file.

use super::ending;

/// A line of prose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// Its number, from 1.
    pub number: usize,
    /// The whole line.
    pub whole: &'a str,
    /// The prose in it, without the comment's marks.
    pub prose: &'a str,
}

/// Returns the lines of prose of the file `path`. In a Markdown document these are all lines. In
/// other files these are the lines that contain only a comment.
pub fn lines<'a>(path: &str, text: &'a str) -> Vec<Line<'a>> {
    let lines = text.lines().enumerate();
    let lines = lines.filter_map(|(index, whole)| {
        let prose = prose(path, whole)?;
        Some(Line {
            number: index + 1,
            whole,
            prose,
        })
    });
    lines.collect()
}

fn prose<'a>(path: &str, line: &'a str) -> Option<&'a str> {
    if ending(path) == "md" {
        return Some(line);
    }
    let line = line.trim_start();
    let prose = if ending(path) == "rs" {
        let comment = line.strip_prefix("//")?;
        comment.trim_start_matches(['/', '!'])
    } else {
        let comment = line.strip_prefix('#')?;
        if comment.starts_with('!') {
            return None;
        }
        comment.trim_start_matches('#')
    };
    Some(prose.trim())
}
