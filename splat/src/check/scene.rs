//! Scenes with owned buffers, and the numbers that a render depends on.

use std::ops::Range;

use crate::backends::cpu::Cpu;
use crate::backends::stages::CpuScalar;
use crate::config::RenderConfig;
use crate::error::RenderError;
use crate::gaussians::{Gaussians, check_len};
use crate::gradients::{Gradients, Wanted};
use crate::image::Image;
use crate::oracle;
use crate::render::{Saved, Scene, render, render_vjp};
use crate::views::Views;

/// A scene with its settings. It owns its buffers, so that a failed property can print it.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnedScene {
    /// The N Gaussians.
    pub gaussians: Gaussians<Vec<f64>>,
    /// The B views.
    pub views: Views,
    /// The backgrounds `[B, C]`.
    pub backgrounds: Vec<f64>,
    /// The settings of the render.
    pub config: RenderConfig,
}

/// The buffers of an [`OwnedScene`], rounded to `T`.
#[derive(Debug, Clone, PartialEq)]
pub struct Rounded<T> {
    /// The N Gaussians.
    pub gaussians: Gaussians<Vec<T>>,
    /// The B views.
    pub views: Views,
    /// The backgrounds `[B, C]`.
    pub backgrounds: Vec<T>,
}

/// One number that a render depends on.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Parameter {
    /// The name of its buffer, as in [`Gradients::buffers`].
    pub buffer: &'static str,
    /// Its place in the buffer.
    pub index: usize,
    /// Its value.
    pub value: f64,
}

/// The image and the saved state of a render on the CPU in `f64`.
pub type Rendered = (Image<Vec<f64>>, Saved<Cpu<f64>>);

impl<T> Rounded<T> {
    /// Borrows the buffers.
    pub fn scene(&self) -> Scene<'_, &[T]> {
        Scene {
            gaussians: self.gaussians.as_slices(),
            views: &self.views,
            backgrounds: &self.backgrounds,
        }
    }
}

impl OwnedScene {
    /// Borrows the buffers.
    pub fn scene(&self) -> Scene<'_, &[f64]> {
        Scene {
            gaussians: self.gaussians.as_slices(),
            views: &self.views,
            backgrounds: &self.backgrounds,
        }
    }

    /// Returns the buffers, rounded to `T`.
    pub fn rounded<T: CpuScalar>(&self) -> Rounded<T> {
        let round = |x: &Vec<f64>| x.iter().map(|&x| T::from_f64(x)).collect();
        Rounded {
            gaussians: self.gaussians.map(round),
            views: self.views.clone(),
            backgrounds: round(&self.backgrounds),
        }
    }

    /// Returns the scene with every number of the Gaussians and backgrounds replaced by `round` of
    /// it. Cameras keep their numbers, because every backend gets them in `f64`.
    #[must_use]
    pub fn with_rounding(&self, round: impl Fn(f64) -> f64) -> Self {
        let round = |x: &Vec<f64>| x.iter().map(|&x| round(x)).collect();
        Self {
            gaussians: self.gaussians.map(round),
            backgrounds: round(&self.backgrounds),
            ..self.clone()
        }
    }

    /// Returns the scene with other settings.
    #[must_use]
    pub fn with_config(self, config: RenderConfig) -> Self {
        Self { config, ..self }
    }

    /// Renders the scene on the CPU in `f64`.
    ///
    /// # Errors
    /// The errors of [`render`].
    pub fn render(&self) -> Result<Rendered, RenderError> {
        render(&Cpu::new(), &self.scene(), &self.config)
    }

    /// Computes the gradients on the CPU in `f64`. `v_image` is the gradient with respect to the
    /// image.
    ///
    /// # Errors
    /// The errors of [`render`] and [`render_vjp`].
    pub fn gradients(&self, v_image: &Image<Vec<f64>>) -> Result<Gradients<Vec<f64>>, RenderError> {
        let (_, saved) = self.render()?;
        let v_image = v_image.as_slices();
        render_vjp(&Cpu::new(), &self.scene(), &saved, &v_image, Wanted::ALL)
    }

    /// Renders the scene with the oracle, see [`oracle::render`].
    ///
    /// # Errors
    /// The errors of [`oracle::render`].
    pub fn oracle(&self) -> Result<Image<Vec<f64>>, RenderError> {
        oracle::render(&self.scene(), &self.config)
    }

    /// Computes the gradients of the oracle, see [`oracle::render_vjp`].
    ///
    /// # Errors
    /// The errors of [`oracle::render_vjp`].
    pub fn oracle_gradients(
        &self,
        v_image: &Image<Vec<f64>>,
    ) -> Result<Gradients<Vec<f64>>, RenderError> {
        oracle::render_vjp(&self.scene(), &self.config, &v_image.as_slices())
    }

    /// Returns the number of pixels of all views.
    pub fn pixels(&self) -> usize {
        let plane = self.views.height.saturating_mul(self.views.width);
        self.views.len().saturating_mul(plane)
    }

    /// Returns every number that the render is differentiated with respect to, in the order of
    /// [`Gradients::buffers`].
    pub fn parameters(&self) -> impl Iterator<Item = Parameter> {
        let poses = self.poses();
        let gaussians = self.gaussians.buffers().map(|(name, x)| (name, x.clone()));
        let rest = [
            ("backgrounds", self.backgrounds.clone()),
            ("camera_from_world", poses),
            ("intrinsics", self.intrinsics().concat()),
        ];
        let buffers = gaussians.into_iter().chain(rest);
        buffers.flat_map(|(buffer, values)| {
            let values = values.into_iter().enumerate();
            values.map(move |(index, value)| Parameter {
                buffer,
                index,
                value,
            })
        })
    }

    /// Returns the values of [`parameters`](Self::parameters).
    pub fn values(&self) -> Vec<f64> {
        self.parameters().map(|parameter| parameter.value).collect()
    }

    /// Returns the name of every buffer, with the range of its values in
    /// [`values`](Self::values).
    pub fn buffers(&self) -> [(&'static str, Range<usize>); 8] {
        let g = self.gaussians.buffers().map(|(name, x)| (name, x.len()));
        let [means, scales, quaternions, opacities, features] = g;
        let backgrounds = ("backgrounds", self.backgrounds.len());
        let poses = ("camera_from_world", 12 * self.views.cameras.len());
        let intrinsics = ("intrinsics", 4 * self.views.cameras.len());
        let mut end = 0;
        [
            means,
            scales,
            quaternions,
            opacities,
            features,
            backgrounds,
            poses,
            intrinsics,
        ]
        .map(|(name, len)| {
            let start = end;
            end += len;
            (name, start..end)
        })
    }

    /// Returns the scene with other values, in the order of [`values`](Self::values).
    ///
    /// # Errors
    /// [`RenderError::Shape`] if there are more or fewer values.
    pub fn with_values(&self, values: &[f64]) -> Result<Self, RenderError> {
        let expected = self.buffers()[7].1.end;
        check_len("values", "[parameters]", &[expected], values.len())?;
        let mut scene = self.clone();
        let mut rest = values;
        let mut fill = |buffer: &mut [f64]| {
            let (head, tail) = rest.split_at(buffer.len());
            buffer.copy_from_slice(head);
            rest = tail;
        };
        let g = &mut scene.gaussians;
        fill(&mut g.means);
        fill(&mut g.scales);
        fill(&mut g.quaternions);
        fill(&mut g.opacities);
        fill(&mut g.features);
        fill(&mut scene.backgrounds);
        for camera in &mut scene.views.cameras {
            fill(camera.camera_from_world.as_flattened_mut());
        }
        for camera in &mut scene.views.cameras {
            let mut row = [0.0; 4];
            fill(&mut row);
            [camera.fx, camera.fy, camera.cx, camera.cy] = row;
        }
        Ok(scene)
    }

    fn intrinsics(&self) -> Vec<[f64; 4]> {
        let cameras = self.views.cameras.iter();
        let rows = cameras.map(|camera| [camera.fx, camera.fy, camera.cx, camera.cy]);
        rows.collect()
    }

    fn poses(&self) -> Vec<f64> {
        let cameras = self.views.cameras.iter();
        let poses = cameras.flat_map(|camera| camera.camera_from_world.into_iter().flatten());
        poses.collect()
    }
}

/// Returns the gradients as one row, in the order of [`OwnedScene::values`].
pub fn gradient_row(gradients: &Gradients<Vec<f64>>) -> Vec<f64> {
    let buffers = gradients.buffers().into_iter();
    buffers.flat_map(|(_, buffer)| buffer).copied().collect()
}
