//! A photographed scene: the points of the `MipNeRF` 360 garden, seen by its three cameras. Each
//! point becomes one isotropic Gaussian, as in the example `view_scene`.

use std::path::{Path, PathBuf};

use splat::{Gaussians, RenderConfig, Views};

use splat::io::Colours;

use crate::{LoadError, Workload};

/// Red, green and blue.
const CHANNELS: usize = 3;

/// Returns the expected path of the garden's file: `data/garden.npz` in the folder [`shared()`].
pub fn garden_path() -> PathBuf {
    shared().join("data/garden.npz")
}

/// Returns the folder of shared files, which are not part of the project: the environment variable
/// `SPLAT_SHARED`, by default `../shared` relative to the root of the workspace.
pub fn shared() -> PathBuf {
    std::env::var_os("SPLAT_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
        PathBuf::from,
    )
}

/// Reads the garden scene from `path`. Returns `None` if the file does not exist.
///
/// # Errors
/// Returns [`LoadError::Content`] if the file is not a `NumPy` archive of points with colours and
/// at least one camera.
pub fn garden(path: &Path) -> Result<Option<Workload>, LoadError> {
    if !path.is_file() {
        return Ok(None);
    }
    let fail = |reason| LoadError::Content {
        path: path.to_owned(),
        reason,
    };
    let unreadable = |error: std::io::Error| fail(error.to_string());
    let bytes = std::fs::read(path).map_err(unreadable)?;
    let file = splat::io::parse(&bytes).map_err(|error| fail(error.to_string()))?;
    let (cloud, shots) = (file.scene, file.views);
    let Colours::Constant(features) = cloud.colours else {
        return Err(fail("expected colours".to_owned()));
    };
    let Some(first) = shots.first() else {
        return Err(fail("expected a camera".to_owned()));
    };
    let count = cloud.opacities.len();
    Ok(Some(Workload {
        name: "garden".to_owned(),
        gaussians: Gaussians {
            means: cloud.means,
            scales: cloud.scales,
            quaternions: cloud.quaternions,
            opacities: cloud.opacities,
            features,
            count,
            channels: CHANNELS,
            encoding: splat::encoding::Encoding::PLAIN,
        },
        views: Views {
            width: first.width,
            height: first.height,
            cameras: shots.iter().map(|shot| shot.camera).collect(),
            ranges: vec![0..count; shots.len()],
        },
        backgrounds: vec![0.0; CHANNELS * shots.len()],
        config: RenderConfig::default(),
    }))
}

/// Reads the first view of [`garden()`] alone, as a workload called `name`. Width, height, focal
/// lengths and principal point are `magnify` times as large. Returns `None` if the file does not
/// exist.
///
/// # Errors
/// Returns the errors of [`garden()`].
pub fn garden_view(path: &Path, magnify: usize, name: &str) -> Result<Option<Workload>, LoadError> {
    let Some(mut workload) = garden(path)? else {
        return Ok(None);
    };
    let views = &mut workload.views;
    views.width *= magnify;
    views.height *= magnify;
    views.cameras.truncate(1);
    views.ranges.truncate(1);
    for camera in &mut views.cameras {
        let by = magnify as f64;
        for number in [
            &mut camera.fx,
            &mut camera.fy,
            &mut camera.cx,
            &mut camera.cy,
        ] {
            *number *= by;
        }
    }
    workload.backgrounds.truncate(CHANNELS);
    name.clone_into(&mut workload.name);
    Ok(Some(workload))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_is_no_garden() {
        assert!(matches!(garden(Path::new("no/such/file")), Ok(None)));
    }

    #[test]
    fn a_file_of_another_kind_is_an_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(matches!(
            garden(file.path()),
            Err(LoadError::Content { .. })
        ));
    }
}
