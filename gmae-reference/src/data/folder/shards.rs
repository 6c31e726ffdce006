//! Tar archives of images, a usual form of large data sets on clusters.

use std::fs::File;
use std::path::Path;

use rayon::prelude::*;
use tar::{Archive, EntryType};

use super::kinds::{Kind, Kinds, kind_of};
use super::list::Entry;
use super::skipped::{Skipped, Tally};

/// Size of a header and unit of the padding, in bytes.
const BLOCK: u64 = 512;

/// An image inside an archive.
#[derive(Debug)]
pub(super) struct Member {
    /// Position of the first byte of the image in the archive.
    pub(super) offset: u64,
    /// Size of the image in bytes.
    pub(super) size: u64,
    /// The name with the folders inside the archive.
    pub(super) name: Box<str>,
}

/// The images inside archives, in the order of the archives and of their members.
#[derive(Debug, Default)]
pub(super) struct Shards {
    archives: Vec<Entry>,
    /// `ends[i]` is the number of images in the archives `0..=i`.
    ends: Vec<usize>,
    pub(super) members: Vec<Member>,
    /// Members of other kinds.
    pub(super) others: Kinds,
    /// Archives that are damaged, truncated or unreadable.
    pub(super) damaged: Tally,
}

impl Shards {
    /// Reads the headers of every archive, in parallel. The data of the images are not read.
    pub(super) fn index(root: &Path, archives: Vec<Entry>) -> Self {
        let contents: Vec<Content> = archives
            .par_iter()
            .map(|archive| Content::read(&root.join(archive.path())))
            .collect();
        let mut shards = Self::default();
        for content in contents {
            shards.members.extend(content.members);
            shards.ends.push(shards.members.len());
            shards.others.append(content.others);
            if let Some(damage) = content.damage {
                shards.damaged.add(damage);
            }
        }
        shards.archives = archives;
        shards.members.shrink_to_fit();
        shards
    }

    /// Returns the archive with the image at `index`.
    pub(super) fn archive(&self, index: usize) -> Option<&Entry> {
        self.archives
            .get(self.ends.partition_point(|&end| end <= index))
    }

    /// Returns the number of images in each archive.
    pub(super) fn sizes(&self) -> Vec<usize> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let sizes = self.ends.iter().zip(starts).map(|(end, start)| end - start);
        sizes.collect()
    }

    /// Keeps the images for which `keep`, called once for each in order, returns true.
    pub(super) fn retain(&mut self, mut keep: impl FnMut() -> bool) {
        let sizes = self.sizes();
        let mut kept = Vec::with_capacity(self.members.len());
        self.members.retain(|_| {
            let keep = keep();
            kept.push(keep);
            keep
        });
        let mut rest = kept.as_slice();
        let mut end = 0;
        for (slot, size) in self.ends.iter_mut().zip(sizes) {
            let (archive, after) = rest.split_at(size);
            rest = after;
            end += archive.iter().filter(|&&keep| keep).count();
            *slot = end;
        }
    }

    /// Iterates over the archives with their images.
    pub(super) fn parts(&self) -> impl Iterator<Item = (&Entry, &[Member])> {
        let mut rest = self.members.as_slice();
        let sizes = self.sizes().into_iter();
        self.archives.iter().zip(sizes).map(move |(archive, size)| {
            let (members, after) = rest.split_at(size);
            rest = after;
            (archive, members)
        })
    }
}

/// The content of one archive.
#[derive(Debug, Default)]
struct Content {
    members: Vec<Member>,
    others: Kinds,
    damage: Option<Skipped>,
}

impl Content {
    fn read(path: &Path) -> Self {
        let mut content = Self::default();
        if let Err(reason) = content.fill(path) {
            content.damage = Some(Skipped {
                path: path.to_owned(),
                reason,
            });
        }
        content
    }

    /// Adds the members before the first damage. The error describes the damage.
    fn fill(&mut self, path: &Path) -> Result<(), String> {
        let unreadable = |error| format!("cannot be read: {error}");
        let damaged = |error| format!("damaged: {error}");
        let file = File::open(path).map_err(unreadable)?;
        let whole = file.metadata().map_err(unreadable)?.len();
        let mut archive = Archive::new(file);
        let mut end = 0;
        for entry in archive.entries_with_seek().map_err(damaged)? {
            let entry = entry.map_err(damaged)?;
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let (offset, size) = (entry.raw_file_position(), entry.size());
            end = offset.checked_add(size).unwrap_or(u64::MAX - BLOCK);
            if end > whole {
                return Err(format!("truncated inside {name}"));
            }
            self.add(entry.header().entry_type(), &name, offset, size);
        }
        // Two blocks of zeros end an archive, behind the padding of the last member. Some programs
        // write only one.
        if end.next_multiple_of(BLOCK) >= whole {
            return Err("truncated: the end of the archive is missing".to_owned());
        }
        Ok(())
    }

    fn add(&mut self, entry_type: EntryType, name: &str, offset: u64, size: u64) {
        let mut parts = name.split('/').filter(|&part| part != ".");
        if entry_type.is_dir() || parts.any(is_hidden) {
            return;
        }
        if !(entry_type.is_file() || entry_type.is_contiguous()) {
            self.others.add_as("links and other entries", name);
            return;
        }
        match kind_of(name) {
            Kind::Image => self.members.push(Member {
                offset,
                size,
                name: name.trim_start_matches("./").into(),
            }),
            Kind::Archive | Kind::Other => self.others.add(name),
        }
    }
}

/// Returns whether a part of a path is hidden. `.` and `..` are not names.
fn is_hidden(part: &str) -> bool {
    part.starts_with('.') && part != "." && part != ".."
}
