//! The pictures as a data set for programs that optimise a scene from photographs: `transforms.json` in
//! the form of Nerfstudio, and `points.ply`.

mod points;

use std::io::ErrorKind;

use serde_json::{Map, Value, json};
use splat::Camera;
use splat::io::{StoredScene, StoredView};

use crate::arguments::Arguments;
use crate::circle::vectors::solve;
use crate::common::files;

/// Name of the file of the cameras.
const TRANSFORMS: &str = "transforms.json";
/// Name of the file of the points.
const POINTS: &str = "points.ply";

/// Returns the names of the pictures. Their numbers have two digits, or as many as the last one.
pub(crate) fn names(count: usize) -> Vec<String> {
    let digits = count.saturating_sub(1).to_string().len().max(2);
    (0..count)
        .map(|i| format!("view_{i:0digits$}.png"))
        .collect()
}

/// Returns the contents of `transforms.json` for views of a scene. Its cameras are in coordinates of
/// the world, and all their numbers are exact.
pub(crate) fn transforms(scene: &StoredScene, views: &[StoredView]) -> Value {
    let lenses: Vec<Map<String, Value>> = views.iter().map(lens).collect();
    // Some programs read the intrinsics of the file only.
    let shared = lenses.windows(2).all(|pair| pair[0] == pair[1]);
    let mut root = match lenses.first() {
        Some(lens) if shared => lens.clone(),
        _ => Map::new(),
    };
    let frames = views.iter().zip(lenses).zip(names(views.len()));
    let frames = frames.map(|((view, lens), name)| {
        let mut frame = if shared { Map::new() } else { lens };
        frame.insert("file_path".to_owned(), json!(name));
        let pose = opengl(&view.camera, scene.origin);
        frame.insert("transform_matrix".to_owned(), json!(pose));
        Value::Object(frame)
    });
    root.insert("frames".to_owned(), frames.collect());
    // A pinhole camera if no coefficient of the distortion is stated.
    root.insert("camera_model".to_owned(), json!("OPENCV"));
    root.insert("ply_file_path".to_owned(), json!(POINTS));
    Value::Object(root)
}

/// Creates the folder of the pictures. Removes the cameras of an earlier data set, so that an interruption
/// does not leave them beside new pictures.
pub(crate) fn prepare(arguments: &Arguments) -> Result<(), String> {
    files::writable_folder(&arguments.out)?;
    let path = arguments.out.join(TRANSFORMS);
    if !arguments.transforms || arguments.cameras.as_ref() == Some(&path) {
        return Ok(());
    }
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(format!("{}: cannot be replaced: {error}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Writes `points.ply`, and then `transforms.json`, which names it.
pub(crate) fn write(
    arguments: &Arguments,
    scene: &StoredScene,
    transforms: &Value,
) -> Result<(), String> {
    let [points, cameras] = [POINTS, TRANSFORMS].map(|name| arguments.out.join(name));
    let most = arguments.points as usize;
    files::write(&points, &points::ply(scene, most))?;
    files::write(&cameras, format!("{transforms:#}\n").as_bytes())
}

/// Returns the intrinsics of a view and the size of its picture.
fn lens(view: &StoredView) -> Map<String, Value> {
    let Camera { fx, fy, cx, cy, .. } = view.camera;
    let numbers = [("fl_x", fx), ("fl_y", fy), ("cx", cx), ("cy", cy)];
    let sides = [("w", view.width), ("h", view.height)];
    let numbers = numbers.map(|(key, number)| (key.to_owned(), json!(number)));
    let sides = sides.map(|(key, side)| (key.to_owned(), json!(side)));
    numbers.into_iter().chain(sides).collect()
}

/// Returns the motion from a camera, with axes right, up, backward, to the world, of which the
/// zero of the scene is `origin`.
fn opengl(camera: &Camera, origin: [f64; 3]) -> [[f64; 4]; 4] {
    let [right, down, forward] = camera.camera_from_world.map(|[x, y, z, _]| [x, y, z]);
    let shift = camera.camera_from_world.map(|row| row[3]);
    // The rows of a file need not be exactly orthonormal.
    let eye = solve([right, down, forward], shift.map(|x| -x));
    let row = |k: usize| [right[k], -down[k], -forward[k], origin[k] + eye[k]];
    [row(0), row(1), row(2), [0.0, 0.0, 0.0, 1.0]]
}
