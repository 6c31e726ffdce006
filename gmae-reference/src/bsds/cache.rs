//! Counts of images that have been evaluated, as files. An interrupted evaluation goes on with
//! them.
//!
//! The name of a file is a hash of everything that determines its content: the version of the
//! protocol, the thresholds, the values of the map and the bytes of the ground truth.

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::counts::{Counts, Thresholds};
use super::map::EdgeMap;
use crate::digest::hexadecimal;
use crate::error::Error;
use crate::files::{create_folder, read, write_atomically};

/// Version of the protocol. It changes whenever the same inputs give other counts.
const PROTOCOL: u32 = 1;

/// The name of the counts of one image.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Key(String);

impl Key {
    /// The key of a map, of the content of a file of ground truth, and of thresholds.
    pub(super) fn new(map: &EdgeMap, ground_truth: &[u8], thresholds: Thresholds) -> Self {
        let mut hash = Sha256::new();
        let numbers = [map.width(), map.height(), thresholds.count()];
        hash.update(PROTOCOL.to_le_bytes());
        for number in numbers {
            hash.update((number as u64).to_le_bytes());
        }
        // The size of the map is known, so that its values end where the ground truth begins.
        hash.update(map.values());
        hash.update(ground_truth);
        Self(hexadecimal(&hash.finalize()))
    }
}

/// A file of counts.
#[derive(serde::Deserialize, serde::Serialize)]
struct Stored {
    protocol: u32,
    counts: Vec<Counts>,
}

/// A folder of counts.
#[derive(Debug)]
pub(crate) struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// Opens or creates the folder.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if the folder cannot be created.
    pub(crate) fn open(folder: &Path) -> Result<Self, Error> {
        create_folder(folder)?;
        let folder = folder.to_owned();
        Ok(Self { folder })
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.folder.join(&key.0).with_extension("json")
    }

    /// Returns the stored counts. A missing or damaged file has none.
    pub(super) fn load(&self, key: &Key, thresholds: Thresholds) -> Option<Vec<Counts>> {
        let bytes = read(&self.path(key)).ok()?;
        let stored: Stored = serde_json::from_slice(&bytes).ok()?;
        let good = stored.protocol == PROTOCOL
            && stored.counts.len() == thresholds.count()
            && stored.counts.iter().all(Counts::plausible);
        good.then_some(stored.counts)
    }

    /// Stores counts. The file is either complete or absent.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if the file cannot be written.
    pub(super) fn store(&self, key: &Key, counts: &[Counts]) -> Result<(), Error> {
        let path = self.path(key);
        let failed = || Error::file("writing", &path);
        let stored = Stored {
            protocol: PROTOCOL,
            counts: counts.to_vec(),
        };
        let text = serde_json::to_vec(&stored).map_err(|error| failed()(error.into()))?;
        write_atomically(&path, |file| file.write_all(&text)).map_err(failed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_found_again_and_damage_is_not() {
        let dir = tempfile::tempdir().expect("a folder");
        let cache = Cache::open(&dir.path().join("deep/counts")).expect("a cache");
        let thresholds = Thresholds::new(2).expect("two");
        let map = |value| EdgeMap::new(2, 1, vec![value, 0]).expect("a map");
        let key = Key::new(&map(1), b"truth", thresholds);
        let counts = vec![
            Counts {
                matched_boundaries: 1,
                boundaries: 2,
                matched_edges: 3,
                edges: 4,
            };
            2
        ];
        assert_eq!(cache.load(&key, thresholds), None);
        cache.store(&key, &counts).expect("storing");
        assert_eq!(cache.load(&key, thresholds), Some(counts.clone()));
        let three = Thresholds::new(3).expect("three");
        for other in [
            Key::new(&map(2), b"truth", thresholds),
            Key::new(&map(1), b"trut", thresholds),
            Key::new(&map(1), b"truth", three),
            Key::new(
                &EdgeMap::new(1, 2, vec![1, 0]).expect("a map"),
                b"truth",
                thresholds,
            ),
        ] {
            assert_ne!(other, key);
            assert_eq!(cache.load(&other, thresholds), None);
        }
        assert_eq!(cache.load(&key, three), None);
        let text = std::fs::read_to_string(cache.path(&key)).expect("a file");
        for (from, to) in [
            ("\"protocol\":1", "\"protocol\":0"),
            ("\"matched_edges\":3", "\"matched_edges\":5"),
            ("}]", "}"),
        ] {
            assert!(text.contains(from), "{text}");
            std::fs::write(cache.path(&key), text.replace(from, to)).expect("writing");
            assert_eq!(cache.load(&key, thresholds), None, "{to}");
        }
    }
}
