//! A parsed and validated reference file, with cameras and settings in the types of `splat`.

use splat::{Camera, RenderConfig, Views};

use crate::dims::{Dims, STORED_HARMONICS};
use crate::expected::{self, Expected};
use crate::params::Params;
use crate::tensors::Tensors;

/// The colours of the Gaussians.
pub(crate) enum Appearance {
    /// Features `[S, N, C]`.
    Features(Vec<f32>),
    /// Spherical harmonics.
    Harmonics {
        /// 0 to 3
        degree: u32,
        /// `[S, N, 16, C]`
        coefficients: Vec<f32>,
    },
}

/// The gradient of the loss with respect to the outputs.
pub(crate) struct Cotangents {
    /// `[I, H, W, C]`
    pub(crate) image: Vec<f32>,
    /// `[I, H, W]`
    pub(crate) alpha: Vec<f32>,
    /// `[I, H, W]`
    pub(crate) depth: Vec<f32>,
}

/// The contents of a file.
pub(crate) struct Reference {
    pub(crate) dims: Dims,
    pub(crate) config: RenderConfig,
    /// `[S, N, 3]`
    pub(crate) means: Vec<f32>,
    /// `[S, N, 3]`
    pub(crate) scales: Vec<f32>,
    /// `[S, N, 4]`
    pub(crate) quaternions: Vec<f32>,
    /// `[S, N]`
    pub(crate) opacities: Vec<f32>,
    pub(crate) appearance: Appearance,
    /// `[I, C]`
    pub(crate) backgrounds: Vec<f32>,
    /// One camera per image.
    pub(crate) cameras: Vec<Camera>,
    /// One scene index per image.
    pub(crate) scene_of_image: Vec<usize>,
    /// `None` if the file is for the forward pass only.
    pub(crate) cotangents: Option<Cotangents>,
    pub(crate) expected: Vec<Expected>,
}

impl Reference {
    /// Parses and validates a file. An error is a single line that names the invalid tensor.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let tensors = Tensors::parse(bytes)?;
        let params = Params::parse(&tensors)?;
        let [scenes, gaussians, _] = tensors.shape("means")?;
        let [images, channels] = tensors.shape("background")?;
        let Params { width, height, .. } = params;
        let dims = Dims {
            scenes,
            images,
            gaussians,
            channels,
            width,
            height,
        };
        let (s, n, c) = (scenes, gaussians, channels);
        if c == 0 {
            return Err("background: no channels".to_owned());
        }
        let appearance = match params.degree {
            None => Appearance::Features(tensors.numbers("features", &[s, n, c])?),
            Some(degree) => Appearance::Harmonics {
                degree,
                coefficients: tensors.numbers("sh_coeffs", &[s, n, STORED_HARMONICS, c])?,
            },
        };
        let expected = expected::all(&tensors, dims, params.degree, params.forward_only)?;
        Ok(Self {
            means: tensors.numbers("means", &[s, n, 3])?,
            scales: tensors.numbers("scales", &[s, n, 3])?,
            quaternions: tensors.numbers("quats", &[s, n, 4])?,
            opacities: tensors.numbers("opacities", &[s, n])?,
            appearance,
            backgrounds: tensors.numbers("background", &[images, c])?,
            cameras: cameras(&tensors, images, &params)?,
            scene_of_image: scenes_of_images(&tensors, dims)?,
            cotangents: cotangents(&tensors, dims, params.forward_only)?,
            expected,
            config: params.config,
            dims,
        })
    }

    /// Returns one view per image.
    pub(crate) fn views(&self) -> Views {
        let ranges = self.scene_of_image.iter();
        Views {
            width: self.dims.width,
            height: self.dims.height,
            cameras: self.cameras.clone(),
            ranges: ranges.map(|&scene| self.dims.gaussians_of(scene)).collect(),
        }
    }
}

/// Reads the gradient of the loss with respect to the outputs. Returns `None` for files without
/// gradients.
fn cotangents(
    tensors: &Tensors<'_>,
    dims: Dims,
    forward_only: bool,
) -> Result<Option<Cotangents>, String> {
    if forward_only {
        return Ok(None);
    }
    let plane = [dims.images, dims.height, dims.width];
    Ok(Some(Cotangents {
        image: tensors.numbers("ct_image", &[plane[0], plane[1], plane[2], dims.channels])?,
        alpha: tensors.numbers("ct_alpha", &plane)?,
        depth: tensors.numbers("ct_depth", &plane)?,
    }))
}

/// Reads the index of the scene that each image shows.
fn scenes_of_images(tensors: &Tensors<'_>, dims: Dims) -> Result<Vec<usize>, String> {
    let stored: Vec<i64> = tensors.numbers("scene_of_image", &[dims.images])?;
    let known = |scene: &i64| {
        usize::try_from(*scene)
            .ok()
            .filter(|&scene| scene < dims.scenes)
    };
    stored
        .iter()
        .enumerate()
        .map(|(image, scene)| {
            known(scene).ok_or_else(|| {
                let scenes = dims.scenes;
                format!("scene_of_image: image {image} shows scene {scene} of {scenes}")
            })
        })
        .collect()
}

/// Reads one camera per image.
fn cameras(tensors: &Tensors<'_>, images: usize, params: &Params) -> Result<Vec<Camera>, String> {
    let viewmats: Vec<f32> = tensors.numbers("viewmat", &[images, 4, 4])?;
    let intrinsics: Vec<f32> = tensors.numbers("intrinsics", &[images, 4])?;
    let pairs = viewmats.chunks_exact(16).zip(intrinsics.chunks_exact(4));
    pairs
        .enumerate()
        .map(|(image, (viewmat, intrinsics))| {
            if viewmat[12..] != [0.0, 0.0, 0.0, 1.0] {
                return Err(format!(
                    "viewmat: the last row of image {image} is not 0 0 0 1"
                ));
            }
            let row = |i: usize| std::array::from_fn(|j| f64::from(viewmat[4 * i + j]));
            let [fx, fy, cx, cy] = std::array::from_fn(|i| f64::from(intrinsics[i]));
            if fx <= 0.0 || fy <= 0.0 {
                return Err(format!(
                    "intrinsics: image {image} has a focal length that is not positive"
                ));
            }
            Ok(Camera::new(params.projection, fx, fy, cx, cy)
                .with_pose([row(0), row(1), row(2)])
                .with_depth_range(params.near, params.far))
        })
        .collect()
}
