//! The header of a PLY file.

use std::collections::HashSet;

use crate::io::error::FileError;
use crate::io::numbers::NumberType;

/// The number of words of a line that are read. A valid line that is no comment has at most five.
const MOST_WORDS: usize = 8;
/// The number of bytes of a line that are read.
const LONGEST_LINE: usize = 4096;

/// How the rows are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Text,
    Little,
    Big,
}

/// The type of a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Number(NumberType),
    /// A number of items, then the items.
    List {
        length: NumberType,
        item: NumberType,
    },
}

#[derive(Debug)]
pub(super) struct Property {
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// An element: `count` rows of properties.
#[derive(Debug)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) count: usize,
    pub(super) properties: Vec<Property>,
}

#[derive(Debug)]
pub(super) struct Header<'a> {
    pub(super) encoding: Encoding,
    pub(super) elements: Vec<Element>,
    /// The byte that ends a line.
    pub(super) line_end: u8,
    /// The number of lines of the header.
    pub(super) lines: usize,
    /// The bytes after the header.
    pub(super) body: &'a [u8],
}

impl<'a> Header<'a> {
    /// Reads the header at the beginning of a file.
    pub(super) fn parse(file: &'a [u8]) -> Result<Self, FileError> {
        // Old Macintosh files end their lines by a carriage return alone.
        let lone_return = file.get(3) == Some(&b'\r') && file.get(4) != Some(&b'\n');
        let line_end = if lone_return { b'\r' } else { b'\n' };
        let mut header = Header {
            encoding: Encoding::Text,
            elements: Vec::new(),
            line_end,
            lines: 0,
            body: file,
        };
        let mut encoding = None;
        let (mut names, mut elements) = (HashSet::new(), HashSet::new());
        loop {
            let line = header.next_line()?;
            let place = format!("line {}", header.lines);
            let words = line.split_ascii_whitespace();
            // A comment has any number of words. Every other line has fewer than these.
            let words: Vec<&str> = words.take(MOST_WORDS).collect();
            match words[..] {
                ["ply"] if header.lines == 1 => {}
                _ if header.lines == 1 => {
                    return Err(FileError::content(place, "\"ply\"", quoted(&line)));
                }
                [] | ["comment" | "obj_info", ..] => {}
                ["format", kind, version] if encoding.is_none() => {
                    encoding = Some(read_format(&place, kind, version)?);
                }
                ["element", name, count] => {
                    let element = read_element(&place, name, count)?;
                    if !elements.insert(name.to_owned()) {
                        return Err(FileError::content(place, "another element", name));
                    }
                    header.elements.push(element);
                    names.clear();
                }
                ["property", ref kind @ .., name] if !kind.is_empty() => {
                    let kind = read_kind(&place, kind)?;
                    let Some(element) = header.elements.last_mut() else {
                        return Err(FileError::content(place, "an element first", quoted(&line)));
                    };
                    if !names.insert(name.to_owned()) {
                        return Err(FileError::content(place, "another property", name));
                    }
                    element.properties.push(Property {
                        name: name.to_owned(),
                        kind,
                    });
                }
                ["end_header"] => break,
                _ => {
                    let expected =
                        "one format, element NAME COUNT, property TYPE NAME or end_header";
                    return Err(FileError::content(place, expected, quoted(&line)));
                }
            }
        }
        header.encoding = encoding
            .ok_or_else(|| FileError::content("header", "a line \"format ...\"", "none"))?;
        Ok(header)
    }

    /// Returns the names of the elements.
    pub(super) fn names(&self) -> String {
        let names = self.elements.iter().map(|element| element.name.as_str());
        let names: Vec<&str> = names.collect();
        if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        }
    }

    /// Takes the next line of the header. Its letters need not be UTF-8. Only the beginning of a
    /// long line is returned.
    fn next_line(&mut self) -> Result<String, FileError> {
        let end = self.body.iter().position(|&byte| byte == self.line_end);
        let Some(end) = end else {
            let expected = "a header that ends by \"end_header\"";
            return Err(FileError::content(
                "header",
                expected,
                "the end of the file",
            ));
        };
        let (line, rest) = self.body.split_at(end);
        self.body = &rest[1..];
        self.lines += 1;
        let line = &line[..line.len().min(LONGEST_LINE)];
        Ok(String::from_utf8_lossy(line).into_owned())
    }
}

fn quoted(line: &str) -> String {
    format!("\"{}\"", line.trim())
}

fn read_format(place: &str, kind: &str, version: &str) -> Result<Encoding, FileError> {
    if version != "1.0" {
        return Err(FileError::content(place, "version 1.0", version));
    }
    match kind {
        "ascii" => Ok(Encoding::Text),
        "binary_little_endian" => Ok(Encoding::Little),
        "binary_big_endian" => Ok(Encoding::Big),
        _ => {
            let expected = "ascii, binary_little_endian or binary_big_endian";
            Err(FileError::content(place, expected, kind))
        }
    }
}

fn read_element(place: &str, name: &str, count: &str) -> Result<Element, FileError> {
    let number = count
        .parse()
        .map_err(|_| FileError::content(format!("{place}, element {name}"), "a count", count))?;
    Ok(Element {
        name: name.to_owned(),
        count: number,
        properties: Vec::new(),
    })
}

/// Reads the type of a property: one word, or "list" and two words.
fn read_kind(place: &str, words: &[&str]) -> Result<Kind, FileError> {
    let number = |word: &str| {
        number_type(word).ok_or_else(|| {
            let expected = "a type: char, uchar, short, ushort, int, uint, float or double";
            FileError::content(place, expected, word)
        })
    };
    match *words {
        [kind] => Ok(Kind::Number(number(kind)?)),
        ["list", length, item] => {
            let (kind, item) = (number(length)?, number(item)?);
            if kind.integers().is_none() {
                let expected = "an integer type for the length of the list";
                return Err(FileError::content(place, expected, length));
            }
            Ok(Kind::List { length: kind, item })
        }
        _ => {
            let expected = "property TYPE NAME or property list TYPE TYPE NAME";
            Err(FileError::content(
                place,
                expected,
                quoted(&words.join(" ")),
            ))
        }
    }
}

fn number_type(word: &str) -> Option<NumberType> {
    Some(match word {
        "char" | "int8" => NumberType::I8,
        "uchar" | "uint8" => NumberType::U8,
        "short" | "int16" => NumberType::I16,
        "ushort" | "uint16" => NumberType::U16,
        "int" | "int32" => NumberType::I32,
        "uint" | "uint32" => NumberType::U32,
        "int64" => NumberType::I64,
        "uint64" => NumberType::U64,
        "float" | "float32" => NumberType::F32,
        "double" | "float64" => NumberType::F64,
        _ => return None,
    })
}
