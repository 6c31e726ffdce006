//! Cameras of a sparse reconstruction of COLMAP: `cameras.txt` and `images.txt`, or `cameras.bin` and
//! `images.bin`.

mod binary;
mod model;
mod text;

use std::path::Path;

use splat::io::StoredView;

use super::posed::reading::{contents, named};
use model::{Cameras, Image};

/// The folders of a project in which a reconstruction is looked for, after the project itself.
const INSIDE: [&str; 2] = ["sparse/0", "sparse"];

/// Reads the reconstruction in a folder or in its folders [`INSIDE`]. The first that has one counts.
pub(crate) fn read(folder: &Path, wanted: Option<[usize; 2]>) -> Result<Vec<StoredView>, String> {
    let [first, second] = INSIDE.map(|inside| folder.join(inside));
    let places = [folder, &first, &second];
    let found = places.iter().find_map(|at| Some((at, extension(at)?)));
    let (folder, extension) = found.ok_or_else(|| {
        let expected = "cameras.txt and images.txt, or cameras.bin and images.bin";
        let [first, second] = [first.display(), second.display()];
        let places = format!("in this folder, in {first} or in {second}");
        named(folder, &format!("expected {expected}, {places}, got none"))
    })?;
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

/// Returns the extension of the files of a reconstruction in `folder`, or `None` if it has none. As in
/// COLMAP, binary files come first.
fn extension(folder: &Path) -> Option<&'static str> {
    let there = |extension: &&str| {
        ["cameras", "images"]
            .iter()
            .any(|name| folder.join(format!("{name}.{extension}")).exists())
    };
    ["bin", "txt"].into_iter().find(there)
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
