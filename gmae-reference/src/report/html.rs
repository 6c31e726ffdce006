//! The parts that every page has: document, headings, figures, tables, legends.

use super::picture::escape;

const STYLE: &str = include_str!("style.css");

/// Returns a whole page. `title` is text, `body` is HTML.
pub(super) fn document(title: &str, body: &str) -> String {
    let title = escape(title);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )
}

/// Returns a heading, an explanation and the content, or nothing if there is no content.
pub(super) fn section(title: &str, explanation: &str, body: &str) -> String {
    if body.is_empty() {
        return String::new();
    }
    format!("<h2>{title}</h2>\n<p>{explanation}</p>\n{body}")
}

/// Returns a heading of a part of a section, or nothing without a `title`. `title` is text.
pub(super) fn heading(title: &str) -> String {
    if title.is_empty() {
        return String::new();
    }
    format!("<h3>{}</h3>\n", escape(title))
}

/// Returns a figure. `content` is HTML, `caption` is text that is escaped here.
pub(super) fn figure(content: &str, caption: &str) -> String {
    format!(
        "<figure>{content}<figcaption>{}</figcaption></figure>\n",
        escape(caption)
    )
}

/// Returns one paragraph for each note.
pub(super) fn notes(notes: &[String]) -> String {
    let note = |note: &String| format!("<p class=\"note\">{}</p>\n", escape(note));
    notes.iter().map(note).collect()
}

/// Returns a command line in a panel. Lines break between the arguments. A browser would also break
/// them after a hyphen.
pub(super) fn command(command: &str) -> String {
    let argument = |word: &str| format!("<span>{}</span>", escape(word));
    let arguments: Vec<String> = command.split(' ').map(argument).collect();
    let arguments = arguments.join(" ");
    format!("<div class=\"panel\"><pre>{arguments}</pre></div>\n")
}

/// Returns a table of names and values.
pub(super) fn table(rows: &[[&str; 2]]) -> String {
    let row = |[name, value]: &[&str; 2]| {
        format!(
            "<tr><td>{}</td><td>{}</td></tr>\n",
            escape(name),
            escape(value)
        )
    };
    let rows: String = rows.iter().map(row).collect();
    format!("<table class=\"settings\">\n{rows}</table>")
}

/// Returns the legend of a plot from the classes and the names of its series.
pub(super) fn legend<C: AsRef<str>, N: AsRef<str>>(entries: &[(C, N)]) -> String {
    let entry = |(class, name): &(C, N)| {
        format!(
            "<span><i class=\"{}\"></i>{}</span>",
            class.as_ref(),
            escape(name.as_ref())
        )
    };
    let entries: String = entries.iter().map(entry).collect();
    format!("<div class=\"legend\">{entries}</div>\n")
}
