//! Values of a JSON file, with their place in it.

use std::fmt::Display;

use serde_json::Value;
use splat::formulas::MAX_SIDE_PX;

/// The greatest number of characters of a value that an error shows.
const MOST_SHOWN: usize = 60;

/// A value of a JSON file and its place, such as `frames[3].fl_x`.
#[derive(Debug, Clone)]
pub(crate) struct Entry<'a> {
    place: String,
    value: &'a Value,
}

impl<'a> Entry<'a> {
    /// The whole file.
    pub(crate) fn root(value: &'a Value) -> Self {
        Self {
            place: String::new(),
            value,
        }
    }

    /// The member `key` of an object, if it is there and not null.
    pub(crate) fn get(&self, key: &str) -> Option<Self> {
        let value = self.value.get(key).filter(|value| !value.is_null())?;
        let place = self.place_of(key);
        Some(Self { place, value })
    }

    /// The member `key` of an object.
    pub(crate) fn need(&self, key: &str) -> Result<Self, String> {
        self.get(key)
            .ok_or_else(|| format!("{}: expected a value, got none", self.place_of(key)))
    }

    /// The place of the member `key`.
    pub(crate) fn place_of(&self, key: &str) -> String {
        match self.place.as_str() {
            "" => key.to_owned(),
            place => format!("{place}.{key}"),
        }
    }

    /// The elements of an array.
    pub(crate) fn items(&self) -> Result<Vec<Self>, String> {
        let Value::Array(values) = self.value else {
            return Err(self.wrong("an array"));
        };
        let entry = |(i, value)| Self {
            place: format!("{}[{i}]", self.place),
            value,
        };
        Ok(values.iter().enumerate().map(entry).collect())
    }

    pub(crate) fn text(&self) -> Result<&'a str, String> {
        self.value.as_str().ok_or_else(|| self.wrong("a text"))
    }

    pub(crate) fn truth(&self) -> Result<bool, String> {
        self.value
            .as_bool()
            .ok_or_else(|| self.wrong("true or false"))
    }

    pub(crate) fn number(&self) -> Result<f64, String> {
        self.value.as_f64().ok_or_else(|| self.wrong("a number"))
    }

    /// A number above zero: a focal length, px.
    pub(crate) fn positive(&self) -> Result<f64, String> {
        let number = self.number()?;
        if number > 0.0 {
            return Ok(number);
        }
        Err(self.wrong("a number above 0"))
    }

    /// The side of a picture, px. Some programs write it as 800.0.
    pub(crate) fn side(&self) -> Result<usize, String> {
        let side = self.number()?;
        if side >= 1.0 && side <= MAX_SIDE_PX as f64 && side.fract() == 0.0 {
            return Ok(side as usize);
        }
        Err(self.wrong(format!("a whole number of 1 to {MAX_SIDE_PX}")))
    }

    /// An array of `N` numbers.
    pub(crate) fn numbers<const N: usize>(&self) -> Result<[f64; N], String> {
        let numbers: Result<Vec<f64>, String> = self.items()?.iter().map(Self::number).collect();
        let numbers = <[f64; N]>::try_from(numbers?);
        numbers.map_err(|_| self.wrong(format!("{N} numbers")))
    }

    /// An array of `N` rows of `N` numbers.
    pub(crate) fn matrix<const N: usize>(&self) -> Result<[[f64; N]; N], String> {
        let rows: Result<Vec<_>, String> = self.items()?.iter().map(Self::numbers).collect();
        let rows = <[[f64; N]; N]>::try_from(rows?);
        rows.map_err(|_| self.wrong(format!("{N} rows of {N} numbers")))
    }

    /// The error of a value that is not the expected one.
    pub(crate) fn wrong(&self, expected: impl Display) -> String {
        let value = self.value.to_string();
        let mut shown: String = value.chars().take(MOST_SHOWN).collect();
        if shown.len() < value.len() {
            shown.push_str(" ...");
        }
        self.fail(format!("expected {expected}, got {shown}"))
    }

    /// The error `error` at this place.
    pub(crate) fn fail(&self, error: impl Display) -> String {
        match self.place.as_str() {
            "" => error.to_string(),
            place => format!("{place}: {error}"),
        }
    }
}
