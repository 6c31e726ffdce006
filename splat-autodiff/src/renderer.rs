//! A renderer that keeps its memory from one step of a training loop to the next.

use burn::tensor::Tensor;
use burn::tensor::backend::{AutodiffBackend, Backend};
use splat::encoding::Encoding;
use splat::{RenderConfig, Views};

use crate::cameras::CameraTensors;
use crate::ellipses::{EllipseTensors, EllipseViews};
use crate::engine::{self, Rendering};
use crate::error::Error;
use crate::gaussians::GaussianTensors;
use crate::inputs::TrackedInputs;
use crate::inputs::ellipses::EllipseInputs;
use crate::inputs::gaussians::GaussianInputs;
use crate::memory::Memory;
use crate::op::{attach, tensor, untyped};
use crate::rendered::Rendered;
use crate::tape::Recording;

/// Renders like [`render`](crate::render()) and keeps memory for the next render.
///
/// On most systems, the first access to fresh memory takes about as long as filling it. A renderer
/// keeps the saved state of a render and the intermediate gradients. They become free when the
/// backward pass ends, or when Burn drops a graph without a backward pass. The next render takes
/// them. The results have the same bits as those of the free functions.
///
/// Images and gradients are tensors of Burn. Burn owns their memory, and a renderer cannot take it
/// back. In exchange, a renderer takes the memory of the gradients with respect to the images,
/// which the backward pass consumes, and gives it to the next images. A buffer that a conversion to
/// `f16` or `bf16` copies is also kept.
///
/// A clone shares the memory. Several threads and scenes of different sizes may use one renderer.
/// The memory stays until the renderer is dropped or [`clear`](Renderer::clear)ed. Renders on a
/// device do not use it, because the runtime of the device keeps its own memory.
///
/// ```
/// use burn::tensor::backend::AutodiffBackend;
/// use burn::tensor::Tensor;
/// use splat::{Camera, RenderConfig, Views};
/// use splat_autodiff::{Error, GaussianTensors, Renderer};
///
/// /// Learns the colour of one Gaussian and returns the last loss.
/// fn fit<B: AutodiffBackend>(device: &B::Device) -> Result<f64, Error> {
///     let renderer = Renderer::new();
///     let views = Views::single(32, 32, Camera::pinhole(32.0, 32.0, 16.0, 16.0), 1);
///     let mut colour = Tensor::<B, 2>::zeros([1, 3], device).require_grad();
///     let mut last = f64::INFINITY;
///     for _ in 0..50 {
///         let gaussians = GaussianTensors {
///             means: Tensor::from_floats([[0.0, 0.0, 2.0]], device),
///             scales: Tensor::from_floats([[0.4, 0.4, 0.4]], device),
///             quaternions: Tensor::from_floats([[1.0, 0.0, 0.0, 0.0]], device),
///             opacities: Tensor::from_floats([0.8], device),
///             features: colour.clone(),
///         };
///         let background = Tensor::ones([1, 3], device);
///         let image = renderer.render(&gaussians, &views, background, &RenderConfig::default())?;
///         let loss = (image.features - 0.5).powf_scalar(2.0).mean();
///         let gradients = loss.backward();
///         last = f64::from(loss.into_data().iter::<f32>().sum::<f32>());
///         if let Some(gradient) = colour.grad(&gradients) {
///             colour = Tensor::from_inner(colour.inner() - gradient * 5.0).require_grad();
///         }
///     }
///     Ok(last)
/// }
///
/// type B = burn::backend::Autodiff<burn_flex::Flex>;
/// assert!(fit::<B>(&Default::default())? < 0.2);
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Renderer {
    memory: Memory,
    culled_on_device: bool,
    encoding: Encoding,
}

impl Renderer {
    /// Creates a renderer without memory.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the renderer with another choice whether renders on a device fill
    /// [`Rendered::culled`]. They do not by default: counting waits for the device and copies two
    /// numbers per view and Gaussian to the host. Renders on the CPU always count.
    #[must_use]
    pub fn with_culled_on_device(self, count: bool) -> Self {
        Self {
            culled_on_device: count,
            ..self
        }
    }

    /// Returns the renderer for tensors of another encoding. The default is [`Encoding::PLAIN`].
    ///
    /// With [`Features::Harmonics`](splat::encoding::Features::Harmonics) the features are `[N, K C]`:
    /// coefficients of spherical harmonics, of which those of the same basis function are neighbours.
    /// C is the number of columns of the background. With
    /// [`Features::PerSplat`](splat::encoding::Features::PerSplat) they are `[M, C]`. Gradients have
    /// the encoding of their tensors.
    #[must_use]
    pub fn with_encoding(self, encoding: Encoding) -> Self {
        Self { encoding, ..self }
    }

    /// Renders like [`render`](crate::render()).
    ///
    /// # Errors
    /// The same as for [`render`](crate::render()).
    ///
    /// # Panics
    /// The same as for [`render`](crate::render()).
    pub fn render<B: AutodiffBackend>(
        &self,
        gaussians: &GaussianTensors<B>,
        views: &Views,
        background: Tensor<B, 2>,
        config: &RenderConfig,
    ) -> Result<Rendered<B>, Error> {
        let none = CameraTensors::new();
        self.render_with_cameras(gaussians, views, background, none, config)
    }

    /// Renders like [`render_with_cameras`](crate::render_with_cameras).
    ///
    /// # Errors
    /// The same as for [`render_with_cameras`](crate::render_with_cameras).
    ///
    /// # Panics
    /// The same as for [`render`](crate::render()).
    pub fn render_with_cameras<B: AutodiffBackend>(
        &self,
        gaussians: &GaussianTensors<B>,
        views: &Views,
        background: Tensor<B, 2>,
        cameras: CameraTensors<B>,
        config: &RenderConfig,
    ) -> Result<Rendered<B>, Error> {
        self.differentiable(self.inputs(gaussians, views, background, cameras), config)
    }

    /// Renders like [`render_forward`](crate::render_forward).
    ///
    /// # Errors
    /// The same as for [`render_forward`](crate::render_forward).
    pub fn render_forward<B: Backend>(
        &self,
        gaussians: &GaussianTensors<B>,
        views: &Views,
        background: Tensor<B, 2>,
        config: &RenderConfig,
    ) -> Result<Rendered<B>, Error> {
        let none = CameraTensors::new();
        self.render_forward_with_cameras(gaussians, views, background, none, config)
    }

    /// Renders like [`render_forward_with_cameras`](crate::render_forward_with_cameras).
    ///
    /// # Errors
    /// The same as for [`render_forward_with_cameras`](crate::render_forward_with_cameras).
    pub fn render_forward_with_cameras<B: Backend>(
        &self,
        gaussians: &GaussianTensors<B>,
        views: &Views,
        background: Tensor<B, 2>,
        cameras: CameraTensors<B>,
        config: &RenderConfig,
    ) -> Result<Rendered<B>, Error> {
        self.forward(self.inputs(gaussians, views, background, cameras), config)
    }

    /// Renders like [`render_ellipses`](crate::render_ellipses). The encoding has no effect: it
    /// concerns Gaussians.
    ///
    /// # Errors
    /// The same as for [`render_ellipses`](crate::render_ellipses).
    ///
    /// # Panics
    /// The same as for [`render`](crate::render()).
    pub fn render_ellipses<B: AutodiffBackend>(
        &self,
        ellipses: &EllipseTensors<B>,
        views: &EllipseViews,
        background: Tensor<B, 2>,
        config: &RenderConfig,
    ) -> Result<Rendered<B>, Error> {
        let inputs = EllipseInputs {
            ellipses: ellipses.clone(),
            background,
            views,
        };
        self.differentiable(inputs, config)
    }

    /// Renders like [`render_ellipses_forward`](crate::render_ellipses_forward). The encoding has
    /// no effect: it concerns Gaussians.
    ///
    /// # Errors
    /// The same as for [`render_ellipses_forward`](crate::render_ellipses_forward).
    pub fn render_ellipses_forward<B: Backend>(
        &self,
        ellipses: &EllipseTensors<B>,
        views: &EllipseViews,
        background: Tensor<B, 2>,
        config: &RenderConfig,
    ) -> Result<Rendered<B>, Error> {
        let inputs = EllipseInputs {
            ellipses: ellipses.clone(),
            background,
            views,
        };
        self.forward(inputs, config)
    }

    /// Returns the size of the memory that is kept and not in use, in bytes.
    pub fn bytes(&self) -> usize {
        self.memory.bytes()
    }

    /// Frees the memory that is kept and not in use.
    pub fn clear(&self) {
        self.memory.clear();
    }

    fn inputs<'a, B: Backend>(
        &self,
        gaussians: &GaussianTensors<B>,
        views: &'a Views,
        background: Tensor<B, 2>,
        cameras: CameraTensors<B>,
    ) -> GaussianInputs<'a, B> {
        GaussianInputs {
            gaussians: gaussians.clone(),
            background,
            cameras,
            views,
            encoding: self.encoding,
        }
    }

    fn record<B: Backend, const N: usize>(
        &self,
        inputs: impl Rendering<B, N>,
        config: &RenderConfig,
    ) -> Result<Recording<B, N>, Error> {
        engine::record(&self.memory, self.culled_on_device, inputs, config)
    }

    fn forward<B: Backend, const N: usize>(
        &self,
        inputs: impl Rendering<B, N>,
        config: &RenderConfig,
    ) -> Result<Rendered<B>, Error> {
        inputs.check()?;
        let Recording { images, culled, .. } = self.record(inputs, config)?;
        Ok(Rendered {
            features: tensor(images.features),
            transmittance: images.transmittance.map(tensor),
            depth: images.depth.map(tensor),
            layers: images.layers.map(tensor),
            layer_transmittance: images.layer_transmittance.map(tensor),
            culled,
        })
    }

    fn differentiable<B: AutodiffBackend, I, const N: usize>(
        &self,
        inputs: I,
        config: &RenderConfig,
    ) -> Result<Rendered<B>, Error>
    where
        I: TrackedInputs<B, N>,
        I::Inner: Rendering<B::InnerBackend, N>,
    {
        inputs.check()?;
        let device = inputs.device();
        let parents = inputs.parents()?;
        if B::InnerBackend::ad_enabled(&device) {
            return Err(Error::NestedAutodiff {
                backend: B::InnerBackend::name(&device),
            });
        }
        let Recording {
            mut images,
            culled,
            tape,
        } = self.record(inputs.inner(), config)?;
        let (layers, planes) = (images.layers.take(), images.layer_transmittance.take());
        let images = attach(&parents, tape, images);
        let plane = |plane| untyped::<B, 3>(plane, &device);
        Ok(Rendered {
            features: untyped(images.features, &device)?,
            transmittance: images.transmittance.map(plane).transpose()?,
            depth: images.depth.map(plane).transpose()?,
            layers: layers.map(|images| Tensor::from_inner(tensor(images))),
            layer_transmittance: planes.map(|planes| Tensor::from_inner(tensor(planes))),
            culled,
        })
    }
}
