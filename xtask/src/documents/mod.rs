//! The words of the workspace: Markdown documents, and lines that are comments.
//!
//! There are three checks: every relative link has a target, no line of prose is too wide, and no
//! text contains one of the phrases in [`phrases`].

pub mod comments;
pub mod links;
pub mod phrases;
pub mod widths;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::{fs, io};

/// Endings of the files with prose.
const ENDINGS: [&str; 5] = ["md", "rs", "toml", "sh", "py"];
/// Files with prose whose names have no ending.
const WITHOUT_ENDING: [&str; 2] = [".ci/run", ".ci/nightly"];
/// Folders without prose of the workspace's own.
const OTHER: [&str; 3] = ["target", ".git", "node_modules"];
/// Pages that `xtask pages` generates from documents.
const GENERATED: [&str; 2] = ["splat/src/guide/conventions.md", "splat/src/guide/math.md"];

/// The texts of a workspace, by their paths from its root, with `/` between folders.
#[derive(Default)]
pub struct Documents {
    texts: BTreeMap<String, String>,
    /// The path of every file and folder, with or without prose. These are the targets of links.
    paths: BTreeSet<String>,
}

impl Documents {
    /// Reads the files with prose below `root`.
    ///
    /// # Errors
    /// Returns an error if a file or folder cannot be read, or if `root` contains no document.
    pub fn read(root: &Path) -> io::Result<Self> {
        let mut documents = Self::default();
        let entries = walkdir::WalkDir::new(root).into_iter();
        let own = |entry: &walkdir::DirEntry| {
            let name = entry.file_name();
            !(entry.file_type().is_dir() && OTHER.iter().any(|other| name == *other))
        };
        for entry in entries.filter_entry(own) {
            let entry = entry?;
            let path = entry.path();
            let inner = path.strip_prefix(root).map_err(io::Error::other)?;
            let inner = inner.to_string_lossy().replace('\\', "/");
            let ending = path.extension().and_then(|ending| ending.to_str());
            let prose = WITHOUT_ENDING.contains(&inner.as_str())
                || ending.is_some_and(|ending| ENDINGS.contains(&ending));
            if entry.file_type().is_file() && prose && !GENERATED.contains(&inner.as_str()) {
                documents
                    .texts
                    .insert(inner.clone(), fs::read_to_string(path)?);
            }
            documents.paths.insert(inner);
        }
        if documents.markdown().next().is_none() {
            let root = root.display();
            return Err(io::Error::other(format!("{root}: expected a document")));
        }
        Ok(documents)
    }

    /// The texts given as pairs of path and text.
    pub fn of(files: &[(&str, &str)]) -> Self {
        let mut documents = Self::default();
        for (path, text) in files {
            let folders = path
                .match_indices('/')
                .map(|(end, _)| path[..end].to_owned());
            documents.paths.extend(folders);
            documents.paths.insert((*path).to_owned());
            documents
                .texts
                .insert((*path).to_owned(), (*text).to_owned());
        }
        documents
    }

    /// Whether a file or folder of this path exists.
    pub fn has(&self, path: &str) -> bool {
        self.paths.contains(path)
    }

    /// The text of a file with prose.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }

    /// The Markdown documents.
    pub fn markdown(&self) -> impl Iterator<Item = (&str, &str)> {
        self.all().filter(|(path, _)| ending(path) == "md")
    }

    /// All texts.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        let texts = self.texts.iter();
        texts.map(|(path, text)| (path.as_str(), text.as_str()))
    }
}

/// The part of a file's name behind its last point, or nothing.
fn ending(path: &str) -> &str {
    let ending = Path::new(path).extension();
    ending
        .and_then(|ending| ending.to_str())
        .unwrap_or_default()
}
