//! The images of a folder: files, or members of archives.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::list::{Entry, slashed};
use super::shards::Shards;
use crate::data::fault::MAX_BYTES;

/// Where the images of a folder are.
#[derive(Debug)]
pub(super) enum Source {
    Files(Vec<Entry>),
    Shards(Shards),
}

/// The reason why an image has no picture.
#[derive(Debug)]
pub(super) enum Fault {
    /// The operating system could not read the file.
    Unreadable(String),
    /// The file was read, but its content cannot be used as a picture.
    Unusable(String),
}

impl Source {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Files(files) => files.len(),
            Self::Shards(shards) => shards.members.len(),
        }
    }

    /// Keeps `count` images that are spread evenly over all: the indices `i * len / count`,
    /// rounded down, for each `i` below `count`. `count` lies in `1..=len`.
    pub(super) fn keep(&mut self, count: usize) {
        let len = self.len();
        // Index j is kept if it is the floor of i len / count for an i, the smallest with
        // i len / count >= j.
        let kept = |j: usize| (j * count).div_ceil(len) * len / count == j;
        let mut next = 0;
        let mut is_kept = || {
            next += 1;
            kept(next - 1)
        };
        match self {
            Self::Files(files) => files.retain(|_| is_kept()),
            Self::Shards(shards) => shards.retain(is_kept),
        }
    }

    /// Returns the names of the folders directly in the root that contain images, sorted.
    pub(super) fn classes(&self) -> Vec<String> {
        let Self::Files(files) = self else {
            return Vec::new();
        };
        let mut classes: Vec<&OsStr> = files.iter().filter_map(|file| file.class()).collect();
        classes.dedup();
        let mut classes: Vec<String> = classes.into_iter().map(words).collect();
        classes.sort();
        classes.dedup();
        classes
    }

    /// Returns the path of an image relative to the root. The path of a member is the path of its
    /// archive with the name of the member behind it.
    pub(super) fn path(&self, index: usize) -> Option<PathBuf> {
        match self {
            Self::Files(files) => Some(files.get(index)?.path()),
            Self::Shards(shards) => {
                let member = shards.members.get(index)?;
                Some(shards.archive(index)?.path().join(&*member.name))
            }
        }
    }

    /// Reads the whole file, or the whole member of an archive. No file is kept open: an operating
    /// system allows a process about a thousand open files.
    pub(super) fn read(&self, root: &Path, index: usize) -> Result<Vec<u8>, Fault> {
        let missing = || Fault::Unusable("no such image".to_owned());
        match self {
            Self::Files(files) => {
                let entry = files.get(index).ok_or_else(missing)?;
                let mut file = File::open(root.join(entry.path())).map_err(unreadable)?;
                let size = file.metadata().map_err(unreadable)?.len();
                let mut bytes = buffer(size)?;
                file.read_to_end(&mut bytes).map_err(unreadable)?;
                Ok(bytes)
            }
            Self::Shards(shards) => {
                let member = shards.members.get(index).ok_or_else(missing)?;
                let archive = shards.archive(index).ok_or_else(missing)?;
                let mut bytes = buffer(member.size)?;
                let mut file = File::open(root.join(archive.path())).map_err(unreadable)?;
                file.seek(SeekFrom::Start(member.offset))
                    .map_err(unreadable)?;
                bytes.resize(member.size as usize, 0);
                file.read_exact(&mut bytes).map_err(unreadable)?;
                Ok(bytes)
            }
        }
    }

    /// Returns the number of images and the first 16 hexadecimal digits of the SHA-256 of their
    /// names and sizes. The bytes that enter the sum are, for each image in order, the path with
    /// `/` between its parts, a zero, and the size as 8 bytes, least significant first.
    pub(super) fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        let mut add = |name: &[u8], size: u64| {
            hash.update(name);
            hash.update([0]);
            hash.update(size.to_le_bytes());
        };
        match self {
            Self::Files(files) => {
                for file in files {
                    add(&portable(&file.path()), file.size);
                }
            }
            Self::Shards(shards) => {
                for (archive, members) in shards.parts() {
                    let archive = slashed(&archive.path());
                    for member in members {
                        let name = format!("{archive}/{}", member.name);
                        add(name.as_bytes(), member.size);
                    }
                }
            }
        }
        let sum = hash.finalize();
        let first = sum.iter().take(8).fold(0, |n, &b| n << 8 | u64::from(b));
        format!("{} images, {first:016x}", self.len())
    }
}

/// Returns a name as text.
pub(super) fn words(name: &OsStr) -> String {
    name.to_string_lossy().into_owned()
}

/// Returns the bytes of a path with `/` between its parts.
fn portable(path: &Path) -> Vec<u8> {
    let parts = path.iter().map(OsStr::as_encoded_bytes);
    parts.collect::<Vec<_>>().join(&b'/')
}

fn unreadable(error: std::io::Error) -> Fault {
    Fault::Unreadable(format!("cannot be read: {error}"))
}

/// Returns an empty buffer for a file of `size` bytes.
fn buffer(size: u64) -> Result<Vec<u8>, Fault> {
    if size > MAX_BYTES {
        return Err(Fault::Unusable(format!(
            "too large: {size} bytes, expected at most {MAX_BYTES}"
        )));
    }
    Ok(Vec::with_capacity(size as usize))
}
