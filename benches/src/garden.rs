//! A photographed scene: the points of the `MipNeRF` 360 garden, every one a round Gaussian, under its three cameras. Read by the
//! code of the example `render_points`, so that what is timed is what is shown there.

use std::path::{Path, PathBuf};

use splat::{Gaussians, RenderConfig, Views};

use crate::cloud::{Appearance, CHANNELS};
use crate::{LoadError, Workload, npz};

/// Where the points are expected: `data/garden.npz` in the folder `SPLAT_SHARED`, by default `../shared` beside the workspace.
pub fn garden_path() -> PathBuf {
    shared().join("data/garden.npz")
}

/// The folder of files that are passed around and not part of the project.
pub fn shared() -> PathBuf {
    std::env::var_os("SPLAT_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
        PathBuf::from,
    )
}

/// Reads the points; `None` where the file is not there.
///
/// # Errors
/// A file that is there and cannot be used.
pub fn garden(path: &Path) -> Result<Option<Workload>, LoadError> {
    if !path.is_file() {
        return Ok(None);
    }
    let fail = |reason| LoadError::Content {
        path: path.to_owned(),
        reason,
    };
    let (cloud, shots) = npz::read(path).map_err(fail)?;
    let Appearance::Colours(features) = cloud.appearance else {
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

/// The first view of [`garden()`] alone, `magnify` times as wide and high.
///
/// # Errors
/// As [`garden()`].
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
