//! The loss of one photograph, and its gradient with respect to the Gaussians.

use splat::loss::{L1Ssim, l1_ssim, l1_ssim_vjp};
use splat::stages::{ImageSize, Statistics};
use splat::{Cpu, Gaussians, Image, RenderConfig, RenderError, Saved, Scene, Views, Wanted};
use splat::{Workspace, render, render_vjp};

use crate::dataset::Photo;
use crate::plan::SSIM_WEIGHT;

/// The error of one picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Loss {
    pub(crate) value: f64,
    /// Peak signal-to-noise ratio of the colours, clamped to [0, 1], dB.
    pub(crate) psnr: f64,
    /// Structural similarity of the colours as rendered.
    pub(crate) ssim: f64,
}

/// The gradient of the loss of one picture.
pub(crate) struct Gradient {
    pub(crate) loss: Loss,
    pub(crate) gaussians: Gaussians<Vec<f32>>,
    pub(crate) statistics: Option<Statistics<Vec<f32>>>,
}

/// A picture and its error.
pub(crate) struct Rendered {
    pub(crate) image: Image<Vec<f32>>,
    pub(crate) saved: Saved<Cpu<f32>>,
    pub(crate) loss: Loss,
    compared: L1Ssim<f32>,
    photograph: Vec<f32>,
}

/// A renderer that keeps its memory.
pub(crate) struct Renderer {
    workspace: Workspace<f32>,
    backend: Cpu<f32>,
    config: RenderConfig,
}

impl Renderer {
    pub(crate) fn new() -> Self {
        let workspace = Workspace::new();
        Self {
            backend: Cpu::new().with_workspace(&workspace),
            workspace,
            config: RenderConfig::default(),
        }
    }

    /// Renders the picture of a photograph and compares it with the photograph.
    pub(crate) fn render(
        &self,
        gaussians: &Gaussians<Vec<f32>>,
        photo: &Photo,
        background: [f32; 3],
    ) -> Result<Rendered, RenderError> {
        let views = views(photo, gaussians.count);
        let scene = scene(gaussians, &views, &background);
        let (image, saved) = render(&self.backend, &scene, &self.config)?;
        let photograph = photo.colours();
        let size = ImageSize {
            views: 1,
            height: photo.view.height,
            width: photo.view.width,
        };
        let compared = l1_ssim(&image.features, &photograph, size, 3, SSIM_WEIGHT)?;
        let loss = Loss {
            value: compared.loss(),
            psnr: psnr(&image.features, &photograph),
            ssim: compared.ssim,
        };
        Ok(Rendered {
            image,
            saved,
            loss,
            compared,
            photograph,
        })
    }

    /// Computes the gradient of a photograph's loss, and the statistics of the Gaussians if they are
    /// wanted.
    pub(crate) fn gradient(
        &self,
        gaussians: &Gaussians<Vec<f32>>,
        photo: &Photo,
        background: [f32; 3],
        statistics: bool,
    ) -> Result<Gradient, RenderError> {
        let rendered = self.render(gaussians, photo, background)?;
        let Rendered {
            image,
            saved,
            loss,
            compared,
            photograph,
        } = rendered;
        let v_image = l1_ssim_vjp(&compared, &image.features, &photograph, 1.0)?;
        let v_image = Image::from_features(v_image);
        let views = views(photo, gaussians.count);
        let scene = scene(gaussians, &views, &background);
        let wanted = Wanted::NONE.with_geometry(true).with_features(true);
        let wanted = wanted.with_statistics(statistics);
        let v = render_vjp(&self.backend, &scene, &saved, &v_image.as_slices(), wanted)?;
        self.workspace.recycle((image, saved));
        Ok(Gradient {
            loss,
            gaussians: v.gaussians,
            statistics: v.statistics,
        })
    }

    /// Takes the memory of a gradient back.
    pub(crate) fn recycle(&self, v: Gaussians<Vec<f32>>) {
        self.workspace.recycle(v);
    }
}

fn views(photo: &Photo, count: usize) -> Views {
    let view = &photo.view;
    Views::single(view.width, view.height, view.camera, count)
}

fn scene<'a>(
    gaussians: &'a Gaussians<Vec<f32>>,
    views: &'a Views,
    backgrounds: &'a [f32; 3],
) -> Scene<'a, &'a [f32]> {
    Scene {
        gaussians: gaussians.as_slices(),
        views,
        backgrounds,
    }
}

fn psnr(rendered: &[f32], photograph: &[f32]) -> f64 {
    let square = |(a, b): (&f32, &f32)| f64::from(a.clamp(0.0, 1.0) - b).powi(2);
    let sum: f64 = rendered.iter().zip(photograph).map(square).sum();
    -10.0 * (sum / photograph.len() as f64).log10()
}
