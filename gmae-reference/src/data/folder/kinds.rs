//! Kinds of files by name: images, archives, and the rest, which is counted by kind.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use super::skipped::{Tally, counted};

/// Extensions of the files that are read, in lower case. Upper case is also accepted. The content
/// decides how a file is decoded.
const EXTENSIONS: [&str; 8] = ["jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff"];
/// Extension of an archive.
const ARCHIVE: &str = "tar";
/// Number of kinds that a warning names.
const NAMED_KINDS: usize = 5;
/// Largest number of kinds that are counted separately. Without a limit, files such as `log.1` and
/// `log.2` would each be a kind.
const COUNTED_KINDS: usize = 256;

/// The kind of a file according to its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::data) enum Kind {
    Image,
    Archive,
    Other,
}

/// Returns the kind of a file. `name` is its name, with or without the folders above it.
pub(in crate::data) fn kind_of(name: &str) -> Kind {
    let is = |known: &str| extension(name).is_some_and(|e| e.eq_ignore_ascii_case(known));
    if EXTENSIONS.into_iter().any(is) {
        Kind::Image
    } else if is(ARCHIVE) {
        Kind::Archive
    } else {
        Kind::Other
    }
}

/// Returns the extensions of images, for messages.
pub(super) fn extensions() -> String {
    EXTENSIONS.map(|e| format!(".{e}")).join(", ")
}

/// Returns the text behind the last dot of the last part of a path.
fn extension(name: &str) -> Option<&str> {
    let name = name.rsplit('/').next()?;
    let (stem, extension) = name.rsplit_once('.')?;
    (!stem.is_empty() && !extension.is_empty()).then_some(extension)
}

/// Files of other kinds, counted by kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Kinds {
    kinds: BTreeMap<String, Tally>,
}

impl Kinds {
    /// Counts a file that is neither image nor archive.
    pub(super) fn add(&mut self, name: &str) {
        let kind = match extension(name) {
            None => "without extension".to_owned(),
            Some(extension) => {
                let stem = &name[..name.len() - extension.len() - 1];
                let packed = stem.to_ascii_lowercase().ends_with(".tar");
                let inner = if packed { ".tar" } else { "" };
                format!("{inner}.{}", extension.to_lowercase())
            }
        };
        self.add_as(&kind, name);
    }

    /// Counts a file as one of `kind`.
    pub(super) fn add_as(&mut self, kind: &str, name: &str) {
        self.tally(kind).add(name);
    }

    /// Adds the files of `other`, which come after those of `self`.
    pub(super) fn append(&mut self, other: Self) {
        for (kind, tally) in other.kinds {
            self.tally(&kind).append(tally);
        }
    }

    fn tally(&mut self, kind: &str) -> &mut Tally {
        let known = self.kinds.len() < COUNTED_KINDS || self.kinds.contains_key(kind);
        let kind = if known { kind } else { "of further kinds" };
        self.kinds.entry(kind.to_owned()).or_default()
    }

    pub(super) fn count(&self) -> usize {
        self.kinds.values().map(Tally::count).sum()
    }
}

/// Formats the kinds, the most frequent one first: `9 .txt (a.txt, b.txt, c.txt), 1 .heic
/// (x.heic)`.
impl Display for Kinds {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let mut kinds: Vec<_> = self.kinds.iter().collect();
        kinds.sort_by_key(|(_, tally)| std::cmp::Reverse(tally.count()));
        let (named, rest) = kinds.split_at(kinds.len().min(NAMED_KINDS));
        let words = |(kind, tally): &(&String, &Tally)| {
            format!("{} {kind} ({})", tally.count(), tally.named().join(", "))
        };
        let words: Vec<String> = named.iter().map(words).collect();
        f.write_str(&words.join(", "))?;
        if rest.is_empty() {
            return Ok(());
        }
        let files = rest.iter().map(|(_, tally)| tally.count()).sum();
        let kinds = counted(rest.len(), "further kind");
        write!(f, ", and {} of {kinds}", counted(files, "file"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_images_and_archives_from_the_rest() {
        for (name, kind) in [
            ("a.JPEG", Kind::Image),
            ("b/c.d.tif", Kind::Image),
            ("x.TAR", Kind::Archive),
            ("x.tar.gz", Kind::Other),
            ("jpg", Kind::Other),
            ("a.jpg/readme", Kind::Other),
            ("end.", Kind::Other),
        ] {
            assert_eq!(kind_of(name), kind, "{name}");
        }
    }

    #[test]
    fn kinds_are_counted_and_the_largest_come_first() {
        let mut kinds = Kinds::default();
        for name in ["LICENSE", "x.heic", "y.HEIC"] {
            kinds.add(name);
        }
        for name in ["a.txt", "b.txt", "c.txt", "d.txt"] {
            kinds.add(name);
        }
        assert_eq!(
            kinds.to_string(),
            "4 .txt (a.txt, b.txt, c.txt), 2 .heic (x.heic, y.HEIC), 1 without extension (LICENSE)"
        );
        for name in ["p.tar.gz", "q.tgz", "r.npy", "r.npy", "s.json"] {
            kinds.add(name);
        }
        let words = kinds.to_string();
        assert!(words.contains("2 .npy (r.npy, r.npy), 1 .json"), "{words}");
        assert!(
            words.ends_with(", and 2 files of 2 further kinds"),
            "{words}"
        );
        assert_eq!(kinds.count(), 12);
    }

    #[test]
    fn compressed_archives_have_a_kind_of_their_own() {
        let mut kinds = Kinds::default();
        kinds.add("a/train.tar.gz");
        kinds.add("b.Tar.xz");
        assert_eq!(
            kinds.to_string(),
            "1 .tar.gz (a/train.tar.gz), 1 .tar.xz (b.Tar.xz)"
        );
    }

    #[test]
    fn countless_kinds_need_little_memory() {
        let mut kinds = Kinds::default();
        for i in 0..10_000 {
            kinds.add(&format!("log.{i}"));
        }
        assert_eq!(kinds.count(), 10_000);
        assert_eq!(kinds.kinds.len(), COUNTED_KINDS + 1);
    }
}
