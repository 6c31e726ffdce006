//! The tables as Markdown.

use super::sheet::{Cell, Section, Sheet};

/// Lines of prose have at most this many columns.
const WIDTH: usize = 100;

/// Returns the page.
pub(super) fn page(sheet: &Sheet) -> String {
    let lead: Vec<String> = sheet.lead.iter().map(|text| paragraph(text)).collect();
    let sections: Vec<String> = sheet.sections.iter().map(section).collect();
    let title = escape(&sheet.title);
    format!("# {title}\n{}{}", lead.concat(), sections.concat())
}

fn section(section: &Section) -> String {
    let paper = section.paper.as_ref();
    let paper = paper.map_or_else(String::new, |text| paragraph(&format!("Paper: {text}")));
    let headings = section.headings.iter().map(|text| escape(text)).collect();
    let rule = vec!["---".to_owned(); section.headings.len()];
    let cell = |cell: &Cell| {
        let text = escape(&cell.text);
        if cell.best {
            format!("**{text}**")
        } else {
            text
        }
    };
    let rows = section.rows.iter();
    let rows: Vec<String> = rows
        .map(|cells| line(cells.iter().map(cell).collect()))
        .collect();
    format!(
        "\n## {}\n{paper}{}\n{}{}{}",
        escape(&section.name),
        paragraph(&section.caption),
        line(headings),
        line(rule),
        rows.concat()
    )
}

fn line(cells: Vec<String>) -> String {
    format!("| {} |\n", cells.join(" | "))
}

/// Returns a blank line and the escaped text in lines of at most [`WIDTH`] columns, if words allow.
///
/// A line starts with a letter, because other characters can start a list or a heading.
fn paragraph(text: &str) -> String {
    let mut lines = String::new();
    let mut columns = WIDTH;
    for word in escape(text).split_whitespace() {
        let length = word.chars().count();
        let letter = word.starts_with(char::is_alphabetic);
        if lines.is_empty() || (letter && columns + 1 + length > WIDTH) {
            lines.push('\n');
            columns = length;
        } else {
            lines.push(' ');
            columns += 1 + length;
        }
        lines.push_str(word);
    }
    lines + "\n"
}

/// Returns `text` in one line, with the special characters of Markdown escaped.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' => escaped.push(' '),
            '\\' | '`' | '*' | '_' | '<' | '>' | '[' | ']' | '|' | '~' | '&' => {
                escaped.push('\\');
                escaped.push(c);
            }
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_characters_are_escaped() {
        let text = "a|b *c* <d> [e](f) _g_ `h` ~~i~~ &amp; \\ k\nl";
        let escaped = r"a\|b \*c\* \<d\> \[e\](f) \_g\_ \`h\` \~\~i\~\~ \&amp; \\ k l";
        assert_eq!(escape(text), escaped);
    }

    #[test]
    fn long_paragraphs_are_wrapped_before_letters() {
        let words = ["word"; 40].join(" ");
        let lines = paragraph(&words);
        // 20 words of 4 letters and the spaces between them have 99 columns.
        let line = format!("\n{}", ["word"; 20].join(" "));
        assert_eq!(lines, format!("{line}{line}\n"));
        let dashes = paragraph(&["- 1. # +"; 40].join(" "));
        assert_eq!(dashes.lines().count(), 2, "{dashes}");
    }
}
