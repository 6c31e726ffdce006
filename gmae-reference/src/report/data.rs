//! The content of a report, as plain data.

use crate::data::Image;

/// Everything a report shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ReportData {
    /// The heading of the page, such as `GMAE nano on shapes`.
    pub title: String,
    /// The exact command line that repeats the run.
    pub command: String,
    /// The numbers on top of the page.
    pub numbers: Numbers,
    /// Name and value of every setting, in the order in which to print them.
    pub configuration: Vec<(String, String)>,
    /// Remarks worth a reader's attention, such as skipped images; one paragraph each, may be
    /// empty.
    pub notes: Vec<String>,
    /// The loss while training.
    pub loss: LossCurve,
    /// Held-out pictures: the input of the model, and its reconstruction.
    pub rows: Vec<ReconstructionRow>,
    /// Pictures with their Gaussians drawn on top.
    pub gaussians: Vec<GaussianPicture>,
    /// Pictures taken apart by depth.
    pub depths: Vec<DepthPicture>,
}

/// The numbers on top of the page. All losses are mean squared errors on masked patches, colours in
/// `[0, 1]`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Numbers {
    /// Held-out loss before the first step; `None` if nothing is masked.
    pub start_loss: Option<f64>,
    /// Held-out loss after the last step; `None` if nothing is masked.
    pub end_loss: Option<f64>,
    /// Held-out loss with every masked patch in the mean colour of the visible ones; `None` if
    /// nothing is masked.
    pub baseline_loss: Option<f64>,
    /// Training images per second.
    pub images_per_second: f64,
    /// Wall-clock seconds of training.
    pub seconds: f64,
    /// Training steps taken.
    pub steps: usize,
    /// Trainable parameters.
    pub parameters: usize,
    /// Gaussians per picture.
    pub gaussians: usize,
}

impl Numbers {
    /// The loss at the end divided by the loss at the start, if both are there and the quotient is
    /// a number.
    pub(crate) fn ratio(&self) -> Option<f64> {
        quotient(self.end_loss, self.start_loss)
    }

    /// The loss at the end divided by the baseline's, if both are there and the quotient is a
    /// number.
    pub(crate) fn against_baseline(&self) -> Option<f64> {
        quotient(self.end_loss, self.baseline_loss)
    }
}

fn quotient(of: Option<f64>, by: Option<f64>) -> Option<f64> {
    let quotient = of? / by?;
    quotient.is_finite().then_some(quotient)
}

/// Loss against training steps; points are `(step, loss)`. Points that are not finite are left out.
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
    /// The original with its masked patches greyed out.
    pub masked: Image,
    /// The render of all Gaussians.
    pub reconstruction: Image,
    /// The original where it was visible, the render where it was masked.
    pub pasted: Image,
    /// The original.
    pub original: Image,
    /// Loss of this picture on its masked patches; `None` if nothing is masked.
    pub loss: Option<f64>,
}

/// A picture and the Gaussians that draw it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct GaussianPicture {
    /// The original.
    pub original: Image,
    /// The render of all Gaussians, same size.
    pub render: Image,
    /// The Gaussians, nearest first, in pixels of these images.
    pub ellipses: Vec<Ellipse>,
}

/// A picture cut into groups of Gaussians of increasing depth.
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
    /// The render of this group and every nearer one.
    pub prefix: Image,
    /// The Gaussians of this group alone, nearest first, in pixels of the image.
    pub ellipses: Vec<Ellipse>,
}

/// A projected Gaussian: centre and covariance in pixels of the image it belongs to.
///
/// The centre of the first pixel is at (0.5, 0.5), x to the right, y down.
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
