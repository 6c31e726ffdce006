//! The scene and its cameras.

use splat::encoding::Features;
use splat::io::{StoredScene, StoredView};
use splat::{Gaussians, RenderConfig};

use crate::arguments::Arguments;
use crate::cameras;
use crate::circle;

/// Number of cameras on the circle around a scene without cameras.
const CIRCLE: usize = 8;
/// Width and height of their pictures, px.
const SIZE_PX: [usize; 2] = [800, 600];
/// Greatest `near` of a camera of a file, relative to the radius of the circle. Without it, a scene of
/// millimetres in metres would be nearer than the usual `near`.
const NEAR: f64 = 1e-2;

/// What is rendered.
pub(crate) struct Input {
    pub(crate) scene: StoredScene,
    /// At least one, in coordinates relative to the origin of the scene.
    pub(crate) views: Vec<StoredView>,
    pub(crate) config: RenderConfig,
    /// Greatest degree of the harmonics.
    degree: u32,
}

impl Input {
    /// Reads the scene and its cameras.
    ///
    /// # Errors
    /// One line that names the file and the place in it.
    pub(crate) fn read(arguments: &Arguments) -> Result<Self, String> {
        let fail = |error: String| format!("{}: {error}", arguments.scene.display());
        let file = splat::io::read(&arguments.scene).map_err(|error| error.to_string())?;
        if file.scene.is_empty() {
            return Err(fail("expected at least one Gaussian, got none".to_owned()));
        }
        let scene = file.scene.spatially_sorted();
        let scene = scene.map_err(|error| fail(error.to_string()))?;
        let size = arguments.size;
        let views = match &arguments.cameras {
            Some(path) => seen(cameras::read(path, size)?, &scene),
            None if file.views.is_empty() => {
                around(&scene, size.unwrap_or(SIZE_PX)).map_err(fail)?
            }
            None => cameras::resized(file.views, size).map_err(fail)?,
        };
        Ok(Self {
            scene,
            views,
            config: RenderConfig::default().with_antialias(file.antialiased),
            degree: arguments.sh,
        })
    }

    /// Returns the Gaussians with the wanted degree of the harmonics. All coefficients stay.
    pub(crate) fn gaussians(&self) -> Gaussians<&[f32]> {
        let mut gaussians = self.scene.gaussians();
        if let Features::Harmonics { degree, .. } = &mut gaussians.encoding.features {
            *degree = self.degree.min(*degree);
        }
        gaussians
    }
}

/// Returns cameras of the world as cameras of a scene.
fn seen(mut views: Vec<StoredView>, scene: &StoredScene) -> Vec<StoredView> {
    let extent = circle::extent(&scene.gaussians());
    for view in &mut views {
        view.camera = scene.relative(view.camera);
        if let Some(extent) = &extent {
            view.camera.near = view.camera.near.min(NEAR * extent.radius);
        }
    }
    views
}

/// Returns cameras on a circle around the scene.
fn around(scene: &StoredScene, [width, height]: [usize; 2]) -> Result<Vec<StoredView>, String> {
    let cameras = circle::around(&scene.gaussians(), CIRCLE, [width, height]);
    let view = |camera| StoredView {
        camera,
        width,
        height,
    };
    let views: Vec<StoredView> = cameras
        .map_err(|error| error.to_string())?
        .into_iter()
        .map(view)
        .collect();
    if views.is_empty() {
        return Err("expected a finite mean, got none".to_owned());
    }
    Ok(views)
}
