//! One photograph and its camera.

use std::path::{Path, PathBuf};

use image::RgbImage;
use splat::io::StoredView;

use super::decoding::{self, Change};
use super::posed::intrinsics::resized;
use super::posed::json::Entry;
use super::posed::reading::contents;
use super::posed::transforms::Frame;

/// The extensions that are tried for a name without one. Blender's data sets have such names.
const EXTENSIONS: [&str; 3] = ["png", "jpg", "jpeg"];

pub(crate) struct Photo {
    /// The name in the file of the cameras.
    pub(crate) name: String,
    pub(crate) picture: RgbImage,
    pub(crate) view: StoredView,
    /// Differences between the file and `picture`.
    pub(crate) changes: Vec<Change>,
}

impl Photo {
    /// Reads the picture of a frame. Its sides have at most `most_px`.
    pub(super) fn read(
        folder: &Path,
        frame: &Entry<'_>,
        root: &Entry<'_>,
        most_px: u32,
    ) -> Result<Self, String> {
        let entry = frame.need("file_path")?;
        let name = entry.text()?;
        let fail = |error: String| entry.fail(format!("{name}: {error}"));
        let bytes = contents(&existing(folder.join(name)));
        let bytes = bytes.map_err(|error| entry.fail(error))?;
        let (picture, changes) = decoding::picture(&bytes, most_px).map_err(fail)?;
        let size = [picture.width() as usize, picture.height() as usize];
        let downsampled = changes.iter().find_map(|change| match change {
            Change::Downsampled { from, .. } => Some(from.map(|px| px as usize)),
            Change::OnWhite { .. } => None,
        });
        // Focal lengths in px, beside which the file has no size, are those of the whole photograph.
        let whole = Frame::new(frame, root).view(Some(downsampled.unwrap_or(size)))?;
        Ok(Self {
            view: resized(&whole, size).map_err(|error| entry.fail(error))?,
            name: name.to_owned(),
            picture,
            changes,
        })
    }

    /// Returns the colours `[H, W, 3]`, from 0 to 1.
    pub(crate) fn colours(&self) -> Vec<f32> {
        let bytes = self.picture.as_raw().iter();
        bytes.map(|&byte| f32::from(byte) / 255.0).collect()
    }

    /// Whether the picture was composited over white.
    pub(super) fn is_on_white(&self) -> bool {
        let on_white = |change: &Change| matches!(change, Change::OnWhite { .. });
        self.changes.iter().any(on_white)
    }
}

/// Returns the path with the extension of a file that exists, if its name has none.
fn existing(path: PathBuf) -> PathBuf {
    if path.extension().is_some() && path.is_file() {
        return path;
    }
    let tried = |extension: &&str| {
        let mut name = path.clone().into_os_string();
        name.push(format!(".{extension}"));
        Some(PathBuf::from(name)).filter(|path| path.is_file())
    };
    EXTENSIONS.iter().find_map(tried).unwrap_or(path)
}
