//! The rows of an element in an ASCII file. A row is a line. Empty lines are passed over.

use super::body::{Body, ends_early};
use super::header::{Element, Kind};
use crate::io::error::FileError;
use crate::io::numbers::NumberType;

impl<'a> Body<'a> {
    /// Takes the next line that is not empty.
    fn line(&mut self) -> Option<&'a [u8]> {
        while !self.bytes.is_empty() {
            let end = self.bytes.iter().position(|&byte| byte == self.line_end);
            let end = end.unwrap_or(self.bytes.len());
            let (line, rest) = self.bytes.split_at(end);
            self.bytes = rest.get(1..).unwrap_or_default();
            self.lines += 1;
            if !line.trim_ascii().is_empty() {
                return Some(line);
            }
        }
        None
    }
}

/// See [`rows`](super::rows::rows).
pub(super) fn rows(
    body: &mut Body,
    element: &Element,
    wanted: &[usize],
    mut each: impl FnMut(&[f64]),
) -> Result<(), FileError> {
    let mut values = vec![0.0; element.properties.len()];
    let mut row = vec![0.0; wanted.len()];
    for i in 0..element.count {
        let line = body.line().ok_or_else(|| ends_early(element, i, None))?;
        let mut words = line
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty());
        let place = |name: &str| format!("line {}, {} {i}, {name}", body.lines, element.name);
        let missing =
            |name: &str| FileError::content(place(name), "a number", "the end of the line");
        for (property, value) in element.properties.iter().zip(&mut values) {
            let name = &property.name;
            let number = match property.kind {
                Kind::Number(number) | Kind::List { length: number, .. } => number,
            };
            let word = words.next().ok_or_else(|| missing(name))?;
            *value = parse(word, number).map_err(|expected| {
                FileError::content(place(name), expected, word.escape_ascii())
            })?;
            if let Kind::List { .. } = property.kind {
                if *value < 0.0 {
                    return Err(FileError::content(
                        place(name),
                        "a length of a list",
                        *value,
                    ));
                }
                let items = *value as usize;
                if items > 0 && words.nth(items - 1).is_none() {
                    return Err(missing(name));
                }
            }
        }
        if let Some(word) = words.next() {
            let place = format!("line {}, {} {i}", body.lines, element.name);
            let expected = "the end of the line";
            return Err(FileError::content(place, expected, word.escape_ascii()));
        }
        for (value, &property) in row.iter_mut().zip(wanted) {
            *value = values[property];
        }
        each(&row);
    }
    Ok(())
}

/// Reads a number of a type, or returns what was expected.
fn parse(word: &[u8], number: NumberType) -> Result<f64, String> {
    let text = std::str::from_utf8(word).unwrap_or_default();
    let value = if number == NumberType::F32 {
        text.parse::<f32>().map(f64::from)
    } else {
        text.parse::<f64>()
    };
    let value = value.or_else(|_| not_finite(text).ok_or("a number".to_owned()))?;
    match number.integers() {
        Some((least, greatest)) if value.fract() != 0.0 || !(least..=greatest).contains(&value) => {
            Err(format!("an integer from {least} to {greatest}"))
        }
        _ => Ok(value),
    }
}

/// Reads the names that Microsoft's C library prints for numbers that are not finite.
fn not_finite(word: &str) -> Option<f64> {
    let word = word.to_ascii_lowercase();
    let (sign, name) = match word.strip_prefix('-') {
        Some(name) => (-1.0, name),
        None => (1.0, word.as_str()),
    };
    if name.starts_with("1.#inf") {
        Some(sign * f64::INFINITY)
    } else if name.starts_with("nan(") || name.starts_with("1.#") {
        Some(f64::NAN)
    } else {
        None
    }
}
