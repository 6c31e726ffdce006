//! The text files `cameras.txt` and `images.txt`.

use std::str::{FromStr, SplitAsciiWhitespace};

use super::model::{Cameras, Image, intrinsics, parameters};

/// The words of a line, of which each is taken once.
struct Words<'a> {
    /// The place of the line in the file.
    place: String,
    words: SplitAsciiWhitespace<'a>,
}

impl<'a> Words<'a> {
    fn of(line: usize, text: &'a str) -> Self {
        Self {
            place: format!("line {}", line + 1),
            words: text.split_ascii_whitespace(),
        }
    }

    /// The next word, whose name is `name`.
    fn text(&mut self, name: &str) -> Result<&'a str, String> {
        let none = || self.fail(format!("{name}: expected a value, got none"));
        self.words.clone().next().ok_or_else(none)?;
        Ok(self.words.next().unwrap_or_default())
    }

    fn number<T: FromStr>(&mut self, name: &str, expected: &str) -> Result<T, String> {
        let word = self.text(name)?;
        word.parse()
            .map_err(|_| self.fail(format!("{name}: expected {expected}, got {word:?}")))
    }

    fn whole<T: FromStr>(&mut self, name: &str) -> Result<T, String> {
        self.number(name, "a whole number")
    }

    fn real(&mut self, name: &str) -> Result<f64, String> {
        self.number(name, "a number")
    }

    fn fail(&self, error: impl AsRef<str>) -> String {
        format!("{}: {}", self.place, error.as_ref())
    }
}

fn lines(bytes: &[u8]) -> Result<impl Iterator<Item = (usize, &str)>, String> {
    let text = str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let line = before.split(|&byte| byte == b'\n').count();
        format!("line {line}: expected text in UTF-8, got other bytes")
    })?;
    Ok(text.lines().map(str::trim).enumerate())
}

fn is_comment(line: &str) -> bool {
    line.is_empty() || line.starts_with('#')
}

/// Lines of `CAMERA_ID MODEL WIDTH HEIGHT PARAMS[]`.
pub(super) fn cameras(bytes: &[u8]) -> Result<Cameras, String> {
    let mut cameras = Cameras::new();
    for (line, text) in lines(bytes)?.filter(|(_, text)| !is_comment(text)) {
        let mut words = Words::of(line, text);
        let id = words.whole("CAMERA_ID")?;
        let model = words.text("MODEL")?;
        let names = parameters(model).map_err(|error| words.fail(error))?;
        let size = [words.whole("WIDTH")?, words.whole("HEIGHT")?];
        let numbers: Result<Vec<f64>, String> = names.iter().map(|name| words.real(name)).collect();
        if let Some(word) = words.words.next() {
            return Err(words.fail(format!(
                "expected {} PARAMS, got also {word:?}",
                names.len()
            )));
        }
        let camera = intrinsics(model, size, &numbers?).map_err(|error| words.fail(error))?;
        if cameras.insert(id, camera).is_some() {
            return Err(words.fail(format!(
                "CAMERA_ID: expected another number, got {id} again"
            )));
        }
    }
    Ok(cameras)
}

/// Pairs of lines: `IMAGE_ID QW QX QY QZ TX TY TZ CAMERA_ID NAME`, and the points of the image, which
/// can be an empty line.
pub(super) fn images(bytes: &[u8]) -> Result<Vec<Image>, String> {
    let mut images = Vec::new();
    let mut lines = lines(bytes)?;
    while let Some((line, text)) = lines.next() {
        if is_comment(text) {
            continue;
        }
        let mut words = Words::of(line, text);
        let _: u32 = words.whole("IMAGE_ID")?;
        let mut quaternion = [0.0; 4];
        for (q, name) in quaternion.iter_mut().zip(["QW", "QX", "QY", "QZ"]) {
            *q = words.real(name)?;
        }
        let mut translation = [0.0; 3];
        for (t, name) in translation.iter_mut().zip(["TX", "TY", "TZ"]) {
            *t = words.real(name)?;
        }
        let camera = words.whole("CAMERA_ID")?;
        let name = words.text("NAME")?;
        images.push(Image {
            place: format!("{} ({name:?})", words.place),
            quaternion,
            translation,
            camera,
        });
        // The points.
        lines.next();
    }
    Ok(images)
}
