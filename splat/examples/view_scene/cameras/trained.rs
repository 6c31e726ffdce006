//! Cameras of `cameras.json`, which the trainer of 3DGS writes beside a scene. The principal point is
//! the centre of the picture.

use splat::io::StoredView;

use super::posed::intrinsics::Intrinsics;
use super::posed::json::Entry;

pub(crate) fn views(
    root: &Entry<'_>,
    wanted: Option<[usize; 2]>,
) -> Result<Vec<StoredView>, String> {
    let entries = root.items()?;
    entries.iter().map(|entry| view(entry, wanted)).collect()
}

fn view(entry: &Entry<'_>, wanted: Option<[usize; 2]>) -> Result<StoredView, String> {
    let size = [entry.need("width")?.side()?, entry.need("height")?.side()?];
    let intrinsics = Intrinsics {
        size,
        focal: [entry.need("fx")?.positive()?, entry.need("fy")?.positive()?],
        centre: size.map(|side| 0.5 * side as f64),
    };
    let mut view = intrinsics.view(wanted).map_err(|error| entry.fail(error))?;
    let eye: [f64; 3] = entry.need("position")?.numbers()?;
    let rotation = entry.need("rotation")?;
    let rows: [[f64; 3]; 3] = rotation.matrix()?;
    // The columns are the axes of the camera: right, down, forward. Those of OpenGL are right, up,
    // backward.
    let row = |k: usize| [rows[k][0], -rows[k][1], -rows[k][2], eye[k]];
    let pose = [row(0), row(1), row(2), [0.0, 0.0, 0.0, 1.0]];
    let camera = view.camera.with_opengl_pose(pose);
    view.camera = camera.map_err(|error| rotation.fail(error))?;
    Ok(view)
}
