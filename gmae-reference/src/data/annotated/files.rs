//! Finds and reads the files of a set.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use super::entry::fault;
use crate::data::decode::{Header, decode};
use crate::data::error::DataError;
use crate::data::fault::{MAX_BYTES, guarded};
use crate::data::folder::{Kind, kind_of};

/// Largest size of a list or table in bytes.
const MAX_TEXT: u64 = 1 << 26;
/// Number of names in a remark.
const NAMED: usize = 3;

/// Image files by stem: the name of the file without its extension.
pub(super) type Stems = BTreeMap<String, Vec<PathBuf>>;

/// Lists the image files in `folder`, and with `deep` also below it.
///
/// # Errors
///
/// [`DataError::Missing`], [`DataError::NotAFolder`] or [`DataError::List`].
pub(super) fn images_by_stem(folder: &Path, deep: bool) -> Result<Stems, DataError> {
    check_folder(folder)?;
    let depth = if deep { usize::MAX } else { 1 };
    let visible = |entry: &walkdir::DirEntry| {
        entry.depth() == 0 || !entry.file_name().as_encoded_bytes().starts_with(b".")
    };
    let walk = walkdir::WalkDir::new(folder)
        .follow_links(true)
        .max_depth(depth)
        .sort_by_file_name();
    let mut stems = Stems::new();
    for entry in walk.into_iter().filter_entry(visible) {
        let entry = entry.map_err(|error| DataError::List {
            path: error.path().unwrap_or(folder).to_owned(),
            reason: error.to_string(),
        })?;
        let is_image = kind_of(&entry.file_name().to_string_lossy()) == Kind::Image;
        if entry.file_type().is_file() && is_image {
            let path = entry.into_path();
            stems.entry(stem(&path)).or_default().push(path);
        }
    }
    Ok(stems)
}

/// Returns an error unless `folder` is a folder.
pub(super) fn check_folder(folder: &Path) -> Result<(), DataError> {
    let path = folder.to_owned();
    match fs::metadata(folder) {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => Err(DataError::NotAFolder { path }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(DataError::Missing { path })
        }
        Err(error) => Err(DataError::List {
            path,
            reason: error.to_string(),
        }),
    }
}

/// Returns the file with `stem`. `None` if there is none.
///
/// # Errors
///
/// [`DataError::Annotation`] if several files have this stem.
pub(super) fn only<'a>(
    stems: &'a Stems,
    stem: &str,
    what: &'static str,
) -> Result<Option<&'a PathBuf>, DataError> {
    match stems.get(stem).map(Vec::as_slice) {
        None | Some([]) => Ok(None),
        Some([path]) => Ok(Some(path)),
        Some([first, second, ..]) => Err(fault(
            what,
            second,
            format!("one file named {stem:?}, whatever its extension"),
            format!("a second one beside {}", first.display()),
        )),
    }
}

/// Returns the name of a file without its extension.
pub(super) fn stem(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_else(|| OsStr::new(""));
    stem.to_string_lossy().into_owned()
}

/// Reads a text file.
pub(super) fn text(what: &'static str, path: &Path) -> Result<String, DataError> {
    let expected = "a readable text file";
    let found = fs::metadata(path).map_err(|e| fault(what, path, expected, e.to_string()))?;
    if !found.is_file() {
        return Err(fault(what, path, expected, "something else at that path"));
    }
    if found.len() > MAX_TEXT {
        let got = format!("{} bytes", found.len());
        return Err(fault(what, path, format!("at most {MAX_TEXT} bytes"), got));
    }
    fs::read_to_string(path).map_err(|error| fault(what, path, expected, error.to_string()))
}

/// Reads a whole image file, which can be large but not larger than other parts of the crate read.
pub(super) fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    let unreadable = |error| format!("cannot be read: {error}");
    let found = fs::metadata(path).map_err(unreadable)?;
    if !found.is_file() {
        return Err("not a regular file".to_owned());
    }
    if found.len() > MAX_BYTES {
        return Err(format!("too large: {} bytes", found.len()));
    }
    fs::read(path).map_err(unreadable)
}

/// Returns width and height of an image, upright. No pixel is decoded.
///
/// # Errors
///
/// [`DataError::Unusable`] if the file is not an image.
pub(super) fn size(path: &Path) -> Result<[usize; 2], DataError> {
    let size = bytes(path).and_then(|bytes| {
        guarded(|| {
            let header = Header::read(&bytes, 1)?;
            Ok([header.width as usize, header.height as usize])
        })
    });
    size.map_err(|reason| unusable(path, reason))
}

/// Decodes an image.
///
/// # Errors
///
/// [`DataError::Unusable`] if the file is not an image.
pub(super) fn picture(path: &Path) -> Result<image::RgbImage, DataError> {
    decode(path, 1).map_err(|reason| unusable(path, reason))
}

fn unusable(path: &Path, reason: String) -> DataError {
    DataError::Unusable {
        path: path.to_owned(),
        reason,
    }
}

/// Formats the first few names, and the number of further ones.
pub(super) fn named(names: &[String]) -> String {
    let first = names[..names.len().min(NAMED)].join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}
