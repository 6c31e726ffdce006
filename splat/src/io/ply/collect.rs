//! The scene of the rows of an element.

use super::binary::Rows;
use super::body::Body;
use super::header::Element;
use super::layout::{Appearance, Layout};
use super::rows::rows;
use crate::io::cloud::{check_colours, rounded};
use crate::io::error::FileError;
use crate::io::scene::{CHANNELS, Colours, SceneFile, StoredScene};
use crate::math::exp;

/// The number of rows that a thread takes at least.
const PART: usize = 1 << 11;

/// The scene whose rows are being read.
struct Collected {
    means: Vec<f32>,
    /// The means, where `f32` does not hold them.
    wide_means: Vec<f64>,
    /// Colours or coefficients.
    colours: Vec<f32>,
    opacities: Vec<f32>,
    scales: Vec<f32>,
    quaternions: Vec<f32>,
    /// Standard deviations of the smoothing filter, if there is one.
    filters: Vec<f32>,
}

/// Rows of a [`Collected`] that have not been written.
struct Output<'a> {
    means: &'a mut [f32],
    wide_means: &'a mut [f64],
    colours: &'a mut [f32],
    opacities: &'a mut [f32],
    scales: &'a mut [f32],
    quaternions: &'a mut [f32],
    filters: &'a mut [f32],
}

/// The numbers of values of a row.
#[derive(Clone, Copy)]
struct Widths {
    means: usize,
    wide_means: usize,
    colours: usize,
    gaussians: usize,
    filters: usize,
}

impl Widths {
    fn of(layout: &Layout) -> Self {
        let shape = layout.shape.as_ref();
        Self {
            means: if layout.narrow { 3 } else { 0 },
            wide_means: if layout.narrow { 0 } else { 3 },
            colours: match &layout.appearance {
                Appearance::Harmonics { rest, .. } => CHANNELS + rest.len(),
                Appearance::Constant { .. } => CHANNELS,
                Appearance::White => 0,
            },
            gaussians: usize::from(shape.is_some()),
            filters: usize::from(shape.is_some_and(|shape| shape.filter.is_some())),
        }
    }
}

impl<'a> Output<'a> {
    /// Splits the first rows off.
    fn split(&mut self, rows: usize, widths: Widths) -> Output<'a> {
        Output {
            means: self
                .means
                .split_off_mut(..rows * widths.means)
                .unwrap_or_default(),
            wide_means: self
                .wide_means
                .split_off_mut(..rows * widths.wide_means)
                .unwrap_or_default(),
            colours: self
                .colours
                .split_off_mut(..rows * widths.colours)
                .unwrap_or_default(),
            opacities: self
                .opacities
                .split_off_mut(..rows * widths.gaussians)
                .unwrap_or_default(),
            scales: self
                .scales
                .split_off_mut(..3 * rows * widths.gaussians)
                .unwrap_or_default(),
            quaternions: self
                .quaternions
                .split_off_mut(..4 * rows * widths.gaussians)
                .unwrap_or_default(),
            filters: self
                .filters
                .split_off_mut(..rows * widths.filters)
                .unwrap_or_default(),
        }
    }

    /// Decodes and writes all rows, on all threads.
    fn fill(mut self, layout: &Layout, stored: &Rows, columns: usize, bytes: &[u8]) {
        let (widths, count) = (Widths::of(layout), bytes.len() / stored.stride);
        if count > PART {
            let half = count / 2;
            let first = self.split(half, widths);
            let (front, back) = bytes.split_at(half * stored.stride);
            rayon::join(
                || first.fill(layout, stored, columns, front),
                || self.fill(layout, stored, columns, back),
            );
            return;
        }
        let mut row = vec![0.0; columns];
        for bytes in bytes.chunks_exact(stored.stride) {
            stored.decode(bytes, &mut row);
            self.push(layout, widths, &row);
        }
    }

    /// Writes a row, whose values have the order of [`Layout::columns`].
    fn push(&mut self, layout: &Layout, widths: Widths, row: &[f64]) {
        let out = self.split(1, widths);
        let narrow = |to: &mut [f32], from: &[f64]| {
            for (to, from) in to.iter_mut().zip(from) {
                *to = *from as f32;
            }
        };
        let (means, mut row) = row.split_at(3);
        narrow(out.means, means);
        for (to, from) in out.wide_means.iter_mut().zip(means) {
            *to = *from;
        }
        match &layout.appearance {
            Appearance::Harmonics { rest, .. } => {
                let (base, others) = row.split_at(CHANNELS);
                let (first, coefficients) = out.colours.split_at_mut(CHANNELS);
                narrow(first, base);
                let (others, after) = others.split_at(rest.len());
                row = after;
                // The file orders these values by channel, the renderer by coefficient.
                let beyond = rest.len() / CHANNELS;
                let coefficients = coefficients.as_chunks_mut::<CHANNELS>().0;
                for (k, coefficient) in coefficients.iter_mut().enumerate() {
                    *coefficient = std::array::from_fn(|c| others[c * beyond + k] as f32);
                }
            }
            Appearance::Constant { ones, .. } => {
                let (rgb, after) = row.split_at(CHANNELS);
                row = after;
                for ((to, from), one) in out.colours.iter_mut().zip(rgb).zip(ones) {
                    *to = (from / one) as f32;
                }
            }
            Appearance::White => {}
        }
        let Some(shape) = &layout.shape else {
            return;
        };
        // As `opacities_from_logits` and `scales_from_logs` do: a file's numbers become `f32` first.
        let stored = |x: f64| f64::from(x as f32);
        out.opacities[0] = exp::sigmoid(stored(row[0])) as f32;
        let (logs, row) = row[1..].split_at(shape.scales.len());
        // A surface has no thickness: its third scale stays 0.
        for (to, from) in out.scales.iter_mut().zip(logs) {
            *to = exp::exponential(stored(*from)) as f32;
        }
        let (quaternion, filter) = row.split_at(4);
        narrow(out.quaternions, quaternion);
        narrow(out.filters, filter);
    }
}

impl Collected {
    fn zeros(layout: &Layout, count: usize) -> Self {
        let widths = Widths::of(layout);
        Self {
            means: vec![0.0; widths.means * count],
            wide_means: vec![0.0; widths.wide_means * count],
            colours: vec![0.0; widths.colours * count],
            opacities: vec![0.0; widths.gaussians * count],
            scales: vec![0.0; 3 * widths.gaussians * count],
            quaternions: vec![0.0; 4 * widths.gaussians * count],
            filters: vec![0.0; widths.filters * count],
        }
    }

    fn output(&mut self) -> Output<'_> {
        Output {
            means: &mut self.means,
            wide_means: &mut self.wide_means,
            colours: &mut self.colours,
            opacities: &mut self.opacities,
            scales: &mut self.scales,
            quaternions: &mut self.quaternions,
            filters: &mut self.filters,
        }
    }

    fn finish(self, layout: &Layout) -> Result<SceneFile, FileError> {
        if let Appearance::Constant { .. } = layout.appearance {
            check_colours("vertex", &self.colours)?;
        }
        let (means, origin) = if layout.narrow {
            (self.means, [0.0; 3])
        } else {
            rounded(self.wide_means)
        };
        if layout.shape.is_none() {
            let white = matches!(layout.appearance, Appearance::White);
            let points = StoredScene::from_points(means, (!white).then_some(self.colours));
            let invalid = |error| FileError::content("vertex", "points with colours", error);
            let points = points.map_err(invalid)?;
            let scene = StoredScene { origin, ..points };
            return Ok(SceneFile {
                points: true,
                ..SceneFile::of(scene)
            });
        }
        let colours = match layout.appearance {
            Appearance::Harmonics { degree, .. } => Colours::Harmonics {
                degree,
                coefficients: self.colours,
            },
            _ => Colours::Constant(self.colours),
        };
        let mut scene = StoredScene {
            origin,
            scales: self.scales,
            quaternions: self.quaternions,
            opacities: self.opacities,
            colours,
            means,
        };
        smooth(&mut scene, &self.filters);
        Ok(SceneFile::of(scene))
    }
}

/// Convolves each Gaussian with the round filter of its standard deviation in `filters`, as
/// Mip-Splatting does (Yu et al. 2024, 3D smoothing filter). The integral of the opacity stays the
/// same.
fn smooth(scene: &mut StoredScene, filters: &[f32]) {
    let (scales, _) = scene.scales.as_chunks_mut::<3>();
    for ((scale, opacity), &filter) in scales.iter_mut().zip(&mut scene.opacities).zip(filters) {
        let before: f64 = scale.iter().map(|&s| f64::from(s)).product();
        *scale = scale.map(|s| s.hypot(filter));
        let after: f64 = scale.iter().map(|&s| f64::from(s)).product();
        if filter != 0.0 {
            *opacity = (f64::from(*opacity) * before / after) as f32;
        }
    }
}

/// Takes the rows of the element and makes a scene of them.
pub(super) fn scene(body: &mut Body, element: &Element) -> Result<SceneFile, FileError> {
    let layout = Layout::of(element)?;
    let (columns, widths) = (layout.columns(), Widths::of(&layout));
    // A greater count is refused below.
    let count = element.count.min(body.most_rows(element));
    let mut collected = Collected::zeros(&layout, count);
    let mut output = collected.output();
    if let Some(stored) = Rows::of(body, element, &columns) {
        stored.take(body, element, |block| {
            let part = output.split(block.len() / stored.stride, widths);
            part.fill(&layout, &stored, columns.len(), block);
        })?;
    } else {
        rows(body, element, &columns, |row| {
            output.push(&layout, widths, row);
        })?;
    }
    collected.finish(&layout)
}
