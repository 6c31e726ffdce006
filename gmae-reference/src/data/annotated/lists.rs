//! Lists of names, one on each line.

use std::path::Path;

use super::entry::fault;
use super::files::text;
use crate::data::error::DataError;

/// Number of classes of PASCAL VOC without the background.
pub(super) const CLASSES: u8 = 20;
/// The kind of file, for messages.
const WHAT: &str = "list of images";

/// One line of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) name: String,
    /// The class, in 1..=20. `None` if the line names no class.
    pub(super) class: Option<u8>,
}

/// Reads a list of lines `NAME` or `NAME__CLASS`. Empty lines are ignored.
///
/// # Errors
///
/// [`DataError::Annotation`] if the file cannot be read, a line has another form, or no line is
/// left.
pub(super) fn read(path: &Path) -> Result<Vec<Line>, DataError> {
    let text = text(WHAT, path)?;
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let parsed = parse(line).ok_or_else(|| {
            let expected = "lines such as 2007_000033 or 2007_000033__01, with a class of 1 to 20";
            fault(WHAT, path, expected, format!("{line:?} in line {number}"))
        })?;
        lines.push(parsed);
    }
    if lines.is_empty() {
        return Err(fault(WHAT, path, "at least one line", "an empty list"));
    }
    Ok(lines)
}

fn parse(line: &str) -> Option<Line> {
    let (name, class) = match line.split_once("__") {
        Some((name, class)) => (name, Some(class)),
        None => (line, None),
    };
    // A name with other characters could leave the folder of the images.
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if name.is_empty() || !name.chars().all(plain) {
        return None;
    }
    let class = match class {
        None => None,
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
            Some(digits.parse().ok().filter(|c| (1..=CLASSES).contains(c))?)
        }
        Some(_) => return None,
    };
    Some(Line {
        name: name.to_owned(),
        class,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_name_with_or_without_a_class() {
        let line = |name: &str, class| {
            Some(Line {
                name: name.to_owned(),
                class,
            })
        };
        assert_eq!(parse("2007_000033__01"), line("2007_000033", Some(1)));
        assert_eq!(parse("2008_008746__20"), line("2008_008746", Some(20)));
        assert_eq!(parse("2007_000033"), line("2007_000033", None));
        for bad in [
            "__01",
            "2007__",
            "2007__0",
            "2007__21",
            "2007__+1",
            "2007__1__2",
            "2007__999999999999",
            "../secret",
            "a b",
            "a/b__1",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
