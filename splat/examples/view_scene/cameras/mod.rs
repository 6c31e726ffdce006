//! Cameras from the files of other programs.

mod colmap;
#[path = "../../common/cameras/mod.rs"]
mod posed;
mod trained;

use std::path::Path;

use serde_json::Value;
use splat::io::StoredView;

use posed::intrinsics;
use posed::json::Entry;
use posed::reading::{contents, json, named};
use posed::transforms::{Frame, frames};

/// Reads the cameras of `transforms.json`, of `cameras.json`, or of a folder of COLMAP, in the order
/// of the file and in coordinates of the world. With `wanted`, the pictures have this size, px.
///
/// # Errors
/// One line that names the file, the entry and the field.
pub(crate) fn read(path: &Path, wanted: Option<[usize; 2]>) -> Result<Vec<StoredView>, String> {
    let views = if path.is_dir() {
        colmap::read(path, wanted)?
    } else {
        let bytes = contents(path)?;
        from_json(&bytes, wanted).map_err(|error| named(path, &error))?
    };
    if views.is_empty() {
        return Err(named(path, "expected at least one camera, got none"));
    }
    Ok(views)
}

/// Returns views that show the same in pictures of another size.
pub(crate) fn resized(
    views: Vec<StoredView>,
    wanted: Option<[usize; 2]>,
) -> Result<Vec<StoredView>, String> {
    let Some(size) = wanted else {
        return Ok(views);
    };
    let resized = |(i, old)| {
        let new = intrinsics::resized(old, size);
        new.map_err(|error| format!("camera {i}: {error}"))
    };
    views.iter().enumerate().map(resized).collect()
}

fn from_json(bytes: &[u8], wanted: Option<[usize; 2]>) -> Result<Vec<StoredView>, String> {
    from_value(&json(bytes)?, wanted)
}

/// Reads the cameras of a JSON file, in coordinates of the world.
pub(crate) fn from_value(
    value: &Value,
    wanted: Option<[usize; 2]>,
) -> Result<Vec<StoredView>, String> {
    let root = Entry::root(value);
    match value {
        Value::Object(_) => {
            let view = |frame: &Entry<'_>| Frame::new(frame, &root).view(wanted);
            frames(&root)?.iter().map(view).collect()
        }
        Value::Array(_) => trained::views(&root, wanted),
        _ => Err(root.wrong("an object (transforms.json) or an array (cameras.json)")),
    }
}
