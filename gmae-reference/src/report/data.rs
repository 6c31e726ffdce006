//! The content of a report, as plain data.

use crate::data::Image;

/// The complete content of a report.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ReportData {
    /// The heading of the page, such as `GMAE nano on shapes`.
    pub title: String,
    /// The exact command line that repeats the run.
    pub command: String,
    /// The numbers at the top of the page.
    pub numbers: Numbers,
    /// Name and value of every setting, in the order of the page.
    pub configuration: Vec<(String, String)>,
    /// Remarks, such as skipped images, one paragraph each. Can be empty.
    pub notes: Vec<String>,
    /// The loss during training.
    pub loss: LossCurve,
    /// Held-out pictures: the input of the model and its reconstruction.
    pub rows: Vec<ReconstructionRow>,
    /// Pictures with their Gaussians drawn on top.
    pub gaussians: Vec<GaussianPicture>,
    /// Pictures in layers of depth.
    pub depths: Vec<DepthPicture>,
    /// Density of the Gaussians against the detail of the pictures; `None` if not measured.
    pub density: Option<DensityData>,
    /// Size of the Gaussians against their depth; `None` if not measured.
    pub size_depth: Option<SizeDepthData>,
}

/// The numbers at the top of the page. All losses are mean squared errors on masked patches, for
/// colours in `[0, 1]`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Numbers {
    /// Held-out loss before the first step; `None` if nothing is masked.
    pub start_loss: Option<f64>,
    /// Held-out loss after the last step; `None` if nothing is masked.
    pub end_loss: Option<f64>,
    /// Held-out loss if every masked patch has the mean colour of the visible patches; `None` if
    /// nothing is masked.
    pub baseline_loss: Option<f64>,
    /// Number of training images per second.
    pub images_per_second: f64,
    /// Wall-clock seconds of training.
    pub seconds: f64,
    /// Number of training steps taken.
    pub steps: usize,
    /// Number of trainable parameters.
    pub parameters: usize,
    /// Number of Gaussians per picture.
    pub gaussians: usize,
}

impl Numbers {
    /// Returns the loss at the end divided by the loss at the start. The result is `None` if a loss
    /// is missing or the quotient is not finite.
    pub(crate) fn ratio(&self) -> Option<f64> {
        quotient(self.end_loss, self.start_loss)
    }

    /// Returns the loss at the end divided by the loss of the baseline. The result is `None` if a
    /// loss is missing or the quotient is not finite.
    pub(crate) fn against_baseline(&self) -> Option<f64> {
        quotient(self.end_loss, self.baseline_loss)
    }
}

fn quotient(of: Option<f64>, by: Option<f64>) -> Option<f64> {
    let quotient = of? / by?;
    quotient.is_finite().then_some(quotient)
}

/// Loss against training steps, as points `(step, loss)`. Points that are not finite are not drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct LossCurve {
    /// Loss on training batches.
    pub train: Vec<(f64, f64)>,
    /// Loss on held-out images.
    pub held_out: Vec<(f64, f64)>,
}

/// One held-out picture in four versions of the same size.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ReconstructionRow {
    /// The original with its masked patches in grey.
    pub masked: Image,
    /// The render of all Gaussians.
    pub reconstruction: Image,
    /// The original with its masked patches replaced by the render.
    pub pasted: Image,
    /// The original.
    pub original: Image,
    /// Loss of this picture on its masked patches; `None` if nothing is masked.
    pub loss: Option<f64>,
}

/// A picture and its Gaussians.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct GaussianPicture {
    /// The original.
    pub original: Image,
    /// The render of all Gaussians, same size.
    pub render: Image,
    /// The Gaussians, nearest first, in pixels of these images.
    pub ellipses: Vec<Ellipse>,
}

/// A picture and its Gaussians in groups of increasing depth.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DepthPicture {
    /// The original.
    pub original: Image,
    /// The groups, nearest first.
    pub layers: Vec<DepthLayer>,
}

/// One depth group of a picture.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DepthLayer {
    /// The render of this group and all nearer groups.
    pub prefix: Image,
    /// The Gaussians of this group alone, nearest first, in pixels of the image.
    pub ellipses: Vec<Ellipse>,
}

/// A projected Gaussian: centre and covariance in pixels of its image.
///
/// The centre of the first pixel is at (0.5, 0.5). The x axis points right, the y axis down.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Ellipse {
    /// Column of the centre, in pixels.
    pub x: f32,
    /// Row of the centre, in pixels.
    pub y: f32,
    /// Variance along x, in square pixels.
    pub xx: f32,
    /// Covariance of x and y, in square pixels.
    pub xy: f32,
    /// Variance along y, in square pixels.
    pub yy: f32,
    /// Red, green and blue in `[0, 1]`.
    pub colour: [f32; 3],
    /// Opacity in `[0, 1]`.
    pub opacity: f32,
}

/// Density of the Gaussians of some pictures against the detail of these pictures.
///
/// The numbers are those of [`detail_map`](crate::evaluation::detail_map) and
/// [`density_map`](crate::evaluation::density_map).
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct DensityData {
    /// The run, such as `GMAE, seed 0`. Can be empty.
    pub name: String,
    /// Detail and density of every cell. Points that are not finite are not drawn.
    pub cells: Vec<(f64, f64)>,
    /// Some of the pictures. Can be empty.
    pub pictures: Vec<DensityPicture>,
}

/// A picture, its detail and the density of its Gaussians, all of the same size.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DensityPicture {
    /// The original.
    pub original: Image,
    /// The detail of the original, as drawn by `heat_map`.
    pub detail: Image,
    /// The density of the Gaussians, as drawn by `heat_map`.
    pub density: Image,
}

/// Size of the Gaussians of some pictures against their depth.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct SizeDepthData {
    /// The run, such as `GMAE, seed 0`. Can be empty.
    pub name: String,
    /// All Gaussians. Points that are not finite are not drawn.
    pub points: Vec<SizeDepth>,
}

/// Size and depth of one Gaussian.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct SizeDepth {
    /// Distance from the camera along its axis, in world units.
    pub depth: f64,
    /// Geometric mean of the standard deviations along the two axes of the footprint, in pixels.
    pub size: f64,
    /// Opacity in `[0, 1]`.
    pub opacity: f64,
}
