//! `NumPy` archives: points with colours and cameras.

mod archive;
mod array;

use super::cloud::{brightest, check_colours, rounded};
use super::error::FileError;
use super::numbers::NumberType;
use super::scene::{SceneFile, StoredScene, StoredView};
use crate::camera::Camera;
use crate::config::MAX_SIDE_PX;
use archive::Archive;

/// Reads the scene of an archive.
pub(crate) fn parse(file: &[u8]) -> Result<SceneFile, FileError> {
    let mut archive = Archive::open(file)?;
    let scene = scene(&mut archive)?;
    let views = views(&mut archive, &scene)?;
    Ok(SceneFile {
        views,
        points: true,
        ..SceneFile::of(scene)
    })
}

fn scene(archive: &mut Archive) -> Result<StoredScene, FileError> {
    let means = archive.array("means3d", &[None, Some(3)])?;
    let count = means.shape[0];
    let narrow = matches!(
        means.number,
        NumberType::F16
            | NumberType::F32
            | NumberType::I8
            | NumberType::U8
            | NumberType::I16
            | NumberType::U16
    );
    let (means, origin) = if narrow {
        (means.floats(1.0), [0.0; 3])
    } else {
        rounded(means.numbers())
    };
    let colours = archive.array("colors", &[Some(count), Some(3)])?;
    let colours = colours.floats(brightest("array colors", colours.number)?);
    check_colours("array colors, row", &colours)?;
    let invalid = |error| FileError::content("array means3d", "points with colours", error);
    let points = StoredScene::from_points(means, Some(colours)).map_err(invalid)?;
    Ok(StoredScene { origin, ..points })
}

/// Reads the cameras. Their coordinates become relative to the origin of the scene.
fn views(archive: &mut Archive, scene: &StoredScene) -> Result<Vec<StoredView>, FileError> {
    let poses = archive.array("viewmats", &[None, Some(4), Some(4)])?;
    let count = poses.shape[0];
    let intrinsics = archive.array("Ks", &[Some(count), Some(3), Some(3)])?;
    let (width, height) = (side(archive, "width")?, side(archive, "height")?);
    let (poses, intrinsics) = (poses.numbers(), intrinsics.numbers());
    let pairs = poses
        .as_chunks::<16>()
        .0
        .iter()
        .zip(intrinsics.as_chunks::<9>().0);
    let view = |(i, (pose, k)): (usize, (&[f64; 16], &[f64; 9]))| {
        check_matrices(i, pose, k)?;
        let row = |i: usize| [0, 1, 2, 3].map(|j| pose[4 * i + j]);
        let camera = Camera::pinhole(k[0], k[4], k[2], k[5]);
        Ok(StoredView {
            camera: scene.relative(camera.with_pose([row(0), row(1), row(2)])),
            width,
            height,
        })
    };
    pairs.enumerate().map(view).collect()
}

/// Checks that a pose and intrinsics are those of a pinhole camera without skew.
fn check_matrices(i: usize, pose: &[f64; 16], k: &[f64; 9]) -> Result<(), FileError> {
    let fail = |array: &str, expected: &str, got: &[f64]| {
        let got = format!("{got:?}");
        Err(FileError::content(
            format!("array {array}, camera {i}"),
            expected,
            got,
        ))
    };
    if !pose.iter().all(|x| x.is_finite()) {
        return fail("viewmats", "finite numbers", pose);
    }
    if pose[12..] != [0.0, 0.0, 0.0, 1.0] {
        return fail("viewmats", "a last row of 0, 0, 0, 1", &pose[12..]);
    }
    if !k.iter().all(|x| x.is_finite()) || k[0] <= 0.0 || k[4] <= 0.0 {
        return fail("Ks", "finite numbers and positive focal lengths", k);
    }
    if [k[1], k[3], k[6], k[7], k[8]] != [0.0, 0.0, 0.0, 0.0, 1.0] {
        return fail("Ks", "fx 0 cx, 0 fy cy, 0 0 1", k);
    }
    Ok(())
}

/// Reads the width or the height of the images, px.
fn side(archive: &mut Archive, name: &str) -> Result<usize, FileError> {
    let array = archive.array(name, &[])?;
    let (side, most) = (array.numbers()[0], MAX_SIDE_PX as f64);
    if (1.0..=most).contains(&side) && side.fract() == 0.0 {
        return Ok(side as usize);
    }
    let expected = format!("an integer from 1 to {MAX_SIDE_PX}");
    Err(FileError::content(format!("array {name}"), expected, side))
}
