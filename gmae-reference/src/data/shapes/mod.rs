//! A procedural data set: textured shapes that occlude one another in front of smooth backgrounds.
//!
//! A scene is a function of a seed and an index, at any size. Every scene has exact ground truth:
//! the label of every pixel, the depth order, the full extent of occluded shapes, and the
//! boundaries.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::dataset::Dataset;
use super::error::DataError;
use super::image::Image;

mod layout;
mod outline;
mod paint;
mod truth;

use layout::Layout;
use outline::Outline;
pub use outline::ShapeKind;
use paint::Texture;
pub use truth::SceneTruth;

/// Number of samples along each side of a pixel. Only pixels that an outline crosses are
/// supersampled.
const SUBSAMPLES: usize = 4;
/// Largest side of a scene in pixels.
const MAX_SIZE: usize = 4096;

/// The procedural data set.
#[derive(Clone, Debug)]
pub struct Shapes {
    seed: u64,
    count: usize,
    size: usize,
    flips: bool,
}

/// A scene with its ground truth. All maps have the shape `[H, W]`, row by row, where H = W is the
/// side of the image.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    /// The picture, anti-aliased.
    pub image: Image,
    /// Label at the centre of each pixel: 0 for the background, k for the shape with label k.
    pub labels: Vec<u8>,
    /// The shapes, farthest first, so that `shapes[k - 1]` has label k.
    pub shapes: Vec<Shape>,
    /// True where the label differs from the label of the right or the lower neighbour.
    pub boundary: Vec<bool>,
}

/// One shape of a scene.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Label of the shape in [`Scene::labels`].
    pub label: u8,
    /// Rank of the shape in the depth order. Rank 0 is the nearest shape, which occludes all
    /// others.
    pub depth_rank: usize,
    /// The kind of the shape.
    pub kind: ShapeKind,
    /// The pixels in which the shape is visible, `[H, W]`.
    pub visible: Vec<bool>,
    /// The pixels that the shape covers, including occluded pixels, `[H, W]`.
    pub amodal: Vec<bool>,
}

impl Scene {
    /// Returns the exact truth at the pixels of the picture.
    pub fn truth(&self) -> SceneTruth {
        SceneTruth::of(self.labels.clone(), self.image.width, self.shapes.len())
    }
}

impl Shapes {
    /// Creates a set of `count` scenes of `size` x `size` pixels, without augmentation.
    ///
    /// # Errors
    ///
    /// [`DataError::Option`] unless `size` lies in 1..=4096.
    pub fn new(seed: u64, count: usize, size: usize) -> Result<Self, DataError> {
        check_size(size)?;
        Ok(Self {
            seed,
            count,
            size,
            flips: false,
        })
    }

    /// Returns the same scenes for training: [`Dataset::image`] mirrors a picture with probability
    /// 1/2.
    ///
    /// There are no random crops. Additional scenes cost no more than crops, and crops would blur
    /// the exact edges.
    #[must_use]
    pub fn for_training(self) -> Self {
        Self {
            flips: true,
            ..self
        }
    }

    /// Renders scene number `index` with its ground truth. The scene is never mirrored. `index` is
    /// not limited by `len()`.
    pub fn scene(&self, index: usize) -> Scene {
        let layout = Layout::new(self.seed, index as u64);
        let (image, labels) = render(&layout, self.size);
        let count = layout.shapes.len();
        let shapes = (1_u8..)
            .zip(&layout.shapes)
            .map(|(label, (outline, _))| Shape {
                label,
                depth_rank: count - usize::from(label),
                kind: outline.kind,
                visible: labels.iter().map(|&l| l == label).collect(),
                amodal: (0..self.size * self.size)
                    .map(|i| outline.distance(pixel_centre(i, self.size), 0.0) < 0.0)
                    .collect(),
            })
            .collect();
        Scene {
            boundary: label_boundary(&labels, self.size),
            image,
            labels,
            shapes,
        }
    }

    /// Returns the exact truth of scene number `index` at `size` x `size` pixels, whatever the size
    /// of the pictures. No colour is computed. The scene is never mirrored. `index` is not limited
    /// by `len()`.
    ///
    /// # Errors
    ///
    /// [`DataError::Option`] unless `size` lies in 1..=4096.
    pub fn truth(&self, index: usize, size: usize) -> Result<SceneTruth, DataError> {
        check_size(size)?;
        let layout = Layout::new(self.seed, index as u64);
        let label = |i| nearest(&layout, pixel_centre(i, size)).map_or(0, |k| k as u8 + 1);
        let labels = (0..size * size).map(label).collect();
        Ok(SceneTruth::of(labels, size, layout.shapes.len()))
    }

    /// The side of the pictures in pixels.
    pub fn size(&self) -> usize {
        self.size
    }
}

impl Dataset for Shapes {
    fn len(&self) -> usize {
        self.count
    }

    fn image(&self, index: usize, rng: &mut ChaCha8Rng) -> Result<Image, DataError> {
        if index >= self.count {
            return Err(DataError::Index {
                index,
                len: self.count,
            });
        }
        let (image, _) = render(&Layout::new(self.seed, index as u64), self.size);
        Ok(if self.flips && rng.random_bool(0.5) {
            image.flipped()
        } else {
            image
        })
    }

    fn fingerprint(&self) -> String {
        let Self {
            seed,
            count,
            size,
            flips,
        } = self;
        format!("{count} shapes of seed {seed}, {size} px, mirrored {flips}")
    }
}

fn check_size(size: usize) -> Result<(), DataError> {
    if (1..=MAX_SIZE).contains(&size) {
        return Ok(());
    }
    Err(DataError::Option {
        argument: "size of the shapes",
        expected: "1 to 4096 pixels",
        got: size.to_string(),
    })
}

fn pixel_centre(i: usize, size: usize) -> [f32; 2] {
    [i % size, i / size].map(|v| (v as f32 + 0.5) / size as f32)
}

/// Renders the picture and the label map of a layout at `size` x `size` pixels.
fn render(layout: &Layout, size: usize) -> (Image, Vec<u8>) {
    let mut labels = Vec::with_capacity(size * size);
    let mut pixels = Vec::with_capacity(size * size * 3);
    for i in 0..size * size {
        let (label, colour) = render_pixel(layout, pixel_centre(i, size), 1.0 / size as f32);
        labels.push(label);
        pixels.extend_from_slice(&colour);
    }
    let image = Image {
        width: size,
        height: size,
        pixels,
    };
    (image, labels)
}

/// Computes the label and the colour of the pixel with centre `p` and side `pixel`.
fn render_pixel(layout: &Layout, p: [f32; 2], pixel: f32) -> (u8, [f32; 3]) {
    let mut label = None;
    let mut crossed = false;
    // From the nearest shape to the first shape that fills the whole pixel.
    for (k, (outline, _)) in layout.shapes.iter().enumerate().rev() {
        let distance = outline.distance(p, pixel);
        if label.is_none() && distance < 0.0 {
            label = Some(k);
        }
        if distance.abs() <= pixel {
            crossed = true;
        } else if distance < 0.0 {
            break;
        }
    }
    let colour = if crossed {
        supersample(layout, p, pixel)
    } else {
        colour_of(layout, label, p, pixel)
    };
    (label.map_or(0, |k| k as u8 + 1), colour)
}

fn colour_of(layout: &Layout, shape: Option<usize>, p: [f32; 2], pixel: f32) -> [f32; 3] {
    match shape {
        Some(k) => layout.shapes[k].1.colour(p, pixel),
        None => layout.background.colour(p),
    }
}

/// Returns the index of the nearest shape that covers `p`.
fn nearest(layout: &Layout, p: [f32; 2]) -> Option<usize> {
    let covers = |(outline, _): &(Outline, Texture)| outline.distance(p, 0.0) < 0.0;
    layout.shapes.iter().rposition(covers)
}

/// Computes the mean of a regular grid of samples within one pixel.
fn supersample(layout: &Layout, p: [f32; 2], pixel: f32) -> [f32; 3] {
    let offset = |i: usize| ((i as f32 + 0.5) / SUBSAMPLES as f32 - 0.5) * pixel;
    let mut sum = [0.0; 3];
    for i in 0..SUBSAMPLES * SUBSAMPLES {
        let at = [p[0] + offset(i % SUBSAMPLES), p[1] + offset(i / SUBSAMPLES)];
        let colour = colour_of(layout, nearest(layout, at), at, pixel);
        sum.iter_mut().zip(colour).for_each(|(s, v)| *s += v);
    }
    sum.map(|v| v / (SUBSAMPLES * SUBSAMPLES) as f32)
}

fn label_boundary(labels: &[u8], size: usize) -> Vec<bool> {
    (0..size * size)
        .map(|i| {
            let right = i % size + 1 < size && labels[i] != labels[i + 1];
            let below = i / size + 1 < size && labels[i] != labels[i + size];
            right || below
        })
        .collect()
}

#[cfg(test)]
mod tests;
