//! The scene and its cameras.

use serde_json::Value;
use splat::encoding::Features;
use splat::io::{StoredScene, StoredView};
use splat::{Gaussians, RenderConfig};

use crate::arguments::Arguments;
use crate::cameras;
use crate::circle;
use crate::circle::extent::Extent;
use crate::data_set;

/// Number of cameras on the circle around a scene without cameras.
const CIRCLE: u32 = 8;
/// Width and height of their pictures, px.
const SIZE_PX: [usize; 2] = [800, 600];

/// What is rendered.
pub(crate) struct Input {
    pub(crate) scene: StoredScene,
    /// At least one, in coordinates relative to the origin of the scene.
    pub(crate) views: Vec<StoredView>,
    pub(crate) config: RenderConfig,
    /// The file of the cameras that is to be written, if it is wanted.
    pub(crate) transforms: Option<Value>,
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
        let mut views = views(arguments, file.views, &scene)?;
        let transforms = arguments.transforms.then(|| {
            let value = data_set::transforms(&scene, &views);
            // The pictures are those of the numbers in the file. Cameras of the world and of the scene
            // differ by roundings.
            views = seen(cameras::from_value(&value, None)?, &scene);
            Ok(value)
        });
        let unable = |error: String| fail(format!("cameras as transforms.json: {error}"));
        let transforms = transforms.transpose().map_err(unable)?;
        Ok(Self {
            scene,
            views,
            transforms,
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

/// Returns the cameras that the arguments state, in coordinates relative to the origin of the scene.
fn views(
    arguments: &Arguments,
    stored: Vec<StoredView>,
    scene: &StoredScene,
) -> Result<Vec<StoredView>, String> {
    let fail = |error: String| format!("{}: {error}", arguments.scene.display());
    let size = arguments.size;
    if let Some(path) = &arguments.cameras {
        return Ok(seen(cameras::read(path, size)?, scene));
    }
    let views = if arguments.views.is_none() && !stored.is_empty() {
        cameras::resized(stored, size)
    } else {
        let count = arguments.views.unwrap_or(CIRCLE) as usize;
        around(scene, &stored, count, size.unwrap_or(SIZE_PX))
    };
    Ok(in_range(views.map_err(fail)?, scene))
}

/// Returns cameras of the world as cameras of a scene.
fn seen(mut views: Vec<StoredView>, scene: &StoredScene) -> Vec<StoredView> {
    for view in &mut views {
        view.camera = scene.relative(view.camera);
    }
    in_range(views, scene)
}

/// Returns the cameras with depth ranges in which the scene is visible.
fn in_range(mut views: Vec<StoredView>, scene: &StoredScene) -> Vec<StoredView> {
    if let Some(extent) = Extent::of(&scene.gaussians()) {
        for view in &mut views {
            view.camera = extent.in_range(view.camera);
        }
    }
    views
}

/// Returns cameras on a circle around the scene.
fn around(
    scene: &StoredScene,
    stored: &[StoredView],
    count: usize,
    size: [usize; 2],
) -> Result<Vec<StoredView>, String> {
    let cameras = circle::around(&scene.gaussians(), stored, count, size);
    let cameras = cameras.map_err(|error| error.to_string())?;
    if cameras.is_empty() {
        return Err("expected a finite mean, got none".to_owned());
    }
    let [width, height] = size;
    let view = |camera| StoredView {
        camera,
        width,
        height,
    };
    Ok(cameras.into_iter().map(view).collect())
}
