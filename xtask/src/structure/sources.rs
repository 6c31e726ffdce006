//! The Rust files of the workspace.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use proc_macro2::TokenStream;

/// The Rust files, by their path relative to the root of the workspace. The separator is `/`.
#[derive(Default)]
pub struct Sources {
    files: BTreeMap<String, Source>,
}

/// A file. Its tokens are computed once, because every check reads them.
struct Source {
    lines: usize,
    tokens: Result<TokenStream, syn::Error>,
}

impl Sources {
    /// Reads the Rust files of every crate that is a folder of `root`.
    ///
    /// # Errors
    /// Returns an error if a folder or file cannot be read, or if `root` contains no crate.
    pub fn read(root: &Path) -> io::Result<Self> {
        let mut texts = BTreeMap::new();
        for folder in fs::read_dir(root)? {
            let folder = folder?.path();
            if !folder.join("Cargo.toml").is_file() {
                continue;
            }
            let entries = walkdir::WalkDir::new(folder).into_iter();
            for entry in entries.filter_entry(|entry| entry.file_name() != "target") {
                let entry = entry?;
                let path = entry.path();
                if path.extension().is_none_or(|ending| ending != "rs") {
                    continue;
                }
                let inner = path.strip_prefix(root).map_err(io::Error::other)?;
                let inner = inner.to_string_lossy().replace('\\', "/");
                texts.insert(inner, fs::read_to_string(path)?);
            }
        }
        if texts.is_empty() {
            let root = root.display();
            return Err(io::Error::other(format!("{root}: expected a crate in it")));
        }
        Ok(Self::of(texts))
    }

    /// Creates the sources from pairs of path and text.
    pub fn of<P: Into<String>, T: AsRef<str>>(files: impl IntoIterator<Item = (P, T)>) -> Self {
        let files = files.into_iter().map(|(path, text)| {
            let text = text.as_ref();
            let source = Source {
                lines: text.lines().count(),
                tokens: text.parse().map_err(syn::Error::from),
            };
            (path.into(), source)
        });
        Self {
            files: files.collect(),
        }
    }

    /// Returns whether the file `path` exists.
    pub fn has(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// Returns the number of lines of the file `path`, or 0 if the file does not exist.
    pub fn lines(&self, path: &str) -> usize {
        self.files.get(path).map_or(0, |source| source.lines)
    }

    /// Returns the tokens of the file `path`. If the file does not exist, the result is empty.
    ///
    /// # Errors
    /// Returns an error if the text of the file does not consist of Rust tokens.
    pub fn tokens(&self, path: &str) -> syn::Result<TokenStream> {
        let source = self.files.get(path);
        source.map_or_else(|| Ok(TokenStream::new()), |source| source.tokens.clone())
    }

    /// Returns the path of every file, sorted.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Returns the roots of crates: the main files of libraries, programs, build scripts, examples,
    /// tests, benches and fuzz targets.
    pub fn roots(&self) -> Vec<String> {
        let is_root = |path: &&str| {
            let parts: Vec<&str> = path.split('/').collect();
            matches!(
                parts[..],
                [_, "build.rs"]
                    | [_, "src", "lib.rs" | "main.rs"]
                    | [_, "src", "bin", _]
                    | [_, "src", "bin", _, "main.rs"]
                    | [_, "examples" | "tests" | "benches" | "fuzz_targets", _]
                    | [_, "examples" | "tests" | "benches", _, "main.rs"]
            )
        };
        self.files().filter(is_root).map(str::to_owned).collect()
    }
}
