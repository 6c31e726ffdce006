//! Cameras of a sparse reconstruction of COLMAP: `cameras.txt` and `images.txt`, or `cameras.bin` and
//! `images.bin`.

mod binary;
mod model;
mod text;

use std::path::Path;

use splat::io::StoredView;

use super::posed::reading::{contents, named};
use model::{Cameras, Image};

/// Reads a folder. As in COLMAP, its binary files come first.
pub(crate) fn read(folder: &Path, wanted: Option<[usize; 2]>) -> Result<Vec<StoredView>, String> {
    let there = |extension: &str| {
        ["cameras", "images"]
            .iter()
            .any(|name| folder.join(format!("{name}.{extension}")).exists())
    };
    let extension = match (there("bin"), there("txt")) {
        (true, _) => "bin",
        (false, true) => "txt",
        (false, false) => {
            let expected = "cameras.txt and images.txt, or cameras.bin and images.bin";
            return Err(named(folder, &format!("expected {expected}, got neither")));
        }
    };
    let [cameras, images] =
        ["cameras", "images"].map(|name| folder.join(format!("{name}.{extension}")));
    let bytes = contents(&cameras)?;
    let read = match extension {
        "bin" => binary::cameras(&bytes),
        _ => text::cameras(&bytes),
    };
    let known = read.map_err(|error| named(&cameras, &error))?;
    let bytes = contents(&images)?;
    let read = match extension {
        "bin" => binary::images(&bytes),
        _ => text::images(&bytes),
    };
    let view = |image: Image| view(&image, &known, wanted);
    let views = read.and_then(|read| read.into_iter().map(view).collect());
    views.map_err(|error| named(&images, &error))
}

fn view(
    image: &Image,
    cameras: &Cameras,
    wanted: Option<[usize; 2]>,
) -> Result<StoredView, String> {
    let place = &image.place;
    let intrinsics = cameras.get(&image.camera).ok_or_else(|| {
        let id = image.camera;
        format!("{place}: CAMERA_ID: expected a camera of the file of cameras, got {id}")
    })?;
    let view = intrinsics.view(wanted);
    let mut view = view.map_err(|error| format!("{place}: {error}"))?;
    let pose = view
        .camera
        .with_colmap_pose(image.quaternion, image.translation);
    view.camera = pose.map_err(|error| format!("{place}: {error}"))?;
    Ok(view)
}
