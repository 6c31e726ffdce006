//! The Gaussians of whole images, on the host, and their views of any size.

use splat::{Camera, RenderConfig, Views};

use crate::config::Config;
use crate::data::Image;
use crate::error::Error;
use crate::model::{Autoencoder, Batch, Decoded, Gaussians, Mask, Visible, camera, render};
use crate::ops::Operations;

/// The Gaussians of one image, with the camera and the blur of their model.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scene {
    /// k Gaussians with three features.
    pub(crate) gaussians: splat::Gaussians<Vec<f32>>,
    config: Config,
}

impl Scene {
    /// Bundles the Gaussians of one image of a model with the settings `config`.
    pub(crate) fn new(config: &Config, gaussians: splat::Gaussians<Vec<f32>>) -> Self {
        Self {
            gaussians,
            config: *config,
        }
    }

    /// Returns a scene of other Gaussians, with the same camera and blur.
    pub(crate) fn with(&self, gaussians: splat::Gaussians<Vec<f32>>) -> Self {
        Self::new(&self.config, gaussians)
    }

    /// Returns the view of an image of `width` x `height` px. The scene fills the image: pixels
    /// that are not square stretch it.
    pub(crate) fn view(&self, width: usize, height: usize) -> Views {
        let Camera {
            projection,
            camera_from_world,
            ..
        } = camera::camera(self.config.camera, self.config.image_size);
        let [cx, cy] = [width, height].map(|side| side as f64 / 2.0);
        let camera = Camera::new(projection, cx, cy, cx, cy).with_pose(camera_from_world);
        Views::single(width, height, camera, self.gaussians.count)
    }

    /// Returns the settings of a render of `width` x `height` px. The blur is the same share of the
    /// image's area as in training, so that a larger image shows the same content.
    pub(crate) fn settings(&self, width: usize, height: usize) -> RenderConfig {
        let trained = (self.config.image_size * self.config.image_size) as f64;
        let settings = render::settings(&self.config);
        let blur = settings.blur * (width * height) as f64 / trained;
        settings.with_blur(blur)
    }
}

/// Encodes `images`, which have the configured size, with all patches visible. Returns the
/// Gaussians of each image.
///
/// # Errors
///
/// [`Error::Argument`] if the model predicts no Gaussians (MAE). [`Error::Length`] if an image has
/// another size than the model's.
pub(crate) fn scenes<B: Operations>(
    config: &Config,
    model: &Autoencoder<B>,
    images: &[Image],
) -> Result<Vec<Scene>, Error> {
    let masks = vec![Mask::none(config.patches()); images.len()];
    let pixels = images.iter().flat_map(|image| image.pixels.iter().copied());
    let batch = Batch {
        pixels: pixels.collect(),
        masks,
    };
    let mut scenes = Vec::with_capacity(images.len());
    for piece in batch.pieces(config)? {
        let visible = Visible::new(config, &piece.pixels, &piece.masks, &model.device())?;
        let Decoded::Gaussians(gaussians) = model.forward(&visible) else {
            return Err(Error::Argument {
                argument: "--checkpoint",
                expected: "a model that predicts Gaussians (method gmae)".to_owned(),
                got: "one that predicts patches (method mae)".to_owned(),
            });
        };
        scenes.extend(taken_apart(config, gaussians)?);
    }
    Ok(scenes)
}

/// Copies the Gaussians to the host and separates the images.
fn taken_apart<B: Operations>(
    config: &Config,
    gaussians: Gaussians<B>,
) -> Result<Vec<Scene>, Error> {
    let count = config.gaussians;
    let all = render::buffers(gaussians)?;
    let scene = |image: usize| {
        let own = image * count..(image + 1) * count;
        Scene::new(config, picked(&all, own))
    };
    Ok((0..all.count / count).map(scene).collect())
}

/// Returns the Gaussians with some indices, in their order.
pub(super) fn picked(
    all: &splat::Gaussians<Vec<f32>>,
    indices: impl ExactSizeIterator<Item = usize> + Clone,
) -> splat::Gaussians<Vec<f32>> {
    let part = |buffer: &[f32], per_gaussian: usize| -> Vec<f32> {
        let rows = indices.clone();
        rows.flat_map(|i| &buffer[i * per_gaussian..(i + 1) * per_gaussian])
            .copied()
            .collect()
    };
    splat::Gaussians {
        means: part(&all.means, 3),
        scales: part(&all.scales, 3),
        quaternions: part(&all.quaternions, 4),
        opacities: part(&all.opacities, 1),
        features: part(&all.features, all.channels),
        count: indices.len(),
        channels: all.channels,
        encoding: splat::encoding::Encoding::PLAIN,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::config::{CameraKind, Preset};

    /// A scene of the nano preset, with round grey Gaussians. Each is given by its centre, scale
    /// and opacity.
    pub(in crate::readings) fn scene(of: &[([f32; 3], f32, f32)]) -> Scene {
        let count = of.len();
        let config = Config {
            gaussians: count,
            ..Preset::Nano.config()
        };
        let gaussians = splat::Gaussians {
            means: of.iter().flat_map(|g| g.0).collect(),
            scales: of.iter().flat_map(|g| [g.1; 3]).collect(),
            quaternions: [1.0, 0.0, 0.0, 0.0].repeat(count),
            opacities: of.iter().map(|g| g.2).collect(),
            features: vec![0.25; 3 * count],
            count,
            channels: 3,
            encoding: splat::encoding::Encoding::PLAIN,
        };
        Scene::new(&config, gaussians)
    }

    #[test]
    fn the_view_of_the_trained_size_is_that_of_the_model() {
        for kind in [
            CameraKind::Hybrid,
            CameraKind::Orthographic,
            CameraKind::Perspective,
        ] {
            let mut of = scene(&[([0.0; 3], 1.0, 0.5)]);
            of.config.camera = kind;
            let expected = camera::views(&of.config, 1).expect("views");
            assert_eq!(of.view(32, 32), expected, "{kind:?}");
            assert_eq!(of.settings(32, 32), render::settings(&of.config));
        }
    }

    /// A Gaussian in the middle covers the same share of an image of any size.
    #[test]
    fn larger_images_show_the_same_content() {
        let of = scene(&[([0.1, -0.2, 0.0], 0.8, 0.9)]);
        let mean = |width: usize, height: usize| {
            let input = splat::Scene {
                gaussians: of.gaussians.as_slices(),
                views: &of.view(width, height),
                backgrounds: &[1.0; 3],
            };
            let settings = of.settings(width, height);
            let (image, _) = splat::render(&splat::Cpu::<f32>::new(), &input, &settings).unwrap();
            image.features.iter().map(|&v| f64::from(v)).sum::<f64>() / image.features.len() as f64
        };
        let small = 1.0 - mean(32, 32);
        for (width, height) in [(64, 64), (128, 128), (96, 96)] {
            let larger = 1.0 - mean(width, height);
            assert!(
                (larger / small - 1.0).abs() < 0.01,
                "{larger} is not {small}"
            );
        }
        let wide = 1.0 - mean(128, 64);
        assert!((wide / small - 1.0).abs() < 0.05, "{wide} is not {small}");
    }

    #[test]
    fn scenes_of_a_model_are_those_of_its_prediction() {
        use crate::backend::{Cpu, Device};
        let config = Preset::Nano.config();
        let model = Autoencoder::<Cpu>::new(&config, &Device::default());
        let images = [0.25, 0.75].map(|v| Image::filled(32, 32, [v; 3]));
        let found = scenes(&config, &model, &images).expect("two images");
        assert_eq!(found.len(), 2);
        let one = scenes(&config, &model, &images[1..]).expect("an image");
        assert_eq!(found[1], one[0]);
        assert_ne!(found[0].gaussians.means, found[1].gaussians.means);
        assert_eq!(found[0].gaussians.means.len(), 3 * config.gaussians);
        let mae = Config {
            method: crate::config::Method::Mae,
            ..config
        };
        let model = Autoencoder::<Cpu>::new(&mae, &Device::default());
        let error = scenes(&mae, &model, &images).expect_err("patches");
        assert!(error.to_string().contains("mae"), "{error}");
    }
}
