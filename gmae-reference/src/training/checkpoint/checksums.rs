//! `SHA256SUMS`: the checksums of the files of a run, in the format of the program `sha256sum`.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::digest::hexadecimal;
use crate::error::Error;
use crate::files::{current, read};

/// The name of the file.
pub(super) const NAME: &str = "SHA256SUMS";

/// Returns the line of the file `path` under the name `name`.
pub(super) fn line_of(name: &str, path: &Path) -> std::io::Result<String> {
    let (mut file, mut hasher) = (File::open(path)?, Sha256::new());
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(line_with(name, &hasher.finalize())),
            count => hasher.update(&buffer[..count]),
        }
    }
}

fn line_with(name: &str, digest: &[u8]) -> String {
    format!("{}  {name}\n", hexadecimal(digest))
}

/// The checksums of the files of one folder.
#[derive(Clone, Debug)]
pub(super) struct Checksums {
    text: String,
}

impl Checksums {
    /// Reads the checksums of `folder`. The file must list `required`, it can list `optional`, and
    /// must contain nothing else.
    ///
    /// # Errors
    ///
    /// [`Error::Checkpoint`] if the file is missing or damaged.
    pub(super) fn read(folder: &Path, required: &[&str], optional: &str) -> Result<Self, Error> {
        let path = current(folder, NAME);
        let refused = |reason: String| Error::Checkpoint {
            path: path.clone(),
            reason,
        };
        let bytes = read(&path).map_err(|error| refused(format!("cannot be read: {error}")))?;
        let text =
            String::from_utf8(bytes).map_err(|_| refused("damaged: expected text".to_owned()))?;
        let mut listed = Vec::new();
        for (i, line) in text.split_inclusive('\n').enumerate() {
            let name = name(line).filter(|name| {
                (required.contains(name) || *name == optional) && !listed.contains(name)
            });
            listed.push(name.ok_or_else(|| {
                refused(format!(
                    "damaged: line {} is not that of a file of a run",
                    i + 1
                ))
            })?);
        }
        for name in required {
            if !listed.contains(name) {
                return Err(refused(format!("damaged: {name} is not listed")));
            }
        }
        Ok(Self { text })
    }

    /// Returns whether `name` is listed.
    pub(super) fn lists(&self, name: &str) -> bool {
        self.text
            .lines()
            .any(|line| line.ends_with(&format!("  {name}")))
    }

    /// Returns the first 16 hexadecimal digits of the checksum of `name` as a number, if it is
    /// listed.
    pub(super) fn digits(&self, name: &str) -> Option<u64> {
        let end = format!("  {name}");
        let line = self.text.lines().find(|line| line.ends_with(&end))?;
        u64::from_str_radix(line.get(..16)?, 16).ok()
    }

    /// Reads the file `name` of `folder` and compares its checksum.
    ///
    /// # Errors
    ///
    /// [`Error::Checkpoint`] if the file cannot be read or does not match.
    pub(super) fn checked(&self, folder: &Path, name: &str) -> Result<Vec<u8>, Error> {
        let path = current(folder, name);
        let content = read(&path).map_err(|error| Error::Checkpoint {
            path: path.clone(),
            reason: format!("listed in {NAME}, but it cannot be read: {error}"),
        })?;
        if self
            .text
            .contains(&line_with(name, &Sha256::digest(&content)))
        {
            return Ok(content);
        }
        Err(Error::Checkpoint {
            path,
            reason: format!(
                "does not match its checksum in {NAME}: one of the two is damaged, or belongs to \
                 another checkpoint"
            ),
        })
    }
}

/// The name in a line, if the line has the exact form of `sha256sum`.
fn name(line: &str) -> Option<&str> {
    let (sum, rest) = line.split_at_checked(64)?;
    let digits = sum.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let name = rest.strip_prefix("  ")?.strip_suffix('\n')?;
    digits.then_some(name)
}
