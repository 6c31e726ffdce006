//! `NumPy` archives: points with colours and cameras.

mod archive;
mod array;

use super::cloud::{brightest, check_colours, rounded};
use super::error::FileError;
use super::scene::{SceneFile, StoredScene, StoredView};
use crate::camera::Camera;
use crate::formulas::MAX_SIDE_PX;
use archive::Archive;
use array::Array;

/// Reads the scene of an archive.
pub(crate) fn parse(file: &[u8]) -> Result<SceneFile, FileError> {
    let mut archive = Archive::open(file)?;
    let means = archive.array("means3d")?;
    let count = means.expect_shape("means3d", &[None, Some(3)])?;
    let colours = archive.array("colors")?;
    colours.expect_shape("colors", &[Some(count), Some(3)])?;
    let one = brightest("array colors", colours.number)?;
    let colours: Vec<f32> = colours.values.iter().map(|x| (x / one) as f32).collect();
    check_colours("array colors", &colours)?;
    let (means, origin) = rounded(&means.values);
    let scene = StoredScene {
        origin,
        ..StoredScene::from_points(&means, colours)
    };
    let views = views(&mut archive, origin)?;
    Ok(SceneFile { scene, views })
}

/// Reads the cameras. Their coordinates become relative to `origin`.
fn views(archive: &mut Archive, origin: [f64; 3]) -> Result<Vec<StoredView>, FileError> {
    let poses = archive.array("viewmats")?;
    let count = poses.expect_shape("viewmats", &[None, Some(4), Some(4)])?;
    let intrinsics = archive.array("Ks")?;
    intrinsics.expect_shape("Ks", &[Some(count), Some(3), Some(3)])?;
    let (width, height) = (side(archive, "width")?, side(archive, "height")?);
    let (poses, _) = poses.values.as_chunks::<16>();
    let (intrinsics, _) = intrinsics.values.as_chunks::<9>();
    let view = |(pose, k): (&[f64; 16], &[f64; 9])| {
        let row = |i: usize| {
            let [x, y, z] = [0, 1, 2].map(|j| pose[4 * i + j]);
            let moved = x * origin[0] + y * origin[1] + z * origin[2];
            [x, y, z, pose[4 * i + 3] + moved]
        };
        StoredView {
            camera: Camera::pinhole(k[0], k[4], k[2], k[5]).with_pose([row(0), row(1), row(2)]),
            width,
            height,
        }
    };
    Ok(poses.iter().zip(intrinsics).map(view).collect())
}

/// Reads the width or the height of the images, px.
fn side(archive: &mut Archive, name: &str) -> Result<usize, FileError> {
    let Array { values, .. } = archive.array(name)?;
    let most = MAX_SIDE_PX as f64;
    match values[..] {
        [side] if (1.0..=most).contains(&side) && side.fract() == 0.0 => Ok(side as usize),
        _ => {
            let expected = format!("one integer from 1 to {MAX_SIDE_PX}");
            let got = match values[..] {
                [side] => side.to_string(),
                _ => format!("{} numbers", values.len()),
            };
            Err(FileError::content(format!("array {name}"), expected, got))
        }
    }
}
